//! Redis away, full, restarted, or badly configured.

use crate::support::*;
use shared::outcome::Outcome;
use shared::queue::*;
use std::time::Duration;
use testkit::{Mode, Proxy, RedisOptions, RedisServer, wait_until};
use uuid::Uuid;

#[tokio::test]
async fn another_eviction_policy_is_refused() {
    let options = RedisOptions { policy: "allkeys-lru", ..RedisOptions::default() };
    let bench = Bench::on(RedisServer::start_with(options), QueueTimes::default()).await;
    let refused = bench.queue.check_policy().await;
    assert!(matches!(refused, Err(QueueError::EvictionPolicy(policy)) if policy == "allkeys-lru"));
    Bench::new().await.queue.check_policy().await.unwrap();
}

#[tokio::test]
async fn connections_that_redis_closed_unseen_cost_no_call() {
    let bench = Bench::new().await;
    let mut killer = bench.redis.connection();
    let mut kill = || {
        let kill = ["KILL", "TYPE", "normal", "SKIPME", "yes"];
        let killed: u64 = redis::cmd("CLIENT").arg(&kill).query(&mut killer).unwrap();
        assert!(killed > 0);
    };
    for _ in 0..3 {
        bench.queue.check_policy().await.unwrap();
        kill();
        bench.queue.check_policy().await.unwrap();
        kill();
        bench.queue.ping().await.unwrap();
        kill();
        bench.queue.jobs(None, 10, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_redis_refuses_new_jobs_and_drains_the_others() {
    let bench = Bench::new().await;
    let job_id = bench.listed(3).await;
    let limit = |bytes: &str| {
        redis::cmd("CONFIG")
            .arg(&["SET", "maxmemory", bytes])
            .exec(&mut bench.redis.connection())
            .unwrap();
    };
    limit("1");
    let full = bench.queue.submit(&new_job()).await;
    assert!(matches!(full, Err(QueueError::QueueFull)), "{full:?}");
    for _ in 0..3 {
        let lease = bench.claim_one().await.lease;
        assert_eq!(bench.queue.beat(&bench.worker, &[lease]).await.unwrap(), [Beat::Held]);
        assert_eq!(bench.complete(&lease, Outcome::Completed).await, Settled::Counted);
    }
    bench.finish().await;
    bench.log(job_id).await;
    // Redis loads no functions while it is full; whoever needs them waits as for a full queue.
    redis::cmd("FUNCTION").arg("FLUSH").exec(&mut bench.redis.connection()).unwrap();
    let unloaded = bench.queue.job(job_id).await.unwrap_err();
    assert!(matches!(unloaded, QueueError::QueueFull) && unloaded.is_transient(), "{unloaded}");
    limit("0");
    assert!(bench.queue.submit(&new_job()).await.unwrap().created);
}

#[tokio::test]
async fn a_claim_whose_reply_was_lost_leaks_nothing() {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.address()).await;
    let times = QueueTimes { command: Duration::from_millis(300), ..QueueTimes::default() };
    let behind = Queue::connect(&proxy.redis_url(), times.clone()).await.unwrap();
    let bench = Bench::on(redis, times).await;
    bench.listed(10).await;
    let claim_id = Uuid::new_v4();
    behind.claim(&bench.worker, Uuid::new_v4(), 1).await.unwrap();
    proxy.set(Mode::DropReplies);
    let lost = behind.claim(&bench.worker, claim_id, 4).await;
    assert!(lost.is_err_and(|error| error.is_transient()));
    proxy.set(Mode::Pass);
    let mut claims = Vec::new();
    wait_until(LIMIT, async || {
        claims = behind.claim(&bench.worker, claim_id, 4).await.unwrap_or_default();
        !claims.is_empty()
    })
    .await;
    assert_eq!(claims.len(), 4);
    assert_eq!(bench.queue.queue_depth().await.unwrap().leased, 5, "one more from the warm-up");
}

#[tokio::test]
async fn a_cut_line_is_a_transient_error_and_heals() {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.address()).await;
    let times = QueueTimes { command: Duration::from_millis(300), ..QueueTimes::default() };
    let queue = Queue::connect(&proxy.redis_url(), times).await.unwrap();
    for mode in [Mode::Cut, Mode::Blackhole] {
        proxy.set(mode);
        assert!(queue.ping().await.is_err_and(|error| error.is_transient()));
        let waited = testkit::within(LIMIT, queue.wait_for_work(Duration::from_millis(50))).await;
        assert!(waited.is_err() || mode == Mode::Blackhole);
        proxy.set(Mode::Pass);
        wait_until(LIMIT, async || queue.ping().await.is_ok()).await;
    }
}

#[tokio::test]
async fn jobs_survive_a_killed_redis_with_an_append_only_file() {
    let options = RedisOptions { append_only: true, ..RedisOptions::default() };
    let mut bench = Bench::on(RedisServer::start_with(options), QueueTimes::default()).await;
    redis::cmd("CONFIG")
        .arg(&["SET", "appendfsync", "always"])
        .exec(&mut bench.redis.connection())
        .unwrap();
    let job_id = bench.listed(2).await;
    let lease = bench.claim_one().await.lease;
    let epoch = bench.view(job_id).await.epoch;
    bench.redis.restart();
    wait_until(LIMIT, async || bench.queue.ping().await.is_ok()).await;
    assert_eq!(bench.view(job_id).await.epoch, epoch);
    assert_eq!(bench.complete(&lease, Outcome::Completed).await, Settled::Counted);
    let lease = bench.claim_one().await.lease;
    bench.complete(&lease, Outcome::Completed).await;
    bench.finish().await;
    bench.log(job_id).await;
}
