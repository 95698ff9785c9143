//! A Redis that is killed, full, or forgets its scripts: tests 12, 17 and 18.

use crate::{durable_fleet, fleet};
use shared::job::JobStatus;
use shared::queue::QueueError;
use simulation::fleet::{Periods, new_job, submit_surely};
use std::time::{Duration, Instant};
use testkit::wait_until;

/// A killed server has written its file; only a machine that loses power loses the last second.
#[tokio::test]
async fn test_12_work_goes_on_within_5_seconds_after_a_killed_redis_is_back() {
    let mut fleet = durable_fleet(Periods::short()).await;
    fleet.start_three(&["--document-ms", "100"]);
    let job = fleet.submit(400).await;
    let mut slowest = Duration::ZERO;
    for round in 1..=3 {
        fleet.progressed(job, 60 * round).await;
        fleet.redis.kill();
        fleet.redis.restart();
        let back = Instant::now();
        let mut ended = None;
        wait_until(Duration::from_secs(5), async || {
            let Ok(Some(view)) = fleet.queue.job(job).await else { return false };
            let now = view.documents.ended();
            *ended.get_or_insert(now) < now
        })
        .await;
        slowest = slowest.max(back.elapsed());
    }
    println!("the slowest of 3 went on after {slowest:?}");
    let view = fleet.ended(job).await;
    assert_eq!((view.status, view.documents.completed), (JobStatus::Completed, 400));
    println!("{:?}", fleet.check(job).await);
    fleet.check_idle().await;
    fleet.all_alive();
}

#[tokio::test]
async fn test_17_a_full_redis_finishes_what_it_has() {
    let mut fleet = fleet(Periods::short()).await;
    fleet.start_three(&["--document-ms", "30"]);
    let job = fleet.submit(200).await;
    fleet.progressed(job, 20).await;
    let limit = |bytes: &str| {
        redis::cmd("CONFIG")
            .arg(&["SET", "maxmemory", bytes])
            .exec(&mut fleet.redis.connection())
            .unwrap();
    };
    limit("1");
    let refused = fleet.queue.submit(&new_job(1)).await;
    assert!(matches!(refused, Err(QueueError::QueueFull)), "{refused:?}");
    let view = fleet.ended(job).await;
    assert_eq!((view.status, view.documents.completed), (JobStatus::Completed, 200));
    let refused = fleet.queue.submit(&new_job(1)).await;
    assert!(matches!(refused, Err(QueueError::QueueFull)), "{refused:?}");
    limit("0");
    let next = fleet.submit(5).await;
    assert_eq!(fleet.ended(next).await.status, JobStatus::Completed);
    fleet.check(job).await;
    fleet.check(next).await;
    fleet.check_idle().await;
    fleet.all_alive();
}

#[tokio::test]
async fn test_18_scripts_that_redis_forgets_are_loaded_again_without_an_error() {
    let mut fleet = fleet(Periods::short()).await;
    fleet.start_three(&["--document-ms", "30"]);
    let jobs: Vec<_> = (0..5).map(|_| new_job(60)).collect();
    for job in &jobs {
        submit_surely(&fleet.queue, job).await;
    }
    let mut connection = fleet.redis.connection();
    let mut flushed = 0;
    for job in &jobs {
        while !fleet.queue.job(job.id).await.unwrap().unwrap().status.is_final() {
            redis::cmd("FUNCTION").arg("FLUSH").exec(&mut connection).unwrap();
            flushed += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(flushed > 20, "{flushed}");
    for job in &jobs {
        assert_eq!(fleet.check(job.id).await.repeated, 0);
    }
    fleet.check_idle().await;
    fleet.all_alive();
    assert!(!fleet.output().contains("error"), "{}", fleet.output());
}
