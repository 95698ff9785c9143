//! What a job is: the request, the durable record, its documents and its wire form.

use crate::outcome::{Code, Outcome};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// One place that a job takes documents from, already resolved and checked by the api.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A file or folder on the server; absolute, symlinks resolved, below a configured root.
    Path(String),
    /// All files of one upload, kept in the blob store below `uploads/<id>/`.
    Upload(Uuid),
    /// Exactly these documents (a retry): manifest entries of an earlier job.
    Entries(Vec<ManifestEntry>),
}

/// The weight of a job's share of the workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Four times the share of `normal`.
    High,
    /// The default.
    #[default]
    Normal,
    /// A quarter of the share of `normal`.
    Low,
}

impl Priority {
    /// The divisor of the virtual time.
    pub fn weight(self) -> f64 {
        match self {
            Priority::High => 4.0,
            Priority::Normal => 1.0,
            Priority::Low => 0.25,
        }
    }
}

/// The durable record of an accepted job: `jobs/<id>/job.json`, written before the 202.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The job's id.
    pub id: Uuid,
    /// Where the documents come from.
    pub sources: Vec<Source>,
    /// The collection they are trained into.
    pub collection: String,
    /// Train again what is already trained or remembered.
    pub force: bool,
    /// The job's weight.
    pub priority: Priority,
    /// At most this many documents.
    pub max_files: Option<u64>,
    /// The job fails once more documents than this have failed; `None` is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failed: Option<u64>,
    /// At most this many documents are worked on at once; `None` is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_inflight: Option<u32>,
    /// Globs relative to the source; empty means everything.
    pub include: Vec<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// The job whose failed documents this one repeats.
    pub retry_of: Option<Uuid>,
    /// SHA-256 of the canonical request body, to tell a repeated key from another request.
    pub request_hash: String,
    /// When the job was accepted.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// The trace that the request belonged to (W3C Trace Context); carried to every attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// One document of a job: one line of its manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ManifestEntry {
    /// Position in the job, from 0, without gaps.
    pub index: u64,
    /// The document's id (see `identity::document_id`).
    pub document_id: Uuid,
    /// The file name shown to people.
    pub name: String,
    /// The path shown to people; an archive's entry is `архив.zip!/dir/name`.
    pub path: String,
    /// Where the bytes are.
    pub location: Location,
    /// Size in bytes as listed.
    pub size: u64,
    /// A document that cannot be trained and is known to be so from the listing (for example an
    /// archive with an unsafe path); it ends `failed` with this code and message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<(Code, String)>,
}

/// Where the bytes of a document are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// An absolute path that every worker can read.
    File(String),
    /// A key in the blob store.
    Blob(String),
}

/// State of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the documentation; spec: api.md")]
pub enum JobStatus {
    Queued,
    Running,
    Paused,
    Cancelling,
    Cancelled,
    Completed,
    CompletedWithErrors,
    Failed,
}

impl JobStatus {
    /// The name on the wire and in Redis.
    pub fn name(self) -> &'static str {
        match self {
            JobStatus::Queued => "queued",
            JobStatus::Running => "running",
            JobStatus::Paused => "paused",
            JobStatus::Cancelling => "cancelling",
            JobStatus::Cancelled => "cancelled",
            JobStatus::Completed => "completed",
            JobStatus::CompletedWithErrors => "completed_with_errors",
            JobStatus::Failed => "failed",
        }
    }

    /// The status with this wire name.
    pub fn parse(name: &str) -> Option<JobStatus> {
        use JobStatus::*;
        [Queued, Running, Paused, Cancelling, Cancelled, Completed, CompletedWithErrors, Failed]
            .into_iter()
            .find(|status| status.name() == name)
    }

    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        use JobStatus::*;
        matches!(self, Cancelled | Completed | CompletedWithErrors | Failed)
    }
}

/// Documents of a job by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "one counter per outcome, named as on the wire")]
pub struct DocumentCounts {
    /// All documents listed so far (final once the manifest is sealed).
    pub total: u64,
    pub completed: u64,
    pub completed_with_warnings: u64,
    pub skipped_duplicate: u64,
    pub too_short: u64,
    pub needs_attention: u64,
    pub failed: u64,
    pub cancelled: u64,
}

impl DocumentCounts {
    /// The counter of one outcome.
    pub fn of(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Completed => &mut self.completed,
            Outcome::CompletedWithWarnings => &mut self.completed_with_warnings,
            Outcome::SkippedDuplicate => &mut self.skipped_duplicate,
            Outcome::TooShort => &mut self.too_short,
            Outcome::NeedsAttention => &mut self.needs_attention,
            Outcome::Failed => &mut self.failed,
            Outcome::Cancelled => &mut self.cancelled,
        }
    }

    /// `job.done` of the events: completed, with or without warnings, needs attention, too short.
    pub fn done(&self) -> u64 {
        self.completed + self.completed_with_warnings + self.needs_attention + self.too_short
    }

    /// Documents that ended in any way.
    pub fn ended(&self) -> u64 {
        self.done() + self.skipped_duplicate + self.failed + self.cancelled
    }
}

/// A job as `GET /jobs/{id}` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct JobView {
    pub job_id: Uuid,
    pub status: JobStatus,
    pub collection: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
    /// Percent, never falling.
    pub progress: f64,
    pub documents: DocumentCounts,
    /// How many jobs are served before this one; `None` once it runs.
    pub queue_position: Option<u64>,
    /// Measured from the documents ended so far; `None` until there is something to measure.
    pub eta_s: Option<f64>,
    pub last_seq: u64,
    pub epoch: String,
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<Uuid>,
}

/// A document in a job as `GET /jobs/{id}/documents` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct JobDocument {
    pub id: Uuid,
    pub name: String,
    pub path: String,
    pub index: u64,
    /// `None` while the document is open.
    pub outcome: Option<Outcome>,
    pub code: Option<Code>,
    pub message: Option<String>,
    /// The last finished stage, `"0/14"` before the first.
    pub stage: String,
    pub attempts: u32,
    pub pages: Option<u64>,
    pub chunks: Option<u64>,
    pub duration_ms: Option<u64>,
    pub quality: Option<u8>,
    pub issues: Vec<String>,
}
