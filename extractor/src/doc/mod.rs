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

use crate::flow::{Pages, note_page_numbers};
use crate::reader::{Limits, ReadError, Sink};
use body::Reading;
use file::WordFile;

/// Reads a DOC file. The format records no breaks but those that somebody made, so the property
/// `page_numbers` is `approximate`.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let file = WordFile::open(bytes, limits)?;
    let mut reading = Reading::new(&file, limits)?;
    let furniture = reading.running_lines();
    let pieces = reading.body()?;

    let mut pages = Pages::new(sink, limits, furniture);
    for piece in pieces {
        pages.piece(piece)?;
    }
    let page_count = pages.finish()?;
    let mut properties = file.properties();
    note_page_numbers(&mut properties, page_count, 0);
    sink.properties(properties)
}
