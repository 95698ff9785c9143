//! A chunk: the unit that is embedded, stored and found.

use crate::structure::PageRange;
use serde::{Deserialize, Serialize};

/// What a chunk was cut from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChunkKind {
    /// A clause, or a part of a long one.
    Clause,
    /// A table, or a band of rows of a long one with its header repeated.
    Table,
    /// A list of its own.
    List,
    /// Text of a section without clause numbers.
    Section,
    /// A window of paragraphs of a document without sections.
    Window,
}

/// A piece of a document with its address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Chunk {
    /// From 0, in document order.
    pub ordinal: u32,
    /// What it was cut from.
    pub kind: ChunkKind,
    /// The clause («5.10»), the table («таблица 3») or the section; empty for a window.
    pub address: String,
    /// Headings from the top down to the address («5 Водопонижение», «5.10»).
    pub path: Vec<String>,
    /// First and last page.
    #[schema(value_type = Vec<u32>)]
    pub pages: PageRange,
    /// The text that is shown. Never empty.
    pub text: String,
    /// The table's cells, for `kind = table`.
    pub table: Option<Vec<Vec<String>>>,
    /// The table's caption.
    pub caption: Option<String>,
    /// Canonical ids of the norms cited in the text.
    pub cited: Vec<String>,
}

impl Chunk {
    /// The text that is indexed and embedded: headings give a short clause its context.
    pub fn indexed_text(&self) -> String {
        let mut parts: Vec<&str> = self.path.iter().map(String::as_str).collect();
        if let Some(caption) = &self.caption
            && !self.text.starts_with(caption.as_str())
        {
            parts.push(caption);
        }
        parts.push(&self.text);
        parts.join("\n")
    }
}
