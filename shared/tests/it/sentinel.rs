//! The queue on a master that Sentinels watch.

use crate::crew::*;
use crate::support::*;
use shared::queue::*;
use std::time::{Duration, Instant};
use testkit::{RedisSentinels, wait_until, within};

const LONG: Duration = Duration::from_secs(60);
/// The bound on finding the new master, with Sentinels that call a master down after a second.
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_dead_master_is_replaced_and_no_job_is_lost() {
    let mut set = RedisSentinels::start();
    goes_on_without_its_master(&mut set, RedisSentinels::kill_master).await;
}

/// Its connections stay open and say nothing.
#[tokio::test]
async fn a_frozen_master_is_replaced_and_no_job_is_lost() {
    let mut set = RedisSentinels::start();
    goes_on_without_its_master(&mut set, |set| set.freeze_master()).await;
}

/// Strikes the master in the midst of eight jobs.
async fn goes_on_without_its_master(
    set: &mut RedisSentinels,
    strike: impl FnOnce(&mut RedisSentinels) -> u16,
) {
    let times = QueueTimes { lease: Duration::from_secs(2), ..QueueTimes::default() };
    let queue = Queue::connect(&set.url(), times.clone()).await.unwrap();
    queue.check_policy().await.unwrap();
    let jobs: Vec<NewJob> = (0..8).map(|_| new_job()).collect();
    for job in &jobs {
        queue.submit(job).await.unwrap();
    }
    let crew = Crew::hire(&set.url(), &times, 4, 250);
    wait_until(LONG, async || crew.counted() >= 200).await;
    let dead = strike(set);
    let struck = Instant::now();
    wait_until(RECOVERY, async || set.master().is_some_and(|new| new.address().port() != dead))
        .await;
    let before = crew.counted();
    assert!(before < 8 * 250, "the jobs were too short for this test");
    wait_until(RECOVERY, async || crew.counted() > before).await;
    println!("the first document was counted {:?} after the loss of the master", struck.elapsed());
    assert!(struck.elapsed() < RECOVERY);

    let logs = see_through(&queue, &jobs, 250, LONG).await;
    assert!(logs.iter().all(|log| log.last().unwrap().is_final));
    let fences = crew.seen.fences.lock().unwrap();
    // A claim that was under way may have been answered by either master.
    let old = fences.iter().filter(|(_, answered, _)| *answered < struck);
    let new = fences.iter().filter(|(begun, _, _)| *begun > struck);
    let highest = old.map(|(_, _, fence)| fence).max().unwrap();
    let lowest = new.map(|(_, _, fence)| fence).min().unwrap();
    assert!(lowest > highest, "{lowest} was given out after {highest}");
}

#[tokio::test]
async fn jobs_that_the_new_master_never_heard_of_are_submitted_again() {
    let mut set = RedisSentinels::start();
    let queue = Queue::connect(&set.url(), QueueTimes::default()).await.unwrap();
    let kept = new_job();
    queue.submit(&kept).await.unwrap();
    assert!(queue.job(kept.id).await.unwrap().is_some());
    wait_until(LIMIT, async || set.is_in_step()).await;
    // Both replicas are cut off: what the master accepts from now on exists only there.
    set.replicas().for_each(|replica| replica.process().freeze());
    redis::cmd("CLIENT")
        .arg(&["KILL", "TYPE", "replica"])
        .exec(&mut set.master().unwrap().connection())
        .unwrap();
    let job = new_job();
    assert!(queue.submit(&job).await.unwrap().created);
    let before = queue.job(job.id).await.unwrap().unwrap();
    set.kill_master();
    set.replicas().for_each(|replica| replica.process().thaw());

    let view = within(LONG, persist(async || queue.job(job.id).await)).await;
    assert_eq!(view, None, "an acknowledged job that no replica had is gone");
    assert!(persist(async || queue.submit(&job).await).await.created);
    assert!(!persist(async || queue.submit(&kept).await).await.created);
    let after = persist(async || queue.job(job.id).await).await.unwrap();
    assert_ne!(after.epoch, before.epoch, "viewers learn that the history is another one");
}
