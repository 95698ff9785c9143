//! Flowing documents (DOCX, DOC, ODT, RTF): paragraphs and tables as blocks, blocks as pages.

pub(crate) mod edges;
pub(crate) mod numbering;
pub(crate) mod numerals;
mod pages;
pub(crate) mod paragraph;
pub(crate) mod table;

pub(crate) use pages::{Pages, add_running_line, note_page_numbers};

use crate::model::Block;

/// What the text consists of, in order.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A block of text.
    Block(Block),
    /// So many pages end here.
    Pages(u32),
}
