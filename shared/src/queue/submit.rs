//! Submitting a job.

use super::claim::milliseconds;
use super::{Queue, QueueError, scripts};
use crate::job::{JobSpec, Priority};
use time::OffsetDateTime;
use uuid::Uuid;

/// What the queue needs to know of a job; the rest stays in its durable record.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The job's id.
    pub id: Uuid,
    /// The collection its documents are trained into.
    pub collection: String,
    /// Its share of the workers.
    pub priority: Priority,
    /// Train again what is already trained or remembered.
    pub force: bool,
    /// Tells a repeated submission from another request with the same id.
    pub request_hash: String,
    /// The job whose failed documents this one repeats.
    pub retry_of: Option<Uuid>,
    /// When the job was accepted.
    pub created_at: OffsetDateTime,
    /// At most this many units are worked on at once; `None` is no limit.
    pub max_inflight: Option<u32>,
    /// The job fails once more documents than this have failed; `None` is no limit.
    pub max_failed: Option<u64>,
    /// The trace that the request belonged to; comes back with every claim.
    pub traceparent: Option<String>,
}

impl NewJob {
    /// The queue's part of a durable record.
    pub fn from_spec(spec: &JobSpec) -> NewJob {
        NewJob {
            id: spec.id,
            collection: spec.collection.clone(),
            priority: spec.priority,
            force: spec.force,
            request_hash: spec.request_hash.clone(),
            retry_of: spec.retry_of,
            created_at: spec.created_at,
            max_inflight: spec.max_inflight,
            max_failed: spec.max_failed,
            traceparent: spec.traceparent.clone(),
        }
    }
}

/// The answer to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// False when the very same job was there already.
    pub created: bool,
}

impl Queue {
    /// Accepts a job: writes its first event (status `queued`) and makes its listing unit
    /// claimable. Write the durable record first; then a job that was answered for is never lost.
    pub async fn submit(&self, job: &NewJob) -> Result<Submitted, QueueError> {
        let created_ms = job.created_at.unix_timestamp_nanos() / 1_000_000;
        let answer: String = self
            .invoke(
                scripts::SUBMIT
                    .call(self.shard(job.id))
                    .arg(job.id.to_string())
                    .arg(&job.request_hash)
                    .arg(&job.collection)
                    .arg(job.priority.weight())
                    .arg(i64::from(job.force))
                    .arg(job.retry_of.map(|id| id.to_string()).unwrap_or_default())
                    .arg(i64::try_from(created_ms).unwrap_or(0))
                    .arg(job.max_inflight.unwrap_or(0))
                    .arg(self.open_jobs_per_shard())
                    .arg(milliseconds(self.times().retention))
                    .arg(job.max_failed.map(|most| most.to_string()).unwrap_or_default())
                    .arg(job.traceparent.as_deref().unwrap_or_default()),
            )
            .await?;
        match answer.as_str() {
            "created" => Ok(Submitted { created: true }),
            "exists" => Ok(Submitted { created: false }),
            "reused" => Err(QueueError::KeyReused),
            "full" => Err(QueueError::QueueFull),
            _ => Err(QueueError::Reply(answer)),
        }
    }
}
