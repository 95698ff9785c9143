//! Keeps the leases of this process alive from a thread of its own, so that no amount of work on
//! the other threads can delay a beat; tells documents when they must be let go of.

use crate::stop::{Interruption, Stop};
use futures_util::StreamExt;
use shared::queue::{Beat, Control, Lease, Queue, QueueError, Unit, Worker};
use shared::stage::Stage;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
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
    /// When the work last showed that it goes on.
    moved: Mutex<Instant>,
    /// The slot that the work takes up, until it ends or is given up as hung.
    slot: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Held {
    /// A lease that was just claimed.
    pub fn new(lease: Lease, slot: Option<OwnedSemaphorePermit>) -> Held {
        Held {
            lease,
            state: AtomicU8::new(RUNNING),
            stage: AtomicU8::new(0),
            moved: Mutex::new(Instant::now()),
            slot: Mutex::new(slot),
        }
    }

    /// Fails when the document is to be let go of. Asked between stages and inside long ones.
    ///
    /// # Errors
    /// `Stop::Interrupted` with the reason.
    pub fn proceed(&self) -> Result<(), Stop> {
        self.moves_on();
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

    /// Notes which stage runs.
    pub fn enter(&self, stage: Stage) {
        self.stage.store(stage.number(), Ordering::Relaxed);
        self.moves_on();
    }

    /// Called inside long stages with every piece of work that is done: who is silent for too
    /// long is given up as hung.
    pub fn moves_on(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn silent_for(&self) -> Duration {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
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
    /// Adds a claimed lease with the slot it takes up; both are kept until [`Leases::remove`].
    pub fn add(&self, lease: Lease, slot: OwnedSemaphorePermit) -> Arc<Held> {
        let held = Arc::new(Held::new(lease, Some(slot)));
        self.locked().insert(held.lease.fence, Arc::clone(&held));
        held
    }

    /// Stops keeping a lease alive and frees its slot.
    pub fn remove(&self, held: &Held) {
        self.locked().remove(&held.lease.fence);
        held.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Gives up what has not moved on for `limit`: its lease runs out, another attempt begins
    /// elsewhere, and its slot is free, whatever the hung thread does.
    fn give_up_hung(&self, limit: Duration) {
        for held in self.all().into_iter().filter(|held| held.silent_for() > limit) {
            let stage = held.stage.load(Ordering::Relaxed);
            tracing::error!(
                job.id = %held.lease.job_id, unit = ?held.lease.unit, stage,
                "no progress for {} s: given up as hung", limit.as_secs()
            );
            held.lose();
            self.remove(&held);
        }
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
    stall: Duration,
    stop: CancellationToken,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = beat_forever(&queue, &worker, &leases, stall) => {}
                () = reap_forever(&queue) => {}
                () = scrub_forever(&queue) => {}
                () = obey_forever(&queue, &leases) => {}
                () = stop.cancelled() => {}
            }
        });
    })
}

/// A worker that cannot reach Redis stops its documents before their leases run out: after the
/// lease somebody else may hold them.
async fn beat_forever(queue: &Queue, worker: &Worker, leases: &Leases, stall: Duration) {
    let times = queue.times();
    let fence_after = times.lease.saturating_sub((times.lease / 5).min(Duration::from_secs(2)));
    let mut last_success = Instant::now();
    let mut ticks = tokio::time::interval(times.beat);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        leases.give_up_hung(stall);
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

async fn scrub_forever(queue: &Queue) {
    let period = queue.times().scrub.max(Duration::from_secs(1));
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match queue.scrub().await {
            Ok(0) => {}
            Ok(repairs) => {
                tracing::error!(repairs, "the queue's books were wrong and are repaired")
            }
            Err(error) => tracing::debug!("no scrub: {error}"),
        }
    }
}

/// Cancels at once what the control channel names. Who misses a message learns the same from the
/// next beat.
async fn obey_forever(queue: &Queue, leases: &Leases) {
    loop {
        match queue.controls().await {
            Ok(mut controls) => {
                while let Some(control) = controls.next().await {
                    let Control::Cancel(job) = control else { continue };
                    // The finishing unit is what ends a cancelled job.
                    leases
                        .all()
                        .iter()
                        .filter(|held| held.lease.job_id == job && held.lease.unit != Unit::Finish)
                        .for_each(|held| held.cancel());
                }
            }
            Err(error) => tracing::debug!("no control channel: {error}"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;

    const LEASE: Lease = Lease {
        job_id: uuid::Uuid::nil(),
        unit: Unit::Document { index: 0 },
        fence: 1,
        attempt: 1,
    };

    #[test]
    fn hung_work_loses_its_lease_and_its_slot() {
        let slots = Arc::new(Semaphore::new(1));
        let leases = Leases::default();
        let held = leases.add(LEASE, Arc::clone(&slots).try_acquire_owned().unwrap());
        leases.give_up_hung(Duration::from_secs(60));
        assert!(held.is_running() && slots.available_permits() == 0);
        leases.give_up_hung(Duration::ZERO);
        assert!(matches!(held.proceed(), Err(Stop::Interrupted(Interruption::LeaseLost))));
        assert!(leases.all().is_empty() && slots.available_permits() == 1);
    }

    #[test]
    fn the_strongest_reason_stands() {
        let held = Held::new(LEASE, None);
        assert!(held.proceed().is_ok());
        held.shut_down();
        held.lose();
        held.cancel();
        assert!(matches!(held.proceed(), Err(Stop::Interrupted(Interruption::LeaseLost))));
    }
}
