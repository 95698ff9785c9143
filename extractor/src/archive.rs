//! Archives: their directory, checked before anything is unpacked, and unpacking itself. A letter
//! with its attachments is one, too.

mod directory;
mod letter;
mod unpack;

pub use directory::{DirectoryError, Entry, directory};
pub(crate) use letter::without_preamble;

use crate::model::Message;
use crate::reader::ReadError;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// What a zip, or the container of a docx or xlsx, may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveLimits {
    /// Entries, folders included.
    pub entries: u64,
    /// One unpacked entry, in bytes.
    pub entry_bytes: u64,
    /// All unpacked entries together, in bytes.
    pub total_bytes: u64,
    /// Unpacked to packed size of an entry over `ratio_from_bytes`. Office XML reaches about 60
    /// (state estimates), a bomb is near 1000.
    pub ratio: u64,
    /// Small entries may have any ratio: a blank page packs well.
    pub ratio_from_bytes: u64,
    /// Folders within each other.
    pub depth: u32,
    /// Zips within each other, letters between them not counted; the caller counts them.
    pub nesting: u32,
}

impl Default for ArchiveLimits {
    fn default() -> ArchiveLimits {
        ArchiveLimits {
            entries: 20_000,
            entry_bytes: 150 << 20,
            total_bytes: 2 << 30,
            ratio: 250,
            ratio_from_bytes: 10 << 20,
            depth: 32,
            nesting: 2,
        }
    }
}

/// Whether a file begins like a zip, one without entries included.
pub fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// Unpacks a zip or a letter into `folder`, under file names made here, and announces each file.
pub fn unpack(
    bytes: &[u8],
    folder: &Path,
    limits: &ArchiveLimits,
    send: &mut dyn FnMut(Message) -> io::Result<()>,
) -> Result<(), ReadError> {
    if is_zip(bytes) {
        unpack::unpack(bytes, folder, limits, send)
    } else {
        letter::unpack(bytes, folder, limits, send)
    }
}

/// Checks the sizes that the directory announces; the message is in Russian.
pub fn check_sizes(entries: &[Entry], limits: &ArchiveLimits) -> Result<(), String> {
    let mut total = 0_u64;
    for entry in entries {
        if entry.unpacked > limits.entry_bytes {
            return Err(format!(
                "файл в архиве распаковывается в {} МБ, допустимо {}",
                entry.unpacked >> 20,
                limits.entry_bytes >> 20
            ));
        }
        let ratio = entry.unpacked / entry.packed.max(1);
        if entry.unpacked > limits.ratio_from_bytes && ratio > limits.ratio {
            return Err(format!("файл в архиве сжат в {ratio} раз, допустимо {}", limits.ratio));
        }
        total = total.saturating_add(entry.unpacked);
    }
    if total > limits.total_bytes {
        return Err(format!(
            "архив распаковывается в {} МБ, допустимо {}",
            total >> 20,
            limits.total_bytes >> 20
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ArchiveLimits, unpack};

    #[test]
    fn a_letter_may_begin_with_the_signs_of_a_zip() {
        let folder = tempfile::tempdir().unwrap();
        let mut count = 0;
        let mut send = |_| {
            count += 1;
            Ok(())
        };
        let letter = b"PK: 1\r\nSubject: x\r\n\r\ntext";
        unpack(letter, folder.path(), &ArchiveLimits::default(), &mut send).unwrap();
        assert_eq!(count, 1);
    }
}
