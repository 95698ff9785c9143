//! Lines of plain text as paragraphs. A hard-wrapped text is joined again; in any other text
//! every line is its own paragraph.

use super::boxes;
use crate::flow::paragraph::{begins_item, begins_numbered, is_caption, plain};
use crate::grid::Filling;
use crate::model::{Block, BlockKind};
use crate::tidy::tidy_line;

/// Longest line of a hard-wrapped text, in characters: the widest of old printouts.
const MAX_WRAP: usize = 132;

/// The width at which a text is wrapped, `None` when lines are paragraphs. A wrapped text has no
/// long lines and many lines that end near the same width.
pub(super) fn wrap_width(text: &str) -> Option<usize> {
    let mut lengths: Vec<usize> = text
        .lines()
        .take(5000)
        .filter(|line| !line.trim().is_empty() && !boxes::is_box_line(line))
        .map(|line| line.trim_end().chars().count())
        .collect();
    lengths.sort_unstable();
    let longest = *lengths.last()?;
    let width = *lengths.get(lengths.len().saturating_mul(95) / 100)?;
    let near = lengths.iter().filter(|length| length.saturating_mul(10) >= width.saturating_mul(8));
    let wrapped = longest <= MAX_WRAP
        && width >= 40
        && near.count().saturating_mul(10) >= lengths.len().saturating_mul(4);
    wrapped.then_some(width)
}

/// The blocks of a page of text.
pub(super) fn blocks(text: &str, width: Option<usize>) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut paragraph = String::new();
    let mut rest = lines.as_slice();
    let mut filling = Filling::default();
    let mut before: Option<&str> = None;
    while let Some((line, after)) = rest.split_first() {
        if let Some((table, length)) = boxes::table(rest, &mut filling) {
            flush(&mut paragraph, &mut blocks);
            blocks.push(table);
            rest = rest.get(length.max(1)..).unwrap_or_default();
            before = None;
            continue;
        }
        rest = after;
        // A table of one column, written as «| текст».
        let clean = tidy_line(line.trim_start().strip_prefix("| ").unwrap_or(line));
        if clean.is_empty() {
            flush(&mut paragraph, &mut blocks);
            before = None;
            continue;
        }
        if !before.is_some_and(|before| goes_on(before, line, &clean, width)) {
            flush(&mut paragraph, &mut blocks);
        }
        append(&mut paragraph, &clean);
        before = Some(line);
    }
    flush(&mut paragraph, &mut blocks);
    blocks
}

/// Whether a line of a wrapped text continues the paragraph of the line before it.
fn goes_on(before: &str, line: &str, clean: &str, width: Option<usize>) -> bool {
    let Some(width) = width else { return false };
    let indent =
        |line: &str| line.chars().take_while(|character| character.is_whitespace()).count();
    let before_length = before.trim_end().chars().count();
    let indented = indent(line) > indent(before).saturating_add(1);
    // A short line ends its paragraph: the next word would have fitted.
    let first_word = clean.split(' ').next().map_or(0, |word| word.chars().count());
    let full = before_length.saturating_add(first_word).saturating_add(8) >= width;
    full && !indented && !begins_numbered(clean) && !begins_item(clean) && !is_caption(clean)
}

/// Joins a line to its paragraph; a word divided at the line end becomes whole again.
fn append(paragraph: &mut String, line: &str) {
    let divided = paragraph.ends_with('-')
        && paragraph.chars().rev().nth(1).is_some_and(char::is_lowercase)
        && line.starts_with(char::is_lowercase);
    if divided {
        paragraph.pop();
    } else if !paragraph.is_empty() {
        paragraph.push(' ');
    }
    paragraph.push_str(line);
}

fn flush(paragraph: &mut String, blocks: &mut Vec<Block>) {
    if paragraph.is_empty() {
        return;
    }
    let text = std::mem::take(paragraph);
    blocks.push(if is_caption(&text) { Block::new(BlockKind::Caption, text) } else { plain(text) });
}
