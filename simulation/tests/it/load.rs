//! Large and many jobs: tests 19 and 20.

use crate::{WORKER, fleet};
use shared::job::JobStatus;
use shared::queue::Unit;
use simulation::fleet::Periods;
use simulation::ledger::{Kind, now_ms};
use std::path::Path;

/// A small job waits for a slot, not for the million documents before it.
#[tokio::test]
async fn test_19_a_small_job_starts_within_a_documents_time_behind_a_million() {
    const DOCUMENT_MS: u64 = 300;
    let mut fleet = fleet(Periods::real()).await;
    fleet.start_three(&["--document-ms", &DOCUMENT_MS.to_string()]);
    // So that scripts and connections are not counted.
    let warm = fleet.submit(30).await;
    fleet.ended(warm).await;
    let before = fleet.used_memory();
    let large = fleet.submit(1_000_000).await;
    fleet.progressed(large, 24).await;
    let grown = fleet.used_memory().saturating_sub(before);
    println!("{grown} bytes of Redis for a million documents, the first under way");
    assert!(grown < 1_000_000, "{grown}");
    let (mut waits, mut small) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        let submitted = now_ms();
        let job = fleet.submit(1).await;
        let started = fleet.seen(job, 0, |entry| entry.kind == Kind::Started).await;
        waits.push(started.at_ms - submitted);
        small.push(job);
    }
    waits.sort_unstable();
    println!("100 small jobs waited {} ms at most, {} ms in the middle", waits[99], waits[50]);
    assert!(waits[98] <= DOCUMENT_MS + 50, "p99: {waits:?}");
    for job in small {
        assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
        fleet.check(job).await;
    }
    fleet.queue.cancel(large).await.unwrap();
    let view = fleet.ended(large).await;
    assert_eq!(view.documents.ended(), 1_000_000);
    let finish = fleet.ledger.entries(large, Unit::Finish);
    assert_eq!(finish.iter().filter(|entry| entry.kind == Kind::Applied).count(), 1);
    fleet.check_idle().await;
}

/// A tenth of the design's numbers; all of them in `make soak`.
#[tokio::test]
async fn test_20_many_jobs_at_once_keep_every_script_short() {
    simulation::soak::crowd(Path::new(WORKER), 1_000).await;
}
