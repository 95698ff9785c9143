//! Claiming units and keeping them: claim, beat, reap.

use super::{Lease, Queue, QueueError, Unit, scripts};
use crate::job::JobStatus;
use serde::Deserialize;
use uuid::Uuid;

/// A worker process. The id is fresh for every start, so that a restarted worker never passes
/// for its predecessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Fresh per process start.
    pub id: Uuid,
    /// The machine's name, for people.
    pub host: String,
    /// The program's version, for people.
    pub version: String,
    /// How many documents the process handles at once.
    pub slots: u32,
}

/// A unit that the caller now holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The right to work on it.
    pub lease: Lease,
    /// The job's collection.
    pub collection: String,
    /// Train again what is already trained or remembered.
    pub force: bool,
    /// The trace that the job's request belonged to.
    pub traceparent: Option<String>,
    /// What there is to do.
    pub task: Task,
}

/// What the holder of a claim has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// List the sources: write manifest parts, [`Queue::extend`] after each, at last
    /// [`Queue::seal`].
    List {
        /// Documents that an earlier holder has listed already.
        total: u64,
        /// The position that it saved with them; `None` at the start.
        position: Option<String>,
    },
    /// Train a document, then [`Queue::complete`] or [`Queue::fail`].
    Train {
        /// Position in the manifest.
        index: u64,
        /// A transient error in this attempt will be the document's end.
        last_attempt: bool,
    },
    /// The document has taken several workers down: do not run it, but [`Queue::complete`] it as
    /// `failed` with the code `worker_lost`.
    RecordLost {
        /// Position in the manifest.
        index: u64,
    },
    /// Every document has ended: write the report, then [`Queue::finish`].
    Finish {
        /// The status that the job will end in.
        verdict: JobStatus,
        /// Why it failed, for `failed`.
        error: Option<String>,
    },
}

/// What a beat found out about one lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Renewed.
    Held,
    /// Renewed, but the job is paused: finish what runs, nothing new will come.
    Paused,
    /// Renewed, but the job is being cancelled or has failed: stop at once and complete the unit
    /// as cancelled (a listing or finishing unit is released).
    Cancelled,
    /// Somebody else holds the unit or it has ended: stop at once and write nothing more.
    Lost,
}

/// What one sweep over expired leases did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Leases that had expired.
    pub expired: u64,
    /// Expired jobs and workers that were forgotten.
    pub forgotten: u64,
}

/// A claim as `claim.lua` writes it.
#[derive(Deserialize)]
struct Claimed {
    job: Uuid,
    unit: i64,
    fence: u64,
    attempt: u32,
    collection: String,
    force: u8,
    task: String,
    #[serde(default)]
    total: u64,
    #[serde(default)]
    position: Option<String>,
    #[serde(default)]
    last: u8,
    #[serde(default)]
    verdict: Option<JobStatus>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    trace: Option<String>,
}

impl Claimed {
    fn claim(self) -> Option<Claim> {
        let unit = Unit::from_number(self.unit)?;
        let task = match (self.task.as_str(), unit) {
            ("list", Unit::List) => Task::List { total: self.total, position: self.position },
            ("train", Unit::Document { index }) => {
                Task::Train { index, last_attempt: self.last == 1 }
            }
            ("lost", Unit::Document { index }) => Task::RecordLost { index },
            ("finish", Unit::Finish) => Task::Finish { verdict: self.verdict?, error: self.error },
            _ => return None,
        };
        let lease = Lease { job_id: self.job, unit, fence: self.fence, attempt: self.attempt };
        let (collection, traceparent) = (self.collection, self.trace);
        Some(Claim { lease, collection, force: self.force == 1, traceparent, task })
    }
}

impl Queue {
    /// Takes up to `slots` units (at most 16), at most four of one job before the next job has
    /// its turn, jobs with the smallest virtual time first.
    ///
    /// Use a fresh `claim_id` per call and the same one to repeat a call whose reply was lost:
    /// the repetition gets the same units.
    pub async fn claim(
        &self,
        worker: &Worker,
        claim_id: Uuid,
        slots: usize,
    ) -> Result<Vec<Claim>, QueueError> {
        let times = self.times();
        let replies: Vec<String> = self
            .invoke(
                scripts::CLAIM
                    .call()
                    .arg(worker.id.to_string())
                    .arg(claim_id.to_string())
                    .arg(slots.min(16))
                    .arg(milliseconds(times.lease))
                    .arg(times.max_errors)
                    .arg(times.max_crashes)
                    .arg(&worker.host)
                    .arg(&worker.version)
                    .arg(worker.slots),
            )
            .await?;
        replies
            .iter()
            .map(|reply| {
                serde_json::from_str::<Claimed>(reply)
                    .ok()
                    .and_then(Claimed::claim)
                    .ok_or_else(|| QueueError::Reply(reply.clone()))
            })
            .collect()
    }

    /// Renews leases and tells the worker is alive. The answers come in the order of `leases`.
    /// Beat with an empty list, too: a worker without beats is not shown.
    pub async fn beat(&self, worker: &Worker, leases: &[Lease]) -> Result<Vec<Beat>, QueueError> {
        let mut answers = Vec::with_capacity(leases.len());
        let batches: Vec<&[Lease]> =
            if leases.is_empty() { vec![&[]] } else { leases.chunks(64).collect() };
        for batch in batches {
            let mut call = scripts::BEAT.call();
            call.arg(worker.id.to_string())
                .arg(milliseconds(self.times().lease))
                .arg(&worker.host)
                .arg(&worker.version)
                .arg(worker.slots);
            for lease in batch {
                call.arg(lease.job_id.to_string()).arg(lease.unit.number()).arg(lease.fence);
            }
            let replies: Vec<String> = self.invoke(&call).await?;
            for reply in replies {
                answers.push(match reply.as_str() {
                    "held" => Beat::Held,
                    "paused" => Beat::Paused,
                    "cancelled" => Beat::Cancelled,
                    "lost" => Beat::Lost,
                    _ => return Err(QueueError::Reply(reply)),
                });
            }
        }
        Ok(answers)
    }

    /// Gives expired leases back (at most 64 a call) and forgets jobs past their retention. Any
    /// worker calls this every [`super::QueueTimes::reap`]; calling it too often does no harm.
    pub async fn reap(&self) -> Result<Reaped, QueueError> {
        let times = self.times();
        let (expired, forgotten): (u64, u64) = self
            .invoke(
                scripts::REAP.call().arg(milliseconds(times.crash_delay)).arg(times.max_crashes),
            )
            .await?;
        Ok(Reaped { expired, forgotten })
    }
}

impl Queue {
    /// Compares what the queue keeps twice and repairs what differs; answers how many repairs it
    /// made. Any worker calls this now and then; one round runs per
    /// [`super::QueueTimes::scrub`] in the whole installation.
    pub async fn scrub(&self) -> Result<u64, QueueError> {
        let times = self.times();
        let (mut place, mut repairs) = (0, 0);
        loop {
            let (following, made): (u64, u64) = self
                .invoke(
                    scripts::SCRUB
                        .call()
                        .arg(place)
                        .arg(milliseconds(times.lease))
                        .arg(milliseconds(times.scrub)),
                )
                .await?;
            repairs += made;
            if following == 0 {
                return Ok(repairs);
            }
            place = following;
        }
    }
}

/// Whole milliseconds, as scripts take them.
pub(super) fn milliseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
