//! The streams of the file and the table of contents of the main one (the FIB).

use crate::reader::{Limits, ReadError};
use crate::tidy::tidy_line;
use cfb::CompoundFile;
use shared::outcome::Code;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// Tables of the file, by their place in the FIB ([MS-DOC] 2.5.6, fibRgFcLcb97).
#[derive(Clone, Copy, Debug)]
pub(super) enum Table {
    Styles = 1,
    NoteReferences = 2,
    NoteTexts = 3,
    Running = 11,
    RunProperties = 12,
    ParagraphProperties = 13,
    Pieces = 33,
    EndnoteReferences = 46,
    EndnoteTexts = 47,
    ListFormats = 73,
    Lists = 74,
}

/// Lengths of the parts of the text, in characters, in the order in which they follow each other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    pub(super) body: u32,
    pub(super) notes: u32,
    pub(super) running: u32,
    pub(super) macros: u32,
    pub(super) comments: u32,
    pub(super) endnotes: u32,
    pub(super) boxes: u32,
}

/// A document's streams in memory.
pub(super) struct WordFile {
    /// The text, and the pages of properties.
    pub(super) main: Vec<u8>,
    tables: Vec<u8>,
    summary: Vec<u8>,
    pub(super) parts: Parts,
}

impl WordFile {
    /// Opens the container; a document behind a password has its own code.
    pub(super) fn open(bytes: &[u8], limits: &Limits) -> Result<WordFile, ReadError> {
        let mut container = CompoundFile::open(Cursor::new(bytes))
            .map_err(|error| ReadError::damaged(format!("составной файл повреждён: {error}")))?;
        let mut stream = |name: &str| -> Result<Vec<u8>, ReadError> {
            let mut content = Vec::new();
            let damaged =
                |error: std::io::Error| ReadError::damaged(format!("поток «{name}»: {error}"));
            let mut stream = container.open_stream(name).map_err(damaged)?;
            // No stream is longer than the file; a container with a loop says otherwise.
            let most = (bytes.len() as u64).min(limits.unpacked_bytes);
            stream.by_ref().take(most).read_to_end(&mut content).map_err(damaged)?;
            Ok(content)
        };
        let main = stream("/WordDocument")?;
        let word = |offset: usize| u16_at(&main, offset).unwrap_or_default();
        if word(0) != 0xA5EC || word(2) < 0x00C1 {
            let message = "документ Word 6 или старше: сохраните его как DOCX";
            return Err(ReadError::new(Code::UnsupportedFormat, message));
        }
        let flags = word(10);
        if flags & 0x0100 != 0 {
            return Err(ReadError::new(Code::PasswordProtected, "документ закрыт паролем"));
        }
        let tables = stream(if flags & 0x0200 == 0 { "/0Table" } else { "/1Table" })?;
        let summary = stream("/\u{5}SummaryInformation").unwrap_or_default();
        let length = |index: usize| u32_at(&main, 64 + 4 * index).unwrap_or_default();
        let parts = Parts {
            body: length(3),
            notes: length(4),
            running: length(5),
            macros: length(6),
            comments: length(7),
            endnotes: length(8),
            boxes: length(9),
        };
        Ok(WordFile { main, tables, summary, parts })
    }

    fn place(&self, table: Table) -> (usize, usize) {
        let at = 154 + 8 * table as usize;
        let number = |offset| u32_at(&self.main, offset).unwrap_or_default() as usize;
        (number(at), number(at + 4))
    }

    /// A table's bytes; empty when there is none.
    pub(super) fn table(&self, table: Table) -> &[u8] {
        let (start, length) = self.place(table);
        self.tables.get(start..start.saturating_add(length)).unwrap_or_default()
    }

    /// What follows a table (the levels of lists do, outside of its own length).
    pub(super) fn behind(&self, table: Table) -> &[u8] {
        let (start, length) = self.place(table);
        self.tables.get(start.saturating_add(length)..).unwrap_or_default()
    }

    /// Title, author, subject and the number of pages ([MS-OLEPS], property set of a summary).
    pub(super) fn properties(&self) -> BTreeMap<String, String> {
        let mut properties = BTreeMap::new();
        let set = u32_at(&self.summary, 44).unwrap_or_default() as usize;
        let set = self.summary.get(set..).unwrap_or_default();
        let count = u32_at(set, 4).unwrap_or_default().min(64) as usize;
        let entry =
            |index: usize| Some((u32_at(set, 8 + 8 * index)?, u32_at(set, 12 + 8 * index)?));
        let entries: Vec<(u32, u32)> = (0..count).filter_map(entry).collect();
        let value = |id: u32| {
            let offset = entries.iter().find(|(known, _)| *known == id)?.1 as usize;
            Some((u32_at(set, offset)?, offset.saturating_add(4)))
        };
        let code_page = value(1).and_then(|(_, at)| u16_at(set, at)).unwrap_or(1252);
        for (id, name) in [(2, "title"), (3, "subject"), (4, "author")] {
            let Some((30, at)) = value(id) else { continue };
            let length = u32_at(set, at).unwrap_or_default() as usize;
            let start = at.saturating_add(4);
            let bytes = set.get(start..start.saturating_add(length)).unwrap_or_default();
            let encoding = codepage::to_encoding(code_page).unwrap_or(encoding_rs::WINDOWS_1252);
            let text = encoding.decode_without_bom_handling(bytes).0;
            let text = tidy_line(text.trim_end_matches('\0'));
            if !text.is_empty() {
                properties.insert(name.to_owned(), text);
            }
        }
        if let Some((3, at)) = value(14)
            && let Some(pages) = u32_at(set, at)
        {
            properties.insert("pages".to_owned(), pages.to_string());
        }
        properties
    }
}

/// Two bytes, little-endian; `None` behind the end.
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let end = offset.checked_add(2)?;
    bytes.get(offset..end)?.try_into().ok().map(u16::from_le_bytes)
}

/// Four bytes, little-endian; `None` behind the end.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let end = offset.checked_add(4)?;
    bytes.get(offset..end)?.try_into().ok().map(u32::from_le_bytes)
}

/// A row of character positions, as many tables begin with; `size` bytes of data follow for each
/// but the last.
pub(super) fn positions(table: &[u8], size: usize) -> Vec<u32> {
    let count = table.len().saturating_sub(4) / size.saturating_add(4);
    (0..=count).filter_map(|index| u32_at(table, 4 * index)).collect()
}

/// The texts that a table of positions alone parts, by where they begin and end. They follow each
/// other; one that goes back is empty, or a file could have the same text read without end.
pub(super) fn stories(table: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    let bounds = positions(table, 0);
    let mut read = 0;
    (1..bounds.len()).map(move |index| {
        let from = bounds[index - 1].max(read);
        let to = bounds[index].max(from);
        read = to;
        (from, to)
    })
}
