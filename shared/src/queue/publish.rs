//! Publishing a finished stage.

use super::{Lease, Queue, QueueError, Unit, scripts};
use crate::stage::Stage;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// What events call a document by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentName {
    /// See `identity::document_id`.
    pub id: Uuid,
    /// The file name shown to people.
    pub name: String,
}

/// A finished stage. The script adds `epoch`, `seq`, `ts`, the document's total and the job's
/// counters.
#[derive(Clone, Debug)]
pub struct StageBody<'a> {
    /// The finished stage.
    pub stage: Stage,
    /// What was found out, as in [`Stage::log`] (the title is added here).
    pub details: &'a str,
    /// How long the stage took.
    pub duration: Duration,
    /// The document.
    pub document: &'a DocumentName,
    /// The worker's name in the event.
    pub worker: &'a str,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// Written (or, in a very large job, counted only), now or by an earlier identical call.
    Accepted,
    /// Written, and the job is being cancelled: stop.
    Cancelled,
    /// The lease is lost: stop and write nothing more.
    Lost,
}

impl Queue {
    /// Publishes a finished stage under a lease of its document.
    ///
    /// `n` counts the publications of this lease from 1. A repetition with the same `n` changes
    /// nothing, so that a call whose reply was lost may be repeated.
    pub async fn publish(
        &self,
        lease: &Lease,
        n: u32,
        body: &StageBody<'_>,
    ) -> Result<Published, QueueError> {
        let Unit::Document { .. } = lease.unit else {
            return Err(QueueError::Misuse("stages are those of a document".to_owned()));
        };
        let fields = json!({
            "stage": body.stage.label(),
            "stage_name": body.stage.name(),
            "log": capped(&body.stage.log(body.details), 8 * 1024),
            "progress": body.stage.progress(),
            "duration_ms": u64::try_from(body.duration.as_millis()).unwrap_or(u64::MAX),
            "worker": body.worker,
        });
        let reply: String = self
            .invoke(
                scripts::PUBLISH
                    .call(self.shard(lease.job_id))
                    .arg(lease.job_id.to_string())
                    .arg(lease.unit.number())
                    .arg(lease.fence)
                    .arg(n)
                    .arg(body.stage.number())
                    .arg(members(&fields))
                    .arg(document_members(body.document)),
            )
            .await?;
        match reply.as_str() {
            "accepted" => Ok(Published::Accepted),
            "cancelled" => Ok(Published::Cancelled),
            "lost" => Ok(Published::Lost),
            _ => Err(QueueError::Reply(reply)),
        }
    }
}

/// The constant part of an event's document; names are capped like logs.
pub(super) fn document_members(document: &DocumentName) -> String {
    members(&json!({ "id": document.id, "name": capped(&document.name, 1024) }))
}

/// A JSON object without its braces, as scripts put it into an event.
pub(super) fn members(object: &Value) -> String {
    let mut text = object.to_string();
    text.pop();
    text.remove(0);
    text
}

/// At most `bytes` bytes of a text, cut at a character, with an ellipsis where something is
/// missing: an event must stay small whatever a document is called.
pub(super) fn capped(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes.saturating_sub(3));
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::capped;

    #[test]
    fn capped_text_ends_at_a_character() {
        assert_eq!(capped("смета", 10), "смета");
        assert_eq!(capped("смета", 9), "сме…");
        assert_eq!(capped("", 3), "");
    }
}
