//! Workers that do the whole of many jobs, each with connections of its own, and never give up.

use crate::support::*;
use shared::event::Event;
use shared::job::JobStatus;
use shared::outcome::Outcome;
use shared::queue::*;
use shared::stage::Stage;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use testkit::{wait_until, within};
use tokio::sync::watch;
use uuid::Uuid;

/// How long a call may be repeated.
const PATIENCE: Duration = Duration::from_secs(120);

/// Stages that a worker publishes of every document.
pub(crate) const PUBLISHED: usize = 2;

/// What the crew has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// Documents counted.
    pub(crate) counted: AtomicU64,
    /// When a claim was begun and answered, and the fence of its unit.
    pub(crate) fences: Mutex<Vec<(Instant, Instant, u64)>>,
}

/// Workers, each on a thread of its own; they stop when dropped.
pub(crate) struct Crew {
    pub(crate) seen: Arc<Seen>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// So many workers. Every job has `documents` documents.
    pub(crate) fn hire(url: &str, times: &QueueTimes, workers: usize, documents: u64) -> Crew {
        let mut crew =
            Crew { seen: Arc::default(), stop: watch::Sender::new(false), threads: Vec::new() };
        for _ in 0..workers {
            let (queue, seen) = (Queue::open(url, times.clone()).unwrap(), Arc::clone(&crew.seen));
            crew.run(async move || work(queue, documents, seen).await);
        }
        let sweeper = Queue::open(url, times.clone()).unwrap();
        crew.run(async move || {
            loop {
                persist(async || sweeper.reap().await).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        crew
    }

    fn run(&mut self, task: impl AsyncFnOnce() + Send + 'static) {
        let mut stopped = self.stop.subscribe();
        self.threads.push(std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = task() => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            });
        }));
    }

    pub(crate) fn counted(&self) -> u64 {
        self.seen.counted.load(Ordering::Relaxed)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        let failed = self.threads.drain(..).any(|thread| thread.join().is_err());
        assert!(!failed || std::thread::panicking(), "a worker found something wrong");
    }
}

async fn work(queue: Queue, documents: u64, seen: Arc<Seen>) {
    let worker = worker();
    loop {
        let (begun, claim_id) = (Instant::now(), Uuid::new_v4());
        let claims = persist(async || queue.claim(&worker, claim_id, 4).await).await;
        if claims.is_empty() {
            let woken = queue.wait_for_work(Duration::from_secs(2)).await;
            assert!(woken.is_ok() || woken.is_err_and(|error| error.is_transient()));
        }
        for claim in claims {
            seen.fences.lock().unwrap().push((begun, Instant::now(), claim.lease.fence));
            do_unit(&queue, &claim, documents, &seen).await;
        }
    }
}

async fn do_unit(queue: &Queue, claim: &Claim, documents: u64, seen: &Seen) {
    let lease = &claim.lease;
    match claim.task {
        Task::List { .. } => {
            persist(async || queue.seal(lease, documents).await).await;
        }
        Task::Finish { .. } => {
            persist(async || queue.finish(lease).await).await;
        }
        Task::Train { .. } | Task::RecordLost { .. } => {
            let document = name_of(lease);
            for (n, stage) in (1..).zip(Stage::ALL.into_iter().take(PUBLISHED)) {
                let body = stage_body(stage, &document);
                persist(async || queue.publish(lease, n, &body).await).await;
            }
            let ending = ending(Outcome::Completed, &document);
            let settled = persist(async || queue.complete(lease, &ending).await).await;
            if settled == Settled::Counted {
                seen.counted.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Repeats a call until it is answered, as workers do.
pub(crate) async fn persist<T>(mut call: impl AsyncFnMut() -> Result<T, QueueError>) -> T {
    let persisted = async {
        loop {
            match call().await {
                Ok(answer) => return answer,
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(PATIENCE, persisted).await
}

/// Waits until all jobs have ended, submitting again what Redis has lost, as their owner does;
/// then checks their logs, which must hold every document once or more and one final event.
pub(crate) async fn see_through(
    queue: &Queue,
    jobs: &[NewJob],
    documents: u64,
    limit: Duration,
) -> Vec<Vec<Event>> {
    wait_until(limit, async || {
        let mut ended = true;
        for job in jobs {
            match persist(async || queue.job(job.id).await).await {
                Some(view) => ended &= view.status.is_final(),
                None => {
                    ended = false;
                    persist(async || queue.submit(job).await).await;
                }
            }
        }
        ended
    })
    .await;
    let mut logs = Vec::new();
    for job in jobs {
        let view = queue.job(job.id).await.unwrap().unwrap();
        assert_eq!(view.status, JobStatus::Completed);
        assert_eq!((view.documents.completed, view.documents.total), (documents, documents));
        logs.push(log_of(queue, job.id).await);
    }
    logs
}
