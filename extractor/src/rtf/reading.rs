//! The state machine: groups, destinations, the text that is being read.

use super::charset::Charsets;
use super::group::{Group, Place};
use super::paragraph::{Current, Layout, Style};
use super::tokens::Token;
use crate::flow::edges::{RowShape, Table};
use crate::flow::{Piece, add_running_line};
use crate::model::{Block, BlockKind};
use crate::reader::{Limits, ReadError};
use shared::outcome::Code;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Text with paragraphs and tables of its own.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) pieces: Vec<Piece>,
    pub(super) current: Current,
    pub(super) table: Table,
}

/// What was read.
pub(super) struct Read {
    pub(super) pieces: Vec<Piece>,
    pub(super) furniture: Vec<String>,
    pub(super) properties: BTreeMap<String, String>,
}

/// A file that is being read.
pub(super) struct Reading<'l> {
    limits: &'l Limits,
    pub(super) charsets: Charsets,
    pub(super) groups: Vec<Group>,
    /// What the text goes into now: the body, or a note or box that is open.
    pub(super) flow: Flow,
    outer_flows: Vec<Flow>,
    pub(super) row: RowShape,
    pub(super) styles: HashMap<i32, Style>,
    pub(super) style: (i32, Style),
    pub(super) fields: Vec<String>,
    /// Bytes that wait for their character to be whole.
    bytes: Vec<u8>,
    pub(super) high_surrogate: Option<u16>,
    /// Replacement characters still to be passed over.
    pub(super) skip: usize,
    /// A section ended; whether a page does the next one says.
    pub(super) section: Option<bool>,
    property: String,
    furniture: Vec<String>,
    pub(super) properties: BTreeMap<String, String>,
    boxes: HashSet<String>,
    notes: u32,
    cells: u64,
}

impl<'l> Reading<'l> {
    pub(super) fn new(limits: &'l Limits) -> Reading<'l> {
        Reading {
            limits,
            charsets: Charsets::new(),
            groups: Vec::new(),
            flow: Flow::default(),
            outer_flows: Vec::new(),
            row: RowShape::default(),
            styles: HashMap::new(),
            style: (0, Style::default()),
            fields: Vec::new(),
            bytes: Vec::new(),
            high_surrogate: None,
            skip: 0,
            section: None,
            property: String::new(),
            furniture: Vec::new(),
            properties: BTreeMap::new(),
            boxes: HashSet::new(),
            notes: 0,
            cells: 0,
        }
    }

    /// Every group that was opened has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.groups.is_empty()
    }

    /// Takes the next token in.
    pub(super) fn token(&mut self, token: Token<'_>) -> Result<(), ReadError> {
        if let Token::Byte(byte) = token {
            if self.skip > 0 {
                self.skip = self.skip.saturating_sub(1);
            } else {
                self.bytes.push(byte);
                self.no_longer_new();
            }
            return Ok(());
        }
        self.flush_bytes();
        match token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Sign(sign) => {
                self.sign(sign);
                Ok(())
            }
            Token::Word(name, number) => {
                let is_replacement = self.skip > 0 && name != "u";
                if is_replacement {
                    self.skip = self.skip.saturating_sub(1);
                    return Ok(());
                }
                self.word(name, number)
            }
            Token::Byte(_) => Ok(()),
        }
    }

    /// What was read, when there are no more tokens.
    pub(super) fn finish(mut self) -> Result<Read, ReadError> {
        self.flush_bytes();
        while !self.groups.is_empty() {
            self.close()?;
        }
        self.end_paragraph(Layout::default())?;
        self.end_table()?;
        Ok(Read {
            pieces: self.flow.pieces,
            furniture: self.furniture,
            properties: self.properties,
        })
    }

    pub(super) fn group(&self) -> Group {
        self.groups.last().copied().unwrap_or_default()
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.last_mut() {
            change(group);
        }
    }

    pub(super) fn no_longer_new(&mut self) {
        self.change(|group| group.is_new = false);
    }

    fn open(&mut self) -> Result<(), ReadError> {
        if self.groups.len() >= self.limits.depth {
            let message = format!("вложенность RTF больше {}", self.limits.depth);
            return Err(ReadError::new(Code::ArchiveLimits, message));
        }
        self.skip = 0;
        let group = Group {
            is_new: true,
            is_optional: false,
            has_field: false,
            has_flow: false,
            ..self.group()
        };
        self.groups.push(group);
        Ok(())
    }

    fn close(&mut self) -> Result<(), ReadError> {
        self.skip = 0;
        let Some(group) = self.groups.pop() else { return Ok(()) };
        if group.has_field {
            self.fields.pop();
        }
        let outside = self.group().place;
        match group.place {
            Place::Property(name) if outside != group.place => {
                let text = crate::tidy::tidy_line(&std::mem::take(&mut self.property));
                if !text.is_empty() {
                    self.properties.insert(name.to_owned(), text);
                }
            }
            Place::Styles if outside == Place::Styles => {
                let (number, style) = std::mem::take(&mut self.style);
                let name = style.name.trim().trim_end_matches(';').to_owned();
                self.styles.insert(number, Style { name, ..style });
            }
            Place::Note | Place::Running | Place::Box if group.has_flow => {
                self.close_flow(group)?
            }
            _ => {}
        }
        Ok(())
    }

    fn close_flow(&mut self, group: Group) -> Result<(), ReadError> {
        self.end_paragraph(Layout::default())?;
        self.end_table()?;
        let outer = self.outer_flows.pop().unwrap_or_default();
        let flow = std::mem::replace(&mut self.flow, outer);
        let blocks = flow.pieces.into_iter().filter_map(|piece| match piece {
            Piece::Block(block) => Some(block),
            Piece::Pages(_) => None,
        });
        match group.place {
            Place::Note => {
                self.notes = self.notes.saturating_add(1);
                let lines: Vec<String> = blocks.map(|block| block.text).collect();
                let text = format!("{} {}", self.notes, lines.join(" "));
                // Behind the paragraph that it hangs on.
                self.later(Block::new(BlockKind::Footnote, text.trim()));
            }
            Place::Running => {
                for block in blocks {
                    add_running_line(&mut self.furniture, block.text);
                }
            }
            _ => {
                for block in blocks {
                    let known = !self.boxes.insert(block.text.clone());
                    if !known && block.text.chars().any(char::is_alphabetic) {
                        self.later(block);
                    }
                }
            }
        }
        Ok(())
    }

    fn later(&mut self, block: Block) {
        self.flow.current.after.push(Piece::Block(block));
    }

    pub(super) fn open_flow(&mut self, place: Place) {
        self.outer_flows.push(std::mem::take(&mut self.flow));
        self.change(|group| {
            group.place = place;
            group.has_flow = true;
            group.layout = Layout::default();
        });
    }

    fn sign(&mut self, sign: u8) {
        match sign {
            b'*' => {
                self.change(|group| group.is_optional = true);
                return;
            }
            b'~' => self.text("\u{a0}"),
            b'_' => self.text("-"),
            // A soft hyphen, a sub-entry of an index, a formula: nothing that is read.
            _ => {}
        }
        self.no_longer_new();
    }

    fn flush_bytes(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let text = self.charsets.decode(self.group().font, &bytes);
            self.bytes = bytes;
            self.bytes.clear();
            self.text(&text);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        let group = self.group();
        if group.hidden || group.deleted {
            return;
        }
        match group.place {
            Place::Nowhere | Place::Fonts | Place::Info => {}
            Place::Styles => self.style.1.name.push_str(text),
            Place::Property(_) => self.property.push_str(text),
            Place::Number => self.flow.current.label.push_str(text),
            Place::Instruction => {
                if let Some(field) = self.fields.last_mut() {
                    field.push_str(text);
                }
            }
            Place::Body | Place::Note | Place::Running | Place::Box => {
                self.begin_section();
                self.flow.current.push(text, group.bold, group.linked);
            }
        }
    }

    fn begin_section(&mut self) {
        if self.outer_flows.is_empty() && self.section.take() == Some(true) {
            self.flow.pieces.push(Piece::Pages(1));
        }
    }

    pub(super) fn end_paragraph(&mut self, layout: Layout) -> Result<(), ReadError> {
        let in_table = layout.in_table;
        if !in_table {
            self.end_table()?;
        }
        let style = self.styles.get(&layout.style).cloned();
        let mut current = std::mem::take(&mut self.flow.current);
        let after = std::mem::take(&mut current.after);
        let mut pieces = Vec::new();
        if layout.page_before && !in_table {
            pieces.push(Piece::Pages(1));
        }
        pieces.extend(current.blocks(&layout, style.as_ref()).into_iter().map(Piece::Block));
        pieces.extend(after);
        if in_table {
            self.flow.table.add(pieces);
        } else {
            self.flow.pieces.extend(pieces);
        }
        Ok(())
    }

    pub(super) fn end_table(&mut self) -> Result<(), ReadError> {
        if self.flow.table.is_empty() {
            return Ok(());
        }
        let mut table = std::mem::take(&mut self.flow.table);
        let pieces = table.take(&mut self.cells, self.limits)?;
        self.flow.pieces.extend(pieces);
        Ok(())
    }
}
