//! Archives: their directory, the checks, and unpacking.
#![no_main]

use extractor::archive::{self, ArchiveLimits};
use extractor::model::Message;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::guarded(|| {
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
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzzing::mutate_container(data, size, max_size, seed)
});
