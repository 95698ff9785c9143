//! An office file as a zip of parts, every read of it capped.

use crate::reader::{Limits, ReadError};
use shared::outcome::Code;
use std::collections::HashMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;
use zip::result::ZipError;

/// Below this many unpacked bytes a part's ratio says nothing: a page of spaces packs well too.
const RATIO_FLOOR: u64 = 10 << 20;

/// The parts of an office file (DOCX, XLSX).
pub(crate) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Part name (with `/`, lower case) to its index; office programs compare names so.
    index: HashMap<String, usize>,
    limits: &'a Limits,
    unpacked: u64,
}

impl<'a> Package<'a> {
    /// Opens the zip; an encrypted office file (an OLE container) is told from a damaged one.
    pub(crate) fn open(bytes: &'a [u8], limits: &'a Limits) -> Result<Package<'a>, ReadError> {
        if is_ole(bytes) {
            return Err(ole_error(bytes));
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(zip_error)?;
        if archive.len() > limits.parts {
            return Err(ReadError::new(
                Code::ArchiveLimits,
                format!("в файле {} частей, допустимо {}", archive.len(), limits.parts),
            ));
        }
        let index = (0..archive.len())
            .filter_map(|number| {
                let name = archive.name_for_index(number)?.ok()?;
                Some((name.replace('\\', "/").to_lowercase(), number))
            })
            .collect();
        Ok(Package { archive, index, limits, unpacked: 0 })
    }

    /// Whether there is a part of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.index.contains_key(&name.to_lowercase())
    }

    /// The unpacked bytes of a part, `None` when there is no such part.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(number) = self.index.get(&name.to_lowercase()).copied() else { return Ok(None) };
        let mut bytes = Vec::new();
        self.unpack(number, |chunk| bytes.extend_from_slice(chunk))?;
        Ok(Some(bytes))
    }

    /// Unpacks every part into nothing, for libraries that unpack without limits of their own.
    pub(crate) fn check_sizes(&mut self) -> Result<(), ReadError> {
        (0..self.archive.len()).try_for_each(|number| self.unpack(number, |_| ()))
    }

    fn unpack(&mut self, number: usize, mut keep: impl FnMut(&[u8])) -> Result<(), ReadError> {
        let whole = self.archive.central_directory_start();
        let mut part = self.archive.by_index(number).map_err(zip_error)?;
        // The directory's size is only a claim; no part is packed into more than the file has.
        let packed = part.compressed_size().min(whole).max(1);
        let mut part_bytes = 0u64;
        let mut chunk = vec![0u8; 64 << 10];
        loop {
            let count = part.read(&mut chunk).map_err(|error| {
                ReadError::damaged(format!("часть файла не распаковывается: {error}"))
            })?;
            if count == 0 {
                return Ok(());
            }
            part_bytes = part_bytes.saturating_add(count as u64);
            self.unpacked = self.unpacked.saturating_add(count as u64);
            let too_dense = part_bytes > RATIO_FLOOR
                && part_bytes > packed.saturating_mul(self.limits.unpack_ratio);
            if too_dense || self.unpacked > self.limits.unpacked_bytes {
                return Err(ReadError::new(
                    Code::ArchiveLimits,
                    "файл распаковывается в недопустимо большой объём",
                ));
            }
            keep(chunk.get(..count).unwrap_or_default());
        }
    }
}

/// Whether the bytes begin an OLE container (old office formats, encrypted new ones).
pub(crate) fn is_ole(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1])
}

/// The error for an OLE container found where a zip was expected.
fn ole_error(bytes: &[u8]) -> ReadError {
    if has_utf16(bytes, "EncryptedPackage") {
        ReadError::new(Code::PasswordProtected, "файл защищён паролем")
    } else {
        ReadError::new(
            Code::UnsupportedFormat,
            "файл старого формата Office: сохраните его как DOCX или XLSX",
        )
    }
}

/// Whether the bytes hold this ASCII name in UTF-16LE, as names stand in an OLE directory.
pub(crate) fn has_utf16(bytes: &[u8], name: &str) -> bool {
    let needle: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn zip_error(error: ZipError) -> ReadError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            ReadError::new(Code::PasswordProtected, "файл защищён паролем")
        }
        other => ReadError::damaged(format!("файл повреждён: {other}")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Package;
    use crate::reader::Limits;
    use shared::outcome::Code;
    use std::io::{Cursor, Write};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    /// A zip of these parts, for the tests of the office formats.
    pub(crate) fn zip_of(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn parts_are_found_whatever_the_case() {
        let bytes = zip_of(&[("word/Document.xml", b"<a/>")]);
        let limits = Limits::default();
        let mut package = Package::open(&bytes, &limits).unwrap();
        assert_eq!(package.read("word/document.xml").unwrap().unwrap(), b"<a/>");
        assert!(package.read("word/styles.xml").unwrap().is_none());
    }

    #[test]
    fn a_bomb_is_stopped_and_a_cut_file_is_damaged() {
        let bytes = zip_of(&[("word/document.xml", &vec![b' '; 30 << 20])]);
        let limits = Limits::default();
        let mut package = Package::open(&bytes, &limits).unwrap();
        assert_eq!(package.read("word/document.xml").unwrap_err().code, Code::ArchiveLimits);
        let cut = bytes.get(..bytes.len() / 2).unwrap();
        assert_eq!(Package::open(cut, &limits).err().unwrap().code, Code::DamagedFile);
    }

    #[test]
    fn an_encrypted_office_file_is_named() {
        let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
        bytes.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
        let limits = Limits::default();
        assert_eq!(Package::open(&bytes, &limits).err().unwrap().code, Code::PasswordProtected);
    }
}
