//! The fan-out of a job: its sources become the numbered documents of its manifest while workers
//! already take the first ones.
//!
//! The order is that of the names, so that a listing that starts again after a crash meets the
//! same documents; those already in the manifest are passed over.

use crate::heartbeat::Held;
use crate::services::Services;
use crate::stop::{Interruption, Stop};
use extractor::client::{ExtractError, unpack};
use globset::{Glob, GlobSet, GlobSetBuilder};
use shared::identity::document_id;
use shared::job::{JobSpec, Location, ManifestEntry, Source};
use shared::outcome::Code;
use shared::queue::{Lease, Listing};
use std::io::Read;
use std::path::Path;
use stores::manifest::ManifestWriter;
use walkdir::{DirEntry, WalkDir};

/// Bytes copied at once.
const PIECE: usize = 1024 * 1024;

/// Lists a job on the calling (blocking) thread; answers how many documents it has.
///
/// # Errors
/// `Permanent` when the sources cannot be listed at all, otherwise as any unit of work.
pub fn list(services: &Services, job: &JobSpec, held: &Held) -> Result<u64, Stop> {
    let manifest =
        services.wait(ManifestWriter::open(&services.blobs, job.id)).map_err(Stop::from_store)?;
    let include = globs(&job.include)?;
    let mut listing = Lister { services, job, held, include, manifest };
    for source in &job.sources {
        match source {
            Source::Path(path) => listing.path(Path::new(path))?,
            Source::Upload(upload) => listing.upload(*upload)?,
            Source::Entries(entries) => {
                for entry in entries {
                    listing.add(entry.clone())?;
                }
            }
        }
    }
    services.wait(listing.manifest.finish()).map_err(Stop::from_store)
}

struct Lister<'a> {
    services: &'a Services,
    job: &'a JobSpec,
    held: &'a Held,
    include: Option<GlobSet>,
    manifest: ManifestWriter,
}

impl Lister<'_> {
    fn path(&mut self, root: &Path) -> Result<(), Stop> {
        if !root.exists() {
            let message = format!("источника больше нет: {}", root.display());
            return Err(Stop::permanent(Code::SourceNotFound, message));
        }
        // Links are followed for files only, and only while they stay below the source: a link
        // must not open a way out of the configured roots.
        let walk = WalkDir::new(root).follow_links(false).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || is_listed(entry)) {
            self.held.proceed()?;
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    tracing::warn!("not listed: {error}");
                    continue;
                }
            };
            let Some(path) = plain_file(&entry, root) else { continue };
            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let relative =
                if relative.as_os_str().is_empty() { entry.file_name().as_ref() } else { relative };
            if !self.is_included(relative) {
                continue;
            }
            let shown = entry.path().to_string_lossy().into_owned();
            let name = entry.file_name().to_string_lossy().into_owned();
            let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
            let location = Location::File(path.to_string_lossy().into_owned());
            self.file(&path, self.entry(name, shown, location, size))?;
            if self.is_full() {
                break;
            }
        }
        Ok(())
    }

    fn upload(&mut self, id: uuid::Uuid) -> Result<(), Stop> {
        let upload =
            self.services.wait(self.services.blobs.read_upload(id)).map_err(Stop::from_store)?;
        let Some(upload) = upload else {
            return Err(Stop::permanent(Code::SourceNotFound, format!("загрузки {id} нет")));
        };
        for file in upload.files {
            if self.is_full() || !self.is_included(Path::new(&file.name)) {
                continue;
            }
            let local = self.services.blobs.local_path(&file.key).map_err(Stop::from_store)?;
            let entry =
                self.entry(file.name.clone(), file.name, Location::Blob(file.key), file.size);
            match local {
                Some(path) => self.file(&path, entry)?,
                None => self.add(entry)?,
            }
        }
        Ok(())
    }

    /// A file that is an archive becomes its entries, any other one a document.
    fn file(&mut self, path: &Path, entry: ManifestEntry) -> Result<(), Stop> {
        if is_archive(path, &entry.name) { self.archive(path, entry) } else { self.add(entry) }
    }

    fn archive(&mut self, path: &Path, archive: ManifestEntry) -> Result<(), Stop> {
        let folder = Scratch::new(&self.services.scratch).map_err(Stop::store)?;
        let cancelled = || !self.held.is_running();
        let services = self.services;
        let unpacked = unpack(path, &folder.0, &services.limits, &services.tools, &cancelled);
        let unpacked = match unpacked {
            Ok(unpacked) => unpacked,
            Err(ExtractError::Cancelled) => {
                self.held.proceed()?;
                return Err(Stop::store("распаковка прервана"));
            }
            Err(ExtractError::Unavailable(message)) => return Err(Stop::store(message)),
            Err(ExtractError::Failed(failure)) => {
                // One entry that may not be read makes the whole archive a failed document.
                let refused = Some((failure.code, failure.message));
                return self.add(ManifestEntry { refused, ..archive });
            }
        };
        for inner in unpacked.entries {
            let name = inner.path.rsplit('/').next().unwrap_or(&inner.path).to_owned();
            let shown = format!("{}!/{}", archive.path, inner.path);
            if self.is_full() || !self.is_included(Path::new(&inner.path)) {
                continue;
            }
            let id = document_id(&self.job.collection, &shown);
            let key = format!("archives/{id}");
            self.keep(&folder.0.join(&inner.file), &key)?;
            let entry = self.entry(name, shown, Location::Blob(key), inner.size);
            self.add(entry)?;
        }
        Ok(())
    }

    /// Copies an unpacked file into the blob store, where every worker reaches it.
    fn keep(&self, file: &Path, key: &str) -> Result<(), Stop> {
        let mut file = std::fs::File::open(file).map_err(Stop::store)?;
        let mut writer =
            self.services.wait(self.services.blobs.writer(key)).map_err(Stop::from_store)?;
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            (&mut file).take(PIECE as u64).read_to_end(&mut piece).map_err(Stop::store)?;
            if piece.is_empty() {
                break;
            }
            self.services.wait(writer.write(piece.into())).map_err(Stop::from_store)?;
        }
        self.services.wait(writer.finish()).map_err(Stop::from_store)?;
        Ok(())
    }

    fn entry(&self, name: String, path: String, location: Location, size: u64) -> ManifestEntry {
        let document_id = document_id(&self.job.collection, &path);
        ManifestEntry { index: 0, document_id, name, path, location, size, refused: None }
    }

    /// Writes an entry; whenever a part is full, its documents become claimable.
    fn add(&mut self, entry: ManifestEntry) -> Result<(), Stop> {
        self.held.proceed()?;
        if self.is_full() {
            return Ok(());
        }
        match self.services.wait(self.manifest.push(entry)).map_err(Stop::from_store)? {
            Some(written) => self.announce(written),
            None => Ok(()),
        }
    }

    fn announce(&self, total: u64) -> Result<(), Stop> {
        let lease: &Lease = &self.held.lease;
        match self.services.wait(self.services.queue.extend(lease, total, "")) {
            Ok(Listing::Held) => Ok(()),
            Ok(Listing::Cancelled) => Err(Stop::Interrupted(Interruption::Cancelled)),
            Ok(Listing::Lost) => Err(Stop::Interrupted(Interruption::LeaseLost)),
            Err(error) => Err(Stop::store(error)),
        }
    }

    fn is_full(&self) -> bool {
        self.job.max_files.is_some_and(|most| self.manifest.len() >= most)
    }

    fn is_included(&self, relative: &Path) -> bool {
        self.include.as_ref().is_none_or(|globs| globs.is_match(relative))
    }
}

/// A folder that is removed when it goes out of scope.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(parent: &Path) -> std::io::Result<Scratch> {
        let folder = parent.join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir_all(&folder)?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("scratch folder stays behind: {error}");
        }
    }
}

/// Hidden files, lock files of office programs and thumbnails are no documents.
fn is_listed(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    !(name.starts_with('.') || name.starts_with("~$") || name.eq_ignore_ascii_case("thumbs.db"))
}

/// The resolved path of a regular file, or of a link to one that stays below the source.
fn plain_file(entry: &DirEntry, root: &Path) -> Option<std::path::PathBuf> {
    let kind = entry.file_type();
    if kind.is_file() {
        return Some(entry.path().to_owned());
    }
    if !kind.is_symlink() {
        return None;
    }
    let target = entry.path().canonicalize().ok()?;
    (target.starts_with(root) && target.is_file()).then_some(target)
}

/// A zip by its first bytes, unless its name says that it is the container of another format.
fn is_archive(path: &Path, name: &str) -> bool {
    const CONTAINERS: [&str; 6] = ["docx", "xlsx", "odt", "ods", "pptx", "xlsm"];
    let extension =
        Path::new(name).extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if CONTAINERS.contains(&extension.as_str()) {
        return false;
    }
    let mut head = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && (head == *b"PK\x03\x04" || head == *b"PK\x05\x06")
}

fn globs(patterns: &[String]) -> Result<Option<GlobSet>, Stop> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = Glob::new(pattern).map_err(|error| {
            Stop::permanent(Code::SourceNotFound, format!("шаблон {pattern}: {error}"))
        })?;
        set.add(glob);
    }
    let set =
        set.build().map_err(|error| Stop::permanent(Code::SourceNotFound, error.to_string()))?;
    Ok(Some(set))
}
