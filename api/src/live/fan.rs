//! The short way of an event to the sockets that wait for it.
//!
//! To wake the task of every viewer, so that it looks for itself and writes the same bytes as all
//! the others, took five times the processor time of the program (bench/relay). A viewer that has
//! everything lends its socket instead: one task for up to [`SEATS`] sockets looks once and writes
//! the finished frame to each of them. Whatever is not that simple (the line is full, the history
//! was lost, the job has ended) gives the socket back to its viewer, which goes on from the exact
//! byte.

use super::look::{Cursor, Look};
use super::outlet::{Found, Outlet};
use crate::metrics::Metrics;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// Sockets that one task writes to: behind a thousand of them the last would wait for 6 ms.
const SEATS: usize = 256;
/// Sockets written to before other tasks of the thread get their turn.
const AT_ONCE: usize = 64;
/// Events that a fan looks for at once; who is further behind reads on by itself.
const BATCH: usize = 64;

/// What viewers follow.
pub(crate) trait Source: Send + Sync + 'static {
    /// A receiver that fires whenever [`look`](Source::look) may answer something else.
    fn changes(&self) -> watch::Receiver<u64>;

    /// What a cursor finds, at most `limit` events.
    fn look(&self, cursor: Cursor, limit: usize) -> Look;
}

/// The fans of one source.
#[derive(Default)]
pub(crate) struct Fans(Mutex<Vec<Arc<Fan>>>);

/// The outlets of one task; `None` once the task has ended because nobody was left. A pass works
/// on the list of its beginning: who comes later looks for itself after it has lent its socket.
struct Fan {
    outlets: Mutex<Option<Arc<Vec<Arc<Outlet>>>>>,
    ended: Notify,
}

/// A viewer's place in a fan.
pub(crate) struct Seat {
    fan: Arc<Fan>,
    outlet: Arc<Outlet>,
}

/// Why a viewer has its socket again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// There is, or was, something to find at its cursor.
    News,
    /// A frame was begun and not finished; its bytes are in the outlet.
    Unfinished,
}

impl Fans {
    /// Takes a place among those whom a task of `source` writes to.
    pub(crate) fn join<S: Source>(
        &self,
        source: &Arc<S>,
        outlet: Arc<Outlet>,
        metrics: &Arc<Metrics>,
    ) -> Seat {
        let mut fans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fan) = fans.iter().find(|fan| fan.admit(&outlet)) {
            return Seat { fan: Arc::clone(fan), outlet };
        }
        fans.retain(|fan| fan.lock().is_some());
        let outlets = Mutex::new(Some(Arc::new(vec![Arc::clone(&outlet)])));
        let fan = Arc::new(Fan { outlets, ended: Notify::new() });
        fans.push(Arc::clone(&fan));
        tokio::spawn(write_for_ever(Arc::clone(source), Arc::clone(&fan), Arc::clone(metrics)));
        Seat { fan, outlet }
    }
}

impl Fan {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Vec<Arc<Outlet>>>>> {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false` when it is full or has ended.
    fn admit(&self, outlet: &Arc<Outlet>) -> bool {
        let mut outlets = self.lock();
        let Some(outlets) = outlets.as_mut().filter(|outlets| outlets.len() < SEATS) else {
            return false;
        };
        Arc::make_mut(outlets).push(Arc::clone(outlet));
        true
    }

    fn dismiss(&self, outlet: &Arc<Outlet>) {
        let mut guard = self.lock();
        let Some(outlets) = guard.as_mut() else { return };
        let place = outlets.iter().position(|other| Arc::ptr_eq(other, outlet));
        if let Some(place) = place {
            Arc::make_mut(outlets).swap_remove(place);
        }
        if outlets.is_empty() {
            *guard = None;
            self.ended.notify_one();
        }
    }
}

impl Seat {
    /// Lends the socket until there is something that its viewer has to do. What the fan wrote
    /// meanwhile is in the cursor, also when the waiting is given up.
    pub(crate) async fn until_back<S: Source>(&self, source: &S, cursor: &mut Cursor) -> Back {
        if self.outlet.is_unfinished() {
            return Back::Unfinished;
        }
        let lent = self.outlet.lend(cursor);
        // What came before the socket was lent, no fan may see any more.
        if matches!(source.look(lent.cursor(), 1), Look::Nothing) {
            self.outlet.given_back().await;
        }
        drop(lent);
        if self.outlet.is_unfinished() { Back::Unfinished } else { Back::News }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.fan.dismiss(&self.outlet);
    }
}

/// Writes what comes to the sockets of a fan, until nobody is left.
async fn write_for_ever<S: Source>(source: Arc<S>, fan: Arc<Fan>, metrics: Arc<Metrics>) {
    let mut changes = source.changes();
    loop {
        let Some(outlets) = fan.lock().clone() else { return };
        let mut seen: Option<(Cursor, Found)> = None;
        for (number, chunk) in outlets.chunks(AT_ONCE).enumerate() {
            if number > 0 {
                tokio::task::yield_now().await;
            }
            let mut written = 0;
            for outlet in chunk {
                written += outlet.offer(|cursor| {
                    seen.take_if(|(at, _)| *at != cursor);
                    &seen.get_or_insert_with(|| (cursor, find(&*source, cursor))).1
                });
            }
            metrics.events_delivered.add(written);
        }
        drop(outlets);
        tokio::select! {
            // The source lives as long as this task.
            _ = changes.changed() => {}
            () = fan.ended.notified() => return,
        }
    }
}

/// What follows a cursor, in one piece: a socket is written to once, however much it is.
fn find(source: &impl Source, cursor: Cursor) -> Found {
    let nothing = |is_more| Found { events: 0, bytes: Bytes::new(), is_more };
    match source.look(cursor, BATCH) {
        Look::Nothing => nothing(false),
        Look::BelowRing | Look::Ended | Look::Void(..) => nothing(true),
        Look::Events(events) => {
            let bytes = match events.as_slice() {
                [event] => event.frame().clone(),
                events => {
                    let mut bytes = Vec::new();
                    events.iter().for_each(|event| bytes.extend_from_slice(event.frame()));
                    bytes.into()
                }
            };
            // Behind a final event nothing comes that would wake the fan again.
            let is_end = events.last().is_some_and(|event| event.is_final);
            Found { events: events.len() as u64, bytes, is_more: is_end || events.len() == BATCH }
        }
    }
}

#[cfg(test)]
#[path = "fan_tests.rs"]
mod tests;
