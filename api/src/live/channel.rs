//! The events of one job in this process: a ring of the newest ones, kept gapless.
//!
//! The stream in Redis is the truth and pub/sub only the doorbell. A message that continues the
//! ring is appended at once; anything else (a hole, another epoch) marks the channel stale, and
//! its one filling task reads the stream until the ring is whole again. A viewer is a cursor that
//! only ever sees what is contiguous, so there is no instant at which history hands over to live.

use super::entry::Entry;
use super::fan::{Fans, Source};
use super::firehose::Firehose;
use super::log::Page;
use super::look::{Cursor, Delivered, Look, Position, ResetReason};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Events that the ring holds; older ones are read from the stream.
pub(crate) const RING_EVENTS: usize = 512;
/// Bytes that the ring holds: so many events of usual length (600 bytes), and a fourth more.
const RING_BYTES: usize = 384 * 1024;
/// Messages kept while a hole before them is being filled.
const AHEAD_EVENTS: usize = 512;

/// One job's channel. Shared by its viewers, its filling task and the supervisor.
pub(crate) struct Channel {
    pub(crate) job: Uuid,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    /// Who writes to the sockets that wait.
    pub(crate) fans: Fans,
    /// Rung when the ring may lag behind the stream; the filling task waits on it.
    pub(crate) stale: Notify,
    viewers: AtomicUsize,
    /// The supervisor has subscribed to its messages.
    pub(crate) is_heard: AtomicBool,
    /// Ends the filling task.
    pub(crate) closed: CancellationToken,
}

struct State {
    epoch: String,
    /// The newest event that is known without a hole before it.
    top: u64,
    /// The oldest event of the stream when it was read last.
    oldest: u64,
    ring: VecDeque<Arc<Entry>>,
    ring_bytes: usize,
    ahead: BTreeMap<u64, Arc<Entry>>,
    /// The stream has been read at least once.
    synced: bool,
    /// Grows when the history was lost or went backwards: what viewers hold is void then.
    lineage: u64,
    /// Why the lineage grew last.
    reason: ResetReason,
    /// The event at `top`, when it was read before the ring held any.
    before_ring: Option<Arc<Entry>>,
    /// Events above this seq also go to the viewers of all jobs.
    tracked_from: Option<u64>,
    ended: bool,
    idle_since: Option<Instant>,
}

impl Channel {
    pub(crate) fn new(job: Uuid) -> Channel {
        let state = State {
            epoch: String::new(),
            top: 0,
            oldest: 0,
            ring: VecDeque::new(),
            ring_bytes: 0,
            ahead: BTreeMap::new(),
            synced: false,
            lineage: 0,
            reason: ResetReason::Epoch,
            before_ring: None,
            tracked_from: None,
            ended: false,
            idle_since: Some(Instant::now()),
        };
        Channel {
            job,
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            fans: Fans::default(),
            stale: Notify::new(),
            viewers: AtomicUsize::new(0),
            is_heard: AtomicBool::new(false),
            closed: CancellationToken::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_viewers(&self) {
        self.changed.send_modify(|version| *version = version.wrapping_add(1));
    }

    /// Where the channel stands; `None` before the stream has been read once.
    pub(crate) fn position(&self) -> Option<Position> {
        let state = self.lock();
        state.synced.then(|| Position {
            epoch: state.epoch.clone(),
            lineage: state.lineage,
            oldest: state.oldest,
            in_ring: state.ring.front().map_or(state.top, |first| first.seq - 1)..=state.top,
        })
    }

    /// Epoch and newest seq, for the sweep.
    pub(crate) fn head(&self) -> (String, u64) {
        let state = self.lock();
        (state.epoch.clone(), state.top)
    }

    /// The event at the head of what is known; `None` when it was never read.
    pub(crate) fn newest(&self) -> Option<Arc<Entry>> {
        let state = self.lock();
        let newest = state.ring.back().or(state.before_ring.as_ref());
        newest.filter(|entry| entry.epoch == state.epoch && entry.seq == state.top).cloned()
    }

    /// Keeps what [`newest`](Channel::newest) did not know.
    pub(crate) fn remember_newest(&self, entry: &Arc<Entry>) {
        self.lock().before_ring = Some(Arc::clone(entry));
    }

    /// Whether its events go to the viewers of all jobs and more of them will come.
    pub(crate) fn is_open(&self) -> bool {
        let state = self.lock();
        state.tracked_from.is_some() && !state.ended
    }

    /// A message from pub/sub.
    pub(crate) fn deliver(&self, entry: Arc<Entry>, firehose: &Firehose) -> Delivered {
        let mut state = self.lock();
        let delivered = if !state.synced || entry.epoch != state.epoch {
            Delivered::Gap
        } else if entry.seq <= state.top {
            Delivered::Duplicate
        } else if entry.seq == state.top + 1 {
            state.append(entry, firehose);
            state.append_ahead(firehose);
            Delivered::Appended
        } else {
            if state.ahead.len() < AHEAD_EVENTS {
                state.ahead.insert(entry.seq, entry);
            }
            Delivered::Gap
        };
        drop(state);
        match delivered {
            Delivered::Appended => self.wake_viewers(),
            Delivered::Gap => self.stale.notify_one(),
            Delivered::Duplicate => {}
        }
        delivered
    }

    /// From where the filling task has to read.
    pub(crate) fn fill_from(&self) -> u64 {
        self.lock().top
    }

    /// Begins with events of the stream that end at its head.
    pub(crate) fn begin(&self, newest: Page, firehose: &Firehose) {
        let mut state = self.lock();
        // The viewers of all jobs may want older ones: those are read like a hole.
        let is_fresh = state.epoch.is_empty() && state.tracked_from.is_none();
        let Some(head) = newest.head.filter(|_| is_fresh) else { return };
        state.epoch = head.epoch;
        state.oldest = newest.oldest;
        state.top = newest.events.first().map_or(head.seq, |first| first.seq - 1);
        for entry in newest.events {
            state.append(Arc::new(entry), firehose);
        }
        state.synced = state.top == head.seq;
        if !state.synced {
            self.stale.notify_one();
        }
        drop(state);
        self.wake_viewers();
    }

    /// Takes in what was read of the stream after `asked_from`. `true` when the ring now reaches
    /// the head that was read; otherwise the task reads on.
    pub(crate) fn fill(&self, asked_from: u64, page: Page, firehose: &Firehose) -> bool {
        let mut state = self.lock();
        let done = state.fill(asked_from, page, firehose);
        drop(state);
        self.wake_viewers();
        done
    }

    /// The events above `from` (or everything that comes, when the channel is older) also go to
    /// the viewers of all jobs.
    pub(crate) fn track(&self, from: u64, whole: bool, firehose: &Firehose) {
        let mut state = self.lock();
        if state.tracked_from.is_some() {
            return;
        }
        let from = if state.synced && !whole { from.max(state.top) } else { from };
        state.tracked_from = Some(from);
        if state.synced {
            let known: Vec<_> =
                state.ring.iter().filter(|entry| entry.seq > from).cloned().collect();
            for entry in known {
                firehose.push(entry);
            }
        } else {
            state.top = from;
        }
    }

    /// Nobody watches all jobs any more.
    pub(crate) fn untrack(&self) {
        self.lock().tracked_from = None;
    }

    /// One more viewer.
    pub(crate) fn join(&self) {
        self.viewers.fetch_add(1, Ordering::AcqRel);
        self.lock().idle_since = None;
    }

    /// One viewer less.
    pub(crate) fn leave(&self) {
        if self.viewers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.lock().idle_since = Some(Instant::now());
        }
    }

    /// How many viewers there are.
    pub(crate) fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Acquire)
    }

    /// Whether somebody needs the messages of the job's own pub/sub channel.
    pub(crate) fn idle_for(&self) -> Option<std::time::Duration> {
        let state = self.lock();
        let watched = self.viewers() > 0 || (state.tracked_from.is_some() && !state.ended);
        if watched {
            None
        } else {
            Some(state.idle_since.map_or_else(Default::default, |since| since.elapsed()))
        }
    }
}

impl Source for Channel {
    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn look(&self, Cursor { position, lineage }: Cursor, limit: usize) -> Look {
        let state = self.lock();
        if !state.synced {
            return Look::Nothing;
        }
        if state.lineage != lineage {
            return Look::Void(state.reason, state.lineage);
        }
        if position >= state.top {
            return if state.ended { Look::Ended } else { Look::Nothing };
        }
        let Some(first) = state.ring.front().map(|entry| entry.seq) else {
            return Look::BelowRing;
        };
        let Some(skip) = (position + 1).checked_sub(first) else { return Look::BelowRing };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Look::Events(state.ring.iter().skip(skip).take(limit).cloned().collect())
    }
}

impl State {
    fn append(&mut self, entry: Arc<Entry>, firehose: &Firehose) {
        self.top = entry.seq;
        if entry.is_final {
            self.ended = true;
            self.idle_since.get_or_insert_with(Instant::now);
        }
        if self.tracked_from.is_some_and(|from| entry.seq > from) {
            firehose.push(Arc::clone(&entry));
        }
        self.ring_bytes += entry.json.as_str().len();
        self.ring.push_back(entry);
        while self.ring.len() > RING_EVENTS || (self.ring_bytes > RING_BYTES && self.ring.len() > 1)
        {
            if let Some(oldest) = self.ring.pop_front() {
                self.ring_bytes -= oldest.json.as_str().len();
            }
        }
    }

    fn append_ahead(&mut self, firehose: &Firehose) {
        while let Some((seq, entry)) = self.ahead.pop_first() {
            if seq == self.top + 1 {
                self.append(entry, firehose);
            } else if seq > self.top {
                self.ahead.insert(seq, entry);
                return;
            }
        }
    }

    fn fill(&mut self, asked_from: u64, page: Page, firehose: &Firehose) -> bool {
        let Some(head) = page.head else {
            // Expired, or lost and not yet submitted again: wait for what comes.
            self.synced = true;
            return true;
        };
        if head.epoch != self.epoch {
            let first_sight = self.epoch.is_empty() && self.ring.is_empty();
            self.epoch = head.epoch;
            if !first_sight {
                self.restart(ResetReason::Epoch, head.seq);
                return false;
            }
            if self.tracked_from.is_none() {
                // The ring is for the newest events; viewers read the older ones themselves.
                self.top = head.seq.saturating_sub(RING_EVENTS as u64);
            }
            self.synced = self.top == head.seq;
            return self.synced;
        }
        if head.seq < asked_from {
            self.restart(ResetReason::Regressed, head.seq);
            return false;
        }
        // A failover may have lost the end of the stream and gone past it again since.
        let known = page.events.iter().filter(|entry| entry.seq <= self.top);
        if known.into_iter().any(|entry| self.contradicts(entry)) {
            self.restart(ResetReason::Regressed, head.seq);
            return false;
        }
        self.synced = true;
        self.oldest = page.oldest;
        let behind_by = head.seq.saturating_sub(self.top);
        if self.tracked_from.is_none() && behind_by > 2 * RING_EVENTS as u64 {
            self.clear_ring();
            self.top = head.seq - RING_EVENTS as u64;
            return false;
        }
        let newest_read = page.events.last().map_or(0, |entry| entry.seq);
        let nothing_kept = newest_read <= self.top && head.seq > self.top;
        for entry in page.events {
            if entry.seq <= self.top {
                continue;
            }
            if entry.seq > self.top + 1 {
                // Trimmed below: the ring may not have a hole.
                self.clear_ring();
            }
            self.append(Arc::new(entry), firehose);
        }
        if nothing_kept && asked_from == self.top {
            self.clear_ring();
            self.top = head.seq;
        }
        self.append_ahead(firehose);
        self.top >= head.seq
    }

    /// Whether the ring has another event in this place.
    fn contradicts(&self, read: &Entry) -> bool {
        let first = self.ring.front().map_or(u64::MAX, |entry| entry.seq);
        let place = read.seq.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        let held = place.and_then(|place| self.ring.get(place));
        held.is_some_and(|held| held.json != read.json)
    }

    /// The history that was known is void.
    fn restart(&mut self, reason: ResetReason, head: u64) {
        self.clear_ring();
        self.ahead.clear();
        self.lineage += 1;
        self.reason = reason;
        self.ended = false;
        self.top = head.saturating_sub(RING_EVENTS as u64);
        if self.tracked_from.is_some() {
            self.tracked_from = Some(self.top);
        }
    }

    fn clear_ring(&mut self) {
        self.ring.clear();
        self.ring_bytes = 0;
    }
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
