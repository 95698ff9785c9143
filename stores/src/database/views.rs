//! What comes out of the knowledge base.

use super::EstimatePosition;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::chunk::ChunkKind;
use shared::job::Location;
use shared::outcome::{Code, Outcome};
use time::OffsetDateTime;
use uuid::Uuid;

/// A trained document as `GET /documents` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct TrainedDocument {
    pub id: Uuid,
    pub name: String,
    pub path: String,
    pub collection: String,
    pub sha256: String,
    pub version: i64,
    pub outcome: Outcome,
    pub family: String,
    pub subtype: String,
    pub designation: Option<String>,
    pub title: Option<String>,
    pub status: Option<String>,
    pub pages: u64,
    pub chunks: u64,
    pub quality: Option<u8>,
    #[serde(with = "time::serde::rfc3339")]
    pub trained_at: OffsetDateTime,
    /// Canonical id of the own designation; not part of the wire form.
    #[serde(skip)]
    pub norm_id: Option<String>,
    /// The job that trained this version; not part of the wire form.
    #[serde(skip)]
    pub job: Uuid,
}

/// Where the original of a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// The file name shown to people.
    pub name: String,
    /// The path shown to people; with `!/` in it the document is an entry of the archive at
    /// `location`.
    pub path: String,
    /// Where the bytes are.
    pub location: Location,
    /// Their SHA-256, to tell whether the file changed since it was trained.
    pub sha256: String,
}

/// A page of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it to get the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// Filter of `GET /documents`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of a document in spec/api.md")]
pub struct DocumentFilter {
    pub collection: Option<String>,
    pub family: Option<String>,
    pub subtype: Option<String>,
    pub designation: Option<String>,
    pub status: Option<String>,
}

/// A stored chunk as `GET /documents/{id}/chunks` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "as shared::chunk::Chunk, with its ids")]
pub struct StoredChunk {
    pub id: Uuid,
    pub document_id: Uuid,
    pub version: i64,
    pub ordinal: u32,
    pub kind: ChunkKind,
    pub address: String,
    pub path: Vec<String>,
    pub pages: [u32; 2],
    pub text: String,
    pub table: Option<Vec<Vec<String>>>,
    pub caption: Option<String>,
    pub cited: Vec<String>,
    /// «СП 45.13330.2017, п. 5.10, с. 14».
    pub citation: String,
}

/// A norm as `GET /norms` shows it: trained, cited, or both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Norm {
    /// Canonical id («СП 45.13330»).
    pub id: String,
    /// Trained documents with this designation.
    pub documents: Vec<NormDocument>,
    /// Title of the trained document.
    pub title: Option<String>,
    /// Status of the trained document, or «заменён» when a trained document replaces it.
    pub status: Option<String>,
    /// How many trained documents cite it.
    pub cited_by: u64,
    /// Norms that it replaces.
    pub replaces: Vec<String>,
    /// Norms that replace it.
    pub replaced_by: Vec<String>,
}

/// A trained document in the registry of norms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of a document in spec/api.md")]
pub struct NormDocument {
    pub id: Uuid,
    pub name: String,
    pub designation: Option<String>,
    pub collection: String,
}

/// Which references of a norm to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Documents that cite it.
    In,
    /// Norms that it cites.
    Out,
}

/// A citation: `document` refers to `norm`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NormReference {
    /// The citing document.
    pub document: NormDocument,
    /// Canonical id of the cited norm.
    pub norm: String,
    /// The designation as written.
    pub text: String,
    /// The edition, when written.
    pub edition: Option<String>,
    /// The clause of the cited norm, when given.
    pub clause: Option<String>,
    /// Pages of the citing document.
    pub pages: Vec<u32>,
    /// How often it is cited.
    pub count: u32,
}

/// Positions and totals of an estimate, as `GET /estimates/{document}` shows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Estimate {
    /// The document.
    pub document_id: Uuid,
    /// The positions, in order.
    pub positions: Vec<EstimatePosition>,
    /// Totals as computed and as written, with their differences.
    #[schema(value_type = Object)]
    pub totals: Value,
}

/// A permanent outcome that is answered at once next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// `failed`, `needs_attention` or `too_short`.
    pub outcome: Outcome,
    /// The stable code.
    pub code: Option<Code>,
    /// The message, in Russian.
    pub message: Option<String>,
    /// Name of the last finished stage, as on the wire (`"2/14"`).
    pub stage: String,
}

/// What identifies a permanent outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryKey<'a> {
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: &'a str,
    /// Version of the pipeline.
    pub pipeline_version: u32,
    /// Limits and OCR languages that the outcome depends on.
    pub fingerprint: &'a str,
}

/// Rows of a deleted document that were removed; after the delete all are counted as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "one counter per kind of row")]
pub struct Deleted {
    pub versions: u64,
    pub chunks: u64,
    pub vectors: u64,
    pub works: u64,
    pub edges: u64,
    pub references: u64,
    pub artifacts: u64,
    pub positions: u64,
}

/// Totals for `GET /status` and the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "one counter per kind of row")]
pub struct StoreCounts {
    pub documents: u64,
    pub chunks: u64,
    pub vectors: u64,
    pub works: u64,
    pub edges: u64,
    pub references: u64,
    pub norms: u64,
    pub cached_embeddings: u64,
    /// Versions that are being staged, or were left by a dead attempt.
    pub staged: u64,
    /// Size of the database file in bytes.
    pub bytes: u64,
}
