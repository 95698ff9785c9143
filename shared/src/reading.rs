//! What stage 3 read from a document, page by page, as `GET /documents/{id}/pages` shows it.

use serde::{Deserialize, Serialize};

/// Left, top, right, bottom in points from the top left corner of the page as it was read.
pub type Bounds = [f32; 4];

/// How the text of a page was won. Kept on the page so that a person can judge it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TextSource {
    /// The file's own text.
    #[default]
    Native,
    /// An external text tool, after the own reader failed on the page.
    Fallback,
    /// Optical recognition.
    Ocr,
    /// Nothing could be read from the page.
    None,
}

/// What a reader thinks of a page's own text. All but `Good` and `Blank` send the page down the
/// chain: external text tool, then optical recognition.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TextVerdict {
    /// The blocks are what a person would read from the page.
    #[default]
    Good,
    /// Nothing is written or drawn on the page.
    Blank,
    /// The page is an image (a scan, a photo), without text or with next to none.
    Scanned,
    /// There is text, but it is garbage (wrong glyph map, spaced or misread letters).
    Broken,
    /// The reader failed on this page; the blocks may be missing or cut.
    Failed,
}

/// Everything that was read from a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadDocument {
    /// The format, decided by content («pdf»).
    pub format: String,
    /// Pages of the file, read or not.
    pub page_count: u32,
    /// The pages that were read, in order.
    pub pages: Vec<ReadPage>,
}

/// A page, sheet or part of a flowing document between two page breaks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReadPage {
    /// From 1.
    pub number: u32,
    /// The sheet's name, for workbooks.
    pub name: Option<String>,
    /// Width and height in points, where the format has them.
    #[schema(value_type = Option<Vec<f32>>)]
    pub size: Option<[f32; 2]>,
    /// Clockwise quarter turns of the page in the file before it was read, 0 to 3.
    pub quarter_turns: u8,
    /// How the text was won.
    pub source: TextSource,
    /// Why: what the page's own text is worth.
    pub verdict: TextVerdict,
    /// Mean confidence of recognition, 0 to 1.
    pub confidence: Option<f32>,
    /// What a person should know about this page.
    pub warnings: Vec<String>,
    /// The body in reading order.
    pub blocks: Vec<ReadBlock>,
    /// Running headers, footers and page numbers, kept out of the body.
    pub furniture: Vec<String>,
    /// Where those stand, as far as it is known; not in step with `furniture`.
    #[schema(value_type = Vec<Vec<f32>>)]
    pub furniture_bounds: Vec<Bounds>,
}

/// A block of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReadBlock {
    /// What it is.
    pub kind: ReadKind,
    /// The level of a heading, 1 the highest, when the file tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// The number of the clause that it is a part of.
    pub clause: Option<String>,
    /// The text; empty for a table.
    pub text: String,
    /// The cells of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<Vec<String>>>,
    /// How many leading rows are header rows, when the file tells.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub header_rows: usize,
    /// Where it stands: several areas when it goes on in another column, none where the format
    /// has no places.
    #[schema(value_type = Vec<Vec<f32>>)]
    pub bounds: Vec<Bounds>,
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ReadKind {
    Heading,
    Paragraph,
    ListItem,
    Table,
    Caption,
    Footnote,
    /// A line of the table of contents.
    Contents,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
