//! Live events: one object on every transport (spec: api.md, «Live events»).
//!
//! The queue's scripts add `epoch`, `seq` and the `job` counters to a body made here, so that an
//! event and the state it tells of can never differ.

use crate::outcome::{Code, Outcome};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A stage of a document finished.
    Stage,
    /// A document ended.
    Document,
    /// The job changed its state.
    Job,
}

/// The document an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct EventDocument {
    pub id: Uuid,
    pub name: String,
    pub index: u64,
    /// Documents known when the event was made; filled in by the publish script.
    #[serde(default)]
    pub total: u64,
    pub attempt: u32,
}

/// The job's counters at the moment of the event; filled in by the publish script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct EventJob {
    pub status: String,
    pub done: u64,
    pub failed: u64,
    pub skipped: u64,
    pub total: u64,
    pub progress: f64,
    pub eta_s: Option<f64>,
}

/// An event as clients receive it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are those of spec/api.md")]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: EventType,
    pub job_id: Uuid,
    pub epoch: String,
    /// From 1, growing by 1 per job without a gap within an epoch.
    pub seq: u64,
    /// RFC 3339, UTC.
    pub ts: String,
    /// `"7/14"`, `"job"`, and only in the last event `"complete"` or `"error"`.
    pub stage: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_name: Option<String>,
    pub log: String,
    /// Percent: of the document in `stage` and `document` events, of the job in `job` events.
    pub progress: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<EventDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    pub job: EventJob,
    /// True in the last event of a job and absent otherwise.
    #[serde(default, rename = "final", skip_serializing_if = "std::ops::Not::not")]
    pub is_final: bool,
}
