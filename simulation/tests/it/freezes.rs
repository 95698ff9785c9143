//! Workers that stand still or do not let the runtime run: tests 6 and 7.

use crate::fleet;
use shared::job::JobStatus;
use simulation::fleet::Periods;
use simulation::ledger::Kind;
use testkit::wait_until;

/// The zombie does not listen: it goes on with its document after it woke up, writes and reports.
#[tokio::test]
async fn test_6_a_worker_that_wakes_up_late_changes_nothing_any_more() {
    let mut fleet = fleet(Periods::short()).await;
    let zombie = fleet.start(&["--slots", "1", "--document-ms", "400", "--stubborn"]);
    let job = fleet.submit(6).await;
    let name = format!("w{zombie}");
    let held = fleet.seen(job, 0, |entry| entry.kind == Kind::Started).await;
    fleet.workers[zombie].freeze();
    fleet.start_three(&[]);
    let view = fleet.ended(job).await;
    assert_eq!((view.status, view.documents.completed), (JobStatus::Completed, 6));
    let before = fleet.events(job).await;
    fleet.workers[zombie].thaw();
    let frozen = fleet
        .entries(job, 0)
        .iter()
        .any(|entry| entry.worker == name && matches!(entry.kind, Kind::Applied | Kind::Counted));
    assert!(!frozen, "it was frozen too late");
    fleet.seen(job, 0, |entry| entry.worker == name && entry.kind == Kind::Lost).await;
    let late = fleet.entries(job, 0);
    assert!(
        late.iter().any(|entry| entry.fence == held.fence && entry.kind == Kind::Rejected),
        "its write was not refused: {late:#?}"
    );
    assert_eq!(fleet.events(job).await, before, "an event of the zombie");
    assert!(fleet.check(job).await.rejected >= 1);
    fleet.check_idle().await;
    fleet.all_alive();
}

/// Both threads of each runtime are blocked for longer than a lease; the heart beats on its own.
#[tokio::test]
async fn test_7_blocked_threads_lose_no_lease() {
    let mut fleet = fleet(Periods::short()).await;
    let lease_ms = fleet.periods().lease.as_millis().to_string();
    let three_leases = (3 * fleet.periods().lease.as_millis()).to_string();
    fleet.start_three(&[
        "--blocking",
        "--threads",
        "2",
        "--slots",
        "2",
        "--stages",
        "1",
        "--document-ms",
        &three_leases,
    ]);
    let job = fleet.submit(6).await;
    wait_until(simulation::fleet::LIMIT, async || fleet.count(job, 6, Kind::Started) == 6).await;
    assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
    let report = fleet.check(job).await;
    assert_eq!((report.repeated, report.rejected), (0, 0), "lease {lease_ms} ms");
    fleet.check_idle().await;
    fleet.all_alive();
}
