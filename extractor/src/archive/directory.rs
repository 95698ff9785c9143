//! The central directory of a zip, read without unpacking anything.

use super::ArchiveLimits;
use std::io::{self, Read, Seek, SeekFrom};

/// The end record with the longest comment.
const END_RECORD: u64 = 22 + 65_535;
/// Bytes of directory per entry that are believed; a path of 4 kB with its attributes fits.
const ENTRY_RECORD: u64 = 4 << 10;

/// One entry as the directory announces it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The name's bytes as they are.
    pub raw_name: Vec<u8>,
    /// The name says of itself that it is UTF-8.
    pub utf8: bool,
    /// A password is needed.
    pub encrypted: bool,
    /// A symbolic link.
    pub link: bool,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes after unpacking, as announced.
    pub unpacked: u64,
}

/// Why a directory cannot be used; messages are in Russian.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Cut or inconsistent.
    #[error("{0}")]
    Damaged(String),
    /// Too many entries.
    #[error("{0}")]
    Limits(String),
}

/// Reads the directory of a zip of `size` bytes.
pub fn directory<R: Read + Seek>(
    source: &mut R,
    size: u64,
    limits: &ArchiveLimits,
) -> io::Result<Result<Vec<Entry>, DirectoryError>> {
    let tail_start = size.saturating_sub(END_RECORD);
    source.seek(SeekFrom::Start(tail_start))?;
    let mut tail = Vec::new();
    source.by_ref().take(END_RECORD).read_to_end(&mut tail)?;
    let damaged = |why: &str| Ok(Err(DirectoryError::Damaged(why.to_owned())));
    let Some(end) = end_record(&tail) else {
        return damaged("нет оглавления, файл обрезан");
    };
    let Some((mut count, mut length)) = counts(&tail[end..]) else {
        return damaged("оглавление обрезано");
    };
    let mut directory_end = tail_start + end as u64;
    if count == 0xFFFF || length == 0xFFFF_FFFF {
        match wide_end(source, &tail, end, tail_start)? {
            Some(wide) => (count, length, directory_end) = wide,
            // Exactly 65,535 entries, or a lie that the entries themselves will show.
            None if length < 0xFFFF_FFFF => {}
            None => return damaged("нет 64-битного оглавления"),
        }
    }
    if count > limits.entries || length > limits.entries.saturating_mul(ENTRY_RECORD) {
        return Ok(Err(DirectoryError::Limits(format!(
            "в архиве {count} файлов, допустимо {}",
            limits.entries
        ))));
    }
    let Some(start) = directory_end.checked_sub(length) else {
        return damaged("оглавление больше файла");
    };
    source.seek(SeekFrom::Start(start))?;
    let mut records = Vec::new();
    source.by_ref().take(length).read_to_end(&mut records)?;
    let mut entries = Vec::new();
    let mut rest = records.as_slice();
    while !rest.is_empty() {
        let Some((entry, record)) = entry(rest) else {
            return damaged("оглавление прочитано не до конца");
        };
        entries.push(entry);
        rest = &rest[record..];
    }
    if entries.len() as u64 > limits.entries {
        return Ok(Err(DirectoryError::Limits(format!(
            "в архиве больше {} файлов",
            limits.entries
        ))));
    }
    Ok(Ok(entries))
}

/// Where the end record begins: the last one whose comment reaches the end of the file.
fn end_record(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(22)?;
    (0..=last).rev().find(|start| {
        tail[*start..].starts_with(b"PK\x05\x06")
            && u16_at(tail, start + 20)
                .is_some_and(|comment| start + 22 + usize::from(comment) <= tail.len())
    })
}

/// Number of entries, length of the directory.
fn counts(end: &[u8]) -> Option<(u64, u64)> {
    Some((u64::from(u16_at(end, 10)?), u64::from(u32_at(end, 12)?)))
}

/// Entries, length and end of the directory by the 64-bit end record, whose place is named just
/// before the ordinary one.
fn wide_end<R: Read + Seek>(
    source: &mut R,
    tail: &[u8],
    end: usize,
    tail_start: u64,
) -> io::Result<Option<(u64, u64, u64)>> {
    let Some(locator) = end.checked_sub(20).and_then(|start| tail.get(start..end)) else {
        return Ok(None);
    };
    // A place behind its own name is a lie, and beyond the system's range seeking there would look
    // like a fault of the storage.
    let is_place =
        |place: &u64| locator.starts_with(b"PK\x06\x07") && *place < tail_start + end as u64;
    let Some(place) = u64_at(locator, 8).filter(is_place) else {
        return Ok(None);
    };
    source.seek(SeekFrom::Start(place))?;
    let mut record = Vec::new();
    source.by_ref().take(56).read_to_end(&mut record)?;
    let fields = || {
        Some((u64_at(&record, 32)?, u64_at(&record, 40)?))
            .filter(|_| record.starts_with(b"PK\x06\x06"))
    };
    Ok(fields().map(|(count, length)| (count, length, place)))
}

/// One entry, and the length of its record.
fn entry(record: &[u8]) -> Option<(Entry, usize)> {
    if !record.starts_with(b"PK\x01\x02") {
        return None;
    }
    let flags = u16_at(record, 8)?;
    let name = usize::from(u16_at(record, 28)?);
    let extra = usize::from(u16_at(record, 30)?);
    let comment = usize::from(u16_at(record, 32)?);
    let length = 46 + name + extra + comment;
    let raw_name = record.get(46..46 + name)?.to_vec();
    let extra = record.get(46 + name..46 + name + extra)?;
    record.get(..length)?;
    let (mut packed, mut unpacked) =
        (u64::from(u32_at(record, 20)?), u64::from(u32_at(record, 24)?));
    wide_sizes(extra, &mut unpacked, &mut packed);
    // The upper half of the attributes is the Unix mode when the writer was Unix (3).
    let made_on_unix = record.get(5) == Some(&3);
    let mode = u32_at(record, 38)? >> 16;
    let link = made_on_unix && mode & 0o170_000 == 0o120_000;
    let entry = Entry {
        raw_name,
        utf8: flags & 0x800 != 0,
        encrypted: flags & 1 != 0,
        link,
        packed,
        unpacked,
    };
    Some((entry, length))
}

/// Replaces sizes that do not fit into 32 bits by those of the extra field 1.
fn wide_sizes(mut extra: &[u8], unpacked: &mut u64, packed: &mut u64) {
    while let (Some(kind), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let Some(body) = extra.get(4..4 + usize::from(length)) else { return };
        if kind == 1 {
            let mut offset = 0;
            for size in [unpacked, packed] {
                if *size == 0xFFFF_FFFF {
                    let Some(wide) = u64_at(body, offset) else { return };
                    *size = wide;
                    offset += 8;
                }
            }
            return;
        }
        extra = &extra[4 + usize::from(length)..];
    }
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(offset..offset.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..offset.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..offset.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{DirectoryError, directory};
    use crate::archive::{ArchiveLimits, check_sizes};
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    fn packed(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Vec<super::Entry>, DirectoryError> {
        directory(&mut Cursor::new(bytes), bytes.len() as u64, &ArchiveLimits::default()).unwrap()
    }

    proptest! {
        #[test]
        fn lists_what_was_packed(sizes in prop::collection::vec(0_usize..3000, 0..12)) {
            let entries: Vec<_> = sizes.iter().enumerate()
                .map(|(index, size)| (format!("папка/файл {index}"), vec![7; *size])).collect();
            let listed = read(&packed(&entries)).unwrap();
            prop_assert_eq!(listed.len(), entries.len());
            for (listed, (name, bytes)) in listed.iter().zip(&entries) {
                prop_assert_eq!(&listed.raw_name, name.as_bytes());
                prop_assert_eq!(listed.unpacked, bytes.len() as u64);
                prop_assert!(listed.utf8 && !listed.encrypted && !listed.link);
            }
        }

        #[test]
        fn damaged_bytes_are_refused_without_a_panic(
            cut in 0_usize..200, at in 0_usize..200, byte in any::<u8>(),
        ) {
            let mut bytes = packed(&[("a".into(), vec![1; 50]), ("б".into(), vec![2; 50])]);
            let at = at.min(bytes.len() - 1);
            bytes[at] = byte;
            bytes.truncate(bytes.len().saturating_sub(cut));
            drop(read(&bytes));
        }
    }

    #[test]
    fn a_bomb_is_known_by_its_directory() {
        let bytes = packed(&[("word/document.xml".into(), vec![b' '; 12 << 20])]);
        let entries = read(&bytes).unwrap();
        assert!(check_sizes(&entries, &ArchiveLimits::default()).unwrap_err().contains("сжат"));
        let small = ArchiveLimits { total_bytes: 1 << 20, ratio: 5000, ..Default::default() };
        assert!(check_sizes(&entries, &small).unwrap_err().contains("распаковывается"));
    }

    #[test]
    fn a_wide_directory_beyond_the_file_is_damage_and_no_fault_of_the_storage() {
        let locator = [b"PK\x06\x07\0\0\0\0".as_slice(), &[0xFF; 8], &[1, 0, 0, 0]].concat();
        let mut end = b"PK\x05\x06".to_vec();
        end.resize(22, 0);
        end[8..20].fill(0xFF);
        let bytes = [locator, end].concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let listed = directory(&mut file, bytes.len() as u64, &ArchiveLimits::default()).unwrap();
        assert!(matches!(listed, Err(DirectoryError::Damaged(_))));
    }

    #[test]
    fn too_many_entries_are_not_listed() {
        let entries: Vec<_> = (0..9).map(|index| (format!("{index}"), vec![])).collect();
        let bytes = packed(&entries);
        let limits = ArchiveLimits { entries: 8, ..Default::default() };
        let listed = directory(&mut Cursor::new(&bytes), bytes.len() as u64, &limits).unwrap();
        assert!(matches!(listed, Err(DirectoryError::Limits(_))));
    }
}
