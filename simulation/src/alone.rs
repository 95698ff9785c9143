//! What every script costs, measured so that a busy machine does not count.
//!
//! `SLOWLOG` counts wall time: it goes on while the machine runs something else. So one client makes
//! the same calls one after the other, three times, each time on a Redis of its own. What a call
//! costs is the least of its three times: whoever was interrupted in all three, at the very same
//! call, was not interrupted but slow.

use crate::fleet::new_job;
use crate::scripts::{log_every_command, names, take_slowlog};
use shared::outcome::Outcome;
use shared::queue::*;
use shared::stage::Stage;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::time::Duration;
use testkit::RedisServer;
use uuid::Uuid;

/// How often the calls are made.
const ROUNDS: usize = 3;
/// The largest page of events that anybody may ask for.
pub(crate) const EVENTS_READ: usize = 1000;
/// Claims of a round, of up to 16 units each.
const TURNS: u64 = 250;

/// The times of the scripts by name, in the order of their calls; prints as a table.
#[derive(Clone, Debug, Default)]
pub struct Costs(BTreeMap<String, Vec<Duration>>);

impl Costs {
    /// The dearest call of each script.
    pub fn dearest(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.0.iter().filter_map(|(name, costs)| Some((name.as_str(), *costs.iter().max()?)))
    }

    /// Call by call the lesser time. A call that is in only one of them was not repeated.
    fn least(self, mut other: Costs) -> Costs {
        let both = self.0.into_iter().filter_map(|(name, costs)| {
            let others = other.0.remove(&name)?;
            let least = costs.into_iter().zip(others).map(|(one, other)| one.min(other)).collect();
            Some((name, least))
        });
        Costs(both.collect())
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, calls, median, p99, most] = ["script, ms", "calls", "median", "p99", "most"];
        writeln!(out, "{name:<12}{calls:>9}{median:>9}{p99:>9}{most:>9}")?;
        for (name, costs) in &self.0 {
            let mut costs = costs.clone();
            costs.sort_unstable();
            let calls = costs.len();
            let [median, p99, most] = [calls / 2, calls * 99 / 100, calls - 1]
                .map(|place| costs[place].as_secs_f64() * 1000.0);
            writeln!(out, "{name:<12}{calls:>9}{median:>9.3}{p99:>9.3}{most:>9.3}")?;
        }
        Ok(())
    }
}

/// Takes down what the scripts of each call took.
struct Meter {
    connection: redis::Connection,
    names: HashMap<String, String>,
    costs: Costs,
}

impl Meter {
    async fn of<T>(&mut self, call: impl Future<Output = Result<T, QueueError>>) -> T {
        let answer = call.await.expect("redis answers");
        for (function, micros) in take_slowlog(&mut self.connection) {
            let name = self.names.get(&function).unwrap_or(&function).clone();
            self.costs.0.entry(name).or_default().push(Duration::from_micros(micros));
        }
        answer
    }
}

/// Everything that happens to jobs, while so many of one document and two of ten times as many are
/// open.
pub async fn costs(jobs: u64) -> Costs {
    let mut costs = round(jobs).await;
    for _ in 1..ROUNDS {
        costs = costs.least(round(jobs).await);
    }
    costs
}

async fn round(jobs: u64) -> Costs {
    let redis = RedisServer::start();
    let usual = QueueTimes {
        backoff: Duration::ZERO,
        crash_delay: Duration::ZERO,
        scrub: Duration::ZERO,
        max_open_jobs: jobs + 10,
        ..QueueTimes::default()
    };
    // Its leases run out at once.
    let hasty = QueueTimes { lease: Duration::from_millis(1), ..usual.clone() };
    let open = |times| Queue::open(&redis.url(), times).expect("an address is a valid URL");
    let (queue, hasty) = (open(usual), open(hasty));
    let (worker, dying) = (new_worker(), new_worker());
    let mut connection = redis.connection();
    log_every_command(&mut connection);
    let mut meter = Meter { connection, names: names(), costs: Costs::default() };
    let mut settled = 0;
    // One with a history of more than a page.
    let told = new_job(400);
    meter.of(queue.submit(&told)).await;
    loop {
        let claims = meter.of(queue.claim(&worker, Uuid::new_v4(), 16)).await;
        if claims.is_empty() {
            break;
        }
        for claim in &claims {
            settled += 1;
            work(&mut meter, &queue, claim, settled).await;
        }
    }
    let (large, unwanted) = (new_job(10 * jobs), new_job(10 * jobs));
    for job in [&large, &unwanted] {
        meter.of(queue.submit(job)).await;
    }
    for _ in 0..jobs {
        meter.of(queue.submit(&new_job(1))).await;
    }
    for turn in 1..=TURNS {
        let claims = meter.of(queue.claim(&worker, Uuid::new_v4(), 16)).await;
        let leases: Vec<Lease> = claims.iter().map(|claim| claim.lease).collect();
        meter.of(queue.beat(&worker, &leases)).await;
        for claim in &claims {
            settled += 1;
            work(&mut meter, &queue, claim, settled).await;
        }
        match turn % 50 {
            10 => {
                meter.of(queue.pause(large.id)).await;
                meter.of(queue.resume(large.id)).await;
            }
            20 => {
                read(&mut meter, &queue, large.id).await;
                meter.of(queue.events(told.id, 0, EVENTS_READ)).await;
            }
            30 => expire(&mut meter, &hasty, &dying).await,
            _ => {}
        }
        if turn == TURNS / 2 {
            meter.of(queue.cancel(unwanted.id)).await;
        }
    }
    meter.costs
}

fn new_worker() -> Worker {
    Worker {
        id: Uuid::new_v4(),
        host: "alone".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        slots: 16,
    }
}

async fn work(meter: &mut Meter, queue: &Queue, claim: &Claim, settled: u64) {
    let (lease, document) = (&claim.lease, DocumentName { id: Uuid::nil(), name: "д".into() });
    let took = Duration::from_millis(20);
    let ending = |outcome| Ending {
        document: &document,
        outcome,
        code: None,
        message: None,
        log: "готово".to_owned(),
        duration: took,
        cost: took,
        worker: "alone",
    };
    match claim.task {
        Task::List { total, .. } => {
            let all = crate::worker::documents(&claim.collection);
            meter.of(queue.extend(lease, total.max(all / 2), "half")).await;
            meter.of(queue.seal(lease, all)).await;
        }
        Task::Train { .. } => {
            for (n, stage) in (1..).zip(&Stage::ALL[..2]) {
                let body = StageBody {
                    stage: *stage,
                    details: "",
                    duration: took,
                    document: &document,
                    worker: "alone",
                };
                meter.of(queue.publish(lease, n, &body)).await;
            }
            match settled % 100 {
                50 => drop(meter.of(queue.fail(lease, &ending(Outcome::Failed), None)).await),
                99 => drop(meter.of(queue.release(lease)).await),
                _ => drop(meter.of(queue.complete(lease, &ending(Outcome::Completed))).await),
            }
        }
        Task::RecordLost { .. } => {
            meter.of(queue.complete(lease, &ending(Outcome::Failed))).await;
        }
        Task::Finish { .. } => drop(meter.of(queue.finish(lease)).await),
    }
}

/// What the api asks for, and the scrubber.
async fn read(meter: &mut Meter, queue: &Queue, job: Uuid) {
    meter.of(queue.jobs(None, 64, None)).await;
    meter.of(queue.job(job)).await;
    meter.of(queue.snapshot(job)).await;
    meter.of(queue.running_documents(job)).await;
    meter.of(queue.queue_depth()).await;
    meter.of(queue.workers()).await;
    meter.of(queue.shares(100)).await;
    meter.of(queue.scrub()).await;
}

/// A worker dies with 64 units; a sweep takes them back in four scripts, and a fifth finds none.
async fn expire(meter: &mut Meter, hasty: &Queue, dying: &Worker) {
    for _ in 0..4 {
        meter.of(hasty.claim(dying, Uuid::new_v4(), 16)).await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    meter.of(hasty.reap()).await;
}
