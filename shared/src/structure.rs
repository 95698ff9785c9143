//! The structure of a document as stages 4–8 make it and `GET /documents/{id}/structure` shows it.

use serde::{Deserialize, Serialize};

/// First and last page, from 1.
pub type PageRange = [u32; 2];

/// Family, subtype, confidence and the reasons for it (stage 4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DocumentType {
    /// `norms`, `ppr`, `smeta`, `rd`, `educational`, … or `unknown`.
    pub family: String,
    /// `sp`, `gost`, `ttk`, …; empty when no rule tells.
    pub subtype: String,
    /// 0..1.
    pub confidence: f64,
    /// Which rules hit where, strongest first.
    pub reasons: Vec<String>,
}

/// A heading with its place in the tree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Section {
    /// «5.2», «А» for an appendix; empty when the heading has no number.
    pub number: String,
    /// The heading without its number.
    pub title: String,
    /// 1 for the top level.
    pub level: u32,
    /// Pages from the heading to the end of the section.
    #[schema(value_type = Vec<u32>)]
    pub pages: PageRange,
    /// Index of the parent in the list of sections.
    pub parent: Option<usize>,
}

/// A numbered clause: the unit of an address and of a chunk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Clause {
    /// Without a final dot, unique in the document; in an appendix with its letter («А.1»).
    pub number: String,
    /// The clause's own text with its lists, without sub-clauses and tables.
    pub text: String,
    /// Index into the list of sections.
    pub section: Option<usize>,
    /// First and last page.
    #[schema(value_type = Vec<u32>)]
    pub pages: PageRange,
}

/// A table with its cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Table {
    /// «3», «А.1»; empty when the table has no number.
    pub number: String,
    /// The caption with «Таблица N» as written; empty when there is none.
    pub caption: String,
    /// Rows of cells, header rows first; every row has the same number of cells.
    pub rows: Vec<Vec<String>>,
    /// How many of the rows are header rows.
    #[serde(default)]
    pub header_rows: usize,
    /// First and last page.
    #[schema(value_type = Vec<u32>)]
    pub pages: PageRange,
    /// Index into the list of sections.
    #[serde(default)]
    pub section: Option<usize>,
    /// Number of the clause that the table stands in or follows.
    #[serde(default)]
    pub clause: Option<String>,
}

/// A cited norm: one entry per written edition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reference {
    /// Canonical id without edition year and amendment marks («СП 45.13330»).
    pub id: String,
    /// The designation with its edition as written («СП 45.13330.2017»).
    pub text: String,
    /// The edition («2017», «85*»), when written.
    pub edition: Option<String>,
    /// The clause of the cited norm, when given.
    pub clause: Option<String>,
    /// Pages on which it is cited.
    pub pages: Vec<u32>,
    /// How often it is cited.
    pub count: u32,
}

/// A node of the work graph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Work {
    /// Unique in the document («w1»).
    pub id: String,
    /// The work as a person would name it.
    pub name: String,
    /// First and last page of its evidence.
    #[schema(value_type = Vec<u32>)]
    pub pages: PageRange,
    /// Index into the list of sections.
    #[serde(default)]
    pub section: Option<usize>,
}

/// An edge of the work graph: `from` comes before `to`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Dependency {
    /// Id of the earlier work.
    pub from: String,
    /// Id of the later work.
    pub to: String,
    /// The words of the document that say so.
    pub evidence: String,
    /// Pages of the evidence.
    #[schema(value_type = Vec<u32>)]
    pub pages: PageRange,
}

/// The whole answer of `GET /documents/{id}/structure`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct Structure {
    pub document_type: DocumentType,
    pub designation: Option<String>,
    pub title: Option<String>,
    pub status: Option<String>,
    pub sections: Vec<Section>,
    pub clauses: Vec<Clause>,
    pub tables: Vec<Table>,
    pub references: Vec<Reference>,
    pub works: Vec<Work>,
    pub dependencies: Vec<Dependency>,
}
