//! Reading jobs and their event logs.

use super::{Queue, QueueError, keys::Shard, scripts};
use crate::job::{DocumentCounts, JobStatus, JobView};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;
use time::OffsetDateTime;
use uuid::Uuid;

/// Events that one script reads: a thousand of them took it 5 ms.
const EVENTS_A_CALL: usize = 256;

/// Rows of jobs that one script reads: 64 took it 3.5 ms on a slow machine.
const JOBS_A_CALL: usize = 32;

/// A page of jobs, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<JobView>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

/// A stretch of a job's event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// Changes only when the history was lost.
    pub epoch: String,
    /// The last number given out; 0 before the first event.
    pub last_seq: u64,
    /// The oldest event still kept; `last_seq + 1` when none is.
    pub oldest: u64,
    /// The job has ended: the event `last_seq` is the final one.
    pub ended: bool,
    /// Numbers and raw JSON, ascending.
    pub events: Vec<(u64, String)>,
}

/// How far a job's log has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Changes only when the history was lost.
    pub epoch: String,
    /// The last number given out.
    pub seq: u64,
    /// State of the job.
    pub status: JobStatus,
}

/// The job at one instant, for a client whose cursor points to events no longer kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// State and counters, with the `seq` after which events follow.
    pub job: JobView,
    /// How many documents have finished stage 1 … 14.
    pub stages: Vec<u64>,
    /// The last log lines, oldest first (at most 50).
    pub log_tail: Vec<String>,
}

impl Queue {
    /// One job; `None` when unknown or past its retention.
    pub async fn job(&self, job_id: Uuid) -> Result<Option<JobView>, QueueError> {
        let fields: HashMap<String, String> = self
            .invoke(scripts::VIEW.call(self.shard(job_id)).arg(job_id.to_string()).arg(0))
            .await?;
        if fields.is_empty() { Ok(None) } else { job_view(&fields).map(Some) }
    }

    /// Jobs, newest first, all or of one status; at most 1,000 a page.
    pub async fn jobs(
        &self,
        status: Option<JobStatus>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<JobPage, QueueError> {
        let limit = limit.clamp(1, 1000);
        let mut jobs = Vec::new();
        let mut next = cursor.unwrap_or("+inf").to_owned();
        if next != "+inf" && next.parse::<u64>().is_err() {
            return Err(QueueError::Misuse(format!("no cursor: {next}")));
        }
        loop {
            let batch = (limit - jobs.len()).min(JOBS_A_CALL);
            let (rows, following) = self.batch_of_jobs(status, batch, &next).await?;
            for row in &rows {
                jobs.push(job_view(row)?);
            }
            let Some(following) = following else {
                return Ok(JobPage { jobs, next_cursor: None });
            };
            next = following;
            if jobs.len() >= limit {
                return Ok(JobPage { jobs, next_cursor: Some(next) });
            }
        }
    }

    /// The next jobs of all shards below a cursor, newest first, and the cursor behind them. The
    /// numbers that order jobs are unique over all shards.
    async fn batch_of_jobs(
        &self,
        status: Option<JobStatus>,
        batch: usize,
        cursor: &str,
    ) -> Result<(Vec<HashMap<String, String>>, Option<String>), QueueError> {
        type Rows = (Vec<HashMap<String, String>>, String);
        let shards: Vec<Rows> = self
            .on_all_shards(&scripts::JOBS, |call| {
                call.arg(status.map(JobStatus::name).unwrap_or_default()).arg(batch).arg(cursor);
            })
            .await?;
        // A shard may have more below its cursor than it has told.
        let cursors = shards.iter().filter_map(|(_, following)| following.parse().ok());
        let told_down_to: u64 = cursors.max().unwrap_or(0);
        let order = |row: &HashMap<String, String>| number(row, "order");
        let mut rows: Vec<_> = shards.into_iter().flat_map(|(rows, _)| rows).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(order(row)));
        let end = rows.partition_point(|row| order(row) >= told_down_to).min(batch);
        if end == rows.len() && told_down_to == 0 {
            return Ok((rows, None));
        }
        rows.truncate(end);
        let reached = if end == batch { rows.last().map_or(0, order) } else { told_down_to };
        Ok((rows, Some(reached.to_string())))
    }

    /// Events after `since`, at most `limit`; `None` when the job is unknown or past its
    /// retention. A hole between `since` and the first event means that older ones are gone.
    pub async fn events(
        &self,
        job_id: Uuid,
        since: u64,
        limit: usize,
    ) -> Result<Option<EventPage>, QueueError> {
        let limit = limit.clamp(1, 1000);
        let Some(page) = self.batch_of_events(job_id, since, limit, 0).await? else {
            return Ok(None);
        };
        self.read_on(job_id, page, limit).await.map(Some)
    }

    /// All events after `since`, and at least the newest 256. When that would be more than `limit`
    /// (up to 1,000) only the newest 256.
    pub async fn recent_events(
        &self,
        job_id: Uuid,
        since: u64,
        limit: usize,
    ) -> Result<Option<EventPage>, QueueError> {
        let first = self.batch_of_events(job_id, since, EVENTS_A_CALL, EVENTS_A_CALL).await?;
        let Some(page) = first else { return Ok(None) };
        if page.last_seq.saturating_sub(since) > limit.min(1000) as u64 {
            return self.batch_of_events(job_id, u64::MAX, EVENTS_A_CALL, EVENTS_A_CALL).await;
        }
        self.read_on(job_id, page, 1000).await.map(Some)
    }

    /// Reads on until a page has `limit` events or reaches the head.
    async fn read_on(
        &self,
        job_id: Uuid,
        mut page: EventPage,
        limit: usize,
    ) -> Result<EventPage, QueueError> {
        while let Some((last, _)) = page.events.last()
            && page.events.len() < limit
            && *last < page.last_seq
        {
            let missing = limit - page.events.len();
            let Some(more) = self.batch_of_events(job_id, *last, missing, 0).await? else { break };
            // What was cut off or begun anew meanwhile is the next page's business.
            let follows = more.events.first().is_some_and(|(seq, _)| *seq == last + 1);
            if more.epoch != page.epoch || !follows {
                break;
            }
            (page.last_seq, page.ended) = (more.last_seq, more.ended);
            page.events.extend(more.events);
        }
        Ok(page)
    }

    /// As many of them as one script reads: it stays short. It begins early enough for the `newest`
    /// ones.
    async fn batch_of_events(
        &self,
        job_id: Uuid,
        since: u64,
        limit: usize,
        newest: usize,
    ) -> Result<Option<EventPage>, QueueError> {
        type Reply = Option<(String, u64, u64, u8, Vec<(String, Vec<String>)>)>;
        let reply: Reply = self
            .invoke(
                scripts::EVENTS
                    .call(self.shard(job_id))
                    .arg(job_id.to_string())
                    .arg(since)
                    .arg(limit.min(EVENTS_A_CALL))
                    .arg(newest),
            )
            .await?;
        let Some((epoch, last_seq, oldest, ended, entries)) = reply else { return Ok(None) };
        let mut events = Vec::with_capacity(entries.len());
        for (id, mut fields) in entries {
            let seq = id.split('-').next().and_then(|seq| seq.parse().ok());
            match (seq, fields.pop()) {
                (Some(seq), Some(body)) => events.push((seq, body)),
                _ => return Err(QueueError::Reply(id)),
            }
        }
        Ok(Some(EventPage { epoch, last_seq, oldest, ended: ended == 1, events }))
    }

    /// How far the logs of many jobs have come, in one round trip per shard; in the order of
    /// `jobs`, `None` for unknown ones.
    pub async fn heads(&self, jobs: &[Uuid]) -> Result<Vec<Option<Head>>, QueueError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut by_shard: BTreeMap<Shard, Vec<usize>> = BTreeMap::new();
        for (position, job_id) in jobs.iter().enumerate() {
            by_shard.entry(self.shard(*job_id)).or_default().push(position);
        }
        let replies = join_all(by_shard.iter().map(|(shard, positions)| {
            let mut pipeline = redis::pipe();
            for position in positions {
                let key = shard.job(jobs[*position]);
                pipeline.cmd("HMGET").arg(key).arg(&["epoch", "seq", "state"]);
            }
            async move { self.pipeline::<Row>(&pipeline).await }
        }));
        type Row = (Option<String>, Option<u64>, Option<String>);
        let mut heads = vec![None; jobs.len()];
        for (positions, rows) in by_shard.values().zip(replies.await) {
            for (position, (epoch, seq, state)) in positions.iter().zip(rows?) {
                let status = state.as_deref().and_then(JobStatus::parse);
                heads[*position] = match (epoch, seq, status) {
                    (Some(epoch), Some(seq), Some(status)) => Some(Head { epoch, seq, status }),
                    _ => None,
                };
            }
        }
        Ok(heads)
    }

    /// State, counters per stage and the last log lines, all at one `seq`.
    pub async fn snapshot(&self, job_id: Uuid) -> Result<Option<Snapshot>, QueueError> {
        let mut fields: HashMap<String, String> = self
            .invoke(scripts::VIEW.call(self.shard(job_id)).arg(job_id.to_string()).arg(50))
            .await?;
        if fields.is_empty() {
            return Ok(None);
        }
        #[derive(Deserialize)]
        struct Logged {
            log: String,
        }
        let tail = fields.remove("log_tail").unwrap_or_else(|| "[]".to_owned());
        let tail: Vec<Logged> =
            serde_json::from_str(&tail).map_err(|_| QueueError::Reply(tail.clone()))?;
        Ok(Some(Snapshot {
            job: job_view(&fields)?,
            stages: (1..=14).map(|n| number(&fields, &format!("s{n}"))).collect(),
            log_tail: tail.into_iter().map(|event| event.log).collect(),
        }))
    }
}

/// A job from the fields that `view.lua` and `jobs.lua` give.
fn job_view(fields: &HashMap<String, String>) -> Result<JobView, QueueError> {
    let field = |name: &str| fields.get(name).filter(|value| !value.is_empty());
    let required = |name: &str| {
        field(name).ok_or_else(|| QueueError::Reply(format!("job without field {name}")))
    };
    let status = required("state")?;
    let mut documents = DocumentCounts { total: number(fields, "total"), ..Default::default() };
    for outcome in crate::outcome::Outcome::ALL {
        *documents.of(outcome) = number(fields, outcome.name());
    }
    Ok(JobView {
        job_id: parse(required("id")?)?,
        status: JobStatus::parse(status).ok_or_else(|| QueueError::Reply(status.clone()))?,
        collection: fields.get("collection").cloned().unwrap_or_default(),
        created_at: instant(required("created")?)?,
        started_at: field("started").map(|at| instant(at)).transpose()?,
        finished_at: field("finished").map(|at| instant(at)).transpose()?,
        progress: parse(required("progress")?)?,
        documents,
        queue_position: field("queue_position").map(|position| parse(position)).transpose()?,
        eta_s: field("eta_s").map(|eta| parse(eta)).transpose()?,
        last_seq: number(fields, "seq"),
        epoch: required("epoch")?.clone(),
        error: field("error").cloned(),
        retry_of: field("retry_of").map(|id| parse(id)).transpose()?,
    })
}

fn parse<T: FromStr>(text: &str) -> Result<T, QueueError> {
    text.parse().map_err(|_| QueueError::Reply(text.to_owned()))
}

fn number(fields: &HashMap<String, String>, name: &str) -> u64 {
    fields.get(name).and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn instant(milliseconds: &str) -> Result<OffsetDateTime, QueueError> {
    let nanoseconds = parse::<i64>(milliseconds)?;
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanoseconds) * 1_000_000)
        .map_err(|_| QueueError::Reply(milliseconds.to_owned()))
}
