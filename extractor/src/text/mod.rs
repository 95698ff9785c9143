//! Plain text, Markdown, CSV and JSON.

pub mod csv;
pub mod json;
pub mod markdown;
mod boxes;
mod lines;

use crate::encoding;
use crate::model::Page;
use crate::reader::{Limits, ReadError, Sink};
use std::collections::BTreeMap;

/// Reads a plain text file; form feeds part its pages.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let decoded = encoding::decode(bytes, None);
    send_encoding(&decoded, sink)?;
    let mut number = 1u32;
    let width = lines::wrap_width(&decoded.text);
    for text in decoded.text.split('\u{c}') {
        let blocks = lines::blocks(text, width);
        // A form feed at the end of the file begins no page.
        if number > 1 && blocks.is_empty() {
            continue;
        }
        sink.page(Page { number, blocks, ..Page::default() })?;
        if number >= limits.pages {
            break;
        }
        number = number.saturating_add(1);
    }
    Ok(())
}

/// Tells the encoding that was found, as a property of the document.
fn send_encoding(decoded: &encoding::Decoded, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    sink.properties(BTreeMap::from([("encoding".to_owned(), decoded.encoding.to_owned())]))
}

#[cfg(test)]
mod tests;
