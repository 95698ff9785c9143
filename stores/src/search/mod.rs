//! Search: exact addresses, BM25 over stems, vectors, and all of them together.

mod citation;
mod dense;
mod fusion;
mod lexical;
mod query;
mod run;

pub(crate) use citation::cite;
pub(crate) use dense::VectorIndex;
pub use run::search;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How to search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Exact addresses first, then BM25 and vectors fused. Without a model: BM25.
    #[default]
    Hybrid,
    /// Only clauses that the query names, and chunks with the very words in a row.
    Exact,
    /// Words.
    Bm25,
    /// Vectors.
    Dense,
}

/// The body of `POST /search`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The question.
    pub query: String,
    /// How many results, 1..=100.
    #[serde(default = "default_k")]
    pub k: usize,
    /// How to search.
    #[serde(default)]
    pub mode: Mode,
    /// Where to search.
    #[serde(default)]
    pub filters: Filters,
    /// Whether to answer how the ranks came about (`why`).
    #[serde(default)]
    pub explain: bool,
}

fn default_k() -> usize {
    10
}

/// Restricts a search; every given field must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Filters {
    /// The collection.
    pub collection: Option<String>,
    /// Family of the document.
    pub family: Option<String>,
    /// Subtype of the document.
    pub subtype: Option<String>,
    /// Category of the document.
    pub category: Option<String>,
    /// Own designation, with or without the edition.
    pub designation: Option<String>,
    /// Status of the document.
    pub status: Option<String>,
    /// «5» finds 5, 5.1 and 5.1.2, not 50.
    pub clause_prefix: Option<String>,
}

/// The answer of `POST /search`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SearchResponse {
    /// Best first.
    pub results: Vec<Hit>,
    /// How it was really searched: `bm25` when `hybrid` was asked and there is no model.
    pub mode: Mode,
    /// Time of the search in milliseconds.
    pub took_ms: f64,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct Hit {
    pub score: f64,
    pub citation: String,
    pub document: HitDocument,
    pub address: String,
    pub path: Vec<String>,
    pub pages: [u32; 2],
    pub text: String,
    pub table: Option<Vec<Vec<String>>>,
    /// Caption of the table («Таблица 3 – Нагрузки»).
    pub caption: Option<String>,
    /// `null` unless `explain` was asked.
    pub why: Option<Why>,
}

/// The document of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct HitDocument {
    pub id: Uuid,
    pub name: String,
    pub designation: Option<String>,
    pub family: String,
    pub status: Option<String>,
    /// For the legacy `/query`; not part of the wire form.
    #[serde(skip)]
    pub category: String,
    /// For the legacy `/query`; not part of the wire form.
    #[serde(skip)]
    pub collection: String,
}

/// Why a result is where it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Why {
    /// Rank by words, from 1.
    pub bm25_rank: Option<u32>,
    /// Rank by vectors, from 1.
    pub dense_rank: Option<u32>,
    /// Whether the query names this address or has its very words.
    pub exact: bool,
}

#[cfg(test)]
mod tests;
