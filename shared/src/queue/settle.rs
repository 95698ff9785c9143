//! Giving a unit up: complete, fail, postpone, release, finish.

use super::claim::milliseconds;
use super::listing::expect_unit;
use super::publish::{capped, document_members, members};
use super::{DocumentName, Lease, Queue, QueueError, Unit, scripts};
use crate::outcome::{Code, Outcome};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// How a document ended, for its `document` event and the counters.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// The document.
    pub document: &'a DocumentName,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where it did not simply complete.
    pub code: Option<Code>,
    /// The same for people.
    pub message: Option<String>,
    /// The event's log line.
    pub log: String,
    /// Wall time of this attempt.
    pub duration: Duration,
    /// Measured cost of this attempt (CPU time); corrects the job's share of the workers.
    pub cost: Duration,
    /// The worker's name in the event.
    pub worker: &'a str,
}

/// What became of a unit that its holder gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Done by this call.
    Counted,
    /// The unit was given up by an earlier call (this one, repeated) under the same lease.
    Already,
    /// The lease was lost before; nothing was changed.
    Lost,
}

/// What became of a unit that met a transient error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It becomes claimable again after the delay.
    Retry {
        /// The chosen back-off.
        after: Duration,
    },
    /// It has failed too often: the document ended as `failed`, or the job fails.
    Dead,
    /// The job is being cancelled; the unit was counted as cancelled.
    Cancelled,
    /// The unit was completed or released before under the same lease.
    Already,
    /// The lease was lost before; nothing was changed.
    Lost,
}

impl Queue {
    /// Counts a document and publishes its `document` event. Write everything else about the
    /// document first: this is the point at which it has ended.
    pub async fn complete(
        &self,
        lease: &Lease,
        ending: &Ending<'_>,
    ) -> Result<Settled, QueueError> {
        expect_document(lease)?;
        let arguments = [
            lease.unit.number().to_string(),
            lease.fence.to_string(),
            ending.outcome.name().to_owned(),
            milliseconds(ending.cost).to_string(),
            event_fields(ending),
            document_members(ending.document),
        ];
        settled(&self.complete_together(lease, arguments).await?)
    }

    /// Gives a document back after a transient error: it is tried again after a back-off with
    /// full jitter (at least `retry_after`, where the other side named one), or has `failed` with
    /// `ending.code` when this was its last attempt (see [`super::Task::Train`]).
    pub async fn fail(
        &self,
        lease: &Lease,
        ending: &Ending<'_>,
        retry_after: Option<Duration>,
    ) -> Result<Failed, QueueError> {
        expect_document(lease)?;
        let ending = Ending { outcome: Outcome::Failed, ..ending.clone() };
        let times = self.times();
        let reply: String = self
            .invoke(
                scripts::FAIL
                    .call(self.shard(lease.job_id))
                    .arg(lease.job_id.to_string())
                    .arg(lease.unit.number())
                    .arg(lease.fence)
                    .arg(times.max_errors)
                    .arg(milliseconds(times.backoff))
                    .arg(milliseconds(times.backoff_cap))
                    .arg(random_fraction())
                    .arg(milliseconds(retry_after.unwrap_or_default()))
                    .arg(ending.message.as_deref().unwrap_or(ending.log.as_str()))
                    .arg(milliseconds(ending.cost))
                    .arg(event_fields(&ending))
                    .arg(document_members(ending.document)),
            )
            .await?;
        failed(&reply)
    }

    /// Gives a listing or finishing unit back after a transient error: as [`Queue::fail`], but
    /// when it has failed too often the job ends as `failed` with `reason`.
    pub async fn postpone(&self, lease: &Lease, reason: &str) -> Result<Failed, QueueError> {
        if matches!(lease.unit, Unit::Document { .. }) {
            return Err(QueueError::Misuse("documents are failed, not postponed".to_owned()));
        }
        let times = self.times();
        let reply: String = self
            .invoke(
                scripts::FAIL
                    .call(self.shard(lease.job_id))
                    .arg(lease.job_id.to_string())
                    .arg(lease.unit.number())
                    .arg(lease.fence)
                    .arg(times.max_job_errors)
                    .arg(milliseconds(times.backoff))
                    .arg(milliseconds(times.backoff_cap))
                    .arg(random_fraction())
                    .arg(0)
                    .arg(reason)
                    .arg(0)
                    .arg("")
                    .arg(""),
            )
            .await?;
        failed(&reply)
    }

    /// Gives a unit back untouched (shutdown, cancel): claimable at once, no attempt counted. A
    /// document of a job that is being cancelled is counted as cancelled.
    pub async fn release(&self, lease: &Lease) -> Result<Settled, QueueError> {
        let reply: String = self
            .invoke(
                scripts::RELEASE
                    .call(self.shard(lease.job_id))
                    .arg(lease.job_id.to_string())
                    .arg(lease.unit.number())
                    .arg(lease.fence),
            )
            .await?;
        settled(&reply)
    }

    /// Ends the job with the verdict of its finishing unit and publishes the one final event.
    /// Write the report first.
    pub async fn finish(&self, lease: &Lease) -> Result<Settled, QueueError> {
        expect_unit(lease, Unit::Finish)?;
        let reply: String = self
            .invoke(
                scripts::FINISH
                    .call(self.shard(lease.job_id))
                    .arg(lease.job_id.to_string())
                    .arg(lease.fence),
            )
            .await?;
        settled(&reply)
    }
}

fn expect_document(lease: &Lease) -> Result<(), QueueError> {
    match lease.unit {
        Unit::Document { .. } => Ok(()),
        other => Err(QueueError::Misuse(format!("lease of {other:?} where a document is needed"))),
    }
}

/// The fields of a `document` event that the script does not know itself.
fn event_fields(ending: &Ending<'_>) -> String {
    let mut fields = json!({
        "log": capped(&ending.log, 8 * 1024),
        "outcome": ending.outcome,
        "duration_ms": u64::try_from(ending.duration.as_millis()).unwrap_or(u64::MAX),
        "worker": ending.worker,
    });
    if let Some(code) = ending.code {
        fields["code"] = json!(code);
    }
    if let Some(message) = &ending.message {
        fields["message"] = json!(capped(message, 2 * 1024));
    }
    members(&fields)
}

/// Uniform in 0..1. Chosen here and not in the script, so that the script stays deterministic.
fn random_fraction() -> f64 {
    let bits = Uuid::new_v4().as_u128() & u128::from(u32::MAX);
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(u32::MAX)
}

pub(super) fn settled(reply: &str) -> Result<Settled, QueueError> {
    match reply {
        "counted" => Ok(Settled::Counted),
        "already" => Ok(Settled::Already),
        "lost" => Ok(Settled::Lost),
        _ => Err(QueueError::Reply(reply.to_owned())),
    }
}

fn failed(reply: &str) -> Result<Failed, QueueError> {
    match reply {
        "dead" => Ok(Failed::Dead),
        "cancelled" => Ok(Failed::Cancelled),
        "already" => Ok(Failed::Already),
        "lost" => Ok(Failed::Lost),
        _ => reply
            .strip_prefix("retry ")
            .and_then(|after| after.parse().ok())
            .map(|after| Failed::Retry { after: Duration::from_millis(after) })
            .ok_or_else(|| QueueError::Reply(reply.to_owned())),
    }
}
