//! ODT: the text as `LibreOffice` shows it, with automatic numbers, tables, notes and accepted
//! changes.

mod body;
mod inline;
mod lists;
mod parts;
mod styles;
#[cfg(test)]
mod tests;

use crate::encoding;
use crate::flow::{Pages, note_page_numbers};
use crate::package::Package;
use crate::reader::{Limits, ReadError, Sink};
use crate::xml::{Step, XmlReader};
use body::Reading;

/// Reads an ODT file. Pages are the parts between the breaks that the file records; when there are
/// fewer than the program that saved it counted, the property `page_numbers` is `approximate`.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let mut package = Package::open(bytes, limits)?;
    let parts = parts::read(&mut package, limits)?;
    let content = package
        .read("content.xml")?
        .ok_or_else(|| ReadError::damaged("в файле нет основной части документа"))?;
    drop(package);

    let text = encoding::decode(&content, None).text;
    drop(content);
    let mut xml = XmlReader::new(&text, limits).keeping_space();
    let mut reading = Reading::new(parts.styles, parts.lists, limits);
    let mut pages = Pages::new(sink, limits, parts.furniture);
    loop {
        match xml.step()? {
            // The containers of the body stream; each paragraph or table is one small tree.
            Step::Open(element)
                if matches!(&*element.name, "document-content" | "body" | "text") => {}
            Step::Open(element) => {
                let element = xml.subtree(element)?;
                if &*element.name == "automatic-styles" {
                    reading.add_styles(&element);
                    continue;
                }
                for piece in reading.child(&element)? {
                    pages.piece(piece)?;
                }
            }
            Step::Close | Step::Text(_) => {}
            Step::End => break,
        }
    }
    let recorded = reading.recorded_breaks;
    let page_count = pages.finish()?;

    let mut properties = parts.properties;
    note_page_numbers(&mut properties, page_count, recorded);
    sink.properties(properties)
}
