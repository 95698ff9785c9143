//! The paragraph that is being read.

use crate::flow::Piece;
use crate::flow::numerals::{Label, bullet};
use crate::flow::paragraph::{Paragraph, join_soft_breaks, spaced_number};
use crate::model::Block;
use crate::tidy::{tidy, tidy_line};

/// Properties of paragraphs; they hold until `\pard`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    pub(super) style: i32,
    pub(super) centered: bool,
    pub(super) in_table: bool,
    pub(super) page_before: bool,
    /// From 0, as the format counts.
    pub(super) outline: Option<u8>,
}

/// What a style of the style sheet is for.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    pub(super) name: String,
    pub(super) outline: Option<u8>,
}

impl Style {
    /// The level of a heading, from 1; by its outline level or its name, in both languages.
    fn heading(&self) -> Option<u8> {
        let name = self.name.to_lowercase();
        let number = name.strip_prefix("heading ").or_else(|| name.strip_prefix("заголовок "));
        let named = number.and_then(|number| number.trim().parse().ok());
        named.or(self.outline.filter(|level| *level < 9).map(|level| level.saturating_add(1)))
    }
}

/// Text and what is known of it so far.
#[derive(Debug, Default)]
pub(super) struct Current {
    text: String,
    pub(super) label: String,
    pub(super) is_contents: bool,
    /// What follows the paragraph: notes that hang on it, pages that end in it.
    pub(super) after: Vec<Piece>,
    visible: usize,
    bold: usize,
    linked: usize,
}

impl Current {
    pub(super) fn push(&mut self, text: &str, bold: bool, linked: bool) {
        let visible = text.chars().filter(|character| !character.is_whitespace()).count();
        self.visible = self.visible.saturating_add(visible);
        if bold {
            self.bold = self.bold.saturating_add(visible);
        }
        if linked {
            self.linked = self.linked.saturating_add(visible);
        }
        self.text.push_str(text);
    }

    pub(super) fn is_blank(&self) -> bool {
        self.visible == 0
    }

    /// Its blocks under these properties.
    pub(super) fn blocks(self, layout: &Layout, style: Option<&Style>) -> Vec<Block> {
        let outline = layout.outline.filter(|level| *level < 9);
        let name = style.map(|style| style.name.to_lowercase()).unwrap_or_default();
        Paragraph {
            text: spaced_number(join_soft_breaks(&tidy(&self.text))),
            label: label(&self.label),
            heading: match outline {
                Some(level) => Some(level.saturating_add(1)),
                None => style.and_then(Style::heading),
            },
            is_contents: self.is_contents
                || name.starts_with("toc ") && name != "toc heading"
                || name.starts_with("оглавление "),
            is_caption: matches!(name.as_str(), "caption" | "название объекта"),
            linked: self.linked,
            bold: self.visible > 0 && self.bold == self.visible,
            centered: layout.centered,
        }
        .blocks()
    }
}

/// The number as the program that saved the file printed it.
fn label(printed: &str) -> Option<Label> {
    let text = tidy_line(printed);
    if text.is_empty() {
        return None;
    }
    if !text.chars().any(char::is_alphanumeric) {
        return Some(Label { text: bullet(&text), is_item: true });
    }
    let is_item = text.ends_with(')')
        || !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'I' | 'V' | 'X' | 'L'));
    Some(Label { text, is_item })
}
