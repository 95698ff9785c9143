//! One plain server divided into shards: what holds for one shard holds for many.

use crate::support::*;
use shared::job::JobStatus;
use shared::outcome::Outcome;
use shared::queue::*;
use std::collections::HashMap;
use uuid::Uuid;

const SHARDS: u16 = 16;

async fn bench() -> Bench {
    Bench::with(QueueTimes { shards: Some(SHARDS), ..QueueTimes::default() }).await
}

impl Bench {
    /// Jobs whose listing is done, and the shard of each.
    async fn spread(&self, jobs: usize, total: u64) -> HashMap<Uuid, String> {
        for _ in 0..jobs {
            self.queue.submit(&new_job()).await.unwrap();
        }
        let mut listings = Vec::new();
        while listings.len() < jobs {
            listings.extend(self.claim(16).await);
        }
        for listing in listings {
            self.queue.seal(&listing.lease, total).await.unwrap();
        }
        let keys: Vec<String> =
            redis::cmd("KEYS").arg("{tq:*}:job:*").query(&mut self.redis.connection()).unwrap();
        keys.iter()
            .map(|key| {
                let (shard, job) = key.split_once(":job:").unwrap();
                (job.parse().unwrap(), shard.to_owned())
            })
            .collect()
    }
}

#[tokio::test]
async fn shards_share_equally_and_the_jobs_of_a_shard_do_so_among_themselves() {
    let bench = bench().await;
    let jobs = bench.spread(48, 1000).await;
    let mut of_jobs: HashMap<Uuid, u32> = HashMap::new();
    let mut of_shards: HashMap<&str, u32> = HashMap::new();
    const CLAIMS: u32 = 3000;
    for _ in 0..CLAIMS {
        let lease = bench.claim_one().await.lease;
        bench.complete(&lease, Outcome::Completed).await;
        *of_jobs.entry(lease.job_id).or_default() += 1;
        *of_shards.entry(&jobs[&lease.job_id]).or_default() += 1;
    }
    // A claim begins at a random shard and goes on to the next one when there is nothing: the
    // share of a shard is 1/16 and that of its empty predecessors.
    let used: Vec<u16> = (0..SHARDS)
        .filter(|shard| jobs.values().any(|of| *of == format!("{{tq:{shard:02}}}")))
        .collect();
    for shard in &used {
        let empty = (1..SHARDS)
            .take_while(|back| !used.contains(&((shard + SHARDS - back) % SHARDS)))
            .count();
        let expected = f64::from(CLAIMS) * (empty + 1) as f64 / f64::from(SHARDS);
        let served = f64::from(of_shards[format!("{{tq:{shard:02}}}").as_str()]);
        assert!((served - expected).abs() < 6.0 * expected.sqrt(), "{served} of {expected}");
    }
    for (job, shard) in &jobs {
        let neighbours = jobs.iter().filter(|(_, of)| *of == shard).map(|(id, _)| of_jobs[id]);
        let most = neighbours.max().unwrap();
        assert!(most - of_jobs[job] <= 1, "{} and {most} on one shard", of_jobs[job]);
    }
}

#[tokio::test]
async fn a_claim_goes_from_shard_to_shard_until_it_has_enough() {
    let bench = bench().await;
    let jobs = bench.spread(48, 1).await;
    let claim_id = Uuid::new_v4();
    let claims = bench.queue.claim(&bench.worker, claim_id, 16).await.unwrap();
    assert_eq!(claims.len(), 16);
    assert_eq!(bench.queue.claim(&bench.worker, claim_id, 16).await.unwrap(), claims);
    let mut all = claims;
    for _ in 0..2 {
        all.extend(bench.claim(16).await);
    }
    assert_eq!(all.len(), 48);
    assert!(bench.claim(16).await.is_empty());
    let mut fences: Vec<u64> = all.iter().map(|claim| claim.lease.fence).collect();
    fences.sort_unstable();
    fences.dedup();
    assert_eq!(fences.len(), 48, "a fence names one lease");

    let leases: Vec<Lease> = all.iter().map(|claim| claim.lease).collect();
    bench.complete(&leases[7], Outcome::Completed).await;
    bench.queue.cancel(leases[9].job_id).await.unwrap();
    let beats = bench.queue.beat(&bench.worker, &leases).await.unwrap();
    for (position, beat) in beats.into_iter().enumerate() {
        let expected = match position {
            7 => Beat::Lost,
            9 => Beat::Cancelled,
            _ => Beat::Held,
        };
        assert_eq!(beat, expected, "the answers are in the order of the leases");
    }
    let depth = bench.queue.queue_depth().await.unwrap();
    assert_eq!((depth.leased, depth.ready), (47, 1), "one job waits for its report");
    assert_eq!(bench.queue.workers().await.unwrap().len(), 1);
    let shares = bench.queue.shares(1000).await.unwrap();
    assert_eq!(shares.len(), jobs.len());
    assert_eq!(shares[47].status, JobStatus::Cancelling);
}

#[tokio::test]
async fn a_sweep_gives_back_what_expired_on_any_shard() {
    let lease = std::time::Duration::from_millis(100);
    let times = QueueTimes { lease, shards: Some(SHARDS), ..QueueTimes::default() };
    let bench = Bench::with(times).await;
    for _ in 0..32 {
        bench.queue.submit(&new_job()).await.unwrap();
    }
    let held = [bench.claim(16).await, bench.claim(16).await].concat();
    assert_eq!(held.len(), 32);
    let mut expired = 0;
    testkit::wait_until(LIMIT, async || {
        expired += bench.queue.reap().await.unwrap().expired;
        expired >= 32
    })
    .await;
    assert_eq!(expired, 32);
    assert_eq!(bench.claim(16).await.len(), 16);
    assert_eq!(bench.queue.scrub().await.unwrap(), 0);
}

#[tokio::test]
async fn waiting_workers_are_woken_for_every_shard() {
    let bench = bench().await;
    for _ in 0..32 {
        let (queue, waiting) = (&bench.queue, bench.queue.clone());
        let wait = tokio::spawn(async move { waiting.wait_for_work(LIMIT).await });
        queue.submit(&new_job()).await.unwrap();
        testkit::within(LIMIT / 2, wait).await.unwrap().unwrap();
        assert_eq!(bench.claim(16).await.len(), 1);
    }
}

#[tokio::test]
async fn a_shard_takes_its_share_of_the_open_jobs() {
    let times = QueueTimes { max_open_jobs: 32, shards: Some(SHARDS), ..QueueTimes::default() };
    let bench = Bench::with(times).await;
    let mut accepted = 0;
    for _ in 0..2000 {
        match bench.queue.submit(&new_job()).await {
            Ok(_) => accepted += 1,
            Err(error) => assert!(matches!(error, QueueError::QueueFull), "{error}"),
        }
    }
    assert_eq!(accepted, 32, "two on every shard");
}
