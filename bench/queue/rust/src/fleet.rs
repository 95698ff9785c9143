//! Our queue as the real worker uses it: a loop that claims as many units as there are free slots,
//! a task per unit, a heartbeat on a thread of its own.

use shared::job::Priority;
use shared::outcome::Outcome;
use shared::queue::{Claim, DocumentName, Ending, NewJob, Queue, QueueError, Task, Unit, Worker};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The longest sleep without a wake-up, as in the real worker.
const WAKE_TIMEOUT: Duration = Duration::from_secs(2);
const CLAIM_SIZE: usize = 16;
/// Documents that the lister announces at once.
const PART: u64 = 1000;

/// Leases held now, by fence; the heartbeat keeps them alive.
#[derive(Clone, Default)]
pub struct Leases(Arc<Mutex<HashMap<u64, shared::queue::Lease>>>);

impl Leases {
    fn add(&self, lease: shared::queue::Lease) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lease.fence, lease);
    }

    fn remove(&self, fence: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&fence);
    }

    fn all(&self) -> Vec<shared::queue::Lease> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }
}

/// A worker with this many slots.
pub fn new_worker(slots: u32) -> Worker {
    Worker { id: Uuid::new_v4(), host: "bench".into(), version: "0".into(), slots }
}

/// A job of default priority.
pub fn new_job() -> NewJob {
    NewJob {
        id: Uuid::now_v7(),
        collection: "default".into(),
        priority: Priority::Normal,
        force: false,
        request_hash: "hash".into(),
        retry_of: None,
        created_at: time::OffsetDateTime::now_utc(),
        max_inflight: None,
        max_failed: None,
        traceparent: None,
    }
}

/// Submits jobs of equal size and lists them; nothing else may be claimable. All are listed
/// before the first has documents to give out, so that none is ahead.
pub async fn submit_listed(
    queue: &Queue,
    worker: &Worker,
    jobs: usize,
    documents: u64,
) -> Result<Vec<Uuid>, QueueError> {
    let mut ids = Vec::new();
    for _ in 0..jobs {
        let job = new_job();
        queue.submit(&job).await?;
        ids.push(job.id);
    }
    let mut listings = Vec::new();
    while listings.len() < jobs {
        listings.extend(queue.claim(worker, Uuid::new_v4(), jobs - listings.len()).await?);
    }
    for claim in &listings {
        list(queue, claim, documents).await?;
    }
    Ok(ids)
}

/// The lister's part: announces the documents in parts, then seals.
pub async fn list(queue: &Queue, claim: &Claim, documents: u64) -> Result<(), QueueError> {
    let mut listed = PART;
    while listed < documents {
        queue.extend(&claim.lease, listed, "").await?;
        listed += PART;
    }
    queue.seal(&claim.lease, documents).await.map(drop)
}

/// Completes a document with an event as the real worker's.
pub async fn complete(queue: &Queue, claim: &Claim, took: Duration) -> Result<(), QueueError> {
    let Unit::Document { index } = claim.lease.unit else { return Ok(()) };
    let (of_job, _) = claim.lease.job_id.as_u64_pair();
    let document = DocumentName {
        id: Uuid::from_u64_pair(of_job, index),
        name: format!("Смета {index}.pdf"),
    };
    let ending = Ending {
        document: &document,
        outcome: Outcome::Completed,
        code: None,
        message: None,
        log: format!("✅ {}: обучен", document.name),
        duration: took,
        cost: took,
        worker: "bench",
    };
    queue.complete(&claim.lease, &ending).await.map(drop)
}

/// Keeps the leases alive and takes expired ones back, on a thread and connections of its own.
pub fn start_heartbeat(url: &str, worker: &Worker, leases: &Leases) -> Result<(), String> {
    let queue = Queue::open(url, Default::default()).map_err(|error| error.to_string())?;
    let (worker, leases) = (worker.clone(), leases.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    std::thread::spawn(move || runtime.block_on(beat_and_reap(&queue, &worker, &leases)));
    Ok(())
}

/// The heartbeat's loop.
pub async fn beat_and_reap(queue: &Queue, worker: &Worker, leases: &Leases) {
    let mut beats = tokio::time::interval(queue.times().beat);
    let mut sweeps = tokio::time::interval(queue.times().reap);
    loop {
        let result = tokio::select! {
            _ = beats.tick() => queue.beat(worker, &leases.all()).await.map(drop),
            _ = sweeps.tick() => queue.reap().await.map(drop),
        };
        if let Err(error) = result {
            eprintln!("no heartbeat: {error}");
        }
    }
}

/// Takes units as slots become free, for ever. `handle` works on a unit and settles it;
/// `claimed` is told how long every claim that brought something took.
pub async fn work<H, F>(
    queue: Queue,
    worker: Worker,
    leases: Leases,
    handle: H,
    claimed: impl Fn(Duration),
) where
    H: Fn(Queue, Claim) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), QueueError>> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(worker.slots as usize));
    let handle = Arc::new(handle);
    loop {
        let Ok(first) = Arc::clone(&slots).acquire_owned().await else { return };
        let mut permits = vec![first];
        while permits.len() < CLAIM_SIZE
            && let Ok(permit) = Arc::clone(&slots).try_acquire_owned()
        {
            permits.push(permit);
        }
        let asked = Instant::now();
        let claims = match queue.claim(&worker, Uuid::new_v4(), permits.len()).await {
            Ok(claims) => claims,
            Err(error) => {
                eprintln!("no claim: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        if claims.is_empty() {
            drop(permits);
            if let Err(error) = queue.wait_for_work(WAKE_TIMEOUT).await {
                eprintln!("no wake-up: {error}");
            }
            continue;
        }
        claimed(asked.elapsed());
        for claim in claims {
            let Some(permit) = permits.pop() else { break };
            leases.add(claim.lease);
            let (queue, leases, handle) = (queue.clone(), leases.clone(), Arc::clone(&handle));
            tokio::spawn(async move {
                let fence = claim.lease.fence;
                let result = match claim.task {
                    Task::Finish { .. } => {
                        handle(queue.clone(), claim.clone()).await.ok();
                        queue.finish(&claim.lease).await.map(drop)
                    }
                    _ => handle(queue, claim).await,
                };
                if let Err(error) = result {
                    eprintln!("not settled: {error}");
                }
                leases.remove(fence);
                drop(permit);
            });
        }
    }
}
