//! Sweeps: a script handles sixteen leases or jobs, so that it stays short, and a sweep goes on until
//! none is left.

use crate::support::*;
use shared::outcome::Outcome;
use shared::queue::*;
use std::time::Duration;
use testkit::wait_until;
use uuid::Uuid;

/// More than two scripts handle.
const MANY: usize = 40;

impl Bench {
    /// The same queue with other times.
    fn with_times(&self, times: QueueTimes) -> Queue {
        Queue::open(&self.redis.url(), times).unwrap()
    }

    /// Waits until the times of so many members of a set of the one shard have passed.
    async fn passed(&self, set: &str, members: usize) {
        let mut connection = self.redis.connection();
        wait_until(LIMIT, async || {
            let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(&mut connection).unwrap();
            let passed: usize = redis::cmd("ZCOUNT")
                .arg(format!("{{tq:00}}:{set}"))
                .arg("-inf")
                .arg(seconds * 1000 + micros / 1000)
                .query(&mut connection)
                .unwrap();
            passed == members
        })
        .await;
    }
}

#[tokio::test]
async fn one_sweep_takes_back_every_lease_that_has_expired() {
    let bench = Bench::new().await;
    bench.listed(MANY as u64).await;
    let lease = Duration::from_millis(1);
    let hasty = bench.with_times(QueueTimes { lease, ..QueueTimes::default() });
    for wanted in [16, 16, 8] {
        let claims = hasty.claim(&bench.worker, Uuid::new_v4(), wanted).await.unwrap();
        assert_eq!(claims.len(), wanted);
    }
    bench.passed("exp", MANY).await;
    assert_eq!(bench.queue.reap().await.unwrap().expired, MANY as u64);
    assert_eq!(bench.queue.reap().await.unwrap().expired, 0);
}

#[tokio::test]
async fn one_sweep_makes_every_job_ready_whose_back_off_is_over() {
    let bench = Bench::new().await;
    let mut failing = Vec::new();
    for _ in 0..MANY {
        bench.listed(1).await;
        failing.push(bench.claim_one().await.lease);
    }
    for lease in failing {
        let document = name_of(&lease);
        let ending = ending(Outcome::Failed, &document);
        bench.queue.fail(&lease, &ending, Some(Duration::from_millis(1))).await.unwrap();
    }
    bench.passed("due", MANY).await;
    let waiting = bench.queue.queue_depth().await.unwrap();
    assert_eq!((waiting.ready, waiting.waiting), (0, MANY as u64));
    bench.queue.reap().await.unwrap();
    let ready = bench.queue.queue_depth().await.unwrap();
    assert_eq!((ready.ready, ready.waiting), (MANY as u64, 0));
}

#[tokio::test]
async fn one_sweep_forgets_every_job_past_its_retention() {
    let bench = Bench::new().await;
    let retention = Duration::from_millis(1);
    let forgetful = bench.with_times(QueueTimes { retention, ..QueueTimes::default() });
    for _ in 0..MANY {
        let job = new_job();
        forgetful.submit(&job).await.unwrap();
        forgetful.cancel(job.id).await.unwrap();
        bench.finish().await;
    }
    bench.passed("hist", MANY).await;
    assert_eq!(forgetful.reap().await.unwrap().forgotten, MANY as u64);
    assert!(bench.queue.jobs(None, 100, None).await.unwrap().jobs.is_empty());
}
