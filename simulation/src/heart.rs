//! The heartbeat of simulated workers, on a thread that documents cannot block, and the leases
//! that it keeps alive.

use shared::queue::{Beat, Lease, Queue, Worker};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

/// Whether a unit may be worked on. The greater one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Go on.
    Running,
    /// The process goes down: give it back.
    ShutDown,
    /// The job is being cancelled.
    Cancelled,
    /// Somebody else has it, or may have it soon.
    Lost,
}

/// A unit that this process holds.
#[derive(Debug)]
pub struct Held {
    /// The right to it.
    pub lease: Lease,
    standing: watch::Sender<Standing>,
}

impl Held {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// Makes it stop for a reason; a stronger one replaces a weaker one.
    pub fn stop(&self, reason: Standing) {
        self.standing.send_if_modified(|standing| {
            let is_stronger = reason > *standing;
            *standing = reason.max(*standing);
            is_stronger
        });
    }

    /// Waits until it is to be let go of.
    pub async fn stopped(&self) -> Standing {
        let mut changes = self.standing.subscribe();
        match changes.wait_for(|standing| *standing > Standing::Running).await {
            Ok(standing) => *standing,
            Err(_closed) => Standing::Lost,
        }
    }
}

/// All leases of one worker.
#[derive(Clone, Debug, Default)]
pub struct Leases(Arc<Mutex<HashMap<u64, Arc<Held>>>>);

impl Leases {
    /// Keeps a lease alive until it is removed.
    pub fn add(&self, lease: Lease) -> Arc<Held> {
        let held = Arc::new(Held { lease, standing: watch::Sender::new(Standing::Running) });
        self.locked().insert(lease.fence, Arc::clone(&held));
        held
    }

    /// Keeps it alive no longer.
    pub fn remove(&self, held: &Held) {
        self.locked().remove(&held.lease.fence);
    }

    /// All that are held now.
    pub fn all(&self) -> Vec<Arc<Held>> {
        self.locked().values().cloned().collect()
    }

    /// Tells the units of a job to stop; its finishing unit is what ends it.
    pub fn cancel(&self, job_id: Uuid) {
        for held in self.all() {
            if held.lease.job_id == job_id && held.lease.unit != shared::queue::Unit::Finish {
                held.stop(Standing::Cancelled);
            }
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Beats and sweeps for the workers of this process until `stop` resolves, on a thread of its own.
pub fn start(
    workers: Vec<(Queue, Worker, Leases)>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
        runtime.block_on(async {
            for (queue, worker, leases) in workers {
                tokio::spawn(sweep_forever(queue.clone()));
                tokio::spawn(async move { beat_forever(&queue, &worker, &leases).await });
            }
            stop.await;
        });
    })
}

/// A worker that cannot reach Redis lets go before its leases run out.
async fn beat_forever(queue: &Queue, worker: &Worker, leases: &Leases) {
    let times = queue.times();
    let limit = times.lease - (times.lease / 5).min(Duration::from_secs(2));
    let mut last_success = Instant::now();
    let mut ticks = tokio::time::interval(times.beat);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let held = leases.all();
        let list: Vec<Lease> = held.iter().map(|held| held.lease).collect();
        let sent = Instant::now();
        match tokio::time::timeout(times.beat, queue.beat(worker, &list)).await {
            Ok(Ok(beats)) => {
                last_success = sent;
                for (held, beat) in held.iter().zip(beats) {
                    match beat {
                        Beat::Held | Beat::Paused => {}
                        Beat::Cancelled => held.stop(Standing::Cancelled),
                        Beat::Lost => held.stop(Standing::Lost),
                    }
                }
                continue;
            }
            Ok(Err(error)) => println!("error: beat: {error}"),
            Err(_elapsed) => println!("error: beat: no answer"),
        }
        if last_success.elapsed() + times.beat >= limit {
            held.iter().for_each(|held| held.stop(Standing::Lost));
        }
    }
}

async fn sweep_forever(queue: Queue) {
    let mut ticks = tokio::time::interval(queue.times().reap);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = queue.reap().await {
            println!("error: sweep: {error}");
        }
    }
}
