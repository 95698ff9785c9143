//! The stream of events in Redis, as the relay reads it.

use super::channel::RING_EVENTS;
use super::entry::Entry;
use shared::job::JobStatus;
use shared::queue::{EventPage, Head, Queue, QueueError, Snapshot};
use uuid::Uuid;

/// A stretch of a job's stream.
pub(crate) struct Page {
    /// `None` for a job that Redis does not know (any more).
    pub(crate) head: Option<PageHead>,
    /// The oldest event that is kept; 0 when Redis does not know the job.
    pub(crate) oldest: u64,
    /// The events after the asked position, contiguous with each other.
    pub(crate) events: Vec<Entry>,
}

/// How far the stream had come when the page was read.
pub(crate) struct PageHead {
    pub(crate) epoch: String,
    pub(crate) seq: u64,
}

/// A job in the listing that the viewers of all jobs begin with.
pub(crate) struct RecentJob {
    pub(crate) id: Uuid,
    pub(crate) last_seq: u64,
    pub(crate) is_final: bool,
}

/// States of a job from which events still come.
const OPEN: [JobStatus; 4] =
    [JobStatus::Queued, JobStatus::Running, JobStatus::Paused, JobStatus::Cancelling];

/// Reads of the event log. Every call goes to Redis. Their futures take 15 KB each and are boxed:
/// they last for milliseconds, inside tasks of thousands of viewers that last for hours.
#[derive(Clone)]
pub(crate) struct EventLog {
    queue: Queue,
}

impl EventLog {
    pub(crate) fn new(queue: Queue) -> EventLog {
        EventLog { queue }
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Events after a position, at most `limit` (up to 1,000).
    pub(crate) async fn page(
        &self,
        job: Uuid,
        after: u64,
        limit: usize,
    ) -> Result<Page, QueueError> {
        page_of(job, Box::pin(self.queue.events(job, after, limit)).await?)
    }

    /// What a channel begins with for a client that has everything up to `since`: all that it
    /// misses, or the newest events when that is more than a ring holds.
    pub(crate) async fn beginning(&self, job: Uuid, since: u64) -> Result<Page, QueueError> {
        page_of(job, Box::pin(self.queue.recent_events(job, since, RING_EVENTS)).await?)
    }

    /// How far the streams of these jobs have come.
    pub(crate) async fn heads(&self, jobs: &[Uuid]) -> Result<Vec<Option<Head>>, QueueError> {
        let mut heads = Vec::with_capacity(jobs.len());
        for jobs in jobs.chunks(1000) {
            heads.extend(Box::pin(self.queue.heads(jobs)).await?);
        }
        Ok(heads)
    }

    /// The job's state at one seq.
    pub(crate) async fn snapshot(&self, job: Uuid) -> Result<Option<Snapshot>, QueueError> {
        Box::pin(self.queue.snapshot(job)).await
    }

    /// The newest jobs, and all that are open: one may be at work for longer than a thousand others.
    pub(crate) async fn recent_jobs(&self) -> Result<Vec<RecentJob>, QueueError> {
        let mut jobs = Box::pin(self.queue.jobs(None, 1000, None)).await?.jobs;
        if jobs.len() == 1000 {
            for status in OPEN {
                let mut cursor = None;
                loop {
                    let page = self.queue.jobs(Some(status), 1000, cursor.as_deref());
                    let page = Box::pin(page).await?;
                    jobs.extend(page.jobs);
                    cursor = page.next_cursor;
                    if cursor.is_none() {
                        break;
                    }
                }
            }
        }
        let jobs = jobs.into_iter().map(|job| RecentJob {
            id: job.job_id,
            last_seq: job.last_seq,
            is_final: job.status.is_final(),
        });
        Ok(jobs.collect())
    }
}

/// The events of a page as the relay holds them.
fn page_of(job: Uuid, page: Option<EventPage>) -> Result<Page, QueueError> {
    let Some(page) = page else {
        return Ok(Page { head: None, oldest: 0, events: Vec::new() });
    };
    let mut events = Vec::with_capacity(page.events.len());
    for (seq, body) in page.events {
        match Entry::parse(&body) {
            Some(entry) if entry.seq == seq => events.push(entry),
            _ => return Err(QueueError::Reply(format!("event {seq} of job {job}"))),
        }
    }
    Ok(Page {
        head: Some(PageHead { epoch: page.epoch, seq: page.last_seq }),
        oldest: page.oldest,
        events,
    })
}
