//! What people and machines ask for: tests 10, 21 and 22.

use crate::fleet;
use shared::job::JobStatus;
use simulation::fleet::Periods;
use simulation::ledger::Kind;
use std::time::{Duration, Instant};

/// A rolling restart: no lease runs out, no attempt is counted, nothing happens twice.
#[tokio::test]
async fn test_10_workers_that_are_asked_to_stop_give_everything_back() {
    let mut fleet = fleet(Periods::real()).await;
    let load = ["--document-ms", "150", "--grace-ms", "100"];
    fleet.start_three(&load);
    let job = fleet.submit(400).await;
    let mut released = 0;
    for old in 0..3 {
        fleet.progressed(job, 40 * (old as u64 + 1)).await;
        fleet.workers[old].terminate();
        let asked = Instant::now();
        let status = fleet.workers[old].wait(Duration::from_secs(5));
        let left = asked.elapsed();
        assert!(status.success(), "{status:?}: {}", fleet.workers[old].output());
        println!("w{old} left after {left:?}");
        assert!(left < Duration::from_secs(1), "{left:?}");
        let now = fleet.count(job, 400, Kind::Released);
        released = now.max(released);
        fleet.start(&load);
    }
    assert!(released > 0, "every document ended within the grace time");
    assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
    let events = fleet.events(job).await;
    assert!(
        events.iter().filter_map(|event| event.document.as_ref()).all(|of| of.attempt == 1),
        "an attempt was counted"
    );
    let report = fleet.check(job).await;
    assert_eq!(report.repeated, released, "only what was given back began again");
    assert_eq!(fleet.count(job, 400, Kind::Present), 0, "an effect was repeated");
    fleet.check_idle().await;
}

/// Ten jobs; the channel tells their holders at once.
#[tokio::test]
async fn test_21_a_cancelled_job_stops_at_once() {
    let mut fleet = fleet(Periods::real()).await;
    fleet.start_three(&["--document-ms", "60000", "--stages", "1"]);
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let job = fleet.submit(1000).await;
        slowest = slowest.max(cancelled_after(&fleet, job).await);
        let view = fleet.queue.job(job).await.unwrap().unwrap();
        assert_eq!((view.documents.cancelled, view.documents.total), (1000, 1000));
        assert_eq!(fleet.queue.cancel(job).await.unwrap(), JobStatus::Cancelled, "twice");
        fleet.check(job).await;
    }
    println!("the slowest of 10 was cancelled after {slowest:?}");
    assert!(slowest < Duration::from_secs(3));
    fleet.check_idle().await;
    fleet.all_alive();
}

/// Nobody hears the channel: the next beat, at most 2.5 s later, tells.
#[tokio::test]
async fn test_22_a_cancel_nobody_heard_comes_with_the_heartbeat() {
    let mut fleet = fleet(Periods::real()).await;
    fleet.start_three(&["--document-ms", "60000", "--stages", "1", "--deaf"]);
    let job = fleet.submit(1000).await;
    let after = cancelled_after(&fleet, job).await;
    println!("cancelled after {after:?}");
    assert!(after < Duration::from_secs(3), "{after:?}");
    fleet.check(job).await;
    fleet.check_idle().await;
}

/// Cancels a job when twelve of its documents are in work; how long until the final event.
async fn cancelled_after(fleet: &simulation::fleet::Fleet, job: uuid::Uuid) -> Duration {
    testkit::wait_until(simulation::fleet::LIMIT, async || {
        fleet.count(job, 100, Kind::Started) == 12
    })
    .await;
    let asked = Instant::now();
    assert_eq!(fleet.queue.cancel(job).await.unwrap(), JobStatus::Cancelling);
    assert_eq!(fleet.ended(job).await.status, JobStatus::Cancelled);
    asked.elapsed()
}
