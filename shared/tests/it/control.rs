//! Cancel, pause, resume, and waking up.

use crate::support::*;
use futures_util::StreamExt;
use shared::job::JobStatus;
use shared::outcome::Outcome;
use shared::queue::*;
use std::time::{Duration, Instant};
use testkit::within;
use uuid::Uuid;

#[tokio::test]
async fn a_job_is_cancelled_before_it_starts() {
    let bench = Bench::new().await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    assert_eq!(bench.queue.cancel(job.id).await.unwrap(), JobStatus::Cancelling);
    assert_eq!(bench.queue.cancel(job.id).await.unwrap(), JobStatus::Cancelling);
    let finish = bench.finish().await;
    assert_eq!(finish.task, Task::Finish { verdict: JobStatus::Cancelled, error: None });
    assert_eq!(bench.queue.cancel(job.id).await.unwrap(), JobStatus::Cancelled);
    let last = bench.log(job.id).await.pop().unwrap();
    assert_eq!((last.stage.as_str(), last.progress), ("error", 0.0));
    assert_eq!(last.log, "Ошибка во время обучения: задача отменена");
}

#[tokio::test]
async fn a_running_job_is_cancelled_and_everything_is_counted() {
    let bench = Bench::new().await;
    let queue = &bench.queue;
    let mut controls = queue.controls().await.unwrap();
    let job = new_job();
    queue.submit(&job).await.unwrap();
    let listing = bench.claim_one().await.lease;
    queue.extend(&listing, 1_000_000, "x").await.unwrap();
    let claims = bench.claim(4).await;
    let leases: Vec<Lease> = claims.iter().map(|claim| claim.lease).collect();
    bench.complete(&leases[0], Outcome::Completed).await;
    let document = name_of(&leases[1]);
    let wait = Some(Duration::from_secs(60));
    queue.fail(&leases[1], &ending(Outcome::Failed, &document), wait).await.unwrap();

    assert_eq!(queue.cancel(job.id).await.unwrap(), JobStatus::Cancelling);
    assert_eq!(within(LIMIT, controls.next()).await, Some(Control::Cancel(job.id)));
    let held = [leases[2], leases[3], listing];
    assert_eq!(queue.beat(&bench.worker, &held).await.unwrap(), [Beat::Cancelled; 3]);
    assert_eq!(queue.extend(&listing, 2_000_000, "y").await.unwrap(), Listing::Cancelled);
    assert!(bench.claim(16).await.is_empty(), "no new units");
    assert_eq!(bench.view(job.id).await.documents.cancelled, 1_000_000 - 3);

    bench.complete(&leases[2], Outcome::Cancelled).await;
    queue.release(&leases[3]).await.unwrap();
    assert!(bench.claim(16).await.is_empty(), "the listing is still held");
    queue.release(&listing).await.unwrap();
    bench.finish().await;
    let view = bench.view(job.id).await;
    assert_eq!(view.status, JobStatus::Cancelled);
    assert_eq!((view.documents.completed, view.documents.cancelled), (1, 999_999));
    assert_eq!(view.documents.ended(), view.documents.total);
    assert!(view.progress < 1.0, "what was cancelled is no progress");
    bench.log(job.id).await;
}

#[tokio::test]
async fn a_lost_worker_does_not_hold_up_a_cancel() {
    let lease = Duration::from_millis(50);
    let bench = Bench::with(QueueTimes { lease, ..QueueTimes::default() }).await;
    let job_id = bench.listed(3).await;
    bench.claim(2).await;
    bench.queue.cancel(job_id).await.unwrap();
    let mut expired = 0;
    testkit::wait_until(LIMIT, async || {
        expired += bench.queue.reap().await.unwrap().expired;
        expired == 2
    })
    .await;
    bench.finish().await;
    assert_eq!(bench.view(job_id).await.documents.cancelled, 3);
}

#[tokio::test]
async fn it_is_too_late_to_cancel_when_everything_has_ended() {
    let bench = Bench::new().await;
    let job_id = bench.listed(1).await;
    let claim = bench.claim_one().await;
    bench.complete(&claim.lease, Outcome::Completed).await;
    let finish = bench.claim_one().await.lease;
    assert_eq!(bench.queue.cancel(job_id).await.unwrap(), JobStatus::Running);
    assert_eq!(bench.queue.pause(job_id).await.unwrap(), JobStatus::Running);
    assert_eq!(bench.queue.finish(&finish).await.unwrap(), Settled::Counted);
    assert_eq!(bench.status(job_id).await, JobStatus::Completed);
    assert!(matches!(bench.queue.cancel(Uuid::new_v4()).await, Err(QueueError::NoSuchJob)));
}

#[tokio::test]
async fn a_paused_job_gives_nothing_out_until_it_is_resumed() {
    let bench = Bench::new().await;
    let queue = &bench.queue;
    let job_id = bench.listed(2).await;
    let first = bench.claim_one().await.lease;
    assert_eq!(queue.pause(job_id).await.unwrap(), JobStatus::Paused);
    assert_eq!(queue.pause(job_id).await.unwrap(), JobStatus::Paused);
    assert!(bench.claim(4).await.is_empty());
    assert_eq!(queue.beat(&bench.worker, &[first]).await.unwrap(), [Beat::Paused]);
    bench.complete(&first, Outcome::Completed).await;
    assert!(bench.claim(4).await.is_empty());
    assert_eq!(bench.view(job_id).await.eta_s, None);
    assert_eq!(queue.resume(job_id).await.unwrap(), JobStatus::Running);
    assert!(bench.view(job_id).await.eta_s.is_some());
    let second = bench.claim_one().await.lease;
    queue.pause(job_id).await.unwrap();
    bench.complete(&second, Outcome::Completed).await;
    bench.finish().await;
    let states: Vec<String> = bench
        .log(job_id)
        .await
        .into_iter()
        .filter(|event| event.outcome.is_none())
        .map(|event| event.job.status)
        .collect();
    let expected = ["queued", "running", "running", "paused", "running", "paused", "completed"];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn a_job_paused_before_its_start_is_queued_again() {
    let bench = Bench::new().await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    assert_eq!(bench.queue.pause(job.id).await.unwrap(), JobStatus::Paused);
    assert!(bench.claim(1).await.is_empty());
    assert_eq!(bench.queue.resume(job.id).await.unwrap(), JobStatus::Queued);
    bench.list(job.id, 0).await;
}

#[tokio::test]
async fn waiting_workers_are_woken() {
    let bench = Bench::new().await;
    let queue = bench.queue.clone();
    let waiting = tokio::spawn(async move {
        let start = Instant::now();
        queue.wait_for_work(Duration::from_secs(15)).await.unwrap();
        start.elapsed()
    });
    testkit::wait_until(LIMIT, async || {
        let clients: String =
            redis::cmd("INFO").arg("clients").query(&mut bench.redis.connection()).unwrap();
        clients.contains("blocked_clients:1")
    })
    .await;
    bench.queue.submit(&new_job()).await.unwrap();
    assert!(within(LIMIT, waiting).await.unwrap() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_sweep_wakes_workers_for_what_is_due() {
    let bench = Bench::new().await;
    bench.listed(1).await;
    let lease = bench.claim_one().await.lease;
    let document = name_of(&lease);
    let delay = Some(Duration::from_millis(30));
    let failing = ending(Outcome::Failed, &document);
    // Until then the only markers are those of the submission and the listing.
    redis::cmd("DEL").arg("{tq:00}:wake").exec(&mut bench.redis.connection()).unwrap();
    bench.queue.fail(&lease, &failing, delay).await.unwrap();
    let queue = bench.queue.clone();
    let waiting = tokio::spawn(async move { queue.wait_for_work(Duration::from_secs(60)).await });
    testkit::wait_until(LIMIT, async || {
        bench.queue.reap().await.unwrap();
        waiting.is_finished()
    })
    .await;
    assert_eq!(bench.claim_one().await.lease.attempt, 2);
}

#[tokio::test]
async fn an_abandoned_wait_steals_no_wake_up() {
    let bench = Bench::new().await;
    let wait = bench.queue.wait_for_work(Duration::from_secs(15));
    assert!(tokio::time::timeout(Duration::from_millis(100), wait).await.is_err());
    testkit::wait_until(LIMIT, async || {
        let clients: String =
            redis::cmd("INFO").arg("clients").query(&mut bench.redis.connection()).unwrap();
        clients.contains("blocked_clients:0")
    })
    .await;
    bench.queue.submit(&new_job()).await.unwrap();
    within(Duration::from_secs(5), bench.queue.wait_for_work(Duration::from_secs(15)))
        .await
        .unwrap();
}
