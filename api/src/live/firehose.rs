//! The events of all jobs in this process, in the order of their arrival, for the legacy sockets.

use super::entry::Entry;
use super::fan::{Fans, Source};
use super::look::{Cursor, Look};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// Events kept for viewers that are a little slow.
const RING_EVENTS: usize = 8192;
/// Final events kept for viewers that are very slow.
const FINAL_EVENTS: usize = 16_384;

/// The merged ring. Positions count from 0 since the start of the process.
pub(crate) struct Firehose {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    /// Who writes to the sockets that wait.
    pub(crate) fans: Fans,
}

#[derive(Default)]
struct State {
    ring: VecDeque<Arc<Entry>>,
    /// Position of the first event of the ring.
    base: u64,
    finals: VecDeque<(u64, Arc<Entry>)>,
}

impl Firehose {
    pub(crate) fn new() -> Firehose {
        Firehose { state: Mutex::default(), changed: watch::Sender::new(0), fans: Fans::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event at the end.
    pub(crate) fn push(&self, entry: Arc<Entry>) {
        let mut state = self.lock();
        if entry.is_final {
            let position = state.end();
            state.finals.push_back((position, Arc::clone(&entry)));
            if state.finals.len() > FINAL_EVENTS {
                state.finals.pop_front();
            }
        }
        state.ring.push_back(entry);
        if state.ring.len() > RING_EVENTS {
            state.ring.pop_front();
            state.base += 1;
        }
        let end = state.end();
        drop(state);
        self.changed.send_replace(end);
    }

    /// A receiver that fires after every push, and the position of the next event.
    pub(crate) fn subscribe_from_now(&self) -> (watch::Receiver<u64>, u64) {
        let receiver = self.changed.subscribe();
        let end = self.lock().end();
        (receiver, end)
    }

    /// Events from a position on and the position after them. A viewer that fell behind the ring
    /// gets the newest event of each job instead of all, and every final event.
    pub(crate) fn read(&self, position: u64, limit: usize) -> (Vec<Arc<Entry>>, u64) {
        let state = self.lock();
        if let Some(skip) = position.checked_sub(state.base) {
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            let events: Vec<_> = state.ring.iter().skip(skip).take(limit).cloned().collect();
            let next = position + events.len() as u64;
            return (events, next);
        }
        let missed_finals =
            state.finals.iter().filter(|(at, _)| (position..state.base).contains(at));
        let mut events: Vec<_> = missed_finals.map(|(_, entry)| Arc::clone(entry)).collect();
        let mut newest: HashMap<Uuid, usize> = HashMap::new();
        for (at, entry) in state.ring.iter().enumerate() {
            newest.insert(entry.job, at);
        }
        let kept = state.ring.iter().enumerate();
        events.extend(
            kept.filter(|(at, entry)| entry.is_final || newest.get(&entry.job) == Some(at))
                .map(|(_, entry)| Arc::clone(entry)),
        );
        (events, state.end())
    }
}

impl Source for Firehose {
    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn look(&self, cursor: Cursor, limit: usize) -> Look {
        let state = self.lock();
        let Some(skip) = cursor.position.checked_sub(state.base) else { return Look::BelowRing };
        if cursor.position >= state.end() {
            return Look::Nothing;
        }
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Look::Events(state.ring.iter().skip(skip).take(limit).cloned().collect())
    }
}

impl State {
    fn end(&self) -> u64 {
        self.base + self.ring.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::{Firehose, RING_EVENTS};
    use crate::live::entry::Entry;
    use std::sync::Arc;
    use uuid::Uuid;

    fn push(firehose: &Firehose, job: u128, seq: u64, is_final: bool) {
        let json = format!("{{\"seq\":{seq}}}");
        let (job, epoch) = (Uuid::from_u128(job), "e".to_owned());
        firehose.push(Arc::new(Entry::new(job, epoch, seq, is_final, &json)));
    }

    #[test]
    fn a_viewer_in_time_gets_all_and_a_late_one_the_newest_and_the_finals() {
        let firehose = Firehose::new();
        let (_, start) = firehose.subscribe_from_now();
        push(&firehose, 1, 1, false);
        push(&firehose, 1, 2, true);
        let (events, next) = firehose.read(start, 10);
        assert_eq!((events.len(), next), (2, 2));
        for seq in 1..=RING_EVENTS as u64 {
            push(&firehose, 2, seq, false);
        }
        push(&firehose, 3, 1, true);
        let (events, end) = firehose.read(start, 10);
        let got: Vec<_> = events.iter().map(|e| (e.job.as_u128(), e.seq)).collect();
        assert_eq!(got, [(1, 2), (2, RING_EVENTS as u64), (3, 1)]);
        assert_eq!(firehose.read(end, 10).0.len(), 0);
    }
}
