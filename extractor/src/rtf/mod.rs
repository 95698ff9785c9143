//! RTF: the text as Word shows it, with the numbers, tables, notes and text boxes that it records.

mod charset;
mod group;
mod paragraph;
mod reading;
mod tokens;
mod words;
#[cfg(test)]
mod tests;

use crate::flow::{Pages, note_page_numbers};
use crate::reader::{Limits, ReadError, Sink};
use reading::Reading;
use shared::outcome::Code;
use tokens::Tokens;

/// Reads an RTF file. The format records no breaks but those that somebody made, so the property
/// `page_numbers` is `approximate`.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let mut reading = Reading::new(limits);
    for token in Tokens::new(bytes) {
        reading.token(token)?;
    }
    let whole = reading.is_closed();
    let read = reading.finish()?;

    let mut pages = Pages::new(sink, limits, read.furniture);
    for piece in read.pieces {
        pages.piece(piece)?;
    }
    let page_count = pages.finish()?;
    let mut properties = read.properties;
    note_page_numbers(&mut properties, page_count, 0);
    sink.properties(properties)?;
    if !whole {
        sink.warning(Some(Code::DamagedFile), "файл обрывается: прочитано то, что в нём есть")?;
    }
    Ok(())
}
