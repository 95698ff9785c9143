//! The lines of a document with the role that each plays.

use super::heading::Heading;
use crate::extracted::Extracted;
use extractor::model::BlockKind;

/// A line of a block, or a whole table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// Page number, from 1.
    pub page: u32,
    /// Index of the page and of the block in it.
    pub block: (usize, usize),
    /// Trimmed; empty for a table.
    pub text: String,
    /// The first line of its block.
    pub first: bool,
    /// What the format says.
    pub shape: Shape,
    /// Set in bold throughout.
    pub bold: bool,
    /// Centred.
    pub centered: bool,
    /// What the structure says.
    pub role: Role,
}

/// What the format of the file says about a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the extractor's blocks")]
pub enum Shape {
    /// With its level; 0 when the format does not tell.
    Heading(u8),
    #[default]
    Paragraph,
    ListItem,
    Table,
    Caption,
    Footnote,
    Contents,
}

/// What a line is in the structure of the document.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Role {
    /// Running text.
    #[default]
    Text,
    /// An item of a list.
    Item,
    /// A line of the table of contents; no part of the body.
    Contents,
    /// Opens a section.
    Heading(Heading),
    /// Goes on with the heading above it.
    HeadingRest,
    /// Opens a clause.
    Clause(ClauseStart),
    /// Ends the clause above it: the signature under an act, the approval above its annex.
    Break,
    /// A table with cells.
    Table,
    /// The caption of the table at this index of the lines.
    TableCaption {
        /// Index of the table's line.
        table: usize,
        /// «3», «А.1»; empty when it has none or goes on with the caption above.
        number: String,
    },
    /// «Продолжение таблицы N»: the table below belongs to the one above.
    TableContinued,
    /// The caption of a figure.
    FigureCaption {
        /// «1», «А.2».
        number: String,
    },
}

/// The start of a clause.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClauseStart {
    /// The number as written, without final dot («5.10»); «статья 12» for an article.
    pub address: String,
    /// Index of the numbering space ([`super::scope::Scope`]).
    pub scope: usize,
    /// The number does not fit its neighbours; the one that was expected.
    pub expected: Option<String>,
}

/// The lines of a document in reading order, roles not yet decided. Empty lines are left out.
pub fn lines(extracted: &Extracted) -> Vec<Line> {
    let mut lines = Vec::new();
    for (page_index, page) in extracted.pages.iter().enumerate() {
        for (block_index, block) in page.blocks.iter().enumerate() {
            let mut line = Line {
                page: page.number,
                block: (page_index, block_index),
                bold: block.bold,
                centered: block.centered,
                shape: match &block.kind {
                    BlockKind::Heading { level } => Shape::Heading(*level),
                    BlockKind::Paragraph => Shape::Paragraph,
                    BlockKind::ListItem => Shape::ListItem,
                    BlockKind::Table(_) => Shape::Table,
                    BlockKind::Caption => Shape::Caption,
                    BlockKind::Footnote => Shape::Footnote,
                    BlockKind::Contents => Shape::Contents,
                },
                ..Line::default()
            };
            if line.shape == Shape::Table {
                line.role = Role::Table;
                line.first = true;
                lines.push(line);
                continue;
            }
            let texts = block.text.lines().map(str::trim).filter(|text| !text.is_empty());
            for (index, text) in texts.enumerate() {
                line.first = index == 0;
                line.text = text.to_owned();
                lines.push(line.clone());
            }
        }
    }
    lines
}

impl Line {
    /// The line looks like a heading: by its format, its setting or its capitals.
    pub fn looks_like_heading(&self) -> bool {
        matches!(self.shape, Shape::Heading(_))
            || self.bold
            || self.centered
            || is_capitals(&self.text)
    }
}

/// Four letters at least and none of them small.
pub fn is_capitals(text: &str) -> bool {
    let mut letters = 0;
    for letter in text.chars().filter(|sign| sign.is_alphabetic()) {
        if letter.is_lowercase() {
            return false;
        }
        letters += 1;
    }
    letters >= 4
}
