//! A viewer of one job: a cursor into its history, the same for every transport.
//!
//! Late joining, resuming, repairing a hole and catching up slowly are one path: the viewer reads
//! on from its cursor, out of the ring or below it out of the stream, until the final event.

use super::entry::{Entry, Since};
use super::fan::{Back, Seat, Source};
use super::frames::SnapshotFrame;
use super::hub::{Hub, Watched};
use super::look::{Cursor, Look, ResetReason};
use super::outlet::Outlet;
use super::record::JobRecord;
use shared::queue::QueueError;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use stores::StoreError;
use tokio::sync::watch;
use uuid::Uuid;

/// Events handed over at once.
const BATCH: usize = 64;
/// Events read at once below the ring.
const READ_BELOW: usize = 512;

/// Where a client begins that has nothing.
const START: Since = Since { epoch: None, seq: 0 };

/// Why nobody can watch this job.
#[derive(Debug)]
pub(crate) enum Refusal {
    NoSuchJob,
    Queue(QueueError),
    Store(StoreError),
    /// Redis did not answer in time.
    Timeout,
}

/// The first message of a new transport.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    pub(crate) job: Uuid,
    pub(crate) epoch: String,
    /// The next event is `seq + 1`.
    pub(crate) seq: u64,
    /// The events after the client's position all follow; otherwise a snapshot does.
    pub(crate) recovered: bool,
    pub(crate) oldest: u64,
}

/// What comes next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The next events, in order and without a hole.
    Events(Vec<Arc<Entry>>),
    /// Forget what you have: this is the state, events follow from `snapshot.seq + 1` on.
    Reset(ResetReason, Box<SnapshotFrame>),
    /// Nothing, but the line had no room for the end of a frame that was handed over already.
    Unfinished,
    /// The final event has been handed over.
    Ended,
}

/// A cursor.
pub(crate) struct Viewer {
    hub: Arc<Hub>,
    /// Where the socket is lent while there is nothing new; first, so that it is left first.
    seat: Option<Seat>,
    /// `None` when the job is answered from its durable record.
    watched: Option<(Watched, watch::Receiver<u64>)>,
    pending: VecDeque<Step>,
    epoch: String,
    cursor: Cursor,
    at_once: usize,
}

impl Viewer {
    /// Opens a cursor behind `since`, or at the start of the history; `None` for a job that Redis
    /// does not know.
    pub(crate) async fn open(
        hub: &Arc<Hub>,
        job: Uuid,
        since: Option<Since>,
    ) -> Result<Option<(Hello, Viewer)>, Refusal> {
        let opening = Viewer::open_live(hub, job, since);
        tokio::time::timeout(Duration::from_secs(5), opening).await.map_err(|_| Refusal::Timeout)?
    }

    async fn open_live(
        hub: &Arc<Hub>,
        job: Uuid,
        since: Option<Since>,
    ) -> Result<Option<(Hello, Viewer)>, Refusal> {
        let asked = since.as_ref().map_or(0, |since| since.seq);
        let opening = hub.opening(job).await;
        let mut in_ring = Viewer::open_in_ring(hub, job, since.as_ref().unwrap_or(&START));
        if in_ring.is_none() && hub.find(job).is_none() {
            // A storm of viewers of one job that nobody watches yet: one reads, the others then
            // find what they need in the ring.
            let beginning = hub.log.beginning(job, asked).await.map_err(Refusal::Queue)?;
            if beginning.head.is_none() {
                return Ok(None);
            }
            let _watched = hub.watch_from(job, beginning);
            in_ring = Viewer::open_in_ring(hub, job, since.as_ref().unwrap_or(&START));
        }
        drop(opening);
        if in_ring.is_some() {
            return Ok(in_ring);
        }
        // A fresh look at the stream: another replica may have told the client more than this
        // process has seen.
        let page = hub.log.page(job, asked, 1).await.map_err(Refusal::Queue)?;
        let Some(head) = page.head else { return Ok(None) };
        let watched = hub.watch(job);
        let mut changes = watched.channel.changes();
        let position = loop {
            changes.mark_unchanged();
            match watched.channel.position() {
                Some(position) if position.epoch == head.epoch => break position,
                Some(position) if !position.epoch.is_empty() => {
                    // The ring still belongs to a lost history; the filling task will see it.
                    watched.channel.stale.notify_one();
                }
                _ => {}
            }
            if changes.changed().await.is_err() {
                return Err(Refusal::Timeout);
            }
        };
        let reset = match &since {
            Some(Since { epoch: Some(epoch), .. }) if *epoch != head.epoch => {
                Some(ResetReason::Epoch)
            }
            _ if asked > head.seq => Some(ResetReason::Regressed),
            _ if asked < head.seq && page.events.first().map(|e| e.seq) != Some(asked + 1) => {
                Some(ResetReason::Trimmed)
            }
            _ => None,
        };
        let mut viewer = Viewer {
            hub: Arc::clone(hub),
            seat: None,
            watched: Some((watched, changes)),
            pending: VecDeque::new(),
            epoch: head.epoch,
            cursor: Cursor { position: asked, lineage: position.lineage },
            at_once: BATCH,
        };
        if let Some(reason) = reset {
            let step = viewer.reset(reason).await.map_err(Refusal::Queue)?;
            viewer.pending.push_back(step);
        }
        let hello = Hello {
            job,
            epoch: viewer.epoch.clone(),
            seq: viewer.cursor.position,
            recovered: reset.is_none(),
            oldest: page.oldest,
        };
        Ok(Some((hello, viewer)))
    }

    /// A cursor into what this process holds already: when a thousand clients of one job come
    /// back at once, Redis notices nothing.
    fn open_in_ring(hub: &Arc<Hub>, job: Uuid, since: &Since) -> Option<(Hello, Viewer)> {
        hub.find(job)?.position().filter(|position| position.covers(since))?;
        let watched = hub.watch(job);
        let changes = watched.channel.changes();
        // Looked at once more, now that the channel cannot be removed.
        let position = watched.channel.position().filter(|position| position.covers(since))?;
        let hello = Hello {
            job,
            epoch: position.epoch.clone(),
            seq: since.seq,
            recovered: true,
            oldest: position.oldest,
        };
        let viewer = Viewer {
            hub: Arc::clone(hub),
            seat: None,
            watched: Some((watched, changes)),
            pending: VecDeque::new(),
            epoch: position.epoch,
            cursor: Cursor { position: since.seq, lineage: position.lineage },
            at_once: BATCH,
        };
        Some((hello, viewer))
    }

    /// A cursor into the record of a job that ended longer ago than events are kept: a snapshot
    /// and the final event.
    pub(crate) fn of_record(
        hub: &Arc<Hub>,
        record: &JobRecord,
        since: Option<Since>,
    ) -> (Hello, Viewer) {
        let (snapshot, last) = record.frames();
        let epoch = snapshot.epoch.clone();
        let has_all = since
            .is_some_and(|since| since.epoch.as_ref() == Some(&epoch) && since.seq >= last.seq);
        let mut pending = VecDeque::new();
        let mut seq = last.seq;
        if !has_all {
            seq = snapshot.seq;
            pending.push_back(Step::Reset(ResetReason::Trimmed, Box::new(snapshot)));
            pending.push_back(Step::Events(vec![Arc::new(last)]));
        }
        let hello = Hello {
            job: record.spec.id,
            epoch: epoch.clone(),
            seq,
            recovered: has_all,
            oldest: seq + 1,
        };
        let hub = Arc::clone(hub);
        let viewer = Viewer {
            hub,
            seat: None,
            watched: None,
            pending,
            epoch,
            cursor: Cursor { position: seq, lineage: 0 },
            at_once: BATCH,
        };
        (hello, viewer)
    }

    /// Hands over at most this many events at once.
    pub(crate) fn at_once(&mut self, limit: usize) {
        self.at_once = limit;
    }

    /// What comes later is written to the socket itself, without waking its task.
    pub(crate) fn lend(&mut self, outlet: Arc<Outlet>) {
        let Some((watched, _)) = &self.watched else { return };
        let fans = &watched.channel.fans;
        self.seat = Some(fans.join(&watched.channel, outlet, &self.hub.metrics));
    }

    /// The epoch that the cursor belongs to.
    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The last event handed over.
    pub(crate) fn position(&self) -> u64 {
        self.cursor.position
    }

    /// The newest event that this process knows of.
    pub(crate) fn top(&self) -> u64 {
        let top = self.watched.as_ref().map(|(watched, _)| watched.channel.head().1);
        top.unwrap_or(self.cursor.position).max(self.cursor.position)
    }

    /// What comes next; waits for it. May be dropped and called again at any moment.
    pub(crate) async fn next(&mut self) -> Step {
        loop {
            match self.try_next().await {
                Ok(Some(step)) => return step,
                Ok(None) => {
                    let Some((watched, changes)) = &mut self.watched else { return Step::Ended };
                    let Some(seat) = &self.seat else {
                        if changes.changed().await.is_err() {
                            return Step::Ended;
                        }
                        continue;
                    };
                    match seat.until_back(&*watched.channel, &mut self.cursor).await {
                        Back::News => {}
                        Back::Unfinished => return Step::Unfinished,
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "a viewer's read of the event log failed");
                    if error.is_transient() {
                        self.hub.note_backend(false);
                    }
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }

    /// What is there already; `None` when there is nothing new.
    pub(crate) async fn try_next(&mut self) -> Result<Option<Step>, QueueError> {
        if let Some(step) = self.pending.pop_front() {
            if let Step::Events(events) = &step {
                self.cursor.position =
                    events.last().map_or(self.cursor.position, |entry| entry.seq);
            }
            return Ok(Some(step));
        }
        let Some((watched, changes)) = &mut self.watched else { return Ok(Some(Step::Ended)) };
        changes.mark_unchanged();
        match watched.channel.look(self.cursor, self.at_once) {
            Look::Events(events) => Ok(Some(self.hand_over(events))),
            Look::Nothing => Ok(None),
            Look::Ended => Ok(Some(Step::Ended)),
            // Boxed: reads of Redis are rare, and their futures are so large that every viewer
            // would move them about for every event.
            Look::BelowRing => Box::pin(self.read_below_ring()).await.map(Some),
            Look::Void(reason, lineage) => {
                let step = Box::pin(self.reset(reason)).await?;
                self.cursor.lineage = lineage;
                Ok(Some(step))
            }
        }
    }

    async fn read_below_ring(&mut self) -> Result<Step, QueueError> {
        let Some((watched, _)) = &self.watched else { return Ok(Step::Ended) };
        let job = watched.channel.job;
        let limit = if self.at_once < BATCH { self.at_once } else { READ_BELOW };
        let hub = Arc::clone(&self.hub);
        // A closed semaphore is impossible here; without a permit the read goes on.
        let _permit = hub.reads.acquire().await;
        hub.metrics.relay_ring_misses.increment();
        let page = hub.log.page(job, self.cursor.position, limit).await?;
        let same = page.head.as_ref().is_some_and(|head| head.epoch == self.epoch);
        let next = page.events.first().map(|entry| entry.seq);
        if !same {
            return self.reset(ResetReason::Epoch).await;
        }
        if next != Some(self.cursor.position + 1) {
            return self.reset(ResetReason::Trimmed).await;
        }
        Ok(self.hand_over(page.events.into_iter().map(Arc::new).collect()))
    }

    fn hand_over(&mut self, events: Vec<Arc<Entry>>) -> Step {
        self.cursor.position = events.last().map_or(self.cursor.position, |entry| entry.seq);
        Step::Events(events)
    }

    /// Starts anew from a snapshot. When the job has ended, its final event still follows.
    async fn reset(&mut self, reason: ResetReason) -> Result<Step, QueueError> {
        let Some((watched, _)) = &self.watched else { return Ok(Step::Ended) };
        let job = watched.channel.job;
        let snapshot = self.hub.log.snapshot(job).await?.ok_or(QueueError::NoSuchJob)?;
        let ended = snapshot.job.status.is_final();
        let mut frame = SnapshotFrame::of(snapshot);
        if ended {
            frame.seq = frame.seq.saturating_sub(1);
        }
        self.epoch.clone_from(&frame.epoch);
        self.cursor.position = frame.seq;
        self.hub.metrics.relay_resets.increment();
        Ok(Step::Reset(reason, Box::new(frame)))
    }
}
