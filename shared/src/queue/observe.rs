//! What runs now: documents under lease, workers, depth of the queue.

use super::{Queue, QueueError, Unit, scripts};
use crate::job::JobStatus;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A unit that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningDocument {
    /// Listing, a document or finishing.
    pub unit: Unit,
    /// The last finished stage, 0 before the first.
    pub stage: u8,
    /// From 1.
    pub attempt: u32,
    /// The holder.
    pub worker: Uuid,
    /// The document's id, once its first stage has finished.
    pub document_id: Option<Uuid>,
    /// Its name, likewise.
    pub name: Option<String>,
}

/// A worker that has beaten within its lease time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkerView {
    /// Fresh per process start.
    pub id: Uuid,
    /// The machine's name.
    pub host: String,
    /// The program's version.
    pub version: String,
    /// How many documents it handles at once.
    pub slots: u32,
    /// Time since the last beat or claim.
    pub last_beat_ms: u64,
}

/// How much there is to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QueueDepth {
    /// Jobs by status (`queued`, `running`, …), those kept after their end included.
    pub jobs: HashMap<String, u64>,
    /// Jobs with something claimable now.
    pub ready: u64,
    /// Jobs that wait for a back-off.
    pub waiting: u64,
    /// Units under lease.
    pub leased: u64,
    /// How long the oldest job that nobody has begun has waited, in ms.
    pub oldest_queued_ms: u64,
    /// Virtual seconds between the ready job that is next and the one that is last: how far the
    /// shares of the jobs of a shard differ at most.
    pub virtual_time_spread_s: f64,
    /// What happened since the start of this Redis: `claimed`, `already` (repetitions
    /// recognised), `lost` (calls under a lost lease), `expired` leases, `retried`, `dead`,
    /// `released`, `repaired` (see [`Queue::scrub`]).
    pub counters: BTreeMap<String, u64>,
}

/// What an open job has of the workers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobShare {
    /// The job.
    pub job_id: Uuid,
    /// Its status.
    pub status: JobStatus,
    /// Its collection.
    pub collection: String,
    /// 4 high, 1 normal, 0.25 low.
    pub weight: f64,
    /// Seconds of slots that it was charged, by weight; the smallest one is served next.
    pub virtual_time_s: f64,
    /// Units under lease.
    pub inflight: u64,
    /// Documents that have ended.
    pub ended: u64,
    /// Documents listed so far.
    pub total: u64,
}

impl Queue {
    /// The open jobs, at most `most`: running ones first, the oldest first.
    pub async fn shares(&self, most: u32) -> Result<Vec<JobShare>, QueueError> {
        type Row = (String, String, String, f64, f64, u64, u64, u64, u64);
        let shards: Vec<Vec<Row>> = self
            .on_all_shards(&scripts::SHARES, |call| {
                call.arg(most);
            })
            .await?;
        let mut shares = Vec::new();
        for row in shards.into_iter().flatten() {
            let (job, state, collection, weight, virtual_time_s, inflight, ended, total, order) =
                row;
            let job_id = job.parse().map_err(|_| QueueError::Reply(job))?;
            let status = JobStatus::parse(&state).ok_or(QueueError::Reply(state))?;
            let share = JobShare {
                job_id,
                status,
                collection,
                weight,
                virtual_time_s,
                inflight,
                ended,
                total,
            };
            shares.push((order, share));
        }
        use JobStatus::{Cancelling, Queued, Running};
        let shown = [Running, Cancelling, Queued];
        let rank = |status| shown.iter().position(|state| *state == status).unwrap_or(shown.len());
        shares.sort_by_key(|(order, share)| (rank(share.status), *order));
        shares.truncate(most as usize);
        Ok(shares.into_iter().map(|(_, share)| share).collect())
    }

    /// The units of a job that are worked on now, by unit.
    pub async fn running_documents(
        &self,
        job_id: Uuid,
    ) -> Result<Vec<RunningDocument>, QueueError> {
        #[derive(Deserialize)]
        struct Named {
            id: Uuid,
            name: String,
        }
        let rows: Vec<(i64, u8, u32, String, String)> =
            self.invoke(scripts::RUNNING.call(self.shard(job_id)).arg(job_id.to_string())).await?;
        let mut running = Vec::with_capacity(rows.len());
        for (unit, stage, attempt, worker, document) in rows {
            let named: Option<Named> = serde_json::from_str(&document).ok();
            let (document_id, name) = named.map(|named| (named.id, named.name)).unzip();
            running.push(RunningDocument {
                unit: Unit::from_number(unit).ok_or_else(|| QueueError::Reply(unit.to_string()))?,
                stage,
                attempt,
                worker: worker.parse().map_err(|_| QueueError::Reply(worker))?,
                document_id,
                name,
            });
        }
        running.sort_by_key(|document| document.unit.number());
        Ok(running)
    }

    /// Workers that are alive.
    pub async fn workers(&self) -> Result<Vec<WorkerView>, QueueError> {
        type Row = (String, String, String, u32, u64);
        let rows: Vec<Vec<Row>> = self.on_all_shards(&scripts::WORKERS, |_| {}).await?;
        // Most are seen on several shards; the last sign of life counts.
        let mut workers: BTreeMap<Uuid, WorkerView> = BTreeMap::new();
        for (id, host, version, slots, last_beat_ms) in rows.into_iter().flatten() {
            let id = id.parse().map_err(|_| QueueError::Reply(id))?;
            let seen = WorkerView { id, host, version, slots, last_beat_ms };
            let known = workers.entry(id).or_insert_with(|| seen.clone());
            if seen.last_beat_ms < known.last_beat_ms {
                *known = seen;
            }
        }
        Ok(workers.into_values().collect())
    }

    /// Counts over all jobs.
    pub async fn queue_depth(&self) -> Result<QueueDepth, QueueError> {
        type Row = (u64, u64, u64, u64, String, HashMap<String, u64>, BTreeMap<String, u64>);
        let rows: Vec<Row> = self.on_all_shards(&scripts::DEPTH, |_| {}).await?;
        let mut depth = QueueDepth::default();
        for (ready, waiting, leased, oldest_queued_ms, spread, jobs, counters) in rows {
            let spread: f64 = spread.parse().map_err(|_| QueueError::Reply(spread))?;
            depth.ready += ready;
            depth.waiting += waiting;
            depth.leased += leased;
            depth.oldest_queued_ms = depth.oldest_queued_ms.max(oldest_queued_ms);
            depth.virtual_time_spread_s = depth.virtual_time_spread_s.max(spread);
            for (state, count) in jobs {
                *depth.jobs.entry(state).or_default() += count;
            }
            for (name, count) in counters {
                *depth.counters.entry(name).or_default() += count;
            }
        }
        Ok(depth)
    }
}
