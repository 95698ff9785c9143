//! Redis away, cut off, and back with nothing.

use crate::client::{Socket, assert_whole};
use crate::harness::{LIMIT, Options, Server};
use crate::worker::FakeWorker;
use serde_json::json;
use std::time::Duration;
use testkit::{Mode, Proxy, RedisOptions, RedisServer, wait_until};

/// Periods short enough for a test.
fn quick() -> api::RelayTimes {
    api::RelayTimes {
        sweep_unsubscribed: Duration::from_millis(100),
        degraded_after: Duration::from_millis(300),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_again_after_an_outage() {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.address()).await;
    let options = Options { redis_url: Some(proxy.redis_url()), ..Options::default() };
    let server = Server::start_with(redis, options).await;
    let reason = || async { server.get("/readyz").await.1["detail"].to_string() };
    wait_until(LIMIT, || async { !reason().await.contains("Redis") }).await;
    proxy.set(Mode::Cut);
    let (status, refusal) = server.get("/readyz").await;
    assert_eq!((status, &refusal["code"]), (503, &json!("not_ready")));
    assert!(refusal["detail"].as_str().unwrap().contains("Redis"), "{refusal}");
    assert_eq!(server.get("/healthz").await.0, 200);
    let (status, refusal) = server.post("/train", &json!({})).await;
    assert_eq!((status, &refusal["code"]), (503, &json!("queue_unavailable")));
    assert_eq!(server.blobs().job_ids().await.unwrap().len(), 0, "nothing half-done");
    assert_eq!(server.get("/status").await.0, 200);
    assert_eq!(server.get("/metrics").await.0, 200);
    assert_eq!(Socket::open_from(&server, "/ws", None).await.err(), None);
    proxy.set(Mode::Pass);
    wait_until(LIMIT, || async { !reason().await.contains("Redis") }).await;
    server.train().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_told_and_then_made_up_for() {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.address()).await;
    let redis_url = Some(proxy.redis_url());
    let options = Options { redis_url, relay: quick(), ..Options::default() };
    let server = Server::start_with(redis, options).await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    let mut frames = vec![socket.frame().await];
    for mode in [Mode::Cut, Mode::Blackhole] {
        proxy.set(mode);
        while frames.last().is_some_and(|frame| frame["type"] != "degraded") {
            frames.push(socket.frame().await);
        }
        frames.push(json!({"type": "seen"}));
        // The worker's own line to Redis still works.
        if mode == Mode::Cut {
            worker.list(2).await
        } else {
            worker.document().await
        }
        proxy.set(Mode::Pass);
        let known = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap().seq;
        while frames.last().is_some_and(|frame| frame["seq"] != known) {
            frames.push(socket.frame().await);
        }
    }
    worker.document().await;
    worker.finish().await;
    let (rest, code) = socket.rest().await;
    assert_eq!(code, 1000);
    frames.extend(rest);
    assert_whole(&frames, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_starts_the_job_anew() {
    let options = Options { relay: quick(), ..Options::default() };
    let mut server = Server::start_with(RedisServer::start(), options).await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(2).await;
    worker.document().await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    let old = socket.frame().await["epoch"].as_str().unwrap().to_owned();
    // Killed and started again without what it knew.
    server.redis.kill();
    let frames = async {
        loop {
            let frame = socket.frame().await;
            if frame["type"] == "degraded" {
                break;
            }
        }
    };
    frames.await;
    server.redis.restart();
    // The job is submitted again from its record; the viewer is told to begin anew.
    let snapshot = loop {
        let frame = socket.frame().await;
        if frame["type"] == "snapshot" {
            break frame;
        }
    };
    assert_ne!(snapshot["epoch"], old.as_str());
    let first = snapshot["seq"].as_u64().unwrap() + 1;
    let worker = FakeWorker::new(&server.queue);
    worker.run(2).await;
    let (rest, code) = socket.rest().await;
    assert_eq!(code, 1000);
    assert_whole(&rest, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_nobody_watches_is_recovered_too() {
    let mut server = Server::start().await;
    let job = server.train().await;
    // Away too briefly for anything that only looks now and then.
    server.redis.kill();
    server.redis.restart();
    wait_until(LIMIT, || async { matches!(server.queue.job(job).await, Ok(Some(_))) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_evicts_is_refused() {
    let redis =
        RedisServer::start_with(RedisOptions { policy: "allkeys-lru", ..RedisOptions::default() });
    let mut server = Server::start_with(redis, Options::default()).await;
    let error = server.stopped().await.unwrap_err();
    assert!(error.to_string().contains("noeviction"), "{error}");
}
