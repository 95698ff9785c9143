//! The body: characters gathered into paragraphs, rows and tables.

use super::file::{Table as FileTable, WordFile, positions, stories};
use super::lists;
use super::properties::{self, ParagraphProperties, RunProperties, Runs};
use super::styles::Styles;
use super::text::{Text, Unit};
use crate::flow::edges::Table;
use crate::flow::numbering::Numbering;
use crate::flow::paragraph::{Paragraph, join_soft_breaks, spaced_number};
use crate::flow::{Piece, add_running_line};
use crate::model::{Block, BlockKind};
use crate::reader::{Limits, ReadError};
use crate::tidy::{tidy, tidy_line};
use std::collections::{HashMap, HashSet};

/// Characters that stand for something else ([MS-DOC] 2.4.1).
mod mark {
    pub(super) const PICTURE: u16 = 0x01;
    pub(super) const NOTE: u16 = 0x02;
    pub(super) const COMMENT: u16 = 0x05;
    pub(super) const CELL: u16 = 0x07;
    pub(super) const DRAWING: u16 = 0x08;
    pub(super) const LINE: u16 = 0x0B;
    pub(super) const PAGE: u16 = 0x0C;
    pub(super) const PARAGRAPH: u16 = 0x0D;
    pub(super) const FIELD: u16 = 0x13;
    pub(super) const FIELD_RESULT: u16 = 0x14;
    pub(super) const FIELD_END: u16 = 0x15;
    pub(super) const HYPHEN: u16 = 0x1E;
    pub(super) const SOFT_HYPHEN: u16 = 0x1F;
}

/// Fields within each other; all are asked for every character.
const MOST_FIELDS: usize = 64;

/// A field that is open: its instruction, and whether its result has begun.
#[derive(Debug, Default)]
struct Field {
    instruction: String,
    in_result: bool,
}

/// The paragraph that is being read.
#[derive(Debug, Default)]
struct Current {
    units: Vec<u16>,
    visible: usize,
    bold: usize,
    linked: usize,
    is_contents: bool,
    notes: Vec<String>,
}

/// A document that is being read.
pub(super) struct Reading<'f> {
    file: &'f WordFile,
    limits: &'f Limits,
    text: Text<'f>,
    paragraphs: Runs<ParagraphProperties>,
    runs: Runs<RunProperties>,
    styles: Styles,
    numbering: Numbering,
    /// Texts of notes by the number of the character that refers to them.
    notes: HashMap<u32, String>,
    fields: Vec<Field>,
    current: Current,
    table: Table,
    pieces: Vec<Piece>,
    note_count: u32,
    cells: u64,
}

impl<'f> Reading<'f> {
    pub(super) fn new(file: &'f WordFile, limits: &'f Limits) -> Result<Reading<'f>, ReadError> {
        let mut reading = Reading {
            file,
            limits,
            text: Text::new(file)?,
            paragraphs: properties::paragraphs(file),
            runs: properties::characters(file),
            styles: Styles::read(file),
            numbering: lists::read(file),
            notes: HashMap::new(),
            fields: Vec::new(),
            current: Current::default(),
            table: Table::default(),
            pieces: Vec::new(),
            note_count: 0,
            cells: 0,
        };
        let parts = &file.parts;
        let before_endnotes =
            [parts.body, parts.notes, parts.running, parts.macros, parts.comments];
        let endnotes = before_endnotes.into_iter().fold(0, u32::saturating_add);
        reading.add_notes(FileTable::NoteReferences, FileTable::NoteTexts, parts.body);
        reading.add_notes(FileTable::EndnoteReferences, FileTable::EndnoteTexts, endnotes);
        Ok(reading)
    }

    fn add_notes(&mut self, references: FileTable, texts: FileTable, start: u32) {
        let references = positions(self.file.table(references), 2);
        for (reference, (from, to)) in references.into_iter().zip(stories(self.file.table(texts))) {
            let text = self.plain(start.saturating_add(from), start.saturating_add(to));
            self.notes.insert(reference, text);
        }
    }

    /// Text without any of its structure, on one line.
    fn plain(&self, from: u32, to: u32) -> String {
        let units = self.text.units(from, to).map(|unit| match unit.unit {
            0..=0x1F => u16::from(b' '),
            other => other,
        });
        tidy_line(&String::from_utf16_lossy(&units.collect::<Vec<_>>()))
    }

    /// The lines of all headers and footers, each once.
    pub(super) fn running_lines(&self) -> Vec<String> {
        let start = self.file.parts.body.saturating_add(self.file.parts.notes);
        let mut lines = Vec::new();
        // The first six stories separate notes from the text.
        for (from, to) in stories(self.file.table(FileTable::Running)).skip(6) {
            let line = self.plain(start.saturating_add(from), start.saturating_add(to));
            add_running_line(&mut lines, line);
        }
        lines
    }

    /// The body, and behind it what stands in text boxes.
    pub(super) fn body(&mut self) -> Result<Vec<Piece>, ReadError> {
        let parts = self.file.parts;
        self.story(0, parts.body)?;
        let mut pieces = std::mem::take(&mut self.pieces);
        let before_boxes =
            [parts.body, parts.notes, parts.running, parts.macros, parts.comments, parts.endnotes];
        let boxes = before_boxes.into_iter().fold(0, u32::saturating_add);
        self.story(boxes, boxes.saturating_add(parts.boxes))?;
        let mut known = HashSet::new();
        pieces.extend(std::mem::take(&mut self.pieces).into_iter().filter(|piece| match piece {
            // The form of a drawing stands on every page.
            Piece::Block(block) => {
                block.text.chars().any(char::is_alphabetic) && known.insert(block.text.clone())
            }
            Piece::Pages(_) => false,
        }));
        Ok(pieces)
    }

    fn story(&mut self, from: u32, to: u32) -> Result<(), ReadError> {
        // Gathered first: the text is borrowed from the file, the rest changes with every one.
        let units: Vec<Unit> = self.text.units(from, to).collect();
        let mut last = 0;
        for unit in units {
            self.unit(unit)?;
            last = unit.offset;
        }
        self.end_paragraph(last)?;
        self.end_table()?;
        self.fields.clear();
        Ok(())
    }

    fn unit(&mut self, unit: Unit) -> Result<(), ReadError> {
        match unit.unit {
            mark::PARAGRAPH => self.end_paragraph(unit.offset)?,
            mark::CELL => self.end_cell(unit.offset)?,
            mark::PAGE => {
                self.end_paragraph(unit.offset)?;
                self.end_table()?;
                self.pieces.push(Piece::Pages(1));
            }
            mark::FIELD if self.fields.len() < MOST_FIELDS => self.fields.push(Field::default()),
            mark::FIELD => {}
            mark::FIELD_RESULT => {
                if let Some(field) = self.fields.last_mut() {
                    field.in_result = true;
                    let code = field.instruction.trim_start().to_ascii_uppercase();
                    let refers = code.starts_with("PAGEREF") || code.starts_with("TOC");
                    self.current.is_contents |= refers;
                }
            }
            mark::FIELD_END => drop(self.fields.pop()),
            mark::NOTE => {
                if let Some(text) = self.notes.remove(&unit.number) {
                    self.current.notes.push(text);
                }
            }
            mark::PICTURE | mark::COMMENT | mark::DRAWING | mark::SOFT_HYPHEN => {}
            mark::HYPHEN => self.push(u16::from(b'-'), unit.offset),
            mark::LINE => self.push(u16::from(b'\n'), unit.offset),
            other => self.push(other, unit.offset),
        }
        Ok(())
    }

    fn push(&mut self, unit: u16, offset: u32) {
        if let Some(field) = self.fields.last_mut()
            && !field.in_result
        {
            field.instruction.extend(char::from_u32(u32::from(unit)));
            return;
        }
        if self.fields.iter().any(|field| !field.in_result) {
            return;
        }
        let run = self.runs.at(offset).copied().unwrap_or_default();
        if run.hidden || run.deleted {
            return;
        }
        let is_private = (0xF000..=0xF0FF).contains(&unit);
        let unit = if run.is_sign || is_private { 0x2022 } else { unit };
        let current = &mut self.current;
        if unit > 0x20 && unit != 0xA0 {
            current.visible += 1;
            current.bold += usize::from(run.bold == Some(true));
            current.linked += usize::from(self.fields.iter().any(|field| {
                let code = field.instruction.trim_start().to_ascii_uppercase();
                code.starts_with("HYPERLINK") && code.contains("\\L")
            }));
        }
        current.units.push(unit);
    }

    fn end_cell(&mut self, offset: u32) -> Result<(), ReadError> {
        let own = self.paragraphs.at(offset).cloned().unwrap_or_default();
        if own.ends_row {
            self.current = Current::default();
            self.table.end_row(&own.row);
        } else {
            let pieces = self.paragraph(&own);
            self.table.add(pieces);
            self.table.end_cell();
        }
        Ok(())
    }

    fn end_paragraph(&mut self, offset: u32) -> Result<(), ReadError> {
        let own = self.paragraphs.at(offset).cloned().unwrap_or_default();
        if !own.in_table {
            self.end_table()?;
        }
        let pieces = self.paragraph(&own);
        if own.in_table {
            self.table.add(pieces);
        } else {
            self.pieces.extend(pieces);
        }
        Ok(())
    }

    fn end_table(&mut self) -> Result<(), ReadError> {
        if !self.table.is_empty() {
            let pieces = self.table.take(&mut self.cells, self.limits)?;
            self.pieces.extend(pieces);
        }
        Ok(())
    }

    /// The current paragraph under its properties, with the notes that hang on it.
    fn paragraph(&mut self, own: &ParagraphProperties) -> Vec<Piece> {
        let current = std::mem::take(&mut self.current);
        let inherited = self.styles.inherited(own.style);
        let style = &inherited.properties;
        let text = String::from_utf16_lossy(&current.units);
        let text = spaced_number(join_soft_breaks(&tidy(&text)));
        let list = own.list.or(style.list).filter(|list| *list > 0);
        let level = own.list_level.or(style.list_level).unwrap_or(0);
        let label = match list {
            Some(list) if !text.is_empty() => self.numbering.next(list, level),
            _ => None,
        };
        let outline = own.outline.or(style.outline).filter(|level| *level < 9);
        let mut pieces = Vec::new();
        if own.page_before.or(style.page_before) == Some(true) && !own.in_table {
            pieces.push(Piece::Pages(1));
        }
        let paragraph = Paragraph {
            text,
            label,
            heading: inherited.heading.or(outline.map(|level| level.saturating_add(1))),
            is_contents: current.is_contents || inherited.is_contents,
            is_caption: inherited.is_caption,
            linked: current.linked,
            bold: current.visible > 0 && current.bold == current.visible,
            centered: own.centered.or(style.centered) == Some(true),
        };
        pieces.extend(paragraph.blocks().into_iter().map(Piece::Block));
        for note in current.notes {
            self.note_count = self.note_count.saturating_add(1);
            let text = format!("{} {note}", self.note_count);
            pieces.push(Piece::Block(Block::new(BlockKind::Footnote, text)));
        }
        pieces
    }
}
