//! Publishes messages in an open loop: message k is due at k / rate, however the system does.
//!
//!     publisher <system> <address> <jobs> [all]
//!
//! The address is that of Redis, for Centrifuge that of a server.
//!
//! Prints the jobs; then, for every line `<messages per job> <per second, all jobs together>`, what
//! was published and how late.

use relay_bench::mark::{Mark, now};
use relay_bench::rivals::{Rival, event};
use relay_bench::{ALL_JOBS, Failure, System, quantile, tell};
use serde_json::json;
use shared::job::Priority;
use shared::queue::{
    DocumentName, Lease, NewJob, Published, Queue, QueueTimes, StageBody, Task, Worker,
};
use shared::stage::Stage;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Nobody renews the leases of the benchmark.
const LEASE: Duration = Duration::from_secs(3600);
/// What a stage tells besides the mark, so that a line is as long as real ones are.
const TEXT: &str = "страниц: 120, слов: 48 211, таблиц: 14";

/// Where the messages of one job go.
enum Outlet {
    Ours { queue: Queue, lease: Box<Lease>, document: DocumentName },
    Rival { rival: Rival, room: String, job: String },
}

impl Outlet {
    async fn publish(&mut self, mark: Mark) -> Result<(), Failure> {
        let details = format!("{TEXT} {mark}");
        match self {
            Outlet::Ours { queue, lease, document } => {
                let body = StageBody {
                    stage: Stage::TextExtraction,
                    details: &details,
                    duration: Duration::from_millis(812),
                    document,
                    worker: "bench",
                };
                let n = u32::try_from(mark.number)?;
                match queue.publish(lease, n, &body).await? {
                    Published::Accepted => Ok(()),
                    other => Err(format!("not published: {other:?}").into()),
                }
            }
            Outlet::Rival { rival, room, job } => {
                let log = Stage::TextExtraction.log(&details);
                rival.publish(room, &event(job, mark.number, &log)).await
            }
        }
    }
}

/// A due message on its way to the task of its job, which keeps their order.
type Due = (Mark, mpsc::UnboundedSender<Result<u64, Failure>>);

async fn serve(mut outlet: Outlet, mut due: mpsc::UnboundedReceiver<Due>) {
    while let Some((mark, done)) = due.recv().await {
        let late = now().saturating_sub(mark.due);
        done.send(outlet.publish(mark).await.map(|()| late)).ok();
    }
}

async fn leases(queue: &Queue, jobs: usize) -> Result<Vec<Lease>, Failure> {
    let worker = Worker { id: Uuid::new_v4(), host: "bench".into(), version: "0".into(), slots: 1 };
    let mut order = Vec::new();
    for _ in 0..jobs {
        let job = NewJob {
            id: Uuid::now_v7(),
            collection: "default".into(),
            priority: Priority::Normal,
            force: false,
            request_hash: "bench".into(),
            retry_of: None,
            created_at: time::OffsetDateTime::now_utc(),
            max_inflight: None,
            max_failed: None,
            traceparent: None,
        };
        queue.submit(&job).await?;
        order.push(job.id);
    }
    let mut leases = Vec::new();
    while leases.len() < jobs {
        for claim in queue.claim(&worker, Uuid::new_v4(), 16).await? {
            match claim.task {
                Task::List { .. } => drop(queue.seal(&claim.lease, 1).await?),
                _ => leases.push(claim.lease),
            }
        }
    }
    leases.sort_by_key(|lease| order.iter().position(|job| *job == lease.job_id));
    Ok(leases)
}

async fn outlets(arguments: &[String]) -> Result<Vec<(String, Outlet)>, Failure> {
    let [system, address, jobs, rest @ ..] = arguments else {
        return Err("usage: publisher <system> <address> <jobs> [all]".into());
    };
    let (system, jobs) = (System::parse(system)?, jobs.parse()?);
    if system == System::Ours {
        let times = QueueTimes { lease: LEASE, ..QueueTimes::default() };
        let queue = Queue::connect(&format!("redis://{address}/"), times).await?;
        let leases = leases(&queue, jobs).await?;
        return Ok(leases
            .into_iter()
            .map(|lease| {
                let id = lease.job_id;
                let document = DocumentName { id, name: "СП 45.pdf".into() };
                let lease = Box::new(lease);
                (id.to_string(), Outlet::Ours { queue: queue.clone(), lease, document })
            })
            .collect());
    }
    let rival = Rival::connect(system, address).await?;
    let for_all = rest.iter().any(|word| word == ALL_JOBS);
    Ok((0..jobs)
        .map(|_| {
            let job = Uuid::now_v7().to_string();
            let room = if for_all { ALL_JOBS.to_owned() } else { job.clone() };
            (job.clone(), Outlet::Rival { rival: rival.clone(), room, job })
        })
        .collect())
}

/// Hands out the messages when they are due.
fn tick(
    jobs: &[mpsc::UnboundedSender<Due>],
    published: u64,
    each: u64,
    rate: f64,
    done: &mpsc::UnboundedSender<Result<u64, Failure>>,
) {
    let (start, start_us) = (Instant::now(), now());
    for round in 0..each {
        for (job, line) in jobs.iter().enumerate() {
            let place = round * jobs.len() as u64 + job as u64;
            let after = Duration::from_secs_f64(place as f64 / rate);
            std::thread::sleep(after.saturating_sub(start.elapsed()));
            let due = start_us + after.as_micros() as u64;
            let mark = Mark { job: job as u32, number: published + round + 1, due };
            if line.send((mark, done.clone())).is_err() {
                return;
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut jobs, mut lines) = (Vec::new(), Vec::new());
    for (job, outlet) in outlets(&arguments).await? {
        let (sender, due) = mpsc::unbounded_channel();
        tokio::spawn(serve(outlet, due));
        jobs.push(job);
        lines.push(sender);
    }
    tell(&json!({ "jobs": jobs }))?;
    let mut commands = BufReader::new(tokio::io::stdin()).lines();
    let mut published = 0;
    while let Some(command) = commands.next_line().await? {
        let (each, rate) = command.split_once(' ').ok_or("<messages per job> <per second>")?;
        let (each, rate): (u64, f64) = (each.parse()?, rate.parse()?);
        let (done, mut answers) = mpsc::unbounded_channel();
        let lines = lines.clone();
        // A thread of its own: the runtime's timers are rounded to milliseconds.
        std::thread::spawn(move || tick(&lines, published, each, rate, &done));
        let mut late = Vec::new();
        while let Some(answer) = answers.recv().await {
            late.push(answer?);
        }
        late.sort_unstable();
        published += each;
        tell(&json!({
            "published": published,
            "late_p50_us": quantile(&late, 0.5),
            "late_p99_us": quantile(&late, 0.99),
        }))?;
    }
    Ok(())
}
