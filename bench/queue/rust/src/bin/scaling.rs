//! A thousand workers on one Redis: `scaling <redis url> <workers> <seconds> <jobs to submit>`.
//!
//! Runs its share of the workers, each with its own connections, claims, beats and sweeps, and one
//! slot; a document is a sleep of 100 ms to 1 s. After the word of the orchestrator it counts for
//! `seconds` what is done, how long claims take, and how long the workers were asleep.

use queue_bench::fleet::{Leases, beat_and_reap, complete, list, new_worker, submit_listed, work};
use queue_bench::{ready, tell};
use serde_json::json;
use shared::queue::{Claim, Queue, QueueTimes, Task};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the workers of this process did while it counted.
#[derive(Default)]
struct Counts {
    is_counting: AtomicBool,
    documents: Mutex<HashMap<Uuid, u64>>,
    slept_us: Mutex<u64>,
    claims_us: Mutex<Vec<u64>>,
}

impl Counts {
    fn document(&self, job: Uuid, slept: Duration) {
        if self.is_counting.load(Ordering::Relaxed) {
            *locked(&self.documents).entry(job).or_default() += 1;
            *locked(&self.slept_us) += slept.as_micros() as u64;
        }
    }

    fn claim(&self, took: Duration) {
        if self.is_counting.load(Ordering::Relaxed) {
            locked(&self.claims_us).push(took.as_micros() as u64);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 100 ms to 1 s, told by the document: the same for whoever gets it.
fn sleep_of(claim: &Claim) -> Duration {
    let random = Uuid::new_v5(&claim.lease.job_id, &claim.lease.fence.to_le_bytes()).as_u128();
    Duration::from_micros(100_000 + (random % 900_000) as u64)
}

async fn handle(
    counts: Arc<Counts>,
    queue: Queue,
    claim: Claim,
) -> Result<(), shared::queue::QueueError> {
    match claim.task {
        Task::List { .. } => list(&queue, &claim, 0).await,
        Task::Finish { .. } => Ok(()),
        Task::Train { .. } | Task::RecordLost { .. } => {
            let sleep = sleep_of(&claim);
            let start = Instant::now();
            tokio::time::sleep(sleep).await;
            complete(&queue, &claim, sleep).await?;
            counts.document(claim.lease.job_id, start.elapsed().min(sleep));
            Ok(())
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, workers, seconds, jobs] = words.as_slice() else {
        return Err("usage: scaling <redis url> <workers> <seconds> <jobs to submit>".into());
    };
    let (workers, seconds, jobs): (u32, u64, usize) =
        (workers.parse()?, seconds.parse()?, jobs.parse()?);
    if jobs > 0 {
        let queue = Queue::connect(url, QueueTimes::default()).await?;
        submit_listed(&queue, &new_worker(16), jobs, 1_000_000).await?;
    }
    ready()?;
    let counts = Arc::new(Counts::default());
    for _ in 0..workers {
        let worker = new_worker(1);
        let leases = Leases::default();
        let heart = Queue::open(url, QueueTimes::default())?;
        let queue = Queue::open(url, QueueTimes::default())?;
        let (beating, beats) = (worker.clone(), leases.clone());
        tokio::spawn(async move { beat_and_reap(&heart, &beating, &beats).await });
        let (handled, timed) = (Arc::clone(&counts), Arc::clone(&counts));
        let handle = move |queue, claim| handle(Arc::clone(&handled), queue, claim);
        tokio::spawn(work(queue, worker, leases, handle, move |took| timed.claim(took)));
        // Real workers do not start in the same millisecond.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tell(&json!({ "started": true }))?;
    // The next line begins the counting.
    ready()?;
    counts.is_counting.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    counts.is_counting.store(false, Ordering::Relaxed);
    tell(&json!({
        "documents": *locked(&counts.documents),
        "slept_s": *locked(&counts.slept_us) as f64 / 1e6,
        "claims_us": *locked(&counts.claims_us),
    }))?;
    std::process::exit(0)
}
