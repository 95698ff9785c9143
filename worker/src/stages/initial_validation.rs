//! Stage 1: is there a file, may it be read, is its size allowed, what is it.

use crate::services::Services;
use crate::stop::Stop;
use extractor::detect::{Detected, detect};
use extractor::model::Format;
use shared::job::{Location, ManifestEntry};
use shared::outcome::Code;
use std::path::{Path, PathBuf};

/// A file that may be read.
#[derive(Debug)]
pub struct Source {
    /// Where the bytes are on this machine.
    pub path: PathBuf,
    /// Size in bytes.
    pub size: u64,
    /// By content.
    pub format: Format,
    /// The extension says something else.
    pub mismatch: Option<String>,
}

/// Checks the file of a manifest entry.
///
/// # Errors
/// `refused` of the listing, `source_not_found`, `empty_file`, `file_too_large`,
/// `unsupported_format`, `password_protected`, or `store_unavailable` for a file that cannot be
/// read just now.
pub fn initial_validation(services: &Services, entry: &ManifestEntry) -> Result<Source, Stop> {
    if let Some((code, message)) = &entry.refused {
        return Err(Stop::permanent(*code, message));
    }
    let path = local_path(services, &entry.location)?;
    let size = std::fs::metadata(&path).map_err(|error| unreadable(&error))?.len();
    check_size(size, services.limits.file_bytes)?;
    let mut file = std::fs::File::open(&path).map_err(|error| unreadable(&error))?;
    let detected = detect(&mut file, &entry.name).map_err(|error| unreadable(&error))?;
    let Detected { format, mismatch } =
        detected.map_err(|refusal| Stop::permanent(refusal.code, refusal.message))?;
    Ok(Source { path, size, format, mismatch })
}

/// A source that was a plain file when the job was listed must not have become a link to
/// something else since.
fn local_path(services: &Services, location: &Location) -> Result<PathBuf, Stop> {
    match location {
        Location::File(path) => {
            let listed = Path::new(path);
            let found = listed.canonicalize().map_err(|error| unreadable(&error))?;
            if found != listed {
                return Err(Stop::permanent(
                    Code::SourceNotFound,
                    "путь теперь ведёт в другое место",
                ));
            }
            Ok(found)
        }
        Location::Blob(key) => match services.blobs.local_path(key).map_err(Stop::store)? {
            Some(path) => Ok(path),
            None => Err(Stop::store("хранилище файлов не на этой машине")),
        },
    }
}

fn check_size(size: u64, limit: u64) -> Result<(), Stop> {
    const MEGABYTE: u64 = 1024 * 1024;
    if size == 0 {
        return Err(Stop::permanent(Code::EmptyFile, "файл пуст (0 байт)"));
    }
    if size > limit {
        let message = format!(
            "файл слишком большой: {} МБ при разрешённых {} МБ",
            size.div_ceil(MEGABYTE),
            limit / MEGABYTE
        );
        return Err(Stop::permanent(Code::FileTooLarge, message));
    }
    Ok(())
}

fn unreadable(error: &std::io::Error) -> Stop {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound | NotADirectory => {
            Stop::permanent(Code::SourceNotFound, "файла больше нет на месте")
        }
        PermissionDenied => Stop::permanent(Code::SourceNotFound, "нет прав на чтение файла"),
        _ => Stop::store(error),
    }
}
