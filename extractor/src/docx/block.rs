//! Paragraphs as blocks: number, kind, notes and text boxes.

use super::inline::{self, Field, Inline};
use super::parts::Notes;
use super::styles::{Properties, Role, Style, Styles};
use crate::flow::Piece;
use crate::flow::numbering::Numbering;
use crate::flow::numerals::Label;
use crate::flow::paragraph::{Paragraph, join_soft_breaks, spaced_number};
use crate::model::{Block, BlockKind};
use crate::reader::{Limits, ReadError};
use crate::tidy::tidy;
use crate::xml::Element;
use std::collections::HashSet;

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
    /// Notes that were printed: each stands where it is first referred to.
    printed_notes: HashSet<(&'static str, String)>,
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
            printed_notes: HashSet::new(),
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
            let outline = properties.outline.filter(|outline| *outline < 9);
            let paragraph = Paragraph {
                text,
                label,
                heading: match style.role {
                    Role::Heading(level) => Some(level),
                    _ => outline.map(|outline| outline.saturating_add(1)),
                },
                is_contents: inline.is_contents || style.role == Role::Contents,
                is_caption: style.role == Role::Caption,
                linked: inline.linked,
                bold: inline.bold,
                centered: properties.centered == Some(true),
            };
            pieces.extend(paragraph.blocks().into_iter().map(Piece::Block));
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
        for note in &inline.notes {
            if let Some(text) = self.notes.get(note)
                && self.printed_notes.insert(note.clone())
            {
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
