//! A queue with short periods, and what the tests do with it again and again.

use shared::event::Event;
use shared::job::{JobStatus, JobView, Priority};
use shared::outcome::{Code, Outcome};
use shared::queue::*;
use shared::stage::Stage;
use std::time::Duration;
use testkit::{RedisOptions, RedisServer};
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A queue on its own redis-server.
pub(crate) struct Bench {
    pub(crate) redis: RedisServer,
    pub(crate) queue: Queue,
    pub(crate) worker: Worker,
}

impl Bench {
    /// Long leases: nothing expires unless a test wants it.
    pub(crate) async fn new() -> Bench {
        Bench::with(QueueTimes::default()).await
    }

    pub(crate) async fn with(times: QueueTimes) -> Bench {
        Bench::on(RedisServer::start_with(RedisOptions::default()), times).await
    }

    pub(crate) async fn on(redis: RedisServer, times: QueueTimes) -> Bench {
        let queue = Queue::connect(&redis.url(), times).await.unwrap();
        Bench { redis, queue, worker: worker() }
    }

    /// A submitted job with a listing that is done: `total` documents.
    pub(crate) async fn listed(&self, total: u64) -> Uuid {
        let job = new_job();
        self.queue.submit(&job).await.unwrap();
        self.list(job.id, total).await;
        job.id
    }

    /// Lists the job; nothing else may be claimable.
    pub(crate) async fn list(&self, job_id: Uuid, total: u64) {
        let claim = self.claim_one().await;
        assert_eq!((claim.lease.job_id, claim.lease.unit), (job_id, Unit::List));
        assert_eq!(self.queue.seal(&claim.lease, total).await.unwrap(), Settled::Counted);
    }

    pub(crate) async fn claim(&self, slots: usize) -> Vec<Claim> {
        self.queue.claim(&self.worker, Uuid::new_v4(), slots).await.unwrap()
    }

    pub(crate) async fn claim_one(&self) -> Claim {
        let mut claims = self.claim(1).await;
        assert_eq!(claims.len(), 1, "nothing claimable");
        claims.remove(0)
    }

    pub(crate) async fn complete(&self, lease: &Lease, outcome: Outcome) -> Settled {
        let name = name_of(lease);
        let ending = ending(outcome, &name);
        reached(async || self.queue.complete(lease, &ending).await).await
    }

    pub(crate) async fn finish(&self) -> Claim {
        let claim = self.claim_one().await;
        assert_eq!(claim.lease.unit, Unit::Finish);
        assert_eq!(self.queue.finish(&claim.lease).await.unwrap(), Settled::Counted);
        claim
    }

    pub(crate) async fn view(&self, job_id: Uuid) -> JobView {
        reached(async || self.queue.job(job_id).await).await.unwrap()
    }

    pub(crate) async fn status(&self, job_id: Uuid) -> JobStatus {
        self.view(job_id).await.status
    }

    pub(crate) async fn log(&self, job_id: Uuid) -> Vec<Event> {
        log_of(&self.queue, job_id).await
    }
}

/// The answer to a call. One that found no connection was not made yet and is made again: a machine
/// that stands still for seconds says nothing about the queue.
pub(crate) async fn reached<T>(mut call: impl AsyncFnMut() -> Result<T, QueueError>) -> T {
    let deadline = std::time::Instant::now() + 6 * LIMIT;
    loop {
        match call().await {
            Err(QueueError::Pool(error)) => {
                assert!(std::time::Instant::now() < deadline, "{error}");
                println!("called again: {error}");
            }
            answer => return answer.unwrap(),
        }
    }
}

/// The whole log, checked: numbered from 1 without a gap, progress never falling, exactly one
/// final event and nothing after it once the job has ended.
pub(crate) async fn log_of(queue: &Queue, job_id: Uuid) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let since = events.last().map_or(0, |event| event.seq);
        let page = reached(async || queue.events(job_id, since, 1000).await).await.unwrap();
        for (seq, body) in &page.events {
            let event: Event = serde_json::from_str(body).unwrap();
            assert_eq!(event.seq, *seq);
            assert_eq!(event.epoch, page.epoch);
            assert_eq!(event.job_id, job_id);
            events.push(event);
        }
        if events.last().map_or(0, |event| event.seq) == page.last_seq {
            check_log(&events, page.ended);
            return events;
        }
    }
}

pub(crate) fn check_log(events: &[Event], ended: bool) {
    for (position, event) in events.iter().enumerate() {
        assert_eq!(event.seq, position as u64 + 1, "a gap in the numbers");
        let is_last = position + 1 == events.len();
        assert_eq!(event.is_final, is_last && ended, "{event:?}");
        assert_eq!(matches!(event.stage.as_str(), "complete" | "error"), event.is_final);
        let before = position.checked_sub(1).map_or(0.0, |before| events[before].job.progress);
        assert!(event.job.progress >= before, "progress fell from {before}: {event:?}");
        assert!(event.job.progress <= 100.0 && event.progress <= 100.0);
    }
}

pub(crate) fn worker() -> Worker {
    Worker { id: Uuid::new_v4(), host: "test".into(), version: "0".into(), slots: 4 }
}

pub(crate) fn new_job() -> NewJob {
    NewJob {
        id: Uuid::now_v7(),
        collection: "default".into(),
        priority: Priority::Normal,
        force: false,
        request_hash: "hash".into(),
        retry_of: None,
        created_at: OffsetDateTime::now_utc(),
        max_inflight: None,
        max_failed: None,
        traceparent: None,
    }
}

pub(crate) fn name_of(lease: &Lease) -> DocumentName {
    let Unit::Document { index } = lease.unit else { panic!("{lease:?} is no document") };
    DocumentName {
        id: Uuid::from_u64_pair(lease.job_id.as_u64_pair().0, index),
        name: format!("СП {index} «Земляные\n работы | \\»\".pdf"),
    }
}

pub(crate) fn ending<'a>(outcome: Outcome, document: &'a DocumentName) -> Ending<'a> {
    let code = (outcome == Outcome::Failed).then_some(Code::DamagedFile);
    Ending {
        document,
        outcome,
        code,
        message: code.map(|_| "файл повреждён".into()),
        log: format!("Документ: {}", outcome.name()),
        duration: Duration::from_millis(5),
        cost: Duration::from_secs(1),
        worker: "test",
    }
}

pub(crate) fn stage_body(stage: Stage, document: &DocumentName) -> StageBody<'_> {
    StageBody {
        stage,
        details: "работ 26",
        duration: Duration::from_millis(812),
        document,
        worker: "test",
    }
}
