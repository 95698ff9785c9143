//! RTF: the text as Word shows it, with the numbers, tables, notes and text boxes that it records.

mod charset;
mod group;
mod paragraph;
mod reading;
mod tokens;
mod words;
#[cfg(test)]
mod tests;

use crate::flow::{Pages, Piece};
use crate::reader::{Limits, ReadError, Sink};
use reading::Reading;
use shared::outcome::Code;
use tokens::Tokens;

/// Reads an RTF file. The format records no breaks but those that somebody made: where the program
/// that saved it counted more pages, the property `page_numbers` is `approximate`.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let mut reading = Reading::new(limits);
    for token in Tokens::new(bytes) {
        reading.token(token)?;
    }
    let whole = reading.is_closed();
    let read = reading.finish()?;

    let mut pages = Pages::new(sink, limits, read.furniture);
    for piece in read.pieces {
        match piece {
            Piece::Block(block) => pages.block(block),
            Piece::Pages(count) => pages.advance(count)?,
        }
    }
    let page_count = pages.finish()?;
    let mut properties = read.properties;
    let counted: u32 = properties.get("pages").and_then(|value| value.parse().ok()).unwrap_or(0);
    if counted != 1 && page_count.saturating_mul(10) < counted.max(1).saturating_mul(9) {
        properties.insert("page_numbers".to_owned(), "approximate".to_owned());
    }
    sink.properties(properties)?;
    if !whole {
        sink.warning(Some(Code::DamagedFile), "файл обрывается: прочитано то, что в нём есть")?;
    }
    Ok(())
}
