//! The subscription is only the doorbell: killed, muted or gone, it costs latency and no event.

use crate::client::{Socket, assert_whole, seqs};
use crate::harness::{LIMIT, Options, Server};
use crate::worker::FakeWorker;
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime};
use testkit::{Mode, Proxy, RedisOptions, RedisServer, is_long, wait_until, within};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

async fn behind_proxy() -> (Server, Proxy) {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.address()).await;
    let options = Options { redis_url: Some(proxy.redis_url()), ..Options::default() };
    (Server::start_with(redis, options).await, proxy)
}

/// How long after its publication an event is here.
fn age(event: &Value) -> Duration {
    let published = OffsetDateTime::parse(event["ts"].as_str().unwrap(), &Rfc3339).unwrap();
    SystemTime::now().duration_since(published.into()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_02_subscriptions_killed_five_times_a_second() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    let reading = tokio::spawn(async move {
        let (mut frames, mut latest) = (Vec::new(), Duration::ZERO);
        while let crate::client::Received::Frame(frame) = socket.next().await {
            if frame["ts"].is_string() {
                latest = latest.max(age(&frame));
            }
            frames.push(frame);
        }
        (frames, latest)
    });
    let span = Duration::from_secs(if is_long() { 20 } else { 3 });
    let begin = Instant::now();
    let mut killer = server.redis.connection();
    let killing = tokio::task::spawn_blocking(move || {
        let mut killed: u64 = 0;
        while begin.elapsed() < span {
            let kill =
                redis::cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"]).query::<u64>(&mut killer);
            killed += kill.unwrap();
            std::thread::sleep(Duration::from_millis(200));
        }
        killed
    });
    let documents = if is_long() { 2000 } else { 300 };
    worker.list(documents).await;
    for document in 0..documents {
        worker.document().await;
        // Spread over the whole time of the kills.
        let due = span.mul_f64(document as f64 / documents as f64);
        tokio::time::sleep(due.saturating_sub(begin.elapsed())).await;
    }
    let killed = killing.await.unwrap();
    worker.finish().await;
    let (frames, latest) = within(LIMIT, reading).await.unwrap();
    assert_whole(&frames, 1);
    println!("{killed} subscriptions killed; the latest event came after {latest:?}");
    let connections = server.metric("ragtrain_relay_connections_total").await;
    assert!(killed > 5 && connections > killed / 2, "{killed} killed, {connections} made");
    assert!(latest < Duration::from_secs(3), "{latest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_03_a_redis_that_was_away_with_its_data() {
    let redis = RedisServer::start_with(RedisOptions { append_only: true, ..Default::default() });
    let always = ["SET", "appendfsync", "always"];
    redis::cmd("CONFIG").arg(&always).exec(&mut redis.connection()).unwrap();
    let relay =
        api::RelayTimes { degraded_after: Duration::from_millis(500), ..Default::default() };
    let options = Options { relay, ..Options::default() };
    let mut server = Server::start_with(redis, options).await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(2).await;
    worker.document().await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    let mut all = Socket::open(&server, "/ws").await;
    let mut frames = vec![socket.frame().await];
    assert_eq!(frames[0]["type"], "hello");
    server.redis.kill();
    while frames.last().is_none_or(|frame: &Value| frame["type"] != "degraded") {
        frames.push(socket.frame().await);
    }
    if is_long() {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    server.redis.restart();
    let worker = FakeWorker::new(&server.queue);
    worker.document().await;
    let begin = Instant::now();
    let head = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap().seq;
    while frames.last().is_none_or(|frame| frame["seq"] != head) {
        frames.push(socket.frame().await);
    }
    assert!(begin.elapsed() < Duration::from_secs(3), "back after {:?}", begin.elapsed());
    worker.finish().await;
    let (rest, code) = socket.rest().await;
    frames.extend(rest);
    assert_eq!(code, 1000);
    assert_whole(&frames, 1);
    let mut of_all = vec![all.frame().await];
    while of_all.last().is_some_and(|frame| frame["final"] != true) {
        of_all.push(all.frame().await);
    }
    assert_whole(&of_all, seqs(&of_all)[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_06_a_subscription_that_says_nothing_any_more() {
    let (server, proxy) = behind_proxy().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(3).await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    let mut frames = vec![socket.frame().await];
    let before = server.metric("ragtrain_relay_connections_total").await;
    proxy.set(Mode::MuteSubscribers);
    worker.document().await;
    let head = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap().seq;
    within(Duration::from_secs(5), async {
        while frames.last().is_some_and(|frame| frame["seq"] != head) {
            frames.push(socket.frame().await);
        }
    })
    .await;
    wait_until(Duration::from_secs(10), async || {
        server.metric("ragtrain_relay_connections_total").await > before
    })
    .await;
    worker.document().await;
    proxy.set(Mode::Pass);
    worker.document().await;
    worker.finish().await;
    let (rest, code) = socket.rest().await;
    frames.extend(rest);
    assert_eq!(code, 1000);
    assert_whole(&frames, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_07_nobody_rings_for_the_last_event() {
    let (server, proxy) = behind_proxy().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(1).await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    let mut all = Socket::open(&server, "/ws").await;
    worker.document().await;
    let head = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap().seq;
    let mut frames = vec![socket.frame().await];
    while frames.last().is_some_and(|frame| frame["seq"] != head) {
        frames.push(socket.frame().await);
    }
    proxy.set(Mode::MuteSubscribers);
    worker.finish().await;
    let (rest, code) = within(Duration::from_secs(5), socket.rest()).await;
    frames.extend(rest);
    assert_eq!(code, 1000);
    assert_whole(&frames, 1);
    within(Duration::from_secs(5), async { while all.frame().await["final"] != true {} }).await;
}
