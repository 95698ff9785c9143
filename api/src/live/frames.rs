//! Control messages of the new transports (spec: api.md, «Live events»).

use super::look::ResetReason;
use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use shared::job::DocumentCounts;
use shared::queue::Snapshot;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// A control message; the tag is its `type`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Frame<'a> {
    Hello { job_id: Uuid, epoch: &'a str, seq: u64, recovered: bool, oldest: u64, hb: u64 },
    Reset { reason: &'a str },
    Hb { seq: u64, t: String },
    Degraded,
    Bye { retry_ms: u64 },
    Pong,
}

impl Frame<'_> {
    pub(crate) fn json(&self) -> Utf8Bytes {
        encode(self)
    }
}

/// The state of a job at one seq: what a client shows when the events before it are gone.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SnapshotFrame {
    #[serde(rename = "type")]
    kind: &'static str,
    pub(crate) job_id: Uuid,
    pub(crate) epoch: String,
    pub(crate) seq: u64,
    pub(crate) job: SnapshotJob,
    pub(crate) documents: DocumentCounts,
    /// How many documents have finished stage 1 … 14.
    pub(crate) stages: Vec<u64>,
    pub(crate) log_tail: Vec<String>,
}

/// The counters in the form that events carry them in.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SnapshotJob {
    pub(crate) status: &'static str,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) total: u64,
    pub(crate) progress: f64,
    pub(crate) eta_s: Option<f64>,
}

impl SnapshotFrame {
    /// From the queue's own snapshot.
    pub(crate) fn of(snapshot: Snapshot) -> SnapshotFrame {
        let job = snapshot.job;
        SnapshotFrame::new(
            job.job_id,
            job.epoch,
            job.last_seq,
            SnapshotJob {
                status: job.status.name(),
                done: job.documents.done(),
                failed: job.documents.failed,
                skipped: job.documents.skipped_duplicate,
                total: job.documents.total,
                progress: job.progress,
                eta_s: job.eta_s,
            },
            job.documents,
            snapshot.stages,
            snapshot.log_tail,
        )
    }

    pub(crate) fn new(
        job_id: Uuid,
        epoch: String,
        seq: u64,
        job: SnapshotJob,
        documents: DocumentCounts,
        stages: Vec<u64>,
        log_tail: Vec<String>,
    ) -> SnapshotFrame {
        SnapshotFrame { kind: "snapshot", job_id, epoch, seq, job, documents, stages, log_tail }
    }

    pub(crate) fn json(&self) -> Utf8Bytes {
        encode(self)
    }
}

pub(crate) fn reset(reason: ResetReason) -> Utf8Bytes {
    Frame::Reset { reason: reason.name() }.json()
}

/// Now, as events write it.
pub(crate) fn timestamp() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

pub(crate) fn encode(value: &impl Serialize) -> Utf8Bytes {
    // Strings, numbers and maps with string keys: encoding them cannot fail.
    serde_json::to_string(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::{Frame, reset};
    use crate::live::look::ResetReason;

    #[test]
    fn frames_carry_their_type() {
        let hb = Frame::Hb { seq: 3, t: "x".into() };
        assert_eq!(hb.json().as_str(), r#"{"type":"hb","seq":3,"t":"x"}"#);
        assert_eq!(Frame::Degraded.json().as_str(), r#"{"type":"degraded"}"#);
        assert_eq!(reset(ResetReason::Trimmed).as_str(), r#"{"type":"reset","reason":"trimmed"}"#);
    }
}
