//! The simulated worker: takes units as slots become free, until it is told to stop.

use crate::arguments::Arguments;
use crate::heart::{self, Held, Leases, Standing};
use crate::ledger::{Kind, Ledger};
use futures_util::StreamExt;
use shared::outcome::{Code, Outcome};
use shared::queue::*;
use shared::stage::Stage;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// The collection of a job that a simulated worker lists as so many documents.
pub fn collection(documents: u64) -> String {
    format!("simulated-{documents}")
}

/// The number in such a name.
pub(crate) fn documents(collection: &str) -> u64 {
    collection.strip_prefix("simulated-").and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Runs the workers of this process until `shutdown` resolves; then running documents have the
/// grace time to end and the others are given back.
///
/// # Errors
/// An address of Redis that is none; a heartbeat that cannot be started.
pub async fn run(
    arguments: Arguments,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arc::new(arguments);
    let (stop, stop_heart) = (CancellationToken::new(), CancellationToken::new());
    let tasks = TaskTracker::new();
    let (mut simulated, mut hearts) = (Vec::new(), Vec::new());
    for _ in 0..arguments.workers {
        let worker = Simulated::open(&arguments, &stop, &tasks)?;
        let heart = Queue::open(&arguments.redis.redis_url, arguments.queue.times())?;
        hearts.push((heart, worker.worker.clone(), worker.leases.clone()));
        simulated.push(worker);
    }
    let heart = heart::start(hearts, stop_heart.clone().cancelled_owned())?;
    let leases: Vec<Leases> = simulated.iter().map(|worker| worker.leases.clone()).collect();
    let claiming =
        futures_util::future::join_all(simulated.into_iter().map(Simulated::claim_until_told));
    let told = async {
        shutdown.await;
        stop.cancel();
    };
    // Not a select: a claim in flight is waited for, its units are ours.
    tokio::join!(claiming, told);
    tasks.close();
    let grace = Duration::from_millis(arguments.grace_ms);
    if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
        leases.iter().flat_map(Leases::all).for_each(|held| held.stop(Standing::ShutDown));
        tasks.wait().await;
    }
    stop_heart.cancel();
    heart.join().map_err(|_| "the heartbeat panicked".into())
}

/// One worker of the process.
#[derive(Clone)]
struct Simulated {
    arguments: Arc<Arguments>,
    queue: Queue,
    worker: Worker,
    leases: Leases,
    ledger: Option<Ledger>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Simulated {
    fn open(
        arguments: &Arc<Arguments>,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Simulated, QueueError> {
        let worker = Worker {
            id: Uuid::new_v4(),
            host: arguments.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            slots: arguments.slots,
        };
        Ok(Simulated {
            arguments: Arc::clone(arguments),
            queue: Queue::open(&arguments.redis.redis_url, arguments.queue.times())?,
            worker,
            leases: Leases::default(),
            ledger: arguments.ledger.clone().map(Ledger::new),
            stop: stop.clone(),
            tasks: tasks.clone(),
        })
    }

    async fn claim_until_told(self) {
        if !self.arguments.deaf {
            tokio::spawn(self.clone().listen());
        }
        let slots = Arc::new(Semaphore::new(self.arguments.slots as usize));
        while !self.stop.is_cancelled() {
            let first = tokio::select! {
                permit = Arc::clone(&slots).acquire_owned() => permit,
                () = self.stop.cancelled() => return,
            };
            let Ok(first) = first else { return };
            let mut permits = vec![first];
            while permits.len() < 16
                && let Ok(permit) = Arc::clone(&slots).try_acquire_owned()
            {
                permits.push(permit);
            }
            let claim_id = Uuid::new_v4();
            let claims = self
                .repeated(
                    "claim",
                    || self.queue.claim(&self.worker, claim_id, permits.len()),
                    || self.stop.is_cancelled(),
                )
                .await
                .unwrap_or_default();
            if claims.is_empty() {
                drop(permits);
                tokio::select! {
                    woken = self.queue.wait_for_work(Duration::from_secs(2)) => if woken.is_err() {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    },
                    () = self.stop.cancelled() => return,
                }
                continue;
            }
            for (claim, permit) in claims.into_iter().zip(permits) {
                let held = self.leases.add(claim.lease);
                self.tasks.spawn(self.clone().work(claim, held, permit));
            }
        }
    }

    async fn listen(self) {
        loop {
            if let Ok(mut controls) = self.queue.controls().await {
                while let Some(control) = controls.next().await {
                    if let Control::Cancel(job_id) = control {
                        self.leases.cancel(job_id);
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn work(self, claim: Claim, held: Arc<Held>, _slot: OwnedSemaphorePermit) {
        self.note(&claim.lease, Kind::Started);
        let settled = match claim.task {
            Task::List { total, .. } => self.list(&claim, total, &held).await,
            Task::Train { index, .. } => self.train(&claim, index, &held).await,
            Task::RecordLost { index } => {
                self.complete(&claim.lease, index, Outcome::Failed, Duration::ZERO, &held).await
            }
            Task::Finish { .. } => {
                self.apply(&claim.lease);
                self.until_lost("finish", &held, || self.queue.finish(&claim.lease)).await
            }
        };
        match settled {
            Some(Settled::Counted | Settled::Already) => self.note(&claim.lease, Kind::Counted),
            Some(Settled::Lost) => self.note(&claim.lease, Kind::Lost),
            None => {}
        }
        self.leases.remove(&held);
    }

    /// Lists the job in two steps, as many documents as its collection names.
    async fn list(&self, claim: &Claim, known: u64, held: &Held) -> Option<Settled> {
        let (lease, total) = (&claim.lease, documents(&claim.collection));
        let half = known.max(total / 2);
        let extended =
            self.until_lost("extend", held, || self.queue.extend(lease, half, "half")).await;
        match extended {
            Some(Listing::Held) => {}
            Some(Listing::Cancelled) => return self.give_back(lease, held).await,
            Some(Listing::Lost) => return Some(Settled::Lost),
            None => return self.let_go(lease, held).await,
        }
        self.until_lost("seal", held, || self.queue.seal(lease, total)).await
    }

    async fn train(&self, claim: &Claim, index: u64, held: &Held) -> Option<Settled> {
        let (lease, arguments) = (&claim.lease, &self.arguments);
        if arguments.abort_on == Some(index) {
            std::process::abort();
        }
        let start = Instant::now();
        if arguments.hold == Some(index) && lease.attempt == 1 {
            held.stopped().await;
        }
        let document = document_of(lease, index);
        for (n, stage) in (1..).zip(Stage::ALL.into_iter().take(usize::from(arguments.stages))) {
            self.spend(arguments.stage_time(), held).await;
            if held.standing() > Standing::Running && !arguments.stubborn {
                return self.let_go(lease, held).await;
            }
            let body = StageBody {
                stage,
                details: "",
                duration: arguments.stage_time(),
                document: &document,
                worker: &arguments.name,
            };
            let told =
                self.until_lost("publish", held, || self.queue.publish(lease, n, &body)).await;
            match told {
                Some(Published::Accepted) => {}
                Some(Published::Cancelled) => held.stop(Standing::Cancelled),
                Some(Published::Lost) => held.stop(Standing::Lost),
                None if !arguments.stubborn => return self.let_go(lease, held).await,
                None => {}
            }
        }
        if arguments.stages == 0 {
            self.spend(arguments.stage_time(), held).await;
        }
        if held.standing() > Standing::Running && !arguments.stubborn {
            return self.let_go(lease, held).await;
        }
        self.apply(lease);
        if arguments.hold_counting == Some(index) && lease.attempt == 1 {
            held.stopped().await;
        }
        self.complete(lease, index, Outcome::Completed, start.elapsed(), held).await
    }

    /// What a stage costs: sleep that can be interrupted, or a thread that nobody else gets.
    async fn spend(&self, time: Duration, held: &Held) {
        if self.arguments.blocking {
            std::thread::sleep(time);
        } else if self.arguments.stubborn {
            tokio::time::sleep(time).await;
        } else {
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                _ = held.stopped() => {}
            }
        }
    }

    async fn let_go(&self, lease: &Lease, held: &Held) -> Option<Settled> {
        match held.standing() {
            Standing::ShutDown | Standing::Cancelled => self.give_back(lease, held).await,
            Standing::Lost | Standing::Running => {
                self.note(lease, Kind::Stopped);
                None
            }
        }
    }

    /// Answers only when it was too late for that.
    async fn give_back(&self, lease: &Lease, held: &Held) -> Option<Settled> {
        self.note(lease, Kind::Released);
        let released = self.until_lost("release", held, || self.queue.release(lease)).await;
        released.filter(|settled| *settled == Settled::Lost)
    }

    async fn complete(
        &self,
        lease: &Lease,
        index: u64,
        outcome: Outcome,
        duration: Duration,
        held: &Held,
    ) -> Option<Settled> {
        let document = document_of(lease, index);
        let lost = outcome == Outcome::Failed;
        let ending = Ending {
            document: &document,
            outcome,
            code: lost.then_some(Code::WorkerLost),
            message: None,
            log: outcome.name().to_owned(),
            duration,
            cost: duration,
            worker: &self.arguments.name,
        };
        self.until_lost("complete", held, || self.queue.complete(lease, &ending)).await
    }

    /// Repeats a call until it is answered or the lease is lost.
    async fn until_lost<T, F: Future<Output = Result<T, QueueError>>>(
        &self,
        what: &str,
        held: &Held,
        call: impl Fn() -> F,
    ) -> Option<T> {
        self.repeated(what, call, || held.standing() == Standing::Lost).await
    }

    async fn repeated<T, F: Future<Output = Result<T, QueueError>>>(
        &self,
        what: &str,
        call: impl Fn() -> F,
        given_up: impl Fn() -> bool,
    ) -> Option<T> {
        loop {
            match call().await {
                Ok(answer) => return Some(answer),
                Err(error) => println!("error: {what}: {error}"),
            }
            if given_up() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn apply(&self, lease: &Lease) {
        self.write(|ledger| ledger.apply(lease, &self.arguments.name).map(drop));
    }

    fn note(&self, lease: &Lease, kind: Kind) {
        self.write(|ledger| ledger.note(lease, kind, &self.arguments.name));
    }

    /// A worker without its oracle proves nothing: it ends.
    fn write(&self, change: impl FnOnce(&Ledger) -> std::io::Result<()>) {
        let Some(ledger) = &self.ledger else { return };
        if let Err(error) = change(ledger) {
            eprintln!("no ledger: {error}");
            std::process::exit(1);
        }
    }
}

fn document_of(lease: &Lease, index: u64) -> DocumentName {
    let id = Uuid::from_u64_pair(lease.job_id.as_u64_pair().1, index);
    DocumentName { id, name: format!("документ {index}") }
}
