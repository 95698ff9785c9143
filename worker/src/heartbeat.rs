//! Keeps the leases of this process alive from a thread of its own, so that no amount of work on
//! the other threads can delay a beat; tells documents when they must be let go of.

use crate::stop::{Interruption, Stop};
use shared::queue::{Beat, Lease, Queue, QueueError, Worker};
use shared::stage::Stage;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const RUNNING: u8 = 0;
const SHUTDOWN: u8 = 1;
const CANCELLED: u8 = 2;
const LOST: u8 = 3;

/// A lease held by this process.
#[derive(Debug)]
pub struct Held {
    /// The lease.
    pub lease: Lease,
    state: AtomicU8,
    stage: AtomicU8,
}

impl Held {
    /// A lease that was just claimed.
    pub fn new(lease: Lease) -> Held {
        Held { lease, state: AtomicU8::new(RUNNING), stage: AtomicU8::new(0) }
    }

    /// Fails when the document is to be let go of. Asked between stages and inside long ones.
    ///
    /// # Errors
    /// `Stop::Interrupted` with the reason.
    pub fn proceed(&self) -> Result<(), Stop> {
        match self.state.load(Ordering::Acquire) {
            RUNNING => Ok(()),
            SHUTDOWN => Err(Stop::Interrupted(Interruption::Shutdown)),
            CANCELLED => Err(Stop::Interrupted(Interruption::Cancelled)),
            _ => Err(Stop::Interrupted(Interruption::LeaseLost)),
        }
    }

    /// Whether the work may go on.
    pub fn is_running(&self) -> bool {
        self.state.load(Ordering::Acquire) == RUNNING
    }

    /// The job was cancelled.
    pub fn cancel(&self) {
        self.raise(CANCELLED);
    }

    /// The lease belongs to somebody else.
    pub fn lose(&self) {
        self.raise(LOST);
    }

    /// The process is going down.
    pub fn shut_down(&self) {
        self.raise(SHUTDOWN);
    }

    /// Notes which stage runs, for the log of a lost worker.
    pub fn enter(&self, stage: Stage) {
        self.stage.store(stage.number(), Ordering::Relaxed);
    }

    /// A stronger reason replaces a weaker one, never the other way round.
    fn raise(&self, state: u8) {
        self.state.fetch_max(state, Ordering::AcqRel);
    }
}

/// All leases of this process.
#[derive(Clone, Debug, Default)]
pub struct Leases(Arc<Mutex<HashMap<u64, Arc<Held>>>>);

impl Leases {
    /// Adds a claimed lease; it is kept alive until [`Leases::remove`].
    pub fn add(&self, lease: Lease) -> Arc<Held> {
        let held = Arc::new(Held::new(lease));
        self.locked().insert(held.lease.fence, Arc::clone(&held));
        held
    }

    /// Stops keeping a lease alive.
    pub fn remove(&self, held: &Held) {
        self.locked().remove(&held.lease.fence);
    }

    /// All leases now held.
    pub fn all(&self) -> Vec<Arc<Held>> {
        self.locked().values().cloned().collect()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the heartbeat's thread. It ends when `stop` is cancelled.
///
/// # Errors
/// The thread or its runtime cannot be made.
pub fn start(
    queue: Queue,
    worker: Worker,
    leases: Leases,
    stop: CancellationToken,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = beat_forever(&queue, &worker, &leases) => {}
                () = reap_forever(&queue) => {}
                () = stop.cancelled() => {}
            }
        });
    })
}

/// A worker that cannot reach Redis stops its documents before their leases run out: after the
/// lease somebody else may hold them.
async fn beat_forever(queue: &Queue, worker: &Worker, leases: &Leases) {
    let times = queue.times();
    let fence_after = times.lease.saturating_sub((times.lease / 5).min(Duration::from_secs(2)));
    let mut last_success = Instant::now();
    let mut ticks = tokio::time::interval(times.beat);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let held = leases.all();
        let list: Vec<Lease> = held.iter().map(|held| held.lease).collect();
        let sent = Instant::now();
        let answer = tokio::time::timeout(times.beat, queue.beat(worker, &list)).await;
        match answer {
            Ok(Ok(beats)) => {
                last_success = sent;
                for (held, beat) in held.iter().zip(beats) {
                    match beat {
                        Beat::Held | Beat::Paused => {}
                        Beat::Cancelled => held.cancel(),
                        Beat::Lost => held.lose(),
                    }
                }
                continue;
            }
            Ok(Err(error)) => tracing::warn!("no heartbeat: {error}"),
            Err(_elapsed) => tracing::warn!("no heartbeat: redis does not answer"),
        }
        if last_success.elapsed() + times.beat >= fence_after {
            // The next look would come too late. Leases claimed since the last beat are younger than this silence, but a worker
            // that cannot beat should not work on them either.
            held.iter().for_each(|held| held.lose());
        }
    }
}

async fn reap_forever(queue: &Queue) {
    let mut ticks = tokio::time::interval(queue.times().reap);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match queue.reap().await {
            Ok(reaped) if reaped.expired > 0 => {
                tracing::info!(expired = reaped.expired, "took leases of silent workers back");
            }
            Ok(_) => {}
            Err(QueueError::Redis(error)) => tracing::debug!("no sweep: {error}"),
            Err(error) => tracing::warn!("no sweep: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::queue::Unit;

    #[test]
    fn the_strongest_reason_stands() {
        let lease = Lease {
            job_id: uuid::Uuid::nil(),
            unit: Unit::Document { index: 0 },
            fence: 1,
            attempt: 1,
        };
        let held = Held::new(lease);
        assert!(held.proceed().is_ok());
        held.shut_down();
        held.lose();
        held.cancel();
        assert!(matches!(held.proceed(), Err(Stop::Interrupted(Interruption::LeaseLost))));
    }
}
