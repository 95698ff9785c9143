//! The folder that the files of a letter are written to.

use crate::archive::ArchiveLimits;
use crate::model::{ArchiveEntry, Message};
use crate::reader::ReadError;
use crate::tidy::tidy_line;
use shared::outcome::Code;
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// The longest name of a file made here, in characters.
const MAX_NAME: usize = 120;

/// Writes files and announces them.
pub(super) struct Files<'a> {
    folder: &'a Path,
    limits: &'a ArchiveLimits,
    send: &'a mut dyn FnMut(Message) -> io::Result<()>,
    /// The names that are taken, and the last number that was put behind each.
    names: HashMap<String, u32>,
    left: u64,
}

impl<'a> Files<'a> {
    pub(super) fn new(
        folder: &'a Path,
        limits: &'a ArchiveLimits,
        send: &'a mut dyn FnMut(Message) -> io::Result<()>,
    ) -> Files<'a> {
        Files { folder, limits, send, names: HashMap::new(), left: limits.total_bytes }
    }

    /// Writes a file under this name or one like it.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), ReadError> {
        let too_much = |why: &str| ReadError::new(Code::ArchiveLimits, why);
        let size = bytes.len() as u64;
        if self.names.len() as u64 >= self.limits.entries {
            return Err(too_much("в письме слишком много вложений"));
        }
        if size > self.limits.entry_bytes || size > self.left {
            return Err(too_much("вложения письма слишком велики"));
        }
        self.left -= size;
        let path = self.own_name(name);
        let file = format!("{:06}.bin", self.names.len());
        let own_fault = |error: io::Error| {
            ReadError::new(Code::InternalError, format!("вложение письма не записано: {error}"))
        };
        let target = self.folder.join(&file);
        let mut output =
            OpenOptions::new().write(true).create_new(true).open(target).map_err(own_fault)?;
        output.write_all(bytes).map_err(own_fault)?;
        self.tell(Message::Entry(ArchiveEntry { path, file, size }))
    }

    /// Tells why an attachment is not or not wholly among the files.
    pub(super) fn warn(&mut self, code: Code, name: &str, why: &str) -> Result<(), ReadError> {
        let name: String = tidy_line(name).chars().take(MAX_NAME).collect();
        let message = format!("вложение «{name}»: {why}");
        self.tell(Message::Warning { code: Some(code), message })
    }

    fn tell(&mut self, message: Message) -> Result<(), ReadError> {
        (self.send)(message).map_err(|error| {
            ReadError::new(Code::InternalError, format!("результат распаковки не принят: {error}"))
        })
    }

    /// A file name of one part that no other file of the letter has. Signs that are not seen are
    /// left out: they make «акт.exe» look like «акт.pdf».
    fn own_name(&mut self, name: &str) -> String {
        let clean = tidy_line(name).replace(['/', '\\', ':'], "_");
        let clean = clean.trim_start_matches(['.', '~', ' ']);
        let (stem, end) = match clean.rsplit_once('.') {
            Some((stem, end)) if end.chars().count() <= 10 => (stem, format!(".{end}")),
            _ => (clean, String::new()),
        };
        let stem: String = stem.chars().take(MAX_NAME).collect();
        let stem = if stem.trim().is_empty() { "вложение".to_owned() } else { stem };
        let plain = format!("{stem}{end}");
        let mut own = plain.clone();
        while self.names.contains_key(&own) {
            let last = self.names.entry(plain.clone()).or_insert(1);
            *last += 1;
            own = format!("{stem} ({last}){end}");
        }
        self.names.insert(own.clone(), 1);
        own
    }
}
