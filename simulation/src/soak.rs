//! Random faults against a fleet under load, with the invariants checked job by job.

use crate::fleet::{Fleet, LIMIT, Periods, new_job, submit_surely};
use crate::invariants::Report;
use shared::job::JobStatus;
use shared::queue::NewJob;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use testkit::{Choices, Mode, Proxy, RedisOptions, RedisServer};
use uuid::Uuid;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `simulated-worker`.
    pub worker: PathBuf,
    /// One of another version: every second worker is one.
    pub other_worker: Option<PathBuf>,
    /// Where the choices come from.
    pub seed: u64,
    /// How long faults happen.
    pub time: Duration,
}

/// The faults, most of them those of docs/queue.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    WorkerKilled,
    AllWorkersKilled,
    WorkerFrozen,
    WorkerAskedToStop,
    RedisKilled,
    RedisStalled,
    ConnectionsKilled,
    ScriptsFlushed,
    LineCut,
    LineSilent,
    RepliesDropped,
    JobCancelled,
    JobPaused,
}

const FAULTS: [Fault; 13] = [
    Fault::WorkerKilled,
    Fault::AllWorkersKilled,
    Fault::WorkerFrozen,
    Fault::WorkerAskedToStop,
    Fault::RedisKilled,
    Fault::RedisStalled,
    Fault::ConnectionsKilled,
    Fault::ScriptsFlushed,
    Fault::LineCut,
    Fault::LineSilent,
    Fault::RepliesDropped,
    Fault::JobCancelled,
    Fault::JobPaused,
];

/// Design: queue.md, section 8, test 20.
const LONGEST_SCRIPT: Duration = Duration::from_millis(5);
const WORKERS: u64 = 4;
const OPEN_JOBS: usize = 3;

struct Soak {
    fleet: Fleet,
    /// Every second worker is behind it.
    proxy: Proxy,
    other_worker: Option<PathBuf>,
    choices: Choices,
    /// Numbers of the processes that run.
    running: Vec<usize>,
    open: Vec<NewJob>,
    ended: Vec<NewJob>,
    faults: BTreeMap<Fault, u32>,
    sum: Report,
}

/// Breaks things for the planned time, lets everything end, and checks every job.
pub async fn run(plan: &Plan) {
    let options = RedisOptions { append_only: true, ..RedisOptions::default() };
    let redis = RedisServer::start_with(options);
    let proxy = Proxy::start(redis.address()).await;
    let fleet = Fleet::new(&plan.worker, redis, Periods::short()).await;
    let mut soak = Soak {
        fleet,
        proxy,
        other_worker: plan.other_worker.clone(),
        choices: Choices::of(plan.seed),
        running: Vec::new(),
        open: Vec::new(),
        ended: Vec::new(),
        faults: BTreeMap::new(),
        sum: Report::default(),
    };
    for _ in 0..WORKERS {
        soak.start_worker();
    }
    let end = Instant::now() + plan.time;
    while Instant::now() < end {
        soak.keep_busy().await;
        let fault = FAULTS[soak.choices.below(FAULTS.len() as u64) as usize];
        *soak.faults.entry(fault).or_default() += 1;
        soak.cause(fault).await;
        let pause = soak.choices.milliseconds(200, 2500);
        tokio::time::sleep(pause).await;
    }
    soak.finish().await;
}

impl Soak {
    fn start_worker(&mut self) {
        let number = self.fleet.workers.len();
        let redis_url =
            if number.is_multiple_of(2) { self.proxy.redis_url() } else { self.fleet.redis.url() };
        let mut arguments = vec!["--document-ms", "60", "--grace-ms", "30"];
        if number % 3 == 2 {
            // It does not listen: what it writes after its lease was lost must be refused.
            arguments.push("--stubborn");
        }
        let started = match &self.other_worker {
            // Both versions directly and through the proxy.
            Some(other) if number % 4 >= 2 => {
                self.fleet.start_program(other, &redis_url, &arguments)
            }
            _ => self.fleet.start_through(&redis_url, &arguments),
        };
        self.running.push(started);
    }

    fn any_worker(&mut self) -> usize {
        self.choices.below(self.running.len() as u64) as usize
    }

    /// Checks the jobs that have ended and submits new ones in their place.
    async fn keep_busy(&mut self) {
        for job in std::mem::take(&mut self.open) {
            let view = self.fleet.queue.job(job.id).await;
            if view.is_ok_and(|view| view.is_some_and(|view| view.status.is_final())) {
                self.check(&job).await;
                self.ended.push(job);
            } else {
                self.open.push(job);
            }
        }
        while self.open.len() < OPEN_JOBS {
            let job = new_job(20 + self.choices.below(400));
            submit_surely(&self.fleet.queue, &job).await;
            self.open.push(job);
        }
    }

    async fn check(&mut self, job: &NewJob) {
        let report = self.fleet.check(job.id).await;
        self.sum.documents += report.documents;
        self.sum.repeated += report.repeated;
        self.sum.rejected += report.rejected;
    }

    async fn cause(&mut self, fault: Fault) {
        match fault {
            Fault::WorkerKilled => {
                let victim = self.any_worker();
                let number = self.running.swap_remove(victim);
                self.fleet.workers[number].kill();
                self.start_worker();
            }
            Fault::AllWorkersKilled => {
                for number in std::mem::take(&mut self.running) {
                    self.fleet.workers[number].kill();
                }
                for _ in 0..WORKERS {
                    self.start_worker();
                }
            }
            Fault::WorkerFrozen => {
                let victim = self.any_worker();
                let number = self.running[victim];
                self.fleet.workers[number].freeze();
                let time = self.choices.milliseconds(500, 5000);
                tokio::time::sleep(time).await;
                self.fleet.workers[number].thaw();
            }
            Fault::WorkerAskedToStop => {
                let victim = self.any_worker();
                let number = self.running.swap_remove(victim);
                self.fleet.workers[number].terminate();
                let status = self.fleet.workers[number].wait(LIMIT);
                assert!(status.success(), "{status:?}: {}", self.fleet.workers[number].output());
                self.start_worker();
            }
            Fault::RedisKilled => {
                self.fleet.redis.kill();
                let time = self.choices.milliseconds(0, 2000);
                tokio::time::sleep(time).await;
                self.fleet.redis.restart();
                // What the api does from its records, in case Redis forgot something.
                for job in self.open.iter().chain(&self.ended) {
                    submit_surely(&self.fleet.queue, job).await;
                }
            }
            Fault::RedisStalled => self.command(&["CLIENT", "PAUSE", "1000", "ALL"]),
            Fault::ConnectionsKilled => {
                self.command(&["CLIENT", "KILL", "TYPE", "normal"]);
                self.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
            }
            Fault::ScriptsFlushed => self.command(&["FUNCTION", "FLUSH"]),
            Fault::LineCut => self.line(Mode::Cut, 3000).await,
            Fault::LineSilent => self.line(Mode::Blackhole, 5000).await,
            Fault::RepliesDropped => self.line(Mode::DropReplies, 200).await,
            Fault::JobCancelled => {
                let job = self.choices.below(self.open.len() as u64) as usize;
                // A Redis that stalls may not answer; then nobody is cancelled.
                let _ = self.fleet.queue.cancel(self.open[job].id).await;
            }
            Fault::JobPaused => {
                let job = self.choices.below(self.open.len() as u64) as usize;
                let _ = self.fleet.queue.pause(self.open[job].id).await;
                let time = self.choices.milliseconds(100, 1000);
                tokio::time::sleep(time).await;
                self.resume().await;
            }
        }
    }

    async fn resume(&self) {
        for job in &self.open {
            testkit::wait_until(LIMIT, async || self.fleet.queue.resume(job.id).await.is_ok())
                .await;
        }
    }

    async fn line(&mut self, mode: Mode, most_ms: u64) {
        self.proxy.set(mode);
        let time = self.choices.milliseconds(50, most_ms);
        tokio::time::sleep(time).await;
        self.proxy.set(Mode::Pass);
    }

    fn command(&self, words: &[&str]) {
        let mut connection = self.fleet.redis.connection();
        redis::cmd(words[0]).arg(&words[1..]).exec(&mut connection).expect("redis answers");
    }

    /// Everything ends, also what Redis had forgotten of jobs that were checked before.
    async fn finish(mut self) {
        self.resume().await;
        let checked = std::mem::take(&mut self.ended);
        let open = std::mem::take(&mut self.open);
        for job in &open {
            self.fleet.ended(job.id).await;
            self.check(job).await;
        }
        for job in &checked {
            self.fleet.ended(job.id).await;
            self.fleet.check(job.id).await;
        }
        self.fleet.check_idle().await;
        println!("{:<24}{:>8}", "fault", "times");
        for (fault, times) in &self.faults {
            println!("{:<24}{times:>8}", format!("{fault:?}"));
        }
        let Report { documents, repeated, rejected } = self.sum;
        println!("{} jobs, {documents} documents: 0 lost, 0 doubled", open.len() + checked.len());
        println!("{repeated} attempts repeated, {rejected} late writes refused");
    }
}

/// Design test 20: so many jobs of one document at once and one of ten times as many. While they
/// are worked on everything that can be read is read. Panics when a script takes longer than 5 ms.
pub async fn crowd(worker: &Path, jobs: u64) {
    let redis = RedisServer::start();
    let mut fleet = Fleet::new(worker, redis, Periods::real()).await;
    let watch = fleet.watch_scripts();
    let mut submitted = vec![fleet.submit(10 * jobs).await];
    for _ in 1..jobs {
        submitted.push(fleet.submit(1).await);
    }
    let memory = fleet.used_memory();
    for stages in ["0", "1", "2"] {
        fleet.start(&["--document-ms", "1", "--slots", "16", "--stages", stages]);
    }
    let start = Instant::now();
    let limit = Duration::from_millis(60_000 + 100 * jobs);
    for (number, job) in submitted.iter().enumerate() {
        let view = fleet.ended_within(*job, limit).await;
        assert_eq!(view.status, JobStatus::Completed);
        if number % 100 == 0 {
            read_everything(&fleet, submitted[0]).await;
        }
    }
    let time = start.elapsed();
    let scripts = watch.end();
    println!("{jobs} jobs at once: {memory} bytes before the first claim, all ended in {time:?}");
    println!("{scripts}");
    for job in &submitted {
        fleet.check(*job).await;
    }
    fleet.check_idle().await;
    fleet.all_alive();
    assert!(!fleet.output().contains("error"), "{}", fleet.output());
    // One run proves nothing on a shared machine; calls made again and again do.
    let costs = crate::alone::costs(jobs).await;
    println!("{costs}");
    for (name, most) in costs.dearest() {
        assert!(most <= LONGEST_SCRIPT, "{name} cost {most:?}");
    }
}

/// What the api asks for.
async fn read_everything(fleet: &Fleet, job: Uuid) {
    let queue = &fleet.queue;
    queue.jobs(None, 1000, None).await.expect("redis answers");
    queue.queue_depth().await.expect("redis answers");
    queue.workers().await.expect("redis answers");
    queue.shares(100).await.expect("redis answers");
    queue.running_documents(job).await.expect("redis answers");
    queue.snapshot(job).await.expect("redis answers");
    queue.events(job, 0, crate::alone::EVENTS_READ).await.expect("redis answers");
}
