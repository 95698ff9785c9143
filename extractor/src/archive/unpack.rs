//! Unpacks an archive into a folder under names of our own making. Runs in the child.

use super::{ArchiveLimits, DirectoryError, Entry, check_sizes, directory};
use crate::model::{ArchiveEntry, Message};
use crate::reader::ReadError;
use shared::outcome::Code;
use std::fs::OpenOptions;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// The longest path inside an archive, in characters.
const MAX_PATH: usize = 1024;

/// Unpacks all documents of the archive into `folder` and announces each. An unsafe path or a
/// password refuses the whole archive before a byte is written; service files are left out.
pub(super) fn unpack(
    bytes: &[u8],
    folder: &Path,
    limits: &ArchiveLimits,
    send: &mut dyn FnMut(Message) -> io::Result<()>,
) -> Result<(), ReadError> {
    let listed = directory(&mut Cursor::new(bytes), bytes.len() as u64, limits)
        .map_err(|error| ReadError::damaged(format!("архив не читается: {error}")))?;
    let entries = listed.map_err(|error| match error {
        DirectoryError::Damaged(why) => ReadError::damaged(format!("архив повреждён: {why}")),
        DirectoryError::Limits(why) => ReadError::new(Code::ArchiveLimits, why),
    })?;
    let paths =
        entries.iter().map(|entry| path_of(entry, limits)).collect::<Result<Vec<_>, _>>()?;
    if entries.iter().any(|entry| entry.encrypted) {
        return Err(ReadError::new(Code::PasswordProtected, "архив закрыт паролем"));
    }
    check_sizes(&entries, limits).map_err(|why| ReadError::new(Code::ArchiveLimits, why))?;

    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| ReadError::damaged(format!("архив повреждён: {error}")))?;
    let mut left = limits.total_bytes;
    let mut count = 0_u32;
    for (entry, path) in entries.iter().zip(paths) {
        if is_service(&path) {
            continue;
        }
        count += 1;
        let file = format!("{count:06}.bin");
        let unpacked = unpack_entry(&mut archive, entry, &folder.join(&file), limits, left);
        let message = match unpacked {
            Ok(size) => {
                left = left.saturating_sub(size);
                Message::Entry(ArchiveEntry { path, file, size })
            }
            Err(Refused::Archive(error)) => return Err(error),
            Err(Refused::Entry(why)) => Message::Warning {
                code: Some(Code::DamagedFile),
                message: format!("«{path}» не распакован: {why}"),
            },
        };
        send(message).map_err(|error| {
            ReadError::new(Code::InternalError, format!("результат распаковки не принят: {error}"))
        })?;
    }
    Ok(())
}

/// Why an entry was not unpacked.
enum Refused {
    /// Only this entry; in Russian.
    Entry(String),
    /// The whole archive.
    Archive(ReadError),
}

/// Unpacks one entry, counting real bytes: the announced size may lie.
fn unpack_entry(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    entry: &Entry,
    target: &Path,
    limits: &ArchiveLimits,
    left: u64,
) -> Result<u64, Refused> {
    let index = archive
        .index_for_name_raw(&entry.raw_name)
        .ok_or_else(|| Refused::Entry("нет в оглавлении".to_owned()))?;
    let file = archive.by_index(index).map_err(|error| {
        Refused::Entry(match error {
            ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => {
                "способ сжатия не поддерживается".to_owned()
            }
            other => other.to_string(),
        })
    })?;
    let by_ratio = entry.packed.saturating_mul(limits.ratio).max(limits.ratio_from_bytes);
    let most = limits.entry_bytes.min(left).min(by_ratio);
    let own_fault = |error: io::Error| {
        let message = format!("файл из архива не записан: {error}");
        Refused::Archive(ReadError::new(Code::InternalError, message))
    };
    let mut output =
        OpenOptions::new().write(true).create_new(true).open(target).map_err(own_fault)?;
    let mut source = file.take(most.saturating_add(1));
    let mut size = 0_u64;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(count) => count,
            Err(error) => return Err(Refused::Entry(format!("данные повреждены ({error})"))),
        };
        size += count as u64;
        if size > most {
            let message = format!("файл в архиве распаковывается больше чем в {} МБ", most >> 20);
            return Err(Refused::Archive(ReadError::new(Code::ArchiveLimits, message)));
        }
        output.write_all(&buffer[..count]).map_err(own_fault)?;
    }
}

/// The entry's path as people read it, or why the archive is not to be trusted.
fn path_of(entry: &Entry, limits: &ArchiveLimits) -> Result<String, ReadError> {
    let path = decode(entry);
    let unsafe_path = |why: &str| {
        let shown: String = path.chars().take(80).collect();
        ReadError::new(Code::ArchiveUnsafePath, format!("{why} в архиве: «{shown}»"))
    };
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with('/') || drive {
        return Err(unsafe_path("абсолютный путь"));
    }
    if path.contains(['\\', '\0']) {
        return Err(unsafe_path("недопустимый знак в пути"));
    }
    if path.split('/').any(|part| part == "..") {
        return Err(unsafe_path("путь с «..»"));
    }
    if entry.link {
        return Err(unsafe_path("символическая ссылка"));
    }
    if path.chars().count() > MAX_PATH || path.split('/').count() > limits.depth as usize {
        return Err(ReadError::new(Code::ArchiveLimits, "слишком длинный путь в архиве"));
    }
    Ok(path)
}

/// UTF-8 when the entry says so or the name is it; otherwise CP866, as archivers for Windows
/// write Russian names.
fn decode(entry: &Entry) -> String {
    match std::str::from_utf8(&entry.raw_name) {
        Ok(name) => name.to_owned(),
        Err(_) if entry.utf8 => String::from_utf8_lossy(&entry.raw_name).into_owned(),
        Err(_) => encoding_rs::IBM866.decode_without_bom_handling(&entry.raw_name).0.into_owned(),
    }
}

/// Folders, hidden files, lock files of Word and what systems leave behind.
fn is_service(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.is_empty()
        || name.starts_with("~$")
        || ["thumbs.db", "desktop.ini"].contains(&name.to_lowercase().as_str())
        || path.split('/').any(|part| part.starts_with('.') || part == "__MACOSX")
}

#[cfg(test)]
mod tests {
    use super::unpack;
    use crate::archive::ArchiveLimits;
    use crate::model::Message;
    use shared::outcome::Code;
    use std::io::{Cursor, Write};

    fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// Paths and contents of what was unpacked, or the code; and how many files lie in the folder.
    fn check(
        bytes: &[u8],
        limits: &ArchiveLimits,
    ) -> (Result<Vec<(String, Vec<u8>)>, Code>, usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut entries = Vec::new();
        let result = unpack(bytes, folder.path(), limits, &mut |message| {
            if let Message::Entry(entry) = message {
                entries.push(entry);
            }
            Ok(())
        });
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        let read = |entry: &crate::model::ArchiveEntry| {
            (entry.path.clone(), std::fs::read(folder.path().join(&entry.file)).unwrap())
        };
        (result.map(|()| entries.iter().map(read).collect()).map_err(|error| error.code), files)
    }

    #[test]
    fn documents_are_unpacked_and_service_files_left_out() {
        let bytes = packed(&[
            ("Нормы/", b""),
            ("Нормы/СП 1.txt", b"one"),
            ("~$СП 1.docx", b"lock"),
            ("a/.git/config", b"x"),
            ("Thumbs.db", b"x"),
            ("__MACOSX/._a", b"x"),
            ("b.txt", b"two"),
        ]);
        let (result, _) = check(&bytes, &ArchiveLimits::default());
        let expected = [("Нормы/СП 1.txt", b"one".to_vec()), ("b.txt", b"two".to_vec())];
        assert_eq!(result.unwrap(), expected.map(|(path, bytes)| (path.to_owned(), bytes)));
    }

    #[test]
    fn one_unsafe_path_refuses_the_archive_before_anything_is_written() {
        for path in ["../a", "a/../../b", "/etc/passwd", "C:/a", "a\\b", "a\0b"] {
            let bytes = packed(&[("good.txt", b"x"), (path, b"x")]);
            let (result, files) = check(&bytes, &ArchiveLimits::default());
            assert_eq!((result, files), (Err(Code::ArchiveUnsafePath), 0), "{path:?}");
        }
    }

    #[test]
    fn names_without_the_utf8_mark_are_cp866() {
        let mut bytes = packed(&[("ABC.txt", b"x")]);
        // «СП» is 0x91 0x8F in CP866: put over «AB», in the local header and in the directory.
        let places: Vec<_> =
            (0..bytes.len() - 7).filter(|at| &bytes[*at..at + 7] == b"ABC.txt").collect();
        assert_eq!(places.len(), 2);
        for place in places {
            bytes[place..place + 2].copy_from_slice(&[0x91, 0x8F]);
        }
        let (result, _) = check(&bytes, &ArchiveLimits::default());
        assert_eq!(result.unwrap()[0].0, "СПC.txt");
    }

    #[test]
    fn an_entry_that_lies_about_its_size_is_stopped() {
        let mut bytes = packed(&[("a", &vec![0; 1 << 20])]);
        // The announced size (4 bytes at 24 of the directory's record) becomes 1.
        let record = (0..bytes.len()).rfind(|at| bytes[*at..].starts_with(b"PK\x01\x02")).unwrap();
        bytes[record + 24..record + 28].copy_from_slice(&1_u32.to_le_bytes());
        let limits = ArchiveLimits { entry_bytes: 1000, ..Default::default() };
        // Either our count or the library's notices; what matters is that nothing is handed out.
        match check(&bytes, &limits).0 {
            Ok(entries) => assert!(entries.is_empty()),
            Err(code) => assert_eq!(code, Code::ArchiveLimits),
        }
    }

    #[test]
    fn an_encrypted_archive_is_refused() {
        let mut bytes = packed(&[("a", b"x")]);
        let record = (0..bytes.len()).rfind(|at| bytes[*at..].starts_with(b"PK\x01\x02")).unwrap();
        bytes[record + 8] |= 1;
        assert_eq!(check(&bytes, &ArchiveLimits::default()), (Err(Code::PasswordProtected), 0));
    }
}
