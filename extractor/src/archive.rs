//! Archives: their directory, checked before anything is unpacked, and unpacking itself. A letter
//! with its attachments is one, too.

mod directory;
mod letter;
mod unpack;

pub use directory::{DirectoryError, Entry, directory};

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
    /// Archives within archives; the caller counts them.
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

/// Unpacks a zip or a letter into `folder`, under file names made here, and announces each file.
pub fn unpack(
    bytes: &[u8],
    folder: &Path,
    limits: &ArchiveLimits,
    send: &mut dyn FnMut(Message) -> io::Result<()>,
) -> Result<(), ReadError> {
    // A zip with something before its first entry is one all the same; a letter is text.
    if bytes.starts_with(b"PK") {
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
