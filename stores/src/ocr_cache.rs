//! Recognised pages that are kept between runs: one folder per file, named by the file's hash.

use crate::{Result, StoreError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What was recognised so long ago is recognised anew: the text of papers that never became
/// documents must not stay for ever.
const LONGEST_STAY: Duration = Duration::from_secs(30 * 24 * 3600);

/// The cache of a data folder.
#[derive(Clone, Debug)]
pub struct OcrCache {
    root: PathBuf,
}

impl OcrCache {
    /// The cache below a data folder; nothing is made yet.
    pub fn of(data: &Path) -> OcrCache {
        OcrCache { root: data.join("ocr-cache") }
    }

    /// Where the pages of a file with this SHA-256 (lower-case hex) are kept.
    pub fn folder(&self, sha256: &str) -> PathBuf {
        self.root.join(sha256)
    }

    /// Forgets a file; whether there was anything of it. Blocking.
    pub fn remove(&self, sha256: &str) -> Result<bool> {
        let folder = self.folder(sha256);
        match std::fs::remove_dir_all(&folder) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io(format!("remove {}", folder.display()))(error)),
        }
    }

    /// Forgets what was written more than 30 days ago, as far as it can be removed. Blocking.
    pub fn remove_old(&self) {
        for entry in std::fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|at| at.elapsed().ok());
            let old = age.is_some_and(|age| age > LONGEST_STAY);
            if old && let Err(error) = std::fs::remove_dir_all(entry.path()) {
                tracing::warn!(path = %entry.path().display(), "old recognised pages stay: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn files_are_forgotten_on_demand_and_with_age() {
        let data = tempfile::tempdir().unwrap();
        let cache = OcrCache::of(data.path());
        cache.remove_old();
        assert!(!cache.remove("ab").unwrap());
        for name in ["ab", "cd", "ef"] {
            std::fs::create_dir_all(cache.folder(name)).unwrap();
            std::fs::write(cache.folder(name).join("page.tsv"), "текст").unwrap();
        }
        assert!(cache.remove("ab").unwrap());
        let old = std::fs::File::open(cache.folder("cd")).unwrap();
        old.set_modified(SystemTime::now() - LONGEST_STAY - Duration::from_secs(60)).unwrap();
        cache.remove_old();
        let left: Vec<bool> = ["ab", "cd", "ef"].map(|name| cache.folder(name).exists()).into();
        assert_eq!(left, [false, false, true]);
    }
}
