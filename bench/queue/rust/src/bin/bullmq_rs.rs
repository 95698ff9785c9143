//! The driver of BullMQ's own crate for Rust; defaults, but finished jobs are removed, as ours are.

use bullmq::options::RedisConnectionOptions;
use bullmq::types::RemoveOnFinish;
use bullmq::worker::WorkerEvent;
use bullmq::{BulkJob, Job, JobOptions, Queue, QueueOptions, Worker, WorkerOptions};
use queue_bench::{Arguments, ready, tell};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const QUEUE: &str = "documents";
const BULK: u64 = 1000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Bench {
    arguments: Arguments,
    queue: Queue,
}

impl Bench {
    fn connection(url: &str) -> RedisConnectionOptions {
        RedisConnectionOptions::new().url(url)
    }

    async fn open(arguments: Arguments) -> Result<Bench, Failure> {
        let options = QueueOptions::new()
            .connection(Bench::connection(&arguments.url))
            .default_job_options(JobOptions::new().remove_on_complete(RemoveOnFinish::Bool(true)));
        let queue = Queue::with_options(QUEUE, options).await?;
        Ok(Bench { arguments, queue })
    }

    async fn enqueue(&self, job: u64, documents: u64) -> Result<(), Failure> {
        for from in (0..documents).step_by(BULK as usize) {
            let part = from..(from + BULK).min(documents);
            let jobs = part
                .map(|index| BulkJob::new("document", json!({ "job": job, "index": index })))
                .collect();
            self.queue.add_bulk(jobs).await?;
        }
        Ok(())
    }

    /// A worker that tells which job's document started when, then takes `each` over it.
    async fn worker(
        &self,
        each: Duration,
    ) -> Result<(Worker, mpsc::UnboundedReceiver<(u64, Instant)>), Failure> {
        let (sender, starts) = mpsc::unbounded_channel();
        let handler = move |job: Job, _token| {
            let sender = sender.clone();
            async move {
                let number = job.data()["job"].as_u64().unwrap_or(0);
                sender.send((number, Instant::now())).ok();
                if !each.is_zero() {
                    tokio::time::sleep(each).await;
                }
                Ok(Value::Null)
            }
        };
        let options = WorkerOptions::new()
            .connection(Bench::connection(&self.arguments.url))
            .concurrency(self.arguments.concurrency as usize)
            .remove_on_complete(RemoveOnFinish::Bool(true));
        Ok((Worker::with_options(QUEUE, handler, options).await?, starts))
    }

    async fn drain(&self) -> Result<Value, Failure> {
        self.enqueue(0, self.arguments.count).await?;
        ready()?;
        let (worker, mut starts) = self.worker(Duration::ZERO).await?;
        let mut ended = 0;
        while ended < self.arguments.count {
            match worker.next_event().await {
                Some(WorkerEvent::Completed { .. }) => ended += 1,
                Some(_) => {}
                None => return Err("the worker closed".into()),
            }
        }
        let end = Instant::now();
        let (_, first) = starts.recv().await.ok_or("nothing started")?;
        Ok(json!({ "seconds": end.duration_since(first).as_secs_f64() }))
    }

    async fn pickup(&self) -> Result<Value, Failure> {
        let (_worker, mut starts) = self.worker(Duration::ZERO).await?;
        let mut waits = Vec::new();
        for round in 0..=self.arguments.count {
            let from = Instant::now();
            self.enqueue(0, 1).await?;
            let (_, start) = starts.recv().await.ok_or("the worker closed")?;
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
        self.enqueue(0, self.arguments.count).await?;
        ready()?;
        let (_worker, mut starts) = self.worker(Duration::from_millis(20)).await?;
        let submitted = Arc::new(Mutex::new(HashMap::new()));
        let times = Arc::clone(&submitted);
        let collect = async {
            let mut waits = Vec::new();
            while waits.len() < 20 {
                let (job, start) = starts.recv().await.ok_or("the worker closed")?;
                if let Some(from) = times.lock().map_err(|_| "poisoned")?.get(&job) {
                    waits.push(start.duration_since(*from).as_secs_f64() * 1000.0);
                }
            }
            Ok::<_, Failure>(waits)
        };
        let submit = async {
            for small in 1..=20 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                submitted.lock().map_err(|_| "poisoned")?.insert(small, Instant::now());
                self.enqueue(small, 1).await?;
            }
            Ok::<_, Failure>(())
        };
        let (waits, ()) = tokio::try_join!(collect, submit)?;
        Ok(json!({ "waits_ms": waits }))
    }

    async fn share(&self) -> Result<Value, Failure> {
        for job in 0..20 {
            self.enqueue(job, self.arguments.count).await?;
        }
        ready()?;
        let (_worker, mut starts) = self.worker(Duration::from_millis(2)).await?;
        let mut shares = vec![0; 20];
        for _ in 0..10 * self.arguments.count {
            let (job, _) = starts.recv().await.ok_or("the worker closed")?;
            shares[job as usize] += 1;
        }
        Ok(json!({ "shares": shares }))
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
        other => return Err(format!("unknown workload {other}").into()),
    };
    tell(&result)?;
    std::process::exit(0)
}
