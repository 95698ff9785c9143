//! DOCX: the text as Word shows it, with automatic numbers, tables, notes and accepted changes.

mod block;
mod inline;
mod math;
mod numbering;
mod parts;
mod styles;
mod table;
#[cfg(test)]
mod tests;

use crate::encoding;
use crate::flow::{Pages, note_page_numbers};
use crate::package::Package;
use crate::reader::{Limits, ReadError, Sink};
use crate::xml::{Step, XmlReader};
use block::Reading;

/// Reads a DOCX file. Pages are the parts between the breaks that the file records; when there are
/// fewer than the program that saved it counted, the property `page_numbers` is `approximate`.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let mut package = Package::open(bytes, limits)?;
    let parts = parts::read(&mut package, limits)?;
    let document = package
        .read(&parts.document)?
        .ok_or_else(|| ReadError::damaged("в файле нет основной части документа"))?;
    drop(package);

    let text = encoding::decode(&document, None).text;
    drop(document);
    let mut xml = XmlReader::new(&text, limits);
    let mut reading = Reading::new(&parts.styles, parts.numbering, &parts.notes, limits);
    let mut pages = Pages::new(sink, limits, parts.furniture);
    let mut foreign_parts = 0u32;
    loop {
        match xml.step()? {
            // The containers of the body stream; each paragraph or table is one small tree.
            Step::Open(element) if matches!(&*element.name, "document" | "body") => {}
            Step::Open(element) => {
                let element = xml.subtree(element)?;
                foreign_parts =
                    foreign_parts.saturating_add(u32::from(&*element.name == "altChunk"));
                for piece in reading.container_child(&element)? {
                    pages.piece(piece)?;
                }
            }
            Step::Close | Step::Text(_) => {}
            Step::End => break,
        }
    }
    let rendered = reading.rendered_breaks;
    let page_count = pages.finish()?;

    let mut properties = parts.properties;
    note_page_numbers(&mut properties, page_count, rendered);
    sink.properties(properties)?;
    if foreign_parts > 0 {
        sink.warning(None, "вложенные документы другого формата (altChunk) не прочитаны")?;
    }
    Ok(())
}
