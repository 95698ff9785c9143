//! The worker process: takes units of work as slots become free, until it is told to stop.

use crate::document::Visit;
use crate::finishing;
use crate::heartbeat::{self, Held, Leases};
use crate::listing;
use crate::services::Services;
use crate::settings::Settings;
use crate::stop::{Interruption, Stop};
use anyhow::Context;
use shared::job::{JobSpec, Location, ManifestEntry};
use shared::queue::{Claim, Queue, QueueError, Settled, Task, Worker};
use shared::trace::child;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stores::{ModelFolder, StoreError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// The longest sleep without a wake-up: lost wake-ups cost no more than this.
const WAKE_TIMEOUT: Duration = Duration::from_secs(2);
/// First and longest pause while Redis or the stores are away.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Units taken in one claim (design: queue.md, 6.2).
const CLAIM_SIZE: usize = 16;

/// Runs a worker until `shutdown` resolves, then lets running documents end within the grace
/// period and gives the others back.
///
/// # Errors
/// A wrong setting: the eviction policy of Redis, a rule file, an unusable data folder. That Redis
/// or a store is away is no error; the worker waits.
pub async fn run(
    settings: Settings,
    model: ModelFolder,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    tokio::pin!(shutdown);
    let opened = tokio::select! {
        opened = open(&settings, &model) => opened?,
        () = &mut shutdown => return Ok(()),
    };
    let Opened { services, worker } = opened;
    let leases = Leases::default();
    let stop_heart = CancellationToken::new();
    let heart_queue = Queue::open(&settings.redis.redis_url, settings.queue.times())?;
    let stall = settings.worker.stall_s;
    let heart =
        heartbeat::start(heart_queue, worker.clone(), leases.clone(), stall, stop_heart.clone())
            .context("heartbeat thread")?;
    tracing::info!(worker = %worker.id, slots = worker.slots, model = services.embedder.is_some(), "worker is ready");

    let tasks = TaskTracker::new();
    let slots = Arc::new(Semaphore::new(worker.slots as usize));
    let stop = CancellationToken::new();
    let claiming = claim_until(&stop, &services, &worker, &slots, &leases, &tasks);
    let told = async {
        shutdown.await;
        tracing::info!("stopping: no new documents");
        stop.cancel();
    };
    // Not a select: a claim in flight is waited for, its units are ours.
    tokio::join!(claiming, told);
    drain(&tasks, &leases, settings.worker.grace_s).await;
    stop_heart.cancel();
    let joined = tokio::task::spawn_blocking(move || heart.join()).await;
    if !matches!(joined, Ok(Ok(()))) {
        tracing::warn!("the heartbeat thread did not end well");
    }
    Ok(())
}

struct Opened {
    services: Arc<Services>,
    worker: Worker,
}

/// Waits for Redis and the stores with back-off.
async fn open(settings: &Settings, model: &ModelFolder) -> anyhow::Result<Opened> {
    let queue = Queue::open(&settings.redis.redis_url, settings.queue.times())?;
    let mut pause = RETRY_PAUSE.0;
    loop {
        match queue.check_policy().await {
            Ok(()) => break,
            Err(error @ QueueError::EvictionPolicy(_)) => return Err(error.into()),
            Err(error) => tracing::warn!("waiting for redis: {error}"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_PAUSE.1);
    }
    let host = shared::settings::host_name();
    let id = Uuid::new_v4();
    let worker = Worker {
        id,
        host: host.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        slots: settings.worker.workers,
    };
    let name = format!("{host}/{}", &id.simple().to_string()[..8]);
    let mut pause = RETRY_PAUSE.0;
    loop {
        let (settings, model) = (settings.clone(), model.clone());
        let (queue, name) = (queue.clone(), name.clone());
        let opened =
            tokio::task::spawn_blocking(move || Services::open(&settings, &model, queue, name))
                .await?;
        match opened {
            Ok(services) => return Ok(Opened { services: Arc::new(services), worker }),
            Err(error) if is_away(&error) => tracing::warn!("waiting for the stores: {error:#}"),
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_PAUSE.1);
    }
}

/// Whether a store may be there later: a volume that is not mounted yet, a locked database.
fn is_away(error: &anyhow::Error) -> bool {
    let store = error.downcast_ref::<StoreError>().is_some_and(StoreError::is_transient);
    store || error.downcast_ref::<std::io::Error>().is_some()
}

async fn claim_until(
    stop: &CancellationToken,
    services: &Arc<Services>,
    worker: &Worker,
    slots: &Arc<Semaphore>,
    leases: &Leases,
    tasks: &TaskTracker,
) {
    let queue = &services.queue;
    while !stop.is_cancelled() {
        // A free slot first: what this process cannot start now, another one should have.
        let first = tokio::select! {
            permit = Arc::clone(slots).acquire_owned() => permit,
            () = stop.cancelled() => return,
        };
        let Ok(first) = first else { return };
        let mut permits = vec![first];
        while permits.len() < CLAIM_SIZE
            && let Ok(permit) = Arc::clone(slots).try_acquire_owned()
        {
            permits.push(permit);
        }
        let claims = claim(stop, queue, worker, permits.len()).await;
        if claims.is_empty() {
            drop(permits);
            tokio::select! {
                woken = queue.wait_for_work(WAKE_TIMEOUT) => if let Err(error) = woken {
                    tracing::warn!("no wake-up: {error}");
                    tokio::time::sleep(RETRY_PAUSE.0).await;
                },
                () = stop.cancelled() => return,
            }
            continue;
        }
        for claim in claims {
            let Some(permit) = permits.pop() else { break };
            let held = leases.add(claim.lease, permit);
            start(Arc::clone(services), claim, held, leases.clone(), tasks);
        }
    }
}

/// Claims units; the same claim id until Redis answers, so that a lost reply leaks no lease.
async fn claim(
    stop: &CancellationToken,
    queue: &Queue,
    worker: &Worker,
    slots: usize,
) -> Vec<Claim> {
    let claim_id = Uuid::new_v4();
    let mut pause = RETRY_PAUSE.0;
    loop {
        match queue.claim(worker, claim_id, slots).await {
            Ok(claims) => return claims,
            Err(error) => tracing::warn!("no claim: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(RETRY_PAUSE.1),
            () = stop.cancelled() => return Vec::new(),
        }
    }
}

fn start(
    services: Arc<Services>,
    claim: Claim,
    held: Arc<Held>,
    leases: Leases,
    tasks: &TaskTracker,
) {
    tasks.spawn_blocking(move || {
        let _slot = Slot { leases, held: Arc::clone(&held) };
        let (trace, span) = claim.traceparent.as_deref().and_then(child).unzip();
        let (job, attempt) = (claim.lease.job_id, claim.lease.attempt);
        let span = tracing::info_span!(
            "attempt", job.id = %job, attempt, unit = ?claim.lease.unit,
            trace.id = trace, span.id = span
        );
        let _entered = span.enter();
        work(&services, &claim, &held);
    });
}

/// A taken slot. Dropped in a panic, too: then the lease is no longer kept alive and another
/// worker takes the unit over.
struct Slot {
    leases: Leases,
    held: Arc<Held>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.leases.remove(&self.held);
    }
}

fn work(services: &Services, claim: &Claim, held: &Held) {
    match &claim.task {
        Task::Train { index, last_attempt } => {
            visit(services, claim, held, *index, *last_attempt, |visit| visit.train());
        }
        Task::RecordLost { index } => {
            visit(services, claim, held, *index, true, |visit| visit.record_lost());
        }
        Task::List { .. } => {
            let listed = read_job(services, claim.lease.job_id)
                .and_then(|job| listing::list(services, &job, held));
            settle_unit(services, claim, listed, |total| {
                services.wait(services.queue.seal(&claim.lease, total))
            });
        }
        Task::Finish { verdict, error } => {
            let written = read_job(services, claim.lease.job_id).and_then(|job| {
                finishing::write_report(services, &job, *verdict, error.as_deref())
            });
            settle_unit(services, claim, written, |()| {
                services.wait(services.queue.finish(&claim.lease))
            });
        }
    }
}

fn visit(
    services: &Services,
    claim: &Claim,
    held: &Held,
    index: u64,
    last_attempt: bool,
    run: impl FnOnce(&Visit<'_>),
) {
    let manifest = services.manifest(claim.lease.job_id);
    let started = Instant::now();
    let entry = services.wait(manifest.get(index));
    let visit = |entry| Visit { services, claim, held, last_attempt, entry, started };
    match entry {
        Ok(entry) => run(&visit(entry)),
        Err(error) => visit(unread_entry(index)).fail(Stop::store(error)),
    }
}

/// Stands for a manifest line that could not be read.
fn unread_entry(index: u64) -> ManifestEntry {
    ManifestEntry {
        index,
        document_id: Uuid::nil(),
        name: format!("документ {index}"),
        path: String::new(),
        location: Location::Blob(String::new()),
        size: 0,
        refused: None,
    }
}

fn read_job(services: &Services, id: Uuid) -> Result<JobSpec, Stop> {
    let job = services.wait(services.blobs.read_job(id)).map_err(Stop::from_store)?;
    job.ok_or_else(|| Stop::store(format!("нет записи о задаче {id}")))
}

/// Ends a listing or finishing unit.
fn settle_unit<T>(
    services: &Services,
    claim: &Claim,
    result: Result<T, Stop>,
    done: impl Fn(T) -> Result<Settled, QueueError>,
) where
    T: Copy,
{
    let lease = &claim.lease;
    let queue = &services.queue;
    let tell = || match &result {
        Ok(value) => done(*value).map(drop),
        Err(Stop::Permanent { message, .. }) if matches!(claim.task, Task::List { .. }) => {
            services.wait(queue.abort(lease, message)).map(drop)
        }
        Err(Stop::Interrupted(Interruption::LeaseLost)) => Ok(()),
        Err(Stop::Interrupted(_)) => services.wait(queue.release(lease)).map(drop),
        Err(
            Stop::Permanent { message, .. }
            | Stop::Transient { message, .. }
            | Stop::Skipped { message, .. },
        ) => {
            tracing::warn!(job.id = %lease.job_id, "will be tried again: {message}");
            services.wait(queue.postpone(lease, message)).map(drop)
        }
    };
    // The lease runs out if Redis stays away, and another worker takes the unit over.
    for _ in 0..50 {
        match tell() {
            Ok(()) => return,
            Err(error) => tracing::warn!(job.id = %lease.job_id, "unit not settled yet: {error}"),
        }
        std::thread::sleep(RETRY_PAUSE.0);
    }
}

async fn drain(tasks: &TaskTracker, leases: &Leases, grace: Duration) {
    tasks.close();
    if tokio::time::timeout(grace, tasks.wait()).await.is_ok() {
        return;
    }
    let held = leases.all();
    tracing::info!(documents = held.len(), "giving unfinished documents back");
    held.iter().for_each(|held| held.shut_down());
    if tokio::time::timeout(Duration::from_secs(5), tasks.wait()).await.is_err() {
        tracing::warn!("some documents did not let go; their leases will run out");
    }
}
