//! The fan-out of a job: its sources become the numbered documents of its manifest while workers
//! already take the first ones.
//!
//! The order is that of the names, so that a listing that starts again after a crash meets the
//! same documents; those already in the manifest are passed over.

mod containers;

use crate::heartbeat::Held;
use crate::services::Services;
use crate::stop::{Interruption, Stop};
use containers::{Place, container};
use extractor::client::{ExtractError, unpack};
use extractor::model::Format;
use globset::{Glob, GlobSet, GlobSetBuilder};
use shared::identity::document_id;
use shared::job::{JobSpec, Location, ManifestEntry, Source};
use shared::outcome::Code;
use shared::queue::{Lease, Listing};
use std::ffi::OsStr;
use std::fmt::Write;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use stores::manifest::ManifestWriter;
use walkdir::{DirEntry, WalkDir};

/// Where unpacked entries are kept in the blob store.
pub const ARCHIVED: &str = "archives/";
/// Bytes copied at once.
const PIECE: usize = 1024 * 1024;

/// Lists a job on the calling (blocking) thread; answers how many documents it has.
///
/// # Errors
/// `Permanent` when the sources cannot be listed at all, otherwise as any unit of work.
pub fn list(services: &Services, job: &JobSpec, held: &Held) -> Result<u64, Stop> {
    let manifest =
        services.wait(ManifestWriter::open(&services.blobs, job.id)).map_err(Stop::from_store)?;
    if manifest.is_sealed() {
        // An earlier holder crashed between its seal and telling the queue.
        return Ok(manifest.written());
    }
    let include = globs(&job.include)?;
    let mut listing = Lister { services, job, held, include, manifest };
    for source in &job.sources {
        match source {
            Source::Path(path) => listing.path(Path::new(path))?,
            Source::Upload(upload) => listing.upload(*upload)?,
            Source::Entries(entries) => {
                for entry in entries {
                    listing.again(entry.clone())?;
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
        if !root.try_exists().map_err(Stop::store)? {
            let message = format!("источника больше нет: {}", root.display());
            return Err(Stop::permanent(Code::SourceNotFound, message));
        }
        // Links are followed for files only, and only while they stay below the source: a link
        // must not open a way out of the configured roots.
        let walk = WalkDir::new(root).follow_links(false).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || is_listed(entry)) {
            self.held.proceed()?;
            if self.is_full() {
                break;
            }
            match entry {
                Ok(entry) => self.found(&entry, root)?,
                Err(error) => self.not_walked(&error)?,
            }
        }
        Ok(())
    }

    /// One entry of a folder.
    fn found(&mut self, entry: &DirEntry, root: &Path) -> Result<(), Stop> {
        let Some(path) = plain_file(entry, root) else { return Ok(()) };
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let relative =
            if relative.as_os_str().is_empty() { entry.file_name().as_ref() } else { relative };
        if !self.is_included(relative) {
            return Ok(());
        }
        let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        let shown = escaped(entry.path().as_os_str());
        let name = escaped(entry.file_name());
        let location = Location::File(escaped(path.as_os_str()));
        let listed = self.entry(name, shown, location, size);
        if path.to_str().is_none() {
            let message = "имя файла не в UTF-8: переименуйте его".to_owned();
            return self.refuse(listed, Code::SourceNotFound, message);
        }
        self.file(&path, listed)
    }

    /// A folder that may not be read is a document that failed, not a silent hole.
    fn not_walked(&mut self, error: &walkdir::Error) -> Result<(), Stop> {
        let denied =
            error.io_error().is_some_and(|cause| cause.kind() == ErrorKind::PermissionDenied);
        let message = format!("папка не читается: {error}");
        match error.path() {
            Some(path) if denied && error.depth() > 0 => {
                let name = escaped(path.file_name().unwrap_or(path.as_os_str()));
                let shown = escaped(path.as_os_str());
                let listed = self.entry(name, shown.clone(), Location::File(shown), 0);
                self.refuse(listed, Code::SourceNotFound, message)
            }
            _ if denied => Err(Stop::permanent(Code::SourceNotFound, message)),
            _ => Err(Stop::store(message)),
        }
    }

    /// A document of an earlier job; what its listing refused is looked at anew.
    fn again(&mut self, entry: ManifestEntry) -> Result<(), Stop> {
        match (&entry.location, &entry.refused) {
            (Location::File(path), Some(_)) => {
                let path = PathBuf::from(path);
                self.file(&path, ManifestEntry { refused: None, ..entry })
            }
            _ => self.add(entry),
        }
    }

    /// Lists a document that is known to fail.
    fn refuse(&mut self, entry: ManifestEntry, code: Code, message: String) -> Result<(), Stop> {
        self.add(ManifestEntry { refused: Some((code, message)), ..entry })
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

    /// A file that is an archive or a letter becomes what it holds, any other one a document.
    fn file(&mut self, path: &Path, entry: ManifestEntry) -> Result<(), Stop> {
        match container(path, &entry.name) {
            Some(format) => self.archive(path, entry, format, Place::default()),
            None => self.add(entry),
        }
    }

    /// An archive or a letter that lies at this place.
    fn archive(
        &mut self,
        path: &Path,
        archive: ManifestEntry,
        format: Format,
        place: Place,
    ) -> Result<(), Stop> {
        let inside = match place.inside(format, self.services.limits.archive.nesting) {
            Ok(inside) => inside,
            Err(why) => return self.refuse(archive, Code::ArchiveLimits, why),
        };
        let folder = Scratch::new(&self.services.scratch).map_err(Stop::store)?;
        let cancelled = || {
            self.held.moves_on();
            !self.held.is_running()
        };
        let services = self.services;
        let unpacked = unpack(path, &folder.0, &services.limits, &services.tools, &cancelled);
        let unpacked = match unpacked {
            Ok(unpacked) => unpacked,
            Err(ExtractError::Cancelled) => {
                self.held.proceed()?;
                return Err(Stop::store("распаковка прервана"));
            }
            Err(ExtractError::Unavailable(message)) => return Err(Stop::store(message)),
            // One entry that may not be read makes the whole archive a failed document.
            Err(ExtractError::Failed(failure)) => {
                return self.refuse(archive, failure.code, failure.message);
            }
        };
        if unpacked.entries.is_empty() && unpacked.warnings.is_empty() {
            return self.refuse(archive, Code::EmptyFile, "внутри нет документов".to_owned());
        }
        for inner in unpacked.entries {
            let name = inner.path.rsplit('/').next().unwrap_or(&inner.path).to_owned();
            let shown = format!("{}!/{}", archive.path, inner.path);
            let included = inside.in_letter || self.is_included(Path::new(&inner.path));
            if self.is_full() || !included {
                continue;
            }
            let file = folder.0.join(&inner.file);
            // Under the job's own key: a running document never sees its bytes change.
            let id = document_id(&self.job.collection, &shown);
            let key = format!("{ARCHIVED}{}/{id}", self.job.id);
            let entry = self.entry(name, shown, Location::Blob(key.clone()), inner.size);
            if let Some(format) = container(&file, &entry.name) {
                self.archive(&file, entry, format, inside)?;
                continue;
            }
            self.keep(&file, &key)?;
            self.add(entry)?;
        }
        // What could not be unpacked is told once, as the archive's own failure.
        let Some((code, _)) = unpacked.warnings.first() else { return Ok(()) };
        let code = code.unwrap_or(Code::DamagedFile);
        let warnings: Vec<String> =
            unpacked.warnings.into_iter().map(|(_, message)| message).collect();
        self.refuse(archive, code, warnings.join("; "))
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
struct Scratch(PathBuf);

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
fn plain_file(entry: &DirEntry, root: &Path) -> Option<PathBuf> {
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

/// A path for people and for ids: what is not UTF-8 is written as `%XX`, so that two names never
/// become one.
fn escaped(path: &OsStr) -> String {
    let mut text = String::new();
    for chunk in path.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
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

#[cfg(test)]
mod tests {
    use super::escaped;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn names_of_old_code_pages_stay_different() {
        let name = |bytes: &'static [u8]| escaped(OsStr::from_bytes(bytes));
        assert_eq!(escaped(OsStr::new("СП 1.pdf")), "СП 1.pdf");
        assert_eq!(name(b"\xcf.pdf"), "%CF.pdf");
        assert_ne!(name(b"\xcf.pdf"), name(b"\xd0.pdf"));
    }
}
