//! What crosses the pipe between the extractor child and the worker.

use serde::{Deserialize, Serialize};
use shared::outcome::Code;
use shared::reading::Bounds;
use std::collections::BTreeMap;

pub use shared::reading::{TextSource, TextVerdict};

/// The format of a file, decided by its content; the extension only breaks ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the usual extensions")]
pub enum Format {
    Pdf,
    Docx,
    Xlsx,
    Xls,
    Text,
    Markdown,
    Csv,
    Html,
    Xml,
    Gge,
    Json,
    Png,
    Jpeg,
    Tiff,
    Bmp,
    Dxf,
    /// Its entries become documents.
    Zip,
    /// A letter; its text and its attachments become documents.
    Eml,
    Doc,
    Rtf,
    Odt,
    Ods,
    Dwg,
    Ifc,
}

impl Format {
    /// The name on the wire («pdf»).
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).ok();
        name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    }

    /// Whether it is no document itself, but what it holds.
    pub fn is_container(self) -> bool {
        matches!(self, Format::Zip | Format::Eml)
    }

    /// Whether its pages look the same to everybody, so that they can be painted.
    pub fn is_paintable(self) -> bool {
        matches!(self, Format::Pdf | Format::Png | Format::Jpeg | Format::Tiff | Format::Bmp)
    }
}

/// One page (of a PDF or scan), sheet (of a workbook) or the part of a flowing document between
/// two page breaks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// Width and height in points, where the format has them.
    pub size: Option<[f32; 2]>,
    /// The sheet's name, for workbooks.
    pub name: Option<String>,
    /// The body in reading order.
    pub blocks: Vec<Block>,
    /// Running headers, footers and page numbers, kept out of the body.
    pub furniture: Vec<String>,
    /// Where those stand, as far as it is known; not in step with `furniture`.
    #[serde(default)]
    pub furniture_bounds: Vec<Bounds>,
    /// Clockwise quarter turns, 0..4, that set the painted page the way it was read: `size` and
    /// all bounds are those of the turned page.
    #[serde(default)]
    pub quarter_turns: u8,
    /// What the reader thinks of the page's own text; never changed by later steps.
    #[serde(default)]
    pub verdict: TextVerdict,
    /// How the text was won.
    pub source: TextSource,
    /// Mean confidence of recognition, 0..1, for `source = ocr`.
    pub confidence: Option<f32>,
    /// What a person should know about this page.
    pub warnings: Vec<String>,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A heading; level 1 is the highest, 0 means that the format does not tell.
    Heading {
        /// 0..9.
        level: u8,
    },
    /// A paragraph.
    Paragraph,
    /// An item of a list, its marker or number kept in the text.
    ListItem,
    /// A table; the block's text is its rows, cells parted by tabs, rows by newlines.
    Table(TableCells),
    /// The caption of a table or figure.
    Caption,
    /// A footnote.
    Footnote,
    /// A line of a table of contents.
    Contents,
}

/// The cells of a table. A merged cell's text stands in its first cell only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableCells {
    /// All rows have the same number of cells.
    pub rows: Vec<Vec<String>>,
    /// How many leading rows are header rows, when the format tells.
    pub header_rows: usize,
}

/// A block of text in reading order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// The text; automatic numbers of the format are written out («5.10 Котлованы …»).
    pub text: String,
    /// Left, top, right, bottom in points from the page's top left corner, where known.
    pub bounds: Option<Bounds>,
    /// Where it goes on in further columns of the page.
    #[serde(default)]
    pub continued: Vec<Bounds>,
    /// The text is set in bold throughout (a hint for headings).
    pub bold: bool,
    /// The text is centred (a hint for titles).
    pub centered: bool,
}

impl Block {
    /// A block of this kind and text, without layout hints.
    pub fn new(kind: BlockKind, text: impl Into<String>) -> Block {
        Block {
            kind,
            text: text.into(),
            bounds: None,
            continued: Vec::new(),
            bold: false,
            centered: false,
        }
    }

    /// A table block with its text made from the rows.
    pub fn table(rows: Vec<Vec<String>>, header_rows: usize) -> Block {
        let text = rows.iter().map(|row| row.join("\t")).collect::<Vec<_>>().join("\n");
        Block::new(BlockKind::Table(TableCells { rows, header_rows }), text)
    }
}

/// One message of the child. `Finished` or `Failed` is the last; a stream without either was cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The detected format, first of all.
    Started {
        /// By content.
        format: Format,
    },
    /// A finished page; pages come in order.
    Page(Page),
    /// An entry of an archive, unpacked into the output folder given to the child.
    Entry(ArchiveEntry),
    /// Properties of the file: title, author, sheet names, state-estimate header fields.
    Properties(BTreeMap<String, String>),
    /// Something a person should know; never fatal.
    Warning {
        /// Stable code, when there is one.
        code: Option<Code>,
        /// In Russian, for people.
        message: String,
    },
    /// The whole file was read.
    Finished {
        /// How many pages the file has, read or not.
        pages: u32,
    },
    /// The file could not be read (any pages before this message are good).
    Failed {
        /// Stable code.
        code: Code,
        /// In Russian, for people.
        message: String,
    },
}

/// An entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveEntry {
    /// The path inside the archive, with `/`, decoded and checked: relative, without `..`.
    pub path: String,
    /// The file name in the output folder (made by the child, not taken from the archive).
    pub file: String,
    /// Unpacked size in bytes.
    pub size: u64,
}
