//! Leases: fences, expiry, crashes, errors, releases.

use crate::support::*;
use shared::job::JobStatus;
use shared::outcome::{Code, Outcome};
use shared::queue::*;
use shared::stage::Stage;
use std::time::Duration;
use testkit::wait_until;

/// Leases that expire quickly.
fn short() -> QueueTimes {
    QueueTimes {
        lease: Duration::from_millis(60),
        crash_delay: Duration::from_millis(1),
        backoff: Duration::from_millis(8),
        ..QueueTimes::default()
    }
}

impl Bench {
    /// Reaps until something has expired.
    async fn reap_one(&self) {
        wait_until(LIMIT, async || self.queue.reap().await.unwrap().expired == 1).await;
    }

    /// Claims until something is claimable.
    async fn claim_soon(&self) -> Claim {
        let mut claims = Vec::new();
        let deadline = std::time::Instant::now() + LIMIT;
        while claims.is_empty() {
            assert!(std::time::Instant::now() < deadline, "nothing became claimable");
            claims = self.claim(1).await;
        }
        claims.remove(0)
    }
}

#[tokio::test]
async fn a_lost_lease_changes_nothing_any_more() {
    let bench = Bench::with(short()).await;
    let queue = &bench.queue;
    let job_id = bench.listed(1).await;
    let lost = bench.claim_one().await.lease;
    let document = name_of(&lost);
    let body = stage_body(Stage::TextExtraction, &document);
    assert_eq!(queue.publish(&lost, 1, &body).await.unwrap(), Published::Accepted);
    bench.reap_one().await;
    let held = bench.claim_soon().await.lease;
    assert!(held.fence > lost.fence);
    assert_eq!((held.unit, held.attempt), (lost.unit, 2));

    let before = bench.log(job_id).await.len();
    let failing = ending(Outcome::Failed, &document);
    assert_eq!(queue.beat(&bench.worker, &[lost, held]).await.unwrap(), [Beat::Lost, Beat::Held]);
    assert_eq!(queue.publish(&lost, 2, &body).await.unwrap(), Published::Lost);
    assert_eq!(queue.fail(&lost, &failing, None).await.unwrap(), Failed::Lost);
    assert_eq!(queue.release(&lost).await.unwrap(), Settled::Lost);
    assert_eq!(bench.complete(&lost, Outcome::Completed).await, Settled::Lost);
    assert_eq!(bench.log(job_id).await.len(), before);

    assert_eq!(bench.complete(&held, Outcome::Completed).await, Settled::Counted);
    assert_eq!(bench.complete(&lost, Outcome::Completed).await, Settled::Lost);
    let view = bench.view(job_id).await;
    assert_eq!((view.documents.completed, view.documents.ended()), (1, 1));
    let snapshot = queue.snapshot(job_id).await.unwrap().unwrap();
    assert_eq!(snapshot.stages, [0; 14], "the second attempt finished no stage");
}

#[tokio::test]
async fn a_beat_renews_the_lease() {
    let bench = Bench::new().await;
    bench.listed(1).await;
    let lease = bench.claim_one().await.lease;
    let expiry = || -> u64 {
        let key = format!("{}:0", lease.job_id);
        let score: String = redis::cmd("ZSCORE")
            .arg(&["{tq:00}:exp", &key])
            .query(&mut bench.redis.connection())
            .unwrap();
        score.parse().unwrap()
    };
    let before = expiry();
    wait_until(LIMIT, async || {
        assert_eq!(bench.queue.beat(&bench.worker, &[lease]).await.unwrap(), [Beat::Held]);
        expiry() > before
    })
    .await;
    assert_eq!(bench.queue.reap().await.unwrap().expired, 0);
    assert_eq!(bench.complete(&lease, Outcome::Completed).await, Settled::Counted);
}

#[tokio::test]
async fn a_document_that_takes_three_workers_down_is_not_run_again() {
    let bench = Bench::with(short()).await;
    let job_id = bench.listed(1).await;
    for attempt in 1..=3 {
        let claim = bench.claim_soon().await;
        assert_eq!(claim.lease.attempt, attempt);
        assert_eq!(claim.task, Task::Train { index: 0, last_attempt: false });
        bench.reap_one().await;
    }
    let claim = bench.claim_soon().await;
    assert_eq!(claim.task, Task::RecordLost { index: 0 });
    let document = name_of(&claim.lease);
    let mut lost = ending(Outcome::Failed, &document);
    lost.code = Some(Code::WorkerLost);
    assert_eq!(bench.queue.complete(&claim.lease, &lost).await.unwrap(), Settled::Counted);
    let finish = bench.finish().await;
    let verdict = JobStatus::CompletedWithErrors;
    assert_eq!(finish.task, Task::Finish { verdict, error: None });
    let events = bench.log(job_id).await;
    assert!(events.iter().any(|event| event.code == Some(Code::WorkerLost)));
}

#[tokio::test]
async fn errors_are_retried_with_growing_delays_and_end_in_failure() {
    let bench = Bench::with(short()).await;
    let job_id = bench.listed(1).await;
    for attempt in 1..=5 {
        let claim = bench.claim_soon().await;
        assert_eq!(claim.lease.attempt, attempt);
        assert_eq!(claim.task, Task::Train { index: 0, last_attempt: attempt == 5 });
        let document = name_of(&claim.lease);
        let mut ending = ending(Outcome::Failed, &document);
        ending.code = Some(Code::StoreUnavailable);
        match bench.queue.fail(&claim.lease, &ending, None).await.unwrap() {
            Failed::Retry { after } => {
                assert!(after <= Duration::from_millis(8 << (attempt - 1)), "{after:?}");
                assert!(attempt < 5);
            }
            Failed::Dead => assert_eq!(attempt, 5),
            other => panic!("{other:?}"),
        }
    }
    let view = bench.view(job_id).await;
    assert_eq!((view.documents.failed, view.documents.ended()), (1, 1));
    bench.finish().await;
    let events = bench.log(job_id).await;
    let ends: Vec<_> = events.iter().filter(|event| event.outcome.is_some()).collect();
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].code, Some(Code::StoreUnavailable));
    assert_eq!(ends[0].document.as_ref().unwrap().attempt, 5);
}

#[tokio::test]
async fn a_named_delay_is_kept() {
    let bench = Bench::with(short()).await;
    bench.listed(1).await;
    let lease = bench.claim_one().await.lease;
    let document = name_of(&lease);
    let wanted = Duration::from_secs(3600);
    let failed = bench.queue.fail(&lease, &ending(Outcome::Failed, &document), Some(wanted)).await;
    assert_eq!(failed.unwrap(), Failed::Retry { after: wanted });
    assert!(bench.claim(1).await.is_empty());
    let depth = bench.queue.queue_depth().await.unwrap();
    assert_eq!((depth.ready, depth.waiting, depth.leased), (0, 1, 0));
}

#[tokio::test]
async fn releases_are_not_counted_and_crashes_are_no_errors() {
    let bench = Bench::with(short()).await;
    bench.listed(1).await;
    for _ in 0..7 {
        let lease = bench.claim_one().await.lease;
        assert_eq!(lease.attempt, 1);
        assert_eq!(bench.queue.release(&lease).await.unwrap(), Settled::Counted);
    }
    for _ in 0..2 {
        bench.claim_soon().await;
        bench.reap_one().await;
    }
    let lease = bench.claim_soon().await.lease;
    let document = name_of(&lease);
    bench.queue.fail(&lease, &ending(Outcome::Failed, &document), None).await.unwrap();
    let claim = bench.claim_soon().await;
    assert_eq!(claim.task, Task::Train { index: 0, last_attempt: false });
    assert_eq!(claim.lease.attempt, 4);
}

#[tokio::test]
async fn a_job_whose_listing_or_finishing_crashes_fails() {
    let bench = Bench::with(short()).await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    for _ in 0..3 {
        assert_eq!(bench.claim_soon().await.lease.unit, Unit::List);
        bench.reap_one().await;
    }
    for _ in 0..3 {
        let claim = bench.claim_soon().await;
        let Task::Finish { verdict, error } = claim.task else { panic!("{claim:?}") };
        assert_eq!(verdict, JobStatus::Failed);
        assert!(error.unwrap().contains("3 раза"));
        bench.reap_one().await;
    }
    assert!(bench.claim(1).await.is_empty());
    assert_eq!(bench.status(job.id).await, JobStatus::Failed);
    let last = bench.log(job.id).await.pop().unwrap();
    assert_eq!(last.log, "Ошибка во время обучения: обработчик аварийно завершился 3 раза подряд");
}

#[tokio::test]
async fn a_job_whose_report_cannot_be_written_fails_in_the_end() {
    let times = QueueTimes { max_job_errors: 3, ..short() };
    let bench = Bench::with(times).await;
    let job_id = bench.listed(0).await;
    for attempt in 1..=3 {
        let lease = bench.claim_soon().await.lease;
        match bench.queue.postpone(&lease, "диск переполнен").await.unwrap() {
            Failed::Retry { .. } => assert!(attempt < 3),
            Failed::Dead => assert_eq!(attempt, 3),
            other => panic!("{other:?}"),
        }
    }
    let last = bench.log(job_id).await.pop().unwrap();
    assert_eq!(last.log, "Ошибка во время обучения: диск переполнен");
}

#[tokio::test]
async fn workers_are_seen_while_they_beat() {
    let bench = Bench::new().await;
    assert!(bench.queue.workers().await.unwrap().is_empty());
    bench.queue.beat(&bench.worker, &[]).await.unwrap();
    let workers = bench.queue.workers().await.unwrap();
    assert_eq!((workers[0].id, workers[0].slots), (bench.worker.id, 4));
    let hasty = Queue::connect(&bench.redis.url(), short()).await.unwrap();
    hasty.beat(&bench.worker, &[]).await.unwrap();
    wait_until(LIMIT, async || bench.queue.reap().await.unwrap().forgotten == 1).await;
    assert!(bench.queue.workers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_unit_of_another_kind_is_refused() {
    let bench = Bench::new().await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    let listing = bench.claim_one().await.lease;
    let document = DocumentName { id: job.id, name: "x".into() };
    let wrong = [
        bench.queue.finish(&listing).await.err(),
        bench.queue.complete(&listing, &ending(Outcome::Completed, &document)).await.err(),
        bench.queue.publish(&listing, 1, &stage_body(Stage::Chunking, &document)).await.err(),
        bench.queue.fail(&listing, &ending(Outcome::Failed, &document), None).await.err(),
    ];
    for error in wrong {
        assert!(matches!(error, Some(QueueError::Misuse(_))), "{error:?}");
    }
}

/// Behind the queue's back, as a repair or a restored Redis might do it.
#[tokio::test]
async fn a_document_that_is_given_out_after_its_end_is_counted_once() {
    let bench = Bench::new().await;
    let job_id = bench.listed(2).await;
    let first = bench.claim_one().await.lease;
    bench.complete(&first, Outcome::Completed).await;
    let told = bench.log(job_id).await.len();
    redis::cmd("ZADD")
        .arg(&[&format!("{{tq:00}}:retry:{job_id}"), "1", "0"])
        .exec(&mut bench.redis.connection())
        .unwrap();
    let again = bench.claim_one().await.lease;
    assert_eq!(again.unit, first.unit);
    assert_eq!(bench.complete(&again, Outcome::Completed).await, Settled::Counted);
    assert_eq!(bench.view(job_id).await.documents.completed, 1);
    assert_eq!(bench.log(job_id).await.len(), told, "its end was told twice");
    let second = bench.claim_one().await.lease;
    assert_ne!(second.unit, first.unit);
    bench.complete(&second, Outcome::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn a_job_does_not_end_while_its_listing_waits() {
    let bench = Bench::new().await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    let listing = bench.claim_one().await.lease;
    bench.queue.extend(&listing, 1, "half").await.unwrap();
    let document = bench.claim_one().await.lease;
    bench.queue.release(&listing).await.unwrap();
    bench.complete(&document, Outcome::Completed).await;
    // All documents that are known have ended, and nobody holds anything.
    let listing = bench.claim_one().await.lease;
    assert_eq!(listing.unit, Unit::List);
    assert_eq!(bench.queue.seal(&listing, 2).await.unwrap(), Settled::Counted);
    let document = bench.claim_one().await.lease;
    bench.complete(&document, Outcome::Completed).await;
    bench.finish().await;
    assert_eq!(bench.view(job.id).await.documents.completed, 2);
}

/// One of four documents takes every worker down; the others run beside it.
#[tokio::test]
async fn documents_beside_a_deadly_one_are_told_apart_from_it() {
    let bench = Bench::with(short()).await;
    let job_id = bench.listed(4).await;
    let deadly = Unit::Document { index: 2 };
    let mut crashes = 0;
    let mut held: Vec<Lease> = Vec::new();
    let deadline = std::time::Instant::now() + LIMIT;
    while bench.view(job_id).await.documents.ended() < 4 {
        assert!(std::time::Instant::now() < deadline, "not ended");
        for claim in bench.claim(4).await {
            if let Task::RecordLost { .. } = claim.task {
                assert_eq!(claim.lease.unit, deadly);
                bench.complete(&claim.lease, Outcome::Failed).await;
            } else {
                held.push(claim.lease);
            }
        }
        if held.iter().any(|lease| lease.unit == deadly) {
            crashes += 1;
            let mut expired = 0;
            wait_until(LIMIT, async || {
                expired += bench.queue.reap().await.unwrap().expired;
                expired == held.len() as u64
            })
            .await;
            held.clear();
        }
        for lease in held.drain(..) {
            bench.complete(&lease, Outcome::Completed).await;
        }
    }
    assert_eq!(crashes, 3);
    let view = bench.view(job_id).await;
    assert_eq!((view.documents.completed, view.documents.failed), (3, 1));
}
