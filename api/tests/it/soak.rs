//! Everything at once, from a seed: jobs, viewers that come and go, and a network that breaks.

use crate::client::{Received, Socket, assert_whole, seqs};
use crate::harness::{LIMIT, Options, Server};
use crate::worker::FakeWorker;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use testkit::{Choices, Mode, Proxy, RedisServer, long_form, wait_until, within};
use tokio::task::JoinSet;
use uuid::Uuid;

/// A job of the long form shares the machine with 199 others.
const JOB: Duration = Duration::from_secs(300);

/// Files that a run may leave open: connections that are kept for the next use.
const POOLED_FILES: usize = 24;
/// How long the HTTP client keeps others.
const POOLED: Duration = Duration::from_secs(120);

struct Scene {
    server: Server,
    redis: Proxy,
    clients: Proxy,
    end: Instant,
    resumed: AtomicU64,
    delivered: AtomicU64,
}

/// Follows a job to its end through whatever happens; answers what it was told.
async fn follow(scene: &Scene, job: Uuid, mut choices: Choices) -> Vec<Value> {
    let (mut got, mut epoch) = (Vec::new(), String::new());
    loop {
        let since = if epoch.is_empty() {
            String::new()
        } else {
            format!("?since={epoch}:{}", seqs(&got).len())
        };
        let proxied = choices.below(2) == 0;
        let address = if proxied {
            scene.clients.address().to_string()
        } else {
            scene.server.address.clone()
        };
        let Some(mut socket) = Socket::try_open(&address, &format!("/ws/{job}{since}")).await
        else {
            tokio::time::sleep(choices.milliseconds(10, 100)).await;
            continue;
        };
        let patience = choices.below(60);
        for number in 0.. {
            match socket.try_next().await {
                Some(Received::Frame(frame)) if frame["type"] == "hello" => {
                    assert_eq!(frame["recovered"], true, "{frame}");
                    epoch = frame["epoch"].as_str().unwrap().to_owned();
                }
                Some(Received::Frame(frame)) => {
                    assert_ne!(frame["type"], "reset", "{frame}");
                    got.push(frame);
                }
                Some(Received::Closed(1000)) => return got,
                Some(Received::Closed(1006 | 1005 | 4011 | 4012 | 4008)) | None => break,
                Some(Received::Closed(code)) => panic!("closed with {code}"),
            }
            if number == patience && Instant::now() < scene.end {
                match choices.below(3) {
                    // Gone, silent for a while, or staying for good.
                    0 => break,
                    1 => tokio::time::sleep(choices.milliseconds(50, 400)).await,
                    _ => {}
                }
            }
        }
        scene.resumed.fetch_add(1, Ordering::Relaxed);
    }
}

/// One job after another, each with its viewers.
async fn watch_jobs(scene: &Scene, viewers: u64, mut choices: Choices) -> u64 {
    let mut jobs = 0;
    while Instant::now() < scene.end {
        let accepted = scene.server.post("/train", &serde_json::json!({})).await;
        if accepted.0 != 202 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let job: Uuid = accepted.1["job_id"].as_str().unwrap().parse().unwrap();
        let following =
            (0..viewers).map(|_| follow(scene, job, Choices::of(choices.below(u64::MAX))));
        for frames in within(JOB, futures_util::future::join_all(following)).await {
            assert_whole(&frames, 1);
            scene.delivered.fetch_add(seqs(&frames).len() as u64, Ordering::Relaxed);
        }
        jobs += 1;
    }
    jobs
}

async fn break_things(scene: &Scene, mut choices: Choices) {
    let mut killer = scene.server.redis.connection();
    while Instant::now() < scene.end {
        tokio::time::sleep(choices.milliseconds(100, 900)).await;
        let (line, mode) = match choices.below(6) {
            0 | 1 => {
                redis::cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"]).exec(&mut killer).unwrap();
                continue;
            }
            2 => (&scene.redis, Mode::Cut),
            3 => (&scene.redis, Mode::MuteSubscribers),
            4 => (&scene.clients, Mode::Cut),
            _ => (&scene.clients, Mode::Blackhole),
        };
        line.set(mode);
        tokio::time::sleep(choices.milliseconds(50, 600)).await;
        line.set(Mode::Pass);
    }
}

/// Resident memory in MiB, of pages of 4 KiB.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident = pages.split(' ').nth(1).unwrap();
    resident.parse::<usize>().unwrap() * 4 / 1024
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_20_soak() {
    let mut choices = Choices::of_test();
    let (span, jobs_at_once, viewers) = match long_form() {
        Some(span) => (span, 200, 10),
        None => (Duration::from_secs(10), 6, 8),
    };
    let redis_server = RedisServer::start();
    let redis = Proxy::start(redis_server.address()).await;
    let relay = api::RelayTimes {
        heartbeat: Duration::from_millis(500),
        silence: Duration::from_secs(2),
        linger: Duration::from_millis(500),
        ..Default::default()
    };
    let arguments = vec!["--max-sockets-per-address=20000".to_owned(), "--sweep-s=0.5".to_owned()];
    let options = Options { arguments, redis_url: Some(redis.redis_url()), relay };
    let server = Server::start_with(redis_server, options).await;
    let clients = Proxy::start(server.address.parse().unwrap()).await;
    let scene = Arc::new(Scene {
        server,
        redis,
        clients,
        end: Instant::now() + span,
        resumed: AtomicU64::new(0),
        delivered: AtomicU64::new(0),
    });
    let files = open_files();
    let mut workers = JoinSet::new();
    for _ in 0..2 {
        let worker = FakeWorker::new(&scene.server.queue);
        workers.spawn(async move {
            loop {
                if !worker.anything(4).await {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
    }
    let mut watching = JoinSet::new();
    for _ in 0..jobs_at_once {
        let (scene, choices) = (Arc::clone(&scene), Choices::of(choices.below(u64::MAX)));
        watching.spawn(async move { watch_jobs(&scene, viewers, choices).await });
    }
    let settled = async {
        tokio::time::sleep(span / 5).await;
        memory()
    };
    let (settled, ()) = tokio::join!(settled, break_things(&scene, choices));
    let ended = memory();
    println!("memory {settled} MiB after a fifth of the time, {ended} MiB at its end");
    // Of a short run the memory says nothing: it is still growing into what it needs.
    assert!(long_form().is_none() || ended <= settled + settled / 4, "memory grows");
    let mut jobs = 0;
    while let Some(watched) = within(JOB, watching.join_next()).await {
        jobs += watched.unwrap();
    }
    workers.shutdown().await;
    wait_until(LIMIT, async || scene.server.metric("ragtrain_sockets").await == 0).await;
    let (delivered, resumed) =
        (scene.delivered.load(Ordering::Relaxed), scene.resumed.load(Ordering::Relaxed));
    println!("{jobs} jobs, {delivered} events, {resumed} returns, {files} files at the start");
    // Pooled connections of the test's own client and of the queue may have come since.
    wait_until(POOLED, async || open_files() <= files + POOLED_FILES).await;
    assert!(jobs > 0 && resumed > 0, "nothing happened");
}
