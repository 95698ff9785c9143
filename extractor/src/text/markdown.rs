//! Markdown: headings, lists, tables; inline marks are dropped.

use super::send_encoding;
use crate::encoding;
use crate::flow::paragraph::begins_item;
use crate::grid::{Filling, guess_header_rows};
use crate::model::{Block, BlockKind, Page};
use crate::reader::{Limits, ReadError, Sink};
use crate::tidy::tidy_line;

/// Bytes of the address of a link.
const MAX_ADDRESS: usize = 4096;

/// Reads a Markdown file as one page.
pub fn read(bytes: &[u8], _limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let decoded = encoding::decode(bytes, None);
    send_encoding(&decoded, sink)?;
    sink.page(Page { number: 1, blocks: blocks(&decoded.text), ..Page::default() })
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut paragraph = String::new();
    let mut table: Vec<Vec<String>> = Vec::new();
    let mut filling = Filling::default();
    let mut fenced = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
            flush(&mut paragraph, &mut table, &mut blocks);
            continue;
        }
        if fenced {
            if !paragraph.is_empty() {
                paragraph.push('\n');
            }
            paragraph.push_str(line.trim_end());
            continue;
        }
        if trimmed.starts_with('|') && trimmed.chars().count() > 2 {
            if table.is_empty() {
                flush(&mut paragraph, &mut table, &mut blocks);
            }
            let inside = trimmed.trim_matches('|');
            let cells: Vec<String> = inside.split('|').map(inline).collect();
            let rule = cells.iter().all(|c| c.chars().all(|c| matches!(c, '-' | ':' | '–' | '—')));
            if !rule {
                if !filling.takes(cells.len()) {
                    flush(&mut paragraph, &mut table, &mut blocks);
                    filling.end();
                    filling.takes(cells.len());
                }
                table.push(cells);
            }
            continue;
        }
        if !table.is_empty() || trimmed.is_empty() {
            flush(&mut paragraph, &mut table, &mut blocks);
            filling.end();
        }
        if trimmed.is_empty() {
            continue;
        }
        let marks = trimmed.chars().take_while(|mark| *mark == '#').count();
        let title = trimmed.trim_start_matches('#');
        if (1..=6).contains(&marks) && title.starts_with([' ', '\t']) {
            flush(&mut paragraph, &mut table, &mut blocks);
            let level = u8::try_from(marks).unwrap_or(6);
            blocks.push(Block::new(
                BlockKind::Heading { level },
                inline(title.trim_end_matches('#')),
            ));
        } else if !paragraph.is_empty() && is_underline(trimmed) {
            let level = if trimmed.starts_with('=') { 1 } else { 2 };
            let title = inline(&std::mem::take(&mut paragraph));
            blocks.push(Block::new(BlockKind::Heading { level }, title));
        } else if is_underline(trimmed) || trimmed == "***" {
            // A line across the page.
            flush(&mut paragraph, &mut table, &mut blocks);
        } else {
            let quote = trimmed.trim_start_matches(['>', ' ']);
            if begins_item(quote) || begins_ordered(quote) {
                flush(&mut paragraph, &mut table, &mut blocks);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(quote);
        }
    }
    flush(&mut paragraph, &mut table, &mut blocks);
    blocks
}

fn is_underline(line: &str) -> bool {
    line.len() >= 3 && (line.chars().all(|c| c == '=') || line.chars().all(|c| c == '-'))
}

/// «1. текст», «4.2.1 текст».
fn begins_ordered(line: &str) -> bool {
    crate::flow::paragraph::begins_numbered(line)
}

fn flush(paragraph: &mut String, table: &mut Vec<Vec<String>>, blocks: &mut Vec<Block>) {
    if !paragraph.is_empty() {
        let text = std::mem::take(paragraph);
        let kind = if begins_item(&text) { BlockKind::ListItem } else { BlockKind::Paragraph };
        let lines: Vec<String> = text.lines().map(inline).filter(|line| !line.is_empty()).collect();
        if !lines.is_empty() {
            blocks.push(Block::new(kind, lines.join("\n")));
        }
    }
    if !table.is_empty() {
        let mut rows = std::mem::take(table);
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        rows.iter_mut().for_each(|row| row.resize(width, String::new()));
        let header_rows = guess_header_rows(&rows, 1).max(usize::from(rows.len() > 1));
        blocks.push(Block::table(rows, header_rows));
    }
}

/// Text without emphasis and code marks; of a link or picture its text stays.
fn inline(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['*', '`', '[', '!', '\\']) {
        let (before, from) = rest.split_at(at);
        clean.push_str(before);
        let link = from.strip_prefix('!').unwrap_or(from);
        if let Some((label, after)) = link_of(link) {
            clean.push_str(label);
            rest = after;
            continue;
        }
        let mut characters = from.chars();
        let mark = characters.next();
        rest = characters.as_str();
        match mark {
            Some('\\') => {
                let mut escaped = rest.chars();
                clean.extend(escaped.next());
                rest = escaped.as_str();
            }
            // A star between numbers or spaces is a sign of multiplication.
            Some('*') if clean.ends_with(operand) && rest.starts_with(operand) => {
                clean.push('*');
            }
            Some('*' | '`') => {}
            Some(other) => clean.push(other),
            None => {}
        }
    }
    clean.push_str(rest);
    tidy_line(&clean)
}

fn operand(neighbour: char) -> bool {
    neighbour == ' ' || neighbour.is_ascii_digit()
}

/// «[текст](адрес)»: the text, and what follows. A label ends at the next bracket, and an address
/// has an end that is near: every bracket of the text is asked.
fn link_of(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let (label, rest) = inside.split_at(inside.find(['[', ']', '\n'])?);
    let rest = rest.strip_prefix("](")?;
    let near = rest.get(..rest.floor_char_boundary(MAX_ADDRESS)).unwrap_or_default();
    Some((label, rest.get(near.find(')')?.saturating_add(1)..)?))
}
