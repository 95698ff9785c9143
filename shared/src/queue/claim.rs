//! Claiming units and keeping them: claim, beat, reap.

use super::keys::Shard;
use super::{Lease, Queue, QueueError, Unit, scripts};
use crate::job::JobStatus;
use futures_util::future::join_all;
use serde::Deserialize;
use std::collections::BTreeMap;
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

/// What is claimed of one job, as `claim.lua` writes it.
#[derive(Deserialize)]
struct Served {
    job: Uuid,
    collection: String,
    force: u8,
    #[serde(default)]
    trace: Option<String>,
    kinds: Vec<Kind>,
    /// Unit, fence and place of its kind.
    units: Vec<(i64, u64, usize)>,
}

/// What units have in common.
#[derive(Deserialize)]
struct Kind {
    attempt: u32,
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
}

impl Served {
    fn claims(self) -> impl Iterator<Item = Option<Claim>> {
        let Served { job: job_id, collection, force, trace, kinds, units } = self;
        units.into_iter().map(move |(number, fence, kind)| {
            let (unit, kind) = (Unit::from_number(number)?, kinds.get(kind)?);
            Some(Claim {
                lease: Lease { job_id, unit, fence, attempt: kind.attempt },
                collection: collection.clone(),
                force: force == 1,
                traceparent: trace.clone(),
                task: kind.task_of(unit)?,
            })
        })
    }
}

impl Kind {
    fn task_of(&self, unit: Unit) -> Option<Task> {
        match (self.task.as_str(), unit) {
            ("list", Unit::List) => {
                Some(Task::List { total: self.total, position: self.position.clone() })
            }
            ("train", Unit::Document { index }) => {
                Some(Task::Train { index, last_attempt: self.last == 1 })
            }
            ("lost", Unit::Document { index }) => Some(Task::RecordLost { index }),
            ("finish", Unit::Finish) => {
                Some(Task::Finish { verdict: self.verdict?, error: self.error.clone() })
            }
            _ => None,
        }
    }
}

impl Queue {
    /// Takes up to `slots` units (at most 16), at most four of one job before the next job has
    /// its turn, jobs with the smallest virtual time first. Shards are asked one after the other,
    /// from one that the claim id chooses, until there is enough.
    ///
    /// Use a fresh random `claim_id` per call and the same one to repeat a call whose reply was
    /// lost: the repetition gets the same units. It is an error only when a shard did not answer
    /// and the others had nothing.
    pub async fn claim(
        &self,
        worker: &Worker,
        claim_id: Uuid,
        slots: usize,
    ) -> Result<Vec<Claim>, QueueError> {
        let slots = slots.min(16);
        let first = Shard::of(claim_id, self.shards()).number();
        let mut claims = Vec::new();
        let mut silent = None;
        for step in 0..self.shards() {
            let shard = Shard::new((first + step) % self.shards());
            match self.claim_on(shard, worker, claim_id, slots - claims.len()).await {
                Ok(more) => claims.extend(more),
                // A node that is away must not keep the work of the others from being done. What
                // it may have given out under a lost reply comes back with the lease.
                Err(error) if error.is_transient() => silent = Some(error),
                Err(error) => return Err(error),
            }
            // Waiting for further silent shards would use up the leases in hand.
            if claims.len() >= slots || silent.is_some() && !claims.is_empty() {
                break;
            }
        }
        match silent {
            Some(error) if claims.is_empty() => Err(error),
            _ => Ok(claims),
        }
    }

    async fn claim_on(
        &self,
        shard: Shard,
        worker: &Worker,
        claim_id: Uuid,
        slots: usize,
    ) -> Result<Vec<Claim>, QueueError> {
        let times = self.times();
        let reply: String = self
            .invoke(
                scripts::CLAIM
                    .call(shard)
                    .arg(worker.id.to_string())
                    .arg(claim_id.to_string())
                    .arg(slots)
                    .arg(milliseconds(times.lease))
                    .arg(times.max_errors)
                    .arg(times.max_crashes)
                    .arg(&worker.host)
                    .arg(&worker.version)
                    .arg(worker.slots),
            )
            .await?;
        serde_json::from_str::<Vec<Served>>(&reply)
            .ok()
            .and_then(|served| served.into_iter().flat_map(Served::claims).collect())
            .ok_or(QueueError::Reply(reply))
    }

    /// Renews leases and tells the worker is alive. The answers come in the order of `leases`.
    /// Beat with an empty list, too: a worker without beats is not shown.
    pub async fn beat(&self, worker: &Worker, leases: &[Lease]) -> Result<Vec<Beat>, QueueError> {
        let mut by_shard: BTreeMap<Shard, Vec<(usize, &Lease)>> = BTreeMap::new();
        for (position, lease) in leases.iter().enumerate() {
            by_shard.entry(self.shard(lease.job_id)).or_default().push((position, lease));
        }
        if leases.is_empty() {
            by_shard.insert(self.shard(worker.id), Vec::new());
        }
        let batches: Vec<(Shard, &[(usize, &Lease)])> = by_shard
            .iter()
            .flat_map(|(shard, leases)| {
                let batches = leases.chunks(64).map(|batch| (*shard, batch));
                batches.chain(leases.is_empty().then_some((*shard, leases.as_slice())))
            })
            .collect();
        let replies = join_all(batches.iter().map(|(shard, batch)| {
            let mut call = scripts::BEAT.call(*shard);
            call.arg(worker.id.to_string())
                .arg(milliseconds(self.times().lease))
                .arg(&worker.host)
                .arg(&worker.version)
                .arg(worker.slots);
            for (_, lease) in *batch {
                call.arg(lease.job_id.to_string()).arg(lease.unit.number()).arg(lease.fence);
            }
            async move { self.invoke::<Vec<String>>(&call).await }
        }));
        let mut answers = vec![Beat::Lost; leases.len()];
        for ((_, batch), replies) in batches.iter().zip(replies.await) {
            for ((position, _), reply) in batch.iter().zip(replies?) {
                answers[*position] = match reply.as_str() {
                    "held" => Beat::Held,
                    "paused" => Beat::Paused,
                    "cancelled" => Beat::Cancelled,
                    "lost" => Beat::Lost,
                    _ => return Err(QueueError::Reply(reply)),
                };
            }
        }
        Ok(answers)
    }

    /// Gives all expired leases back and forgets all jobs past their retention, some in each of
    /// many short scripts. Any worker calls this every [`super::QueueTimes::reap`]; calling it too
    /// often does no harm.
    pub async fn reap(&self) -> Result<Reaped, QueueError> {
        let swept = join_all(self.all_shards().map(|shard| self.reap_shard(shard))).await;
        let mut sum = Reaped::default();
        for Reaped { expired, forgotten } in swept.into_iter().collect::<Result<Vec<_>, _>>()? {
            sum.expired += expired;
            sum.forgotten += forgotten;
        }
        Ok(sum)
    }

    async fn reap_shard(&self, shard: Shard) -> Result<Reaped, QueueError> {
        let times = self.times();
        let mut sum = Reaped::default();
        loop {
            let (expired, forgotten, more): (u64, u64, bool) = self
                .invoke(
                    scripts::REAP
                        .call(shard)
                        .arg(milliseconds(times.crash_delay))
                        .arg(times.max_crashes),
                )
                .await?;
            sum.expired += expired;
            sum.forgotten += forgotten;
            if !more {
                return Ok(sum);
            }
        }
    }
}

impl Queue {
    /// Compares what the queue keeps twice and repairs what differs; answers how many repairs it
    /// made. Any worker calls this now and then; one round runs per
    /// [`super::QueueTimes::scrub`] in the whole installation.
    pub async fn scrub(&self) -> Result<u64, QueueError> {
        let repairs = join_all(self.all_shards().map(|shard| self.scrub_shard(shard))).await;
        repairs.into_iter().sum()
    }

    async fn scrub_shard(&self, shard: Shard) -> Result<u64, QueueError> {
        let times = self.times();
        let (mut place, mut repairs) = (0, 0);
        loop {
            let (following, made): (u64, u64) = self
                .invoke(
                    scripts::SCRUB
                        .call(shard)
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
