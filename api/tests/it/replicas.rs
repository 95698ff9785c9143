//! Several api processes: clients that lose one go on at another where they were.

use crate::client::{Received, Socket, assert_whole, seqs};
use crate::harness::{LIMIT, trim};
use crate::nginx::Nginx;
use crate::process::Api;
use crate::scripts::Script;
use crate::worker::FakeWorker;
use futures_util::StreamExt;
use serde_json::{Value, json};
use shared::queue::{Queue, QueueTimes};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{Mode, Proxy, RedisServer, is_long, within};
use tokio::task::JoinSet;
use uuid::Uuid;

struct Replicas<const N: usize> {
    apis: [Api; N],
    queue: Queue,
    redis: RedisServer,
    _folder: TempDir,
}

impl<const N: usize> Replicas<N> {
    async fn start() -> Replicas<N> {
        let (redis, folder) = (RedisServer::start(), tempfile::tempdir().unwrap());
        let more = ["--max-sockets-per-address=20000", "--drain-notice-s=0.3"];
        let mut apis = Vec::new();
        for _ in 0..N {
            apis.push(Api::start_with(&redis, folder.path(), &more).await);
        }
        let apis = apis.try_into().unwrap_or_else(|_| unreachable!());
        let queue = Queue::open(&redis.url(), QueueTimes::default()).unwrap();
        Replicas { apis, queue, redis, _folder: folder }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_08_and_09_back_on_another_replica() {
    for trimmed in [false, true] {
        let replicas = Replicas::<2>::start().await;
        let worker = FakeWorker::new(&replicas.queue);
        let job = replicas.apis[0].train().await;
        worker.list(4).await;
        let line = Proxy::start(replicas.apis[0].address).await;
        let path = format!("/ws/{job}");
        let mut first = Socket::open_at(&line.address().to_string(), &path, None).await.unwrap();
        let epoch = first.frame().await["epoch"].as_str().unwrap().to_owned();
        worker.document().await;
        let mut got = Vec::new();
        while got.last().is_none_or(|frame: &Value| frame["stage"] != "9/14") {
            got.push(first.frame().await);
        }
        line.set(Mode::Cut);
        let seen = *seqs(&got).last().unwrap();
        worker.document().await;
        worker.document().await;
        if trimmed {
            assert!(trim(&replicas.redis, job, 5) > 5);
        }
        let second = replicas.apis[1].address.to_string();
        let path = format!("{path}?since={epoch}:{seen}");
        let mut second = Socket::open_at(&second, &path, None).await.unwrap();
        let hello = second.frame().await;
        assert_eq!(hello["recovered"], !trimmed, "{hello}");
        if trimmed {
            assert_eq!(second.frame().await, json!({"type": "reset", "reason": "trimmed"}));
            let snapshot = second.frame().await;
            assert_eq!(
                (&snapshot["type"], &snapshot["job"]["done"]),
                (&json!("snapshot"), &json!(3))
            );
            got = Vec::new();
        }
        let next = second_half(&worker, &mut second, &mut got).await;
        assert_whole(&got, if trimmed { hello["seq"].as_u64().unwrap() + 1 } else { 1 });
        assert_eq!(next, Received::Closed(1000));
    }
}

async fn second_half(worker: &FakeWorker, socket: &mut Socket, got: &mut Vec<Value>) -> Received {
    worker.document().await;
    worker.finish().await;
    let (frames, code) = socket.rest().await;
    got.extend(frames);
    Received::Closed(code)
}

/// A viewer that goes on at another replica whenever one sends it away.
async fn follow(address: SocketAddr, job: Uuid) -> (Vec<Value>, u64) {
    let (mut got, mut position, mut moves) = (Vec::new(), String::new(), 0);
    loop {
        let path = format!("/ws/{job}{position}");
        let mut socket = Socket::open_at(&address.to_string(), &path, None).await.unwrap();
        let hello = socket.frame().await;
        assert_eq!(hello["recovered"], true, "{hello}");
        let (frames, code) = socket.rest().await;
        let bye = frames.last().cloned().unwrap_or_default();
        got.extend(frames);
        if code == 1000 {
            return (got, moves);
        }
        assert_eq!((code, &bye["type"]), (1012, &json!("bye")), "{bye}");
        assert!(bye["retry_ms"].as_u64().is_some_and(|wait| wait < 5000));
        position = format!("?since={}:{}", hello["epoch"].as_str().unwrap(), seqs(&got).len());
        moves += 1;
    }
}

/// The same with server-sent events.
async fn follow_stream(address: SocketAddr, job: Uuid) -> Vec<Value> {
    let (mut got, mut last) = (Vec::new(), String::new());
    let client = reqwest::Client::new();
    loop {
        let request = client.get(format!("http://{address}/jobs/{job}/events"));
        let response = request.header("last-event-id", &last).send().await.unwrap();
        if response.status() == 204 {
            return got;
        }
        assert_eq!(response.status(), 200);
        let (mut body, mut text) = (response.bytes_stream(), Vec::new());
        while let Some(piece) = within(LIMIT, body.next()).await {
            text.extend_from_slice(&piece.unwrap());
        }
        for block in String::from_utf8(text).unwrap().split("\n\n") {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(id) = field("id: ") {
                last = id.to_owned();
                got.push(serde_json::from_str(field("data: ").unwrap()).unwrap());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_15_a_rolling_restart_behind_nginx_loses_nothing() {
    let mut replicas = Replicas::<3>::start().await;
    let addresses = [0, 1, 2].map(|number: usize| replicas.apis[number].address);
    let nginx = Nginx::before(&addresses).await;
    let worker = FakeWorker::new(&replicas.queue);
    let job = replicas.apis[0].train().await;
    worker.list(10_000).await;
    let enough = Arc::new(AtomicBool::new(false));
    let publishing = tokio::spawn({
        let enough = Arc::clone(&enough);
        async move {
            // Paced: what is measured is the moving, not the load.
            while !enough.load(Ordering::Relaxed) {
                worker.document().await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            worker
        }
    });
    let mut viewers = JoinSet::new();
    for _ in 0..if is_long() { 2000 } else { 60 } {
        viewers.spawn(follow(nginx.address, job));
    }
    let streams: Vec<_> = (0..6).map(|_| tokio::spawn(follow_stream(nginx.address, job))).collect();
    let url = format!("http://{}", nginx.address);
    let legacy = ["default", "polling"]
        .map(|transports| Script::start("socket_io.mjs", &[&url, transports]));
    for script in &legacy {
        script.until(|told| !told["event"].is_null()).await;
    }
    for api in &mut replicas.apis {
        api.process.terminate();
        let status = api.process.wait(Duration::from_secs(30));
        assert!(status.success(), "{status}: {}", api.process.output());
        api.restart().await;
    }
    // Only who is connected is told of the end; running jobs are told again on every return.
    let head = replicas.queue.heads(&[job]).await.unwrap().remove(0).unwrap().seq;
    for script in &legacy {
        script.until(|told| told["event"]["seq"].as_u64().is_some_and(|seq| seq > head)).await;
    }
    enough.store(true, Ordering::Relaxed);
    let worker = publishing.await.unwrap();
    replicas.queue.cancel(job).await.unwrap();
    worker.finish().await;
    let mut moves = 0;
    while let Some(viewer) = within(LIMIT, viewers.join_next()).await {
        let (frames, moved) = viewer.unwrap();
        assert_whole(&frames, 1);
        moves += moved;
    }
    for stream in streams {
        assert_whole(&within(LIMIT, stream).await.unwrap(), 1);
    }
    for script in &legacy {
        let events = script.events_until_final(job).await;
        assert!(seqs(&events).windows(2).all(|pair| pair[0] < pair[1]));
        let told = script.told();
        assert!(told.iter().any(|told| !told["disconnected"].is_null()), "never sent away");
    }
    println!("{moves} moves");
    assert!(moves >= 60, "only {moves} moves in a restart of all replicas");
}
