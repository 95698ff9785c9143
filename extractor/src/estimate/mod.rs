//! XML: state estimates (GGE), collections of estimate norms (ГЭСН), and any other XML as text.

mod gge;
mod labels;
mod norms;
mod plain;
mod records;

use crate::encoding;
use crate::model::{Block, Page};
use crate::reader::{Limits, ReadError, Sink};
use crate::xml::{self, Element};
use std::collections::BTreeMap;

/// What an XML document says, before it is sent.
#[derive(Debug, Default)]
struct Content {
    properties: BTreeMap<String, String>,
    blocks: Vec<Block>,
}

/// Reads an XML file of any of these kinds; the root element decides.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let text = encoding::decode(bytes, declared_encoding(bytes).as_deref()).text;
    let root = xml::parse(&text, limits)?;
    drop(text);
    let content = match &*root.name {
        "Construction" => gge::content(&root),
        "base" if root.child("ResourcesDirectory").is_some() => norms::content(&root),
        _ => plain::content(&root),
    };
    sink.properties(content.properties)?;
    sink.page(Page { number: 1, blocks: content.blocks, ..Page::default() })
}

/// The encoding of an XML declaration (`<?xml … encoding="windows-1251"?>`).
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head: String = bytes.iter().take(200).map(|byte| char::from(*byte)).collect();
    let (declaration, _) = head.split_once("?>")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.split(quote).nth(1).map(str::to_owned)
}

/// Whether an element holds text only.
fn is_leaf(element: &Element) -> bool {
    element.elements().next().is_none()
}

#[cfg(test)]
mod tests;
