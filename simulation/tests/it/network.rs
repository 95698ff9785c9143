//! Lines that break and a Redis that does not answer: tests 5, 11, 15 and 16.

use crate::fleet;
use shared::job::JobStatus;
use shared::queue::Unit;
use simulation::fleet::{Fleet, LIMIT, Periods};
use simulation::ledger::Kind;
use std::time::Duration;
use testkit::{Mode, Proxy, wait_until};

/// Every worker's line loses replies again and again; calls are repeated and count once.
#[tokio::test]
async fn test_5_calls_whose_replies_are_lost_count_once() {
    let mut fleet = fleet(Periods::short()).await;
    let proxy = Proxy::start(fleet.redis.address()).await;
    for _ in 0..3 {
        fleet.start_through(
            &proxy.redis_url(),
            &["--slots", "2", "--stages", "0", "--document-ms", "100"],
        );
    }
    let job = fleet.submit(240).await;
    let mut broken = 0;
    while !is_final(&fleet, job).await {
        proxy.set(Mode::DropReplies);
        tokio::time::sleep(Duration::from_millis(60)).await;
        proxy.set(Mode::Pass);
        // Never in step with the documents.
        tokio::time::sleep(Duration::from_millis(200 + broken * 37 % 100)).await;
        broken += 1;
    }
    assert!(broken > 3, "the job was over before anything broke");
    // Not before the last repetition is over: its reply may be among the lost ones.
    let repeated = fleet.queue.queue_depth().await.unwrap().counters.get("already").copied();
    assert!(repeated > Some(0), "no call whose reply was lost was repeated:\n{}", fleet.output());
    let view = fleet.ended(job).await;
    assert_eq!((view.status, view.documents.completed), (JobStatus::Completed, 240));
    let report = fleet.check(job).await;
    println!("{broken} breaks, {} attempts repeated", report.repeated);
    assert_eq!(fleet.count(job, 240, Kind::Counted), 240);
    fleet.check_idle().await;
    fleet.all_alive();
}

#[tokio::test]
async fn test_11_killed_connections_end_no_worker_and_leave_no_gap() {
    let mut fleet = fleet(Periods::short()).await;
    fleet.start_three(&["--document-ms", "200"]);
    let job = fleet.submit(300).await;
    let mut killer = fleet.redis.connection();
    let (mut killed, mut seen) = (0, 0);
    while !is_final(&fleet, job).await {
        for kind in ["normal", "pubsub"] {
            let kill = ["KILL", "TYPE", kind, "SKIPME", "yes"];
            killed += redis::cmd("CLIENT").arg(&kill).query::<u64>(&mut killer).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        // A client that reads on from where it was.
        wait_until(LIMIT, async || match fleet.queue.events(job, seen, 1000).await {
            Ok(page) => {
                for (seq, _) in page.unwrap().events {
                    assert_eq!(seq, seen + 1, "a gap");
                    seen = seq;
                }
                true
            }
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                false
            }
        })
        .await;
    }
    println!("{killed} connections killed");
    assert!(killed > 50, "{killed}");
    assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
    fleet.check(job).await;
    fleet.check_idle().await;
    fleet.all_alive();
}

/// With the periods of an installation: 3 s of silence fit into a lease of 10 s.
#[tokio::test]
async fn test_15_a_redis_that_stalls_for_3_seconds_costs_no_lease() {
    let mut fleet = fleet(Periods::real()).await;
    fleet.start_three(&["--document-ms", "200"]);
    let job = fleet.submit(150).await;
    fleet.progressed(job, 30).await;
    redis::cmd("CLIENT")
        .arg(&["PAUSE", "3000", "ALL"])
        .exec(&mut fleet.redis.connection())
        .unwrap();
    assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
    let report = fleet.check(job).await;
    assert_eq!((report.repeated, report.rejected), (0, 0));
    assert_eq!(fleet.count(job, 150, Kind::Stopped), 0, "a worker let go");
    fleet.check_idle().await;
    fleet.all_alive();
}

/// One worker is cut off but can still write. It lets go before anybody else begins.
#[tokio::test]
async fn test_16_a_worker_that_is_cut_off_lets_go_before_its_lease_ends() {
    let mut fleet = fleet(Periods::short()).await;
    let proxy = Proxy::start(fleet.redis.address()).await;
    let cut = fleet.start_through(&proxy.redis_url(), &["--hold", "5", "--slots", "1"]);
    let job = fleet.submit(20).await;
    let held = fleet.seen(job, 5, |entry| entry.kind == Kind::Started).await;
    proxy.set(Mode::Blackhole);
    fleet.start(&[]);
    fleet.start(&[]);
    let again = fleet.seen(job, 5, |entry| entry.fence > held.fence).await;
    let stopped = fleet.seen(job, 5, |entry| entry.kind == Kind::Stopped).await;
    assert_eq!((stopped.fence, stopped.worker.as_str()), (held.fence, "w0"));
    println!("let go {} ms before the next one began", again.at_ms.saturating_sub(stopped.at_ms));
    assert!(stopped.at_ms <= again.at_ms, "{stopped:?} {again:?}");
    assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
    proxy.set(Mode::Pass);
    assert_eq!(fleet.check(job).await.repeated, 1);
    // It is of use again.
    fleet.workers.drain(cut + 1..);
    let next = fleet.submit(3).await;
    assert_eq!(fleet.ended(next).await.status, JobStatus::Completed);
    fleet.check(next).await;
    fleet.check_idle().await;
    fleet.all_alive();
}

/// The same, but the worker does not notice: its write comes too late and is refused.
#[tokio::test]
async fn test_16_the_late_write_of_a_worker_that_was_cut_off_is_refused() {
    let mut fleet = fleet(Periods::short()).await;
    let proxy = Proxy::start(fleet.redis.address()).await;
    let late = (2 * fleet.periods().recovery().as_millis()).to_string();
    let stubborn = ["--stubborn", "--slots", "1", "--stages", "0", "--document-ms", &late];
    let name = format!("w{}", fleet.start_through(&proxy.redis_url(), &stubborn));
    let job = fleet.submit(1).await;
    fleet.seen(job, 0, |entry| entry.kind == Kind::Started).await;
    proxy.set(Mode::Blackhole);
    fleet.start(&[]);
    fleet.start(&[]);
    assert_eq!(fleet.ended(job).await.status, JobStatus::Completed);
    fleet.seen(job, 0, |entry| entry.worker == name && entry.kind == Kind::Rejected).await;
    fleet.check(job).await;
    let finish = fleet.ledger.entries(job, Unit::Finish);
    assert!(finish.iter().all(|entry| entry.worker != name), "{finish:#?}");
    fleet.check_idle().await;
}

async fn is_final(fleet: &Fleet, job: uuid::Uuid) -> bool {
    let view = fleet.queue.job(job).await;
    view.is_ok_and(|view| view.unwrap().status.is_final())
}
