//! HTML: headings, paragraphs, lists and tables in document order.

mod tables;
mod writer;

use crate::encoding;
use crate::model::Page;
use crate::reader::{Limits, ReadError, Sink};
use crate::tidy::tidy_line;
use scraper::{Html, Node};
use shared::outcome::Code;
use std::collections::BTreeMap;
use writer::Writer;

/// Blocks that may be open within each other. The parser of the library looks through all that are
/// open for every one that begins.
const MOST_OPEN: usize = 25_000;

/// Reads an HTML page. The tree is walked without recursion, so nesting costs no stack.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let decoded = encoding::decode(bytes, declared_charset(bytes).as_deref());
    if most_open(&decoded.text) > MOST_OPEN {
        let message = format!("вложенность HTML больше {MOST_OPEN}");
        return Err(ReadError::new(Code::ArchiveLimits, message));
    }
    let html = Html::parse_document(&decoded.text);
    let mut properties = BTreeMap::from([("encoding".to_owned(), decoded.encoding.to_owned())]);
    drop(decoded);

    let mut writer = Writer::new(limits, tables::layout_tables(&html));
    let mut node = html.tree.root();
    'walk: loop {
        let descend = match node.value() {
            Node::Element(element) if element.name() == "title" => {
                let text = node.children().filter_map(|child| child.value().as_text());
                let title = tidy_line(&text.map(|text| &**text).collect::<String>());
                if !title.is_empty() {
                    properties.entry("title".to_owned()).or_insert(title);
                }
                false
            }
            Node::Element(element) => writer.open(element)?,
            Node::Text(text) => {
                writer.text(text);
                false
            }
            Node::Document | Node::Fragment => true,
            _ => false,
        };
        if descend && let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        // Up until there is a next sibling; elements that were opened close on the way.
        let mut opened = descend;
        loop {
            if opened && let Node::Element(element) = node.value() {
                writer.close(element)?;
            }
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            let Some(parent) = node.parent() else { break 'walk };
            node = parent;
            opened = true;
        }
    }
    let (blocks, furniture) = writer.finish();
    sink.properties(properties)?;
    sink.page(Page { number: 1, blocks, furniture, ..Page::default() })
}

/// How many blocks are open within each other at most, going by their tags alone.
fn most_open(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for tag in text.split('<').skip(1) {
        let (name, closes) = tag.strip_prefix('/').map_or((tag, false), |name| (name, true));
        let end = name.find(|sign: char| !sign.is_ascii_alphanumeric()).unwrap_or(name.len());
        if !is_nesting(name.get(..end).unwrap_or_default()) {
            continue;
        }
        open = if closes { open.saturating_sub(1) } else { open.saturating_add(1) };
        most = most.max(open);
    }
    most
}

/// Elements that stand within each other until they are closed.
fn is_nesting(name: &str) -> bool {
    const NAMES: [&str; 24] = [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "header",
        "listing",
        "main",
        "menu",
        "nav",
        "ol",
        "pre",
        "section",
        "summary",
        "ul",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The charset that a `meta` element near the beginning declares.
fn declared_charset(bytes: &[u8]) -> Option<String> {
    let head: String = bytes
        .iter()
        .take(4096)
        .map(|byte| char::from(*byte).to_ascii_lowercase())
        .map(|character| if character.is_ascii() { character } else { ' ' })
        .collect();
    let (_, rest) = head.split_once("charset")?;
    let label = rest.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let label: String =
        label.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    (!label.is_empty()).then_some(label)
}

#[cfg(test)]
mod tests;
