//! Archives: what is announced lies in the folder, and no path leads out of it.

use crate::guarded;
use extractor::archive::{self, ArchiveLimits};
use extractor::model::Message;

/// Unpacks an archive or a letter.
pub fn unpack(bytes: &[u8]) {
    guarded(|| {
        let limits =
            ArchiveLimits { entry_bytes: 1 << 20, total_bytes: 4 << 20, ..Default::default() };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut announced = Vec::new();
        let mut send = |message| {
            if let Message::Entry(entry) = message {
                announced.push(entry);
            }
            Ok(())
        };
        drop(archive::unpack(bytes, folder.path(), &limits, &mut send));
        for entry in announced {
            let steps: Vec<&str> = entry.path.split('/').collect();
            assert!(!entry.path.starts_with('/') && !steps.contains(&".."), "{:?}", entry.path);
            let written = folder.path().join(&entry.file).metadata().expect("the file is there");
            assert_eq!(written.len(), entry.size);
        }
    });
}
