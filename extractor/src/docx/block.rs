//! Paragraphs as blocks: number, kind, notes and text boxes.

use super::inline::{self, Field, Inline};
use super::numbering::{Label, Numbering};
use super::parts::Notes;
use super::styles::{Properties, Role, Style, Styles};
use crate::model::{Block, BlockKind};
use crate::reader::{Limits, ReadError};
use crate::tidy::tidy;
use crate::xml::Element;
use std::collections::HashSet;

/// A longer paragraph is body text even when its style has an outline level: many norms number
/// their clauses by heading styles.
const HEADING_CHARS: usize = 200;

/// What the text consists of, in order.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A block of text.
    Block(Block),
    /// So many pages end here.
    Pages(u32),
}

/// The state that goes from paragraph to paragraph.
pub(crate) struct Reading<'p> {
    styles: &'p Styles,
    numbering: Numbering,
    notes: &'p Notes,
    pub(super) limits: &'p Limits,
    fields: Vec<Field>,
    /// Text of a paragraph whose mark was deleted: it goes on in the next one.
    carried: String,
    note_count: u32,
    /// Text boxes seen: the frame of a drawing form stands on every page.
    boxes: HashSet<String>,
    /// Cells of all tables so far.
    pub(super) cells: u64,
    /// Breaks recorded by the program that laid the text out.
    pub(crate) rendered_breaks: u32,
}

impl<'p> Reading<'p> {
    /// Begins a document.
    pub(crate) fn new(
        styles: &'p Styles,
        numbering: Numbering,
        notes: &'p Notes,
        limits: &'p Limits,
    ) -> Reading<'p> {
        Reading {
            styles,
            numbering,
            notes,
            limits,
            fields: Vec::new(),
            carried: String::new(),
            note_count: 0,
            boxes: HashSet::new(),
            cells: 0,
            rendered_breaks: 0,
        }
    }

    /// Reads one child of a body, cell or text box.
    pub(crate) fn container_child(&mut self, element: &Element) -> Result<Vec<Piece>, ReadError> {
        match &*element.name {
            "p" => self.paragraph(element),
            "tbl" => self.table(element),
            "sdt" => match element.child("sdtContent") {
                Some(content) => self.container(content),
                None => Ok(Vec::new()),
            },
            "ins" | "moveTo" | "customXml" | "smartTag" => self.container(element),
            "AlternateContent" => {
                match element.child("Choice").or_else(|| element.child("Fallback")) {
                    Some(form) => self.container(form),
                    None => Ok(Vec::new()),
                }
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Reads all children of a container.
    pub(crate) fn container(&mut self, container: &Element) -> Result<Vec<Piece>, ReadError> {
        let mut pieces = Vec::new();
        for child in container.elements() {
            pieces.extend(self.container_child(child)?);
        }
        Ok(pieces)
    }

    fn paragraph(&mut self, element: &Element) -> Result<Vec<Piece>, ReadError> {
        let own = element.child("pPr");
        let style_id = own.and_then(|properties| properties.value_of("pStyle"));
        let style = self.styles.paragraph(style_id);
        let own_properties = Properties::read(own, None);
        let properties = own_properties.clone().over(&style.properties);
        let inline = inline::read(element, &style.properties, self.styles, &mut self.fields);
        self.rendered_breaks = self.rendered_breaks.saturating_add(inline.rendered_breaks);

        let mut pieces = Vec::new();
        if inline.break_before || properties.page_before == Some(true) {
            pieces.push(Piece::Pages(1));
        }
        if inline::mark_deleted(element) {
            self.carried.push_str(&inline.text);
        } else {
            let text = std::mem::take(&mut self.carried) + &inline.text;
            let text = spaced_number(join_soft_breaks(&tidy(&text)));
            let label = if inline::mark_hidden(element) && text.is_empty() {
                None
            } else {
                self.label(&own_properties, style_id, style)
            };
            let blocks = paragraph_blocks(&text, label, &properties, style, &inline);
            pieces.extend(blocks.into_iter().map(Piece::Block));
        }
        pieces.extend(self.anchored(&inline)?);
        let section_end =
            own.and_then(|properties| properties.child("sectPr")).is_some_and(|section| {
                !matches!(section.value_of("type"), Some("continuous" | "nextColumn"))
            });
        if inline.breaks_after > 0 {
            pieces.push(Piece::Pages(inline.breaks_after));
        }
        if section_end {
            pieces.push(Piece::Pages(1));
        }
        Ok(pieces)
    }

    /// Notes and text boxes that hang on a paragraph.
    fn anchored(&mut self, inline: &Inline<'_>) -> Result<Vec<Piece>, ReadError> {
        let mut pieces = Vec::new();
        for (kind, id) in &inline.notes {
            if let Some(text) = self.notes.get(&(*kind, id.clone())) {
                self.note_count = self.note_count.saturating_add(1);
                let text = format!("{} {text}", self.note_count);
                pieces.push(Piece::Block(Block::new(BlockKind::Footnote, text)));
            }
        }
        for content in &inline.boxes {
            let inside = self.container(content)?;
            let blocks = inside.into_iter().filter(|piece| match piece {
                Piece::Block(block) => {
                    // A box with nothing but digits is the page number of a drawing form.
                    block.text.chars().any(char::is_alphabetic)
                        && self.boxes.insert(block.text.clone())
                }
                Piece::Pages(_) => false,
            });
            pieces.extend(blocks.collect::<Vec<_>>());
        }
        Ok(pieces)
    }

    /// The automatic number of a paragraph, from its own list or that of its style.
    fn label(&mut self, own: &Properties, style_id: Option<&str>, style: &Style) -> Option<Label> {
        let list = own.number_list.or(style.properties.number_list).filter(|list| *list != 0)?;
        let of_style = || {
            let named = [style_id, style.numbering_style.as_deref()];
            named.into_iter().flatten().find_map(|id| self.numbering.level_of_style(list, id))
        };
        let level = match (own.number_level, own.number_list) {
            (Some(level), _) => level,
            (None, Some(_)) => 0,
            (None, None) => style.properties.number_level.or_else(of_style).unwrap_or(0),
        };
        self.numbering.next(list, level)
    }
}

fn paragraph_blocks(
    text: &str,
    label: Option<Label>,
    properties: &Properties,
    style: &Style,
    inline: &Inline<'_>,
) -> Vec<Block> {
    if text.is_empty() {
        return Vec::new();
    }
    let is_item = label.as_ref().is_some_and(|label| label.is_item);
    let text = match label {
        Some(label) if !label.text.is_empty() => format!("{} {text}", label.text),
        _ => text.to_owned(),
    };
    let visible = text.chars().filter(|character| !character.is_whitespace()).count();
    let short = text.chars().count() <= HEADING_CHARS;
    let outline = properties.outline.filter(|outline| *outline < 9);
    let heading = match (style.role, outline) {
        (Role::Heading(level), _) => Some(level),
        (_, outline) => outline.map(|outline| outline.saturating_add(1)),
    };
    let kind = if inline.is_contents
        || style.role == Role::Contents
        || (short && inline.linked > 0 && inline.linked >= visible)
    {
        BlockKind::Contents
    } else if let Some(level) = heading.filter(|_| short) {
        BlockKind::Heading { level }
    } else if style.role == Role::Caption || is_caption(&text) {
        BlockKind::Caption
    } else if is_item {
        BlockKind::ListItem
    } else {
        return split_lines(&text)
            .into_iter()
            .map(|part| hinted(plain(part), properties, inline))
            .collect();
    };
    vec![hinted(Block::new(kind, text), properties, inline)]
}

fn hinted(mut block: Block, properties: &Properties, inline: &Inline<'_>) -> Block {
    block.bold = inline.bold;
    block.centered = properties.centered == Some(true);
    block
}

/// A line break inside a sentence only shapes the line: the text goes on after a space.
fn join_soft_breaks(text: &str) -> String {
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
fn spaced_number(mut text: String) -> String {
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
