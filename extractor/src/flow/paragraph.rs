//! A paragraph as blocks, whatever format it comes from.

use super::numerals::Label;
use crate::model::{Block, BlockKind};

/// A longer paragraph is body text even when its style has an outline level: many norms number
/// their clauses by heading styles.
const HEADING_CHARS: usize = 200;

/// What a format knows of a paragraph.
#[derive(Debug, Default)]
pub(crate) struct Paragraph {
    /// Tidied; line breaks stand for themselves.
    pub(crate) text: String,
    /// The automatic number.
    pub(crate) label: Option<Label>,
    /// The level of a heading style, 1 the highest; 0 where the format does not tell.
    pub(crate) heading: Option<u8>,
    /// A line of a table of contents.
    pub(crate) is_contents: bool,
    /// By its style the caption of a table or figure.
    pub(crate) is_caption: bool,
    /// Visible characters inside links to another place of the document.
    pub(crate) linked: usize,
    /// Every visible character is bold.
    pub(crate) bold: bool,
    /// Centred.
    pub(crate) centered: bool,
}

impl Paragraph {
    /// None for an empty paragraph; several where typed lines begin with numbers of their own.
    pub(crate) fn blocks(self) -> Vec<Block> {
        if self.text.is_empty() {
            return Vec::new();
        }
        let is_item = self.label.as_ref().is_some_and(|label| label.is_item);
        let text = match &self.label {
            Some(label) if !label.text.is_empty() => format!("{} {}", label.text, self.text),
            _ => self.text.clone(),
        };
        let visible = text.chars().filter(|character| !character.is_whitespace()).count();
        let short = text.chars().count() <= HEADING_CHARS;
        let is_link = short && self.linked > 0 && self.linked >= visible;
        let kind = if self.is_contents || is_link {
            BlockKind::Contents
        } else if let Some(level) = self.heading.filter(|_| short) {
            BlockKind::Heading { level }
        } else if self.is_caption || is_caption(&text) {
            BlockKind::Caption
        } else if is_item {
            BlockKind::ListItem
        } else {
            return split_lines(&text).into_iter().map(|part| self.hinted(plain(part))).collect();
        };
        vec![self.hinted(Block::new(kind, text))]
    }

    fn hinted(&self, mut block: Block) -> Block {
        block.bold = self.bold;
        block.centered = self.centered;
        block
    }
}

/// A line break inside a sentence only shapes the line: the text goes on after a space.
pub(crate) fn join_soft_breaks(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for line in text.lines() {
        if !joined.is_empty() {
            let open = joined
                .ends_with(|last: char| last.is_alphanumeric() || matches!(last, ',' | '-' | '–'));
            joined.push(if open && line.starts_with(char::is_lowercase) { ' ' } else { '\n' });
        }
        joined.push_str(line);
    }
    joined
}

/// «4.3.Перекрытия» as typed in haste: the number gets its space.
pub(crate) fn spaced_number(mut text: String) -> String {
    let number = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let glued = text.get(..number).is_some_and(|number| number.len() > 1 && number.ends_with('.'))
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.get(number..).is_some_and(|rest| rest.starts_with(char::is_uppercase));
    if glued {
        text.insert(number, ' ');
    }
    text
}

/// Lines set apart by line breaks that begin with their own number are paragraphs of their own.
fn split_lines(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.lines() {
        match parts.last_mut() {
            Some(part) if !begins_numbered(line) && !begins_item(line) => {
                part.push('\n');
                part.push_str(line);
            }
            _ => parts.push(line.to_owned()),
        }
    }
    parts
}

/// A paragraph, or an item when it begins with a typed list marker.
pub(crate) fn plain(text: String) -> Block {
    let kind = if begins_item(&text) { BlockKind::ListItem } else { BlockKind::Paragraph };
    Block::new(kind, text)
}

/// «5.10 Текст», «5. Текст»: a number of digits and dots, then a space.
pub(crate) fn begins_numbered(line: &str) -> bool {
    let Some((number, rest)) = line.split_once(' ') else { return false };
    !rest.is_empty()
        && number.contains('.')
        && number.chars().all(|character| character.is_ascii_digit() || character == '.')
        && number.starts_with(|character: char| character.is_ascii_digit())
}

/// «– текст», «• текст», «а) текст», «1) текст».
pub(crate) fn begins_item(line: &str) -> bool {
    let Some((marker, rest)) = line.split_once(' ') else { return false };
    let marked = match marker.strip_suffix(')') {
        Some(number) => {
            let length = number.chars().count();
            (1..=3).contains(&length) && number.chars().all(char::is_alphanumeric)
        }
        None => matches!(marker, "-" | "–" | "—" | "•" | "*" | "·" | "▪" | "●"),
    };
    marked && !rest.is_empty()
}

/// «Таблица 4.1 – Допуски», «Рисунок 2»: the word, the number, then nothing or a dash or capital.
pub(crate) fn is_caption(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default().trim_end_matches('.').to_lowercase();
    if !matches!(kind.as_str(), "таблица" | "рисунок" | "рис") || text.chars().count() > 250
    {
        return false;
    }
    let number = words.next().unwrap_or_default();
    let numbered = number.chars().any(|character| character.is_ascii_digit())
        && number.chars().count() <= 8
        && !number.ends_with([',', ';']);
    let next = words.next();
    numbered
        && next.is_none_or(|word| {
            word.starts_with(|c: char| matches!(c, '-' | '–' | '—' | '(' | '«') || c.is_uppercase())
        })
}
