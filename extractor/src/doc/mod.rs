//! DOC: the binary documents of Word 97–2003 ([MS-DOC]): text, automatic numbers, tables, notes,
//! text boxes, running headers and footers.

mod body;
mod file;
mod lists;
mod properties;
mod styles;
mod text;
#[cfg(test)]
mod tests;

use crate::flow::{Pages, Piece};
use crate::reader::{Limits, ReadError, Sink};
use body::Reading;
use file::WordFile;

/// Reads a DOC file. The format records no breaks but those that somebody made: where Word counted
/// more pages, the property `page_numbers` is `approximate`.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let file = WordFile::open(bytes, limits)?;
    let mut reading = Reading::new(&file, limits)?;
    let furniture = reading.running_lines();
    let pieces = reading.body()?;

    let mut pages = Pages::new(sink, limits, furniture);
    for piece in pieces {
        match piece {
            Piece::Block(block) => pages.block(block),
            Piece::Pages(count) => pages.advance(count)?,
        }
    }
    let page_count = pages.finish()?;
    let mut properties = file.properties();
    let counted: u32 = properties.get("pages").and_then(|value| value.parse().ok()).unwrap_or(0);
    if counted != 1 && page_count.saturating_mul(10) < counted.max(1).saturating_mul(9) {
        properties.insert("page_numbers".to_owned(), "approximate".to_owned());
    }
    sink.properties(properties)
}
