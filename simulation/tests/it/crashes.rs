//! Workers that die: tests 1, 2, 3 and 9.

use crate::fleet;
use shared::job::JobStatus;
use simulation::fleet::Periods;
use simulation::ledger::{Kind, now_ms};
use std::time::{Duration, Instant};

/// With the periods of an installation: lease 10 s and sweep 1 s allow 12 s.
#[tokio::test]
async fn test_1_a_killed_workers_document_is_claimed_again_within_12_seconds() {
    let mut fleet = fleet(Periods::real()).await;
    let victim = fleet.start(&["--hold", "5"]);
    let job = fleet.submit(40).await;
    fleet.seen(job, 5, |entry| entry.kind == Kind::Started).await;
    fleet.start(&[]);
    fleet.start(&[]);
    fleet.workers[victim].kill();
    let killed = now_ms();
    let again = fleet
        .seen(job, 5, |entry| entry.kind == Kind::Started && entry.worker != format!("w{victim}"))
        .await;
    let after = Duration::from_millis(again.at_ms - killed);
    println!("claimed again after {after:?}");
    assert!(after <= Duration::from_secs(12), "{after:?}");
    assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
    assert!(fleet.check(job).await.repeated >= 1);
    fleet.check_idle().await;
}

#[tokio::test]
async fn test_2_new_workers_go_on_where_all_were_killed() {
    let mut fleet = fleet(Periods::short()).await;
    fleet.start_three(&["--document-ms", "60"]);
    let job = fleet.submit(120).await;
    fleet.progressed(job, 20).await;
    fleet.workers.iter_mut().for_each(testkit::Process::kill);
    let leased = fleet.queue.queue_depth().await.unwrap().leased;
    assert!(leased > 0, "they held nothing");
    fleet.start_three(&["--document-ms", "60"]);
    let started = Instant::now();
    // Nobody gave the leases back: they run out, and then everything held ends.
    let limit = fleet.periods().recovery() + Duration::from_secs(2);
    testkit::wait_until(limit, async || {
        fleet.queue.queue_depth().await.unwrap().leased == 0
            || fleet.queue.job(job).await.unwrap().unwrap().status.is_final()
    })
    .await;
    println!("recovered {:?} after the start", started.elapsed());
    assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
    fleet.check(job).await;
    fleet.check_idle().await;
}

#[tokio::test]
async fn test_3_an_effect_that_was_not_counted_yet_is_found_and_counted_once() {
    let mut fleet = fleet(Periods::short()).await;
    let victim = fleet.start(&["--hold-counting", "3"]);
    let job = fleet.submit(20).await;
    fleet.seen(job, 3, |entry| entry.kind == Kind::Applied).await;
    fleet.workers[victim].kill();
    fleet.start_three(&[]);
    let view = fleet.ended(job).await;
    assert_eq!((view.status, view.documents.completed), (JobStatus::Completed, 20));
    let kinds: Vec<Kind> = fleet.entries(job, 3).iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Kind::Started, Kind::Applied, Kind::Started, Kind::Present, Kind::Counted]);
    fleet.check(job).await;
    fleet.check_idle().await;
}

/// Four documents at once per process: whoever runs beside the deadly one dies with it, and must
/// still not be taken for it.
#[tokio::test]
async fn test_9_a_document_that_kills_every_worker_is_given_up_and_no_other_is() {
    let mut fleet = fleet(Periods::short()).await;
    let deadly = ["--abort-on", "7", "--document-ms", "300"];
    fleet.start_three(&deadly);
    let job = fleet.submit(60).await;
    let deadline = Instant::now() + simulation::fleet::LIMIT;
    let mut aborted = 0;
    let view = loop {
        // The machine's supervisor.
        for number in 0..fleet.workers.len() {
            if fleet.workers[number].ended().is_some_and(|status| status.code().is_none()) {
                aborted += 1;
                fleet.workers.swap_remove(number);
                fleet.start(&deadly);
                break;
            }
        }
        let view = fleet.queue.job(job).await.unwrap().unwrap();
        if view.status.is_final() {
            break view;
        }
        assert!(Instant::now() < deadline, "{view:?}\n{}", fleet.output());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(aborted, 3);
    assert_eq!(view.status, JobStatus::CompletedWithErrors);
    assert_eq!((view.documents.completed, view.documents.failed), (59, 1), "{view:?}");
    let lost = fleet.events(job).await.into_iter().find(|event| event.code.is_some()).unwrap();
    assert_eq!(lost.document.unwrap().index, 7);
    assert_eq!(lost.code, Some(shared::outcome::Code::WorkerLost));
    fleet.check(job).await;
    fleet.check_idle().await;
}
