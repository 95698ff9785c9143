//! What goes into the knowledge base.

use crate::vector::Vector;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::chunk::Chunk;
use shared::job::Location;
use shared::outcome::Outcome;
use shared::structure::{Dependency, Reference};
use uuid::Uuid;

/// One attempt at training a document: what stages 12 to 14 write under. Made by
/// [`begin`](crate::Database::begin); every write checks that no later attempt of the same job
/// has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The document.
    pub document: Uuid,
    /// The version that this attempt stages; versions of a document only grow.
    pub version: i64,
    /// The job.
    pub job: Uuid,
    /// The fence token of the lease.
    pub fence: i64,
    /// The version that was searchable when the attempt began. Bytes are read after that, so if
    /// it still is at the switch, they are the newest that anybody has read.
    pub replaces: Option<i64>,
}

/// A node of the work graph with what stage 11 found out about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GraphWork {
    /// Unique in the document («w1»).
    pub id: String,
    /// The work as a person would name it.
    pub name: String,
    /// First and last page of its evidence.
    pub pages: [u32; 2],
    /// Title of the section it stands in.
    pub section: Option<String>,
    /// In days, when the document says so.
    pub duration_days: Option<f64>,
    /// Materials, machines, crew, and whatever else stage 11 knows.
    #[schema(value_type = Object)]
    pub properties: Value,
}

/// What stage 12 stores.
#[derive(Clone, Copy, Debug, Default)]
pub struct Graph<'a> {
    /// The works.
    pub works: &'a [GraphWork],
    /// The dependencies between them.
    pub edges: &'a [Dependency],
    /// The cited norms.
    pub references: &'a [Reference],
}

/// Rows of a stored graph, counted by reading them back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GraphCounts {
    /// Works.
    pub works: u64,
    /// Dependencies.
    pub edges: u64,
    /// Cited norms, one per written edition and clause.
    pub references: u64,
}

/// Chunks with their vectors: what stage 14 stores.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedChunks<'a> {
    /// The chunks, in document order.
    pub chunks: &'a [Chunk],
    /// Id of the model and one vector per chunk; `None` when there is no model.
    pub vectors: Option<(&'a str, &'a [Vector])>,
}

/// A document as the switch writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentRecord {
    /// The file name shown to people.
    pub name: String,
    /// The path shown to people.
    pub path: String,
    /// Where the original is.
    pub location: Location,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// `completed` or `completed_with_warnings`.
    pub outcome: Outcome,
    /// Family of stage 4.
    pub family: String,
    /// Subtype of stage 4; may be empty.
    pub subtype: String,
    /// Category of the search filter (`construction`, `finance`, …).
    pub category: String,
    /// Own designation with its edition («СП 45.13330.2017»).
    pub designation: Option<String>,
    /// Canonical id of the own designation («СП 45.13330»).
    pub norm_id: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Status, when the text says it.
    pub status: Option<String>,
    /// Pages of the file.
    pub pages: u64,
    /// Whether a person who opens the file finds those pages; citations leave others out.
    pub paginated: bool,
    /// Score of stage 9.
    pub quality: Option<u8>,
    /// Canonical ids of the norms that this document replaces («взамен …»).
    pub replaces: Vec<String>,
}

/// A position of an estimate (stage 10).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EstimatePosition {
    /// Number in the estimate as written.
    pub number: String,
    /// Title of the section.
    pub section: Option<String>,
    /// «ГЭСН01-01-013-08»; empty for a position without a code.
    pub code: String,
    /// Name of the work or resource.
    pub name: String,
    /// Unit of measure as written.
    pub unit: Option<String>,
    /// Quantity in that unit.
    pub quantity: Option<f64>,
    /// Price of one unit, in roubles.
    pub unit_price: Option<f64>,
    /// Total, in roubles.
    pub total: Option<f64>,
    /// Page or sheet, from 1.
    pub page: Option<u32>,
}

/// Everything else that belongs to a version; becomes visible with it.
#[derive(Clone, Debug, Default)]
pub struct Artifacts {
    /// Pages divided by form feeds.
    pub text: String,
    /// What was read, page by page (`shared::reading::ReadDocument` as JSON).
    pub reading: String,
    /// The answer of `/structure` (JSON).
    pub structure: String,
    /// Rubern text.
    pub rubern: String,
    /// The work graph as JSON.
    pub graph: String,
    /// The work graph as Mermaid.
    pub mermaid: String,
    /// The work graph as GraphML.
    pub graphml: String,
    /// The report of the document (JSON).
    pub report: String,
    /// Sequences, critical path and Gantt data of stage 11 (JSON).
    pub sequences: String,
    /// Metadata of stage 8 (JSON).
    pub metadata: String,
    /// The result of stage 10 (JSON).
    pub type_specific: String,
    /// Totals of an estimate and their differences (JSON); `None` for other documents.
    pub estimate: Option<String>,
    /// Positions of an estimate.
    pub positions: Vec<EstimatePosition>,
}

/// Names one artifact of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "one per field of Artifacts")]
pub enum ArtifactKind {
    Text,
    Reading,
    Structure,
    Rubern,
    Graph,
    Mermaid,
    GraphMl,
    Report,
    Sequences,
    Metadata,
    TypeSpecific,
    Estimate,
}

impl ArtifactKind {
    /// The name in the database.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ArtifactKind::Text => "text",
            ArtifactKind::Reading => "reading",
            ArtifactKind::Structure => "structure",
            ArtifactKind::Rubern => "rubern",
            ArtifactKind::Graph => "graph",
            ArtifactKind::Mermaid => "mermaid",
            ArtifactKind::GraphMl => "graphml",
            ArtifactKind::Report => "report",
            ArtifactKind::Sequences => "sequences",
            ArtifactKind::Metadata => "metadata",
            ArtifactKind::TypeSpecific => "type_specific",
            ArtifactKind::Estimate => "estimate",
        }
    }
}

impl Artifacts {
    /// The artifacts that are texts, by kind.
    pub(crate) fn texts(&self) -> Vec<(ArtifactKind, &str)> {
        let mut texts = vec![
            (ArtifactKind::Text, self.text.as_str()),
            (ArtifactKind::Reading, &self.reading),
            (ArtifactKind::Structure, &self.structure),
            (ArtifactKind::Rubern, &self.rubern),
            (ArtifactKind::Graph, &self.graph),
            (ArtifactKind::Mermaid, &self.mermaid),
            (ArtifactKind::GraphMl, &self.graphml),
            (ArtifactKind::Report, &self.report),
            (ArtifactKind::Sequences, &self.sequences),
            (ArtifactKind::Metadata, &self.metadata),
            (ArtifactKind::TypeSpecific, &self.type_specific),
        ];
        texts.extend(self.estimate.as_deref().map(|text| (ArtifactKind::Estimate, text)));
        texts
    }
}

/// How the switch of a version ended. (A switch that came too late is `StoreError::Fenced`
/// or `StoreError::Overtaken`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Switched {
    /// The version is searchable.
    Done {
        /// The version that was searchable before.
        replaced: Option<i64>,
        /// Chunks that are now searchable.
        chunks: u64,
    },
    /// Another document with these bytes was faster; everything staged here is gone.
    Duplicate {
        /// That document.
        of: Uuid,
        /// Its path.
        path: String,
    },
}
