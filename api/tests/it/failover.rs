//! A replica takes over that is behind: what was told of the lost events is void.

use crate::client::{Socket, assert_whole, events};
use crate::harness::{LIMIT, Options, Server};
use crate::worker::FakeWorker;
use serde_json::{Value, json};
use shared::outcome::Outcome;
use shared::queue::{Queue, QueueTimes};
use shared::stage::Stage;
use testkit::{Mode, Proxy, RedisServer, wait_until};

/// A second server with everything that the first one has until now, and nothing after.
async fn copy_of(master: &RedisServer) -> RedisServer {
    let replica = RedisServer::start();
    let port = master.address().port();
    let follow = |host: &str, port: &str| {
        redis::cmd("REPLICAOF").arg(host).arg(port).exec(&mut replica.connection()).unwrap();
    };
    follow("127.0.0.1", &port.to_string());
    let told = |server: &RedisServer, field: &str| {
        let info: String =
            redis::cmd("INFO").arg("replication").query(&mut server.connection()).unwrap();
        info.lines().find_map(|line| line.strip_prefix(field).map(str::to_owned))
    };
    wait_until(LIMIT, async || {
        told(&replica, "master_link_status:").as_deref() == Some("up")
            && told(&replica, "slave_repl_offset:") == told(master, "master_repl_offset:")
    })
    .await;
    follow("NO", "ONE");
    replica
}

/// Reads until an event, checks nothing.
async fn read_until(socket: &mut Socket, seq: u64) -> Vec<Value> {
    let mut frames = vec![socket.frame().await];
    while frames.last().is_some_and(|frame| frame["seq"] != seq) {
        frames.push(socket.frame().await);
    }
    frames
}

/// Sixty events are lost. Before the relay sees the new master, `ahead` documents are trained.
async fn fail_over(ahead: u64) {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.address()).await;
    let options = Options { redis_url: Some(proxy.redis_url()), ..Options::default() };
    let server = Server::start_with(redis, options).await;
    let worker = FakeWorker::new(&server.queue);
    let untouched = server.train().await;
    worker.list(2).await;
    worker.document().await;
    // Paused, it leaves the worker to the second one.
    server.post(&format!("/jobs/{untouched}/pause"), &json!({})).await;
    let job = server.train().await;
    worker.list(9).await;
    worker.document().await;
    let mut other = Socket::open(&server, &format!("/ws/{untouched}")).await;
    let replica = copy_of(&server.redis).await;
    let kept = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap();
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    for _ in 0..4 {
        worker.document().await;
    }
    let lost = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap();
    assert_eq!(lost.seq, kept.seq + 60);
    read_until(&mut socket, lost.seq).await;

    proxy.set(Mode::Cut);
    let queue = Queue::open(&replica.url(), QueueTimes::default()).unwrap();
    let worker = FakeWorker::new(&queue);
    for _ in 0..ahead {
        worker.document().await;
    }
    let now = queue.heads(&[job]).await.unwrap().remove(0).unwrap();
    assert_eq!((now.seq > lost.seq, &now.epoch), (ahead > 4, &lost.epoch), "{now:?}");
    proxy.lead_to(replica.address());
    proxy.set(Mode::Pass);

    // Without a further event: never a silent freeze, nor lost events shown as live.
    let mut frames = vec![socket.frame().await];
    while frames.last().is_some_and(|frame| frame["type"] != "snapshot") {
        frames.push(socket.frame().await);
    }
    assert_eq!(events(&frames), Vec::<&Value>::new(), "an event from behind the failover");
    assert_eq!(frames[frames.len() - 2], json!({"type": "reset", "reason": "regressed"}));
    assert_eq!(frames[frames.len() - 1]["seq"], now.seq);
    for _ in ahead..8 {
        worker.document().await;
    }
    worker.finish().await;
    let (rest, code) = socket.rest().await;
    assert_eq!(code, 1000);
    assert_whole(&rest, now.seq + 1);
    queue.resume(untouched).await.unwrap();
    worker.document().await;
    worker.finish().await;
    let (frames, code) = other.rest().await;
    assert_eq!(code, 1000);
    assert_whole(&frames, 1);
    assert!(frames.iter().all(|frame| frame["type"] != "reset"), "nothing of this job was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_05_a_replica_that_is_behind_takes_over_and_nothing_happens() {
    fail_over(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_05_a_replica_that_is_behind_takes_over_and_overtakes() {
    fail_over(6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_05_numbers_that_were_lost_do_not_come_again() {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.address()).await;
    let options = Options { redis_url: Some(proxy.redis_url()), ..Options::default() };
    let server = Server::start_with(redis, options).await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(2).await;
    let claim = worker.claim().await;
    for stage in &Stage::ALL[..3] {
        worker.stage(&claim, *stage).await;
    }
    let replica = copy_of(&server.redis).await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    for stage in &Stage::ALL[3..8] {
        worker.stage(&claim, *stage).await;
    }
    let lost = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap();
    read_until(&mut socket, lost.seq).await;
    // The client goes away, and the worker goes on beyond the number that the client has.
    drop(socket);
    proxy.set(Mode::Cut);
    let queue = Queue::open(&replica.url(), QueueTimes::default()).unwrap();
    let worker = FakeWorker::new(&queue);
    for stage in &Stage::ALL[8..] {
        worker.stage(&claim, *stage).await;
    }
    worker.complete(&claim, Outcome::Completed).await;
    worker.document().await;
    let now = queue.heads(&[job]).await.unwrap().remove(0).unwrap();
    assert_ne!(now.epoch, lost.epoch);
    assert!(now.seq > lost.seq, "the client's number exists again: {now:?}");
    proxy.lead_to(replica.address());
    proxy.set(Mode::Pass);

    let since = format!("/ws/{job}?since={}:{}", lost.epoch, lost.seq);
    let mut socket = Socket::open(&server, &since).await;
    let mut frames = vec![socket.frame().await];
    while frames.last().is_some_and(|frame| frame["type"] != "snapshot") {
        frames.push(socket.frame().await);
    }
    assert_eq!(events(&frames), Vec::<&Value>::new(), "events that do not continue what it has");
    assert_eq!(frames[frames.len() - 2], json!({"type": "reset", "reason": "epoch"}));
    assert_eq!(frames[frames.len() - 1]["seq"], now.seq);
    worker.finish().await;
    let (rest, code) = socket.rest().await;
    assert_eq!(code, 1000);
    assert_whole(&rest, now.seq + 1);
}
