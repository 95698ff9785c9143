//! Any other XML: its text in order, lists of like elements as tables.

use super::{Content, is_leaf};
use crate::model::{Block, BlockKind};
use crate::tidy::{tidy, tidy_line};
use crate::xml::{Element, Node};

/// Columns that a list of like elements may have to be shown as a table.
const MAX_COLUMNS: usize = 40;

/// The text of a document.
pub(super) fn content(root: &Element) -> Content {
    let mut content = Content::default();
    write(root, &mut content.blocks);
    content
}

fn write(element: &Element, blocks: &mut Vec<Block>) {
    if let Some(table) = table(element) {
        blocks.push(table);
        return;
    }
    // Attributes are mostly technical; those in Russian are for people.
    let words =
        element.attributes.iter().map(|(_, value)| value).filter(|value| {
            value.chars().any(|character| matches!(character, 'а'..='я' | 'А'..='Я'))
        });
    blocks.extend(words.map(|value| Block::new(BlockKind::Paragraph, tidy(value))));
    let inline = element.children.iter().any(|node| matches!(node, Node::Text(_)));
    if inline {
        // Mixed content is one paragraph.
        let text = tidy(&spaced_text(element));
        if !text.is_empty() {
            blocks.push(Block::new(BlockKind::Paragraph, text));
        }
        return;
    }
    element.elements().for_each(|child| write(child, blocks));
}

fn spaced_text(element: &Element) -> String {
    let parts = element.children.iter().map(|node| match node {
        Node::Element(child) => spaced_text(child),
        Node::Text(text) => text.clone(),
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// Three or more children of one name that consist of plain fields.
fn table(element: &Element) -> Option<Block> {
    let rows: Vec<&Element> = element.elements().collect();
    let first = rows.first()?;
    let alike = rows.len() >= 3
        && rows.iter().all(|row| {
            row.name == first.name && row.elements().next().is_some() && row.elements().all(is_leaf)
        });
    if !alike {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for field in rows.iter().flat_map(|row| row.elements()) {
        if !names.contains(&&*field.name) {
            names.push(&field.name);
        }
        if names.len() > MAX_COLUMNS {
            return None;
        }
    }
    let header = names.iter().map(|name| (*name).to_owned()).collect();
    let cell = |row: &Element, name: &str| {
        row.all(name).map(|field| tidy_line(&field.text())).collect::<Vec<_>>().join("; ")
    };
    let body = rows.iter().map(|row| names.iter().map(|name| cell(row, name)).collect());
    Some(Block::table(std::iter::once(header).chain(body).collect(), 1))
}
