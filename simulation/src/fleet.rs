//! Several worker processes on one redis-server. As in the testkit, everything panics with a
//! reason.

use crate::ledger::{Entry, Kind, Ledger};
use shared::event::Event;
use shared::job::{JobView, Priority};
use shared::queue::{NewJob, Queue, QueueError, QueueTimes, Unit};
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::{Process, RedisServer, wait_until};
use time::OffsetDateTime;
use uuid::Uuid;

/// No test waits longer for anything.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Lease, beat and sweep of all processes of a fleet.
#[derive(Clone, Copy, Debug)]
pub struct Periods {
    /// How long a lease lives without a beat.
    pub lease: Duration,
    /// Between two beats.
    pub beat: Duration,
    /// Between two sweeps.
    pub reap: Duration,
}

impl Periods {
    /// Those of an installation.
    pub fn real() -> Periods {
        let QueueTimes { lease, beat, reap, .. } = QueueTimes::default();
        Periods { lease, beat, reap }
    }

    /// A fifth of them: a test of the same thing in a fifth of the time.
    pub fn short() -> Periods {
        let Periods { lease, beat, reap } = Periods::real();
        Periods { lease: lease / 5, beat: beat / 5, reap: reap / 5 }
    }

    /// The longest time after which somebody else has what a dead worker held, when a slot is
    /// free: the lease runs out, the next sweep finds it, and a second for waking up.
    pub fn recovery(self) -> Duration {
        self.lease + self.reap + Duration::from_secs(1)
    }

    /// The queue's periods. The fleet's own handle scrubs whenever it is asked to.
    pub fn times(self) -> QueueTimes {
        let Periods { lease, beat, reap } = self;
        QueueTimes { lease, beat, reap, scrub: Duration::ZERO, ..QueueTimes::default() }
    }
}

/// A redis-server, worker processes, and the oracle of what they did.
pub struct Fleet {
    /// The server; tests break it.
    pub redis: RedisServer,
    /// A handle of its own.
    pub queue: Queue,
    /// What the workers did.
    pub ledger: Ledger,
    /// The processes, ended ones too.
    pub workers: Vec<Process>,
    program: PathBuf,
    periods: Periods,
    _folder: tempfile::TempDir,
}

impl Fleet {
    /// No workers yet. `program` is `simulated-worker`.
    pub async fn new(program: impl Into<PathBuf>, redis: RedisServer, periods: Periods) -> Fleet {
        let folder = tempfile::tempdir().expect("no temporary folder");
        let queue = Queue::connect(&redis.url(), periods.times()).await;
        Fleet {
            queue: queue.expect("the test's redis-server answers"),
            redis,
            ledger: Ledger::new(folder.path()),
            workers: Vec::new(),
            program: program.into(),
            periods,
            _folder: folder,
        }
    }

    /// The periods of all processes.
    pub fn periods(&self) -> Periods {
        self.periods
    }

    /// Starts a worker process with more arguments; answers its number. It is called `w<number>`.
    pub fn start(&mut self, more: &[&str]) -> usize {
        self.start_through(&self.redis.url(), more)
    }

    /// Starts a worker process that reaches Redis by another address.
    pub fn start_through(&mut self, redis_url: &str, more: &[&str]) -> usize {
        let program = self.program.clone();
        self.start_program(&program, redis_url, more)
    }

    /// Starts another `simulated-worker`, one of another version for example.
    pub fn start_program(&mut self, program: &Path, redis_url: &str, more: &[&str]) -> usize {
        let number = self.workers.len();
        let seconds = |period: Duration| period.as_secs_f64().to_string();
        let Periods { lease, beat, reap } = self.periods;
        let mut arguments: Vec<String> = Vec::new();
        for (flag, value) in [
            ("--redis-url", redis_url.to_owned()),
            ("--lease-s", seconds(lease)),
            ("--beat-s", seconds(beat)),
            ("--reap-s", seconds(reap)),
            ("--ledger", self.ledger.folder().display().to_string()),
            ("--name", format!("w{number}")),
        ] {
            arguments.extend([flag.to_owned(), value]);
        }
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        self.workers.push(Process::start(program, &arguments, &[]));
        number
    }

    /// Starts three workers alike.
    pub fn start_three(&mut self, more: &[&str]) {
        for _ in 0..3 {
            self.start(more);
        }
    }

    /// Submits a job of so many documents.
    pub async fn submit(&self, documents: u64) -> Uuid {
        let job = new_job(documents);
        self.queue.submit(&job).await.expect("the job is accepted");
        job.id
    }

    /// Waits for the end of a job, while Redis may be away; the scrubber must find nothing to repair
    /// meanwhile.
    pub async fn ended(&self, job_id: Uuid) -> JobView {
        self.ended_within(job_id, LIMIT).await
    }

    /// Likewise, for longer jobs.
    pub async fn ended_within(&self, job_id: Uuid, limit: Duration) -> JobView {
        let deadline = std::time::Instant::now() + limit;
        loop {
            if let Ok(repairs) = self.queue.scrub().await {
                assert_eq!(repairs, 0, "the scrubber found something to repair");
            }
            let found = self.queue.job(job_id).await;
            if let Ok(Some(view)) = &found
                && view.status.is_final()
            {
                return view.clone();
            }
            assert!(
                std::time::Instant::now() < deadline,
                "not ended: {found:?}\n{}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a document has an entry that fits.
    pub async fn seen(&self, job_id: Uuid, index: u64, fits: impl Fn(&Entry) -> bool) -> Entry {
        let mut found = None;
        wait_until(LIMIT, async || {
            found = self.entries(job_id, index).into_iter().find(&fits);
            found.is_some()
        })
        .await;
        found.expect("waited for it")
    }

    /// What happened to a document.
    pub fn entries(&self, job_id: Uuid, index: u64) -> Vec<Entry> {
        self.ledger.entries(job_id, Unit::Document { index })
    }

    /// How often something happened to the first `documents` documents of a job.
    pub fn count(&self, job_id: Uuid, documents: u64, kind: Kind) -> usize {
        let of = |index| self.entries(job_id, index);
        (0..documents).flat_map(of).filter(|entry| entry.kind == kind).count()
    }

    /// Waits until so many documents have ended.
    pub async fn progressed(&self, job_id: Uuid, documents: u64) {
        wait_until(LIMIT, async || {
            let view = self.queue.job(job_id).await;
            view.is_ok_and(|view| view.is_some_and(|view| view.documents.ended() >= documents))
        })
        .await;
    }

    /// All events of a job that are kept.
    pub async fn events(&self, job_id: Uuid) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        loop {
            let since = events.last().map_or(0, |event| event.seq);
            let page = self.queue.events(job_id, since, 1000).await;
            let page = page.expect("redis answers").expect("the job is known");
            let parsed = page.events.iter().map(|(_, body)| serde_json::from_str::<Event>(body));
            events.extend(parsed.map(|event| event.expect("events are JSON")));
            if events.last().map_or(0, |event| event.seq) >= page.last_seq {
                return events;
            }
        }
    }

    /// Bytes that Redis uses now.
    pub fn used_memory(&self) -> u64 {
        let mut connection = self.redis.connection();
        let info = redis::cmd("INFO").arg("memory").query::<String>(&mut connection);
        let info = info.expect("redis answers");
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        used.and_then(|bytes| bytes.trim().parse().ok()).expect("redis tells it")
    }

    /// What the processes said.
    pub fn output(&self) -> String {
        let outputs = self.workers.iter().enumerate();
        outputs.map(|(number, worker)| format!("w{number}: {}\n", worker.output())).collect()
    }

    /// Fails when a process has ended.
    pub fn all_alive(&mut self) {
        for number in 0..self.workers.len() {
            let ended = self.workers[number].ended();
            assert!(ended.is_none(), "w{number} ended with {ended:?}:\n{}", self.output());
        }
    }
}

/// A job that simulated workers list as so many documents.
pub fn new_job(documents: u64) -> NewJob {
    NewJob {
        id: Uuid::now_v7(),
        collection: crate::worker::collection(documents),
        priority: Priority::Normal,
        force: false,
        request_hash: "simulated".to_owned(),
        retry_of: None,
        created_at: OffsetDateTime::now_utc(),
        max_inflight: None,
        max_failed: None,
        traceparent: None,
    }
}

/// Submits again while Redis refuses or is away; a job is never accepted twice.
pub async fn submit_surely(queue: &Queue, job: &NewJob) {
    wait_until(LIMIT, async || match queue.submit(job).await {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_transient() || matches!(error, QueueError::QueueFull), "{error}");
            false
        }
    })
    .await;
}
