//! Shares of the workers, limits, and what a job costs.

use crate::support::*;
use shared::job::Priority;
use shared::outcome::Outcome;
use shared::queue::*;
use std::collections::HashMap;
use uuid::Uuid;

/// Claims and completes `count` documents one by one and counts them by job.
async fn work(bench: &Bench, count: usize) -> HashMap<Uuid, u32> {
    let mut served = HashMap::new();
    for _ in 0..count {
        let lease = bench.claim_one().await.lease;
        bench.complete(&lease, Outcome::Completed).await;
        *served.entry(lease.job_id).or_default() += 1;
    }
    served
}

#[tokio::test]
async fn jobs_of_equal_weight_share_equally() {
    let bench = Bench::new().await;
    let mut jobs = Vec::new();
    for _ in 0..5 {
        jobs.push(bench.listed_quietly(1000, Priority::Normal).await);
    }
    let served = work(&bench, 500).await;
    for job in jobs {
        assert!((99..=101).contains(&served[&job]), "{served:?}");
    }
}

#[tokio::test]
async fn priorities_are_shares() {
    let bench = Bench::new().await;
    let high = bench.listed_quietly(1000, Priority::High).await;
    let normal = bench.listed_quietly(1000, Priority::Normal).await;
    let low = bench.listed_quietly(1000, Priority::Low).await;
    let served = work(&bench, 210).await;
    assert!((155..=165).contains(&served[&high]), "{served:?}");
    assert!((38..=42).contains(&served[&normal]), "{served:?}");
    assert!((8..=12).contains(&served[&low]), "{served:?}");
}

#[tokio::test]
async fn costly_documents_use_up_their_jobs_share() {
    let bench = Bench::new().await;
    let cheap = bench.listed_quietly(1000, Priority::Normal).await;
    let costly = bench.listed_quietly(1000, Priority::Normal).await;
    let mut served: HashMap<Uuid, u32> = HashMap::new();
    for _ in 0..220 {
        let lease = bench.claim_one().await.lease;
        let document = name_of(&lease);
        let mut ending = ending(Outcome::Completed, &document);
        if lease.job_id == costly {
            ending.cost *= 10;
        }
        bench.queue.complete(&lease, &ending).await.unwrap();
        *served.entry(lease.job_id).or_default() += 1;
    }
    assert!((17..=23).contains(&served[&costly]), "{served:?}");
    assert!(served[&cheap] > 190, "{served:?}");
}

#[tokio::test]
async fn a_small_job_does_not_wait_for_a_large_one() {
    let bench = Bench::new().await;
    bench.listed(1_000_000).await;
    work(&bench, 50).await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    let mut claimed = 0;
    loop {
        let lease = bench.claim_one().await.lease;
        claimed += 1;
        match lease.unit {
            Unit::List => assert_eq!(bench.queue.seal(&lease, 1).await.unwrap(), Settled::Counted),
            _ if lease.job_id == job.id => break,
            _ => assert_eq!(bench.complete(&lease, Outcome::Completed).await, Settled::Counted),
        }
    }
    assert!(claimed <= 4, "its document was the {claimed}th");
}

#[tokio::test]
async fn a_new_job_has_no_credit_over_the_others() {
    let bench = Bench::new().await;
    let old = bench.listed(1000).await;
    work(&bench, 100).await;
    let new = bench.listed_quietly(1000, Priority::Normal).await;
    let served = work(&bench, 100).await;
    assert!((48..=52).contains(&served[&old]), "{served:?}");
    assert_eq!(served[&old] + served[&new], 100);
}

#[tokio::test]
async fn one_claim_serves_several_jobs() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        bench.listed_quietly(100, Priority::Normal).await;
    }
    let claims = bench.claim(16).await;
    let mut by_job: HashMap<Uuid, u32> = HashMap::new();
    for claim in &claims {
        *by_job.entry(claim.lease.job_id).or_default() += 1;
    }
    assert_eq!((claims.len(), by_job.len()), (16, 3));
    assert!(by_job.values().all(|units| *units <= 8), "{by_job:?}");
    assert_eq!(bench.claim(1000).await.len(), 16, "at most 16 a call");
}

#[tokio::test]
async fn a_limited_job_leaves_room_for_others() {
    let bench = Bench::new().await;
    let limited = NewJob { max_inflight: Some(2), ..new_job() };
    bench.queue.submit(&limited).await.unwrap();
    bench.list(limited.id, 10).await;
    let claims = bench.claim(16).await;
    assert_eq!(claims.len(), 2);
    bench.complete(&claims[0].lease, Outcome::Completed).await;
    assert_eq!(bench.claim(16).await.len(), 1);
}

#[tokio::test]
async fn as_many_jobs_as_allowed_are_accepted() {
    let bench = Bench::with(QueueTimes { max_open_jobs: 2, ..QueueTimes::default() }).await;
    let first = new_job();
    bench.queue.submit(&first).await.unwrap();
    bench.queue.submit(&new_job()).await.unwrap();
    assert!(matches!(bench.queue.submit(&new_job()).await, Err(QueueError::QueueFull)));
    assert!(!bench.queue.submit(&first).await.unwrap().created, "it is in already");
    bench.list(first.id, 0).await;
    let lease = bench.claim(16).await.into_iter().find(|claim| claim.lease.job_id == first.id);
    bench.queue.finish(&lease.unwrap().lease).await.unwrap();
    assert!(bench.queue.submit(&new_job()).await.unwrap().created);
}

#[tokio::test]
async fn a_million_documents_cost_a_bit_each() {
    let bench = Bench::new().await;
    let used = || -> u64 {
        let memory: String =
            redis::cmd("INFO").arg("memory").query(&mut bench.redis.connection()).unwrap();
        let line = memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        line.trim().parse().unwrap()
    };
    bench.listed(0).await;
    bench.finish().await;
    let before = used();
    let job_id = bench.listed(1_000_000).await;
    let idle = used().saturating_sub(before);
    assert!(idle < 64 * 1024, "{idle} bytes for a submitted job");
    // The bitmap is as long as its last bit.
    redis::cmd("SETBIT")
        .arg(format!("{{tq:00}}:done:{job_id}"))
        .arg(999_999)
        .arg(0)
        .exec(&mut bench.redis.connection())
        .unwrap();
    work(&bench, 500).await;
    let running = used().saturating_sub(before);
    assert!(running < 1024 * 1024, "{running} bytes for a running job");
}

impl Bench {
    /// Like `listed` while other jobs have documents to give out.
    async fn listed_quietly(&self, total: u64, priority: Priority) -> Uuid {
        let job = NewJob { priority, ..new_job() };
        self.queue.submit(&job).await.unwrap();
        let mut others = Vec::new();
        loop {
            let lease = self.claim_one().await.lease;
            if lease.unit == Unit::List {
                self.queue.seal(&lease, total).await.unwrap();
                break;
            }
            others.push(lease);
        }
        for lease in others {
            self.queue.release(&lease).await.unwrap();
        }
        job.id
    }
}

#[tokio::test]
async fn what_is_given_back_untouched_costs_the_job_nothing() {
    let bench = Bench::new().await;
    let job = bench.listed(8).await;
    let virtual_time = || async {
        let shares = bench.queue.shares(10).await.unwrap();
        shares.iter().find(|share| share.job_id == job).unwrap().virtual_time_s
    };
    let before = virtual_time().await;
    let claims = bench.claim(4).await;
    assert!(virtual_time().await > before);
    for claim in claims {
        bench.queue.release(&claim.lease).await.unwrap();
    }
    assert_eq!(virtual_time().await, before);
}
