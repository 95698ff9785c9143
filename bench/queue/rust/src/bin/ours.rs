//! The driver of our queue.

use queue_bench::fleet::{
    Leases, complete, list, new_job, new_worker, start_heartbeat, submit_listed, work,
};
use queue_bench::{Arguments, ready, tell};
use serde_json::{Value, json};
use shared::queue::{Queue, Task, Worker};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a handler saw, and when.
enum Seen {
    Started(Uuid, Instant),
    Finished(Instant),
}

struct Bench {
    arguments: Arguments,
    queue: Queue,
    worker: Worker,
}

impl Bench {
    async fn open(arguments: Arguments) -> Result<Bench, Failure> {
        let queue = Queue::connect(&arguments.url, Default::default()).await?;
        let worker = new_worker(arguments.concurrency);
        Ok(Bench { arguments, queue, worker })
    }

    /// Starts the worker. A document takes `each`; a job that is listed here has one document.
    fn start(&self, each: Duration) -> Result<mpsc::UnboundedReceiver<Seen>, Failure> {
        let (sender, seen) = mpsc::unbounded_channel();
        let leases = Leases::default();
        start_heartbeat(&self.arguments.url, &self.worker, &leases)?;
        let handle = move |queue: Queue, claim: shared::queue::Claim| {
            let sender = sender.clone();
            async move {
                match claim.task {
                    Task::List { .. } => list(&queue, &claim, 1).await,
                    Task::Finish { .. } => {
                        sender.send(Seen::Finished(Instant::now())).ok();
                        Ok(())
                    }
                    Task::Train { .. } | Task::RecordLost { .. } => {
                        sender.send(Seen::Started(claim.lease.job_id, Instant::now())).ok();
                        if !each.is_zero() {
                            tokio::time::sleep(each).await;
                        }
                        complete(&queue, &claim, each).await
                    }
                }
            }
        };
        tokio::spawn(work(self.queue.clone(), self.worker.clone(), leases, handle, |_| ()));
        Ok(seen)
    }

    async fn drain(&self) -> Result<Value, Failure> {
        submit_listed(&self.queue, &self.worker, 1, self.arguments.count).await?;
        ready()?;
        let mut seen = self.start(Duration::ZERO)?;
        let mut first = None;
        loop {
            match seen.recv().await.ok_or("the worker ended")? {
                Seen::Started(_, at) => first = first.or(Some(at)),
                Seen::Finished(at) => {
                    let first = first.ok_or("nothing started")?;
                    return Ok(json!({ "seconds": at.duration_since(first).as_secs_f64() }));
                }
            }
        }
    }

    /// From the submission, through the listing, to the start of the one document.
    async fn pickup(&self) -> Result<Value, Failure> {
        let mut seen = self.start(Duration::ZERO)?;
        let mut waits = Vec::new();
        for round in 0..=self.arguments.count {
            let from = Instant::now();
            self.queue.submit(&new_job()).await?;
            let mut start = from;
            loop {
                match seen.recv().await.ok_or("the worker ended")? {
                    Seen::Started(_, at) => start = at,
                    Seen::Finished(_) => break,
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            if round == 0 {
                ready()?;
            } else {
                waits.push(start.duration_since(from).as_secs_f64() * 1000.0);
            }
        }
        Ok(json!({ "waits_ms": waits }))
    }

    async fn behind(&self) -> Result<Value, Failure> {
        submit_listed(&self.queue, &self.worker, 1, self.arguments.count).await?;
        ready()?;
        let mut seen = self.start(Duration::from_millis(20))?;
        let submitted = Arc::new(Mutex::new(HashMap::new()));
        let times = Arc::clone(&submitted);
        let collect = async {
            let mut waits = Vec::new();
            while waits.len() < 20 {
                let Seen::Started(job, at) = seen.recv().await.ok_or("the worker ended")? else {
                    continue;
                };
                let times = times.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(from) = times.get(&job) {
                    waits.push(at.duration_since(*from).as_secs_f64() * 1000.0);
                }
            }
            Ok::<_, Failure>(waits)
        };
        let submit = async {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let job = new_job();
                submitted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(job.id, Instant::now());
                self.queue.submit(&job).await?;
            }
            Ok::<_, Failure>(())
        };
        let (waits, ()) = tokio::try_join!(collect, submit)?;
        Ok(json!({ "waits_ms": waits }))
    }

    async fn share(&self) -> Result<Value, Failure> {
        let ids = submit_listed(&self.queue, &self.worker, 20, self.arguments.count).await?;
        let jobs: HashMap<Uuid, usize> =
            ids.into_iter().enumerate().map(|(number, id)| (id, number)).collect();
        ready()?;
        let mut seen = self.start(Duration::from_millis(2))?;
        let mut shares = vec![0; jobs.len()];
        for _ in 0..10 * self.arguments.count {
            if let Seen::Started(job, _) = seen.recv().await.ok_or("the worker ended")? {
                shares[jobs[&job]] += 1;
            }
        }
        Ok(json!({ "shares": shares }))
    }

    /// Only lists: the orchestrator measures what the waiting documents cost.
    async fn waiting(&self) -> Result<Value, Failure> {
        let start = Instant::now();
        submit_listed(&self.queue, &self.worker, 1, self.arguments.count).await?;
        let seconds = start.elapsed().as_secs_f64();
        ready()?;
        Ok(json!({ "seconds": seconds }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let bench = Bench::open(Arguments::read()?).await?;
    let result = match bench.arguments.workload.as_str() {
        "drain" => bench.drain().await?,
        "pickup" => bench.pickup().await?,
        "behind" => bench.behind().await?,
        "share" => bench.share().await?,
        "waiting" => bench.waiting().await?,
        other => return Err(format!("unknown workload {other}").into()),
    };
    tell(&result)?;
    std::process::exit(0)
}
