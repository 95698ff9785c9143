//! Socket.IO, driven by the client that the first dashboards have.

use crate::client::{assert_whole, seqs};
use crate::engine::Engine;
use crate::harness::{LIMIT, Options, Server};
use crate::process::Api;
use crate::scripts::Script;
use crate::worker::FakeWorker;
use rustix::process::Signal;
use serde_json::{Value, json};
use shared::queue::{Queue, QueueTimes};
use std::time::Duration;
use testkit::{RedisServer, wait_until};

fn contract(event: &Value) -> (&Value, &Value, u64) {
    (&event["stage"], &event["log"], event["progress"].as_f64().unwrap() as u64)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_19_every_transport_tells_the_same() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let before = server.train().await;
    worker.list(1).await;
    let head = server.queue.heads(&[before]).await.unwrap().remove(0).unwrap().seq;
    let url = server.url("");
    let scripts = ["default", "polling", "websocket"]
        .map(|transports| Script::start("socket_io.mjs", &[&url, transports]));
    for script in &scripts {
        // What runs already is told at once, as its newest event.
        let told = script.until(|told| !told["event"].is_null()).await;
        let newest: Vec<_> = told.iter().filter(|told| !told["event"].is_null()).collect();
        assert_eq!((newest.len(), &newest[0]["event"]["job_id"]), (1, &json!(before)));
        assert_eq!(newest[0]["event"]["seq"], head, "{told:?}");
    }
    scripts[0].until(|told| told["transport"] == "websocket").await;
    worker.document().await;
    worker.finish().await;
    let after = server.train().await;
    worker.run(1).await;
    for (script, transport) in scripts.iter().zip(["websocket", "polling", "websocket"]) {
        let of_before = script.events_until_final(before).await;
        assert_whole(&of_before, head);
        let of_after = script.events_until_final(after).await;
        assert_whole(&of_after, 1);
        let stages: Vec<_> = of_after.iter().filter(|event| event["type"] == "stage").collect();
        let expected: Vec<Value> = (1..=14).map(|n| json!(format!("{n}/14"))).collect();
        assert_eq!(
            stages.iter().map(|event| &event["stage"]).collect::<Vec<_>>(),
            Vec::from_iter(&expected)
        );
        assert!(stages.iter().zip(1..).all(|(event, n)| contract(event).2 == 7 * n));
        let last = contract(of_after.last().unwrap());
        assert_eq!((last.0, last.2), (&json!("complete"), 100));
        let told = script.told();
        let mut transports = told.iter().filter(|told| told["transport"].is_string());
        assert_eq!(transports.next_back().unwrap()["transport"], transport);
        assert!(told.iter().all(|told| told["disconnected"].is_null()), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_narrows_to_one_job() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    // An ended job, which the stream of all jobs tells nothing of.
    let ended = server.train().await;
    worker.run(1).await;
    let first = server.train().await;
    let url = server.url("");
    let on_ended = Script::start("socket_io.mjs", &[&url, "default", &ended.to_string()]);
    let on_first =
        Script::start("socket_io.mjs", &[&url, "websocket", &first.to_string(), "complete"]);
    let wrong = Script::start("socket_io.mjs", &[&url, "websocket", "no id"]);
    assert_eq!(on_ended.events_until_final(ended).await.len(), 1);
    on_first.until(|told| told["subscribed"] == true).await;
    wrong.until(|told| told["subscribed"] == false).await;
    let second = server.train().await;
    // Paused, so that the worker takes the first one.
    let paused = server.post(&format!("/jobs/{second}/pause"), &json!({})).await;
    assert_eq!(paused.0, 200, "{}", paused.1);
    worker.run(1).await;
    assert_whole(&on_first.events_until_final(first).await, 1);
    on_first.until(|told| told["unsubscribed"] == true).await;
    // Widened again: what was passed over is told as the newest event, then everything.
    let other = |told: &Value| told["event"]["job_id"] == json!(second);
    on_first.until(other).await;
    server.post(&format!("/jobs/{second}/resume"), &json!({})).await;
    worker.run(1).await;
    let of_second = on_first.events_until_final(second).await;
    assert!(seqs(&of_second)[0] > 1, "told while narrowed to another job");
    assert_whole(&of_second, seqs(&of_second)[0]);
    assert_whole(&wrong.events_until_final(second).await, 1);
    assert!(!on_ended.told().iter().any(other), "{:?}", on_ended.told());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_nothing_is_sent_away_and_harms_nobody() {
    let relay = api::RelayTimes { slow_send: Duration::from_millis(300), ..Default::default() };
    let options = Options { relay, ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    let worker = FakeWorker::new(&server.queue);
    let url = server.url("");
    let healthy = Script::start("socket_io.mjs", &[&url, "websocket"]);
    healthy.until(|told| told["connected"] == true).await;
    let mut slow = Engine::open(&server.address).await;
    let job = server.train().await;
    worker.list(110).await;
    for _ in 0..110 {
        worker.wordy_document(8000).await;
    }
    worker.finish().await;
    assert_whole(&healthy.events_until_final(job).await, 1);
    wait_until(LIMIT, async || server.metric("ragtrain_sockets").await == 1).await;
    // Cut off, not told `disconnect` ("41"), after which no client comes back.
    let mut got = Vec::new();
    while let Some(packet) = slow.packet().await {
        got.push(packet);
    }
    assert!(!got.iter().any(|packet| packet.starts_with("41")), "{:?}", got.last());
    let last = got.iter().rev().find(|packet| packet.starts_with("42")).unwrap();
    assert!(!last.contains("\"final\":true"), "the slow client was not slow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_pages_and_unknown_sessions_are_refused() {
    let server = Server::start().await;
    let opening = server.url("/socket.io/?EIO=4&transport=polling");
    let open = |origin: &str| server.http.get(&opening).header("origin", origin).send();
    assert_eq!(open("https://evil.example").await.unwrap().status(), 403);
    assert_eq!(open(&server.url("")).await.unwrap().status(), 200);
    for transport in ["polling", "websocket"] {
        let path = format!("/socket.io/?EIO=4&transport={transport}&sid=AAAAAAAAAAAAAAAAAAAAAA");
        let (status, problem) = server.get(&path).await;
        assert_eq!((status, &problem["code"]), (400, &json!("session_unknown")));
    }
    let (status, _) = server.get("/socket.io/?EIO=4&transport=websocket").await;
    assert_eq!(status, 426);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_19_clients_come_back_by_themselves() {
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().unwrap());
    let queue = Queue::open(&redis.url(), QueueTimes::default()).unwrap();
    let worker = FakeWorker::new(&queue);
    let mut api = Api::start(&redis, folder.path()).await;
    let url = api.url("");
    let scripts = ["default", "polling", "websocket"]
        .map(|transports| Script::start("socket_io.mjs", &[&url, transports]));
    for script in &scripts {
        script.until(|told| told["connected"] == true).await;
    }
    scripts[0].until(|told| told["transport"] == "websocket").await;
    let job = api.train().await;
    worker.list(3).await;
    worker.document().await;
    // Killed outright, and asked to end.
    for (times, signal) in (2..).zip([Signal::KILL, Signal::TERM]) {
        let head = queue.heads(&[job]).await.unwrap().remove(0).unwrap().seq;
        for script in &scripts {
            script.until(|told| told["event"]["seq"] == head).await;
        }
        api.process.signal(signal);
        let status = api.process.wait(LIMIT);
        assert!(signal == Signal::KILL || status.success(), "{status}");
        // Nobody is connected: these come as the newest event after the reconnection.
        worker.document().await;
        api.restart().await;
        for script in &scripts {
            wait_until(LIMIT, async || {
                let told = script.told();
                told.iter().filter(|told| told["connected"] == true).count() == times
            })
            .await;
        }
    }
    worker.finish().await;
    for script in &scripts {
        let events = script.events_until_final(job).await;
        let seqs = seqs(&events);
        assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
        // Each absence hides one document and no more: its last event is the newest one then.
        let jumps: Vec<u64> =
            seqs.windows(2).map(|pair| pair[1] - pair[0]).filter(|n| *n > 1).collect();
        assert_eq!(jumps, [15, 15], "{seqs:?}");
        let told = script.told();
        let reasons: Vec<_> =
            told.iter().filter_map(|told| told["disconnected"].as_str()).collect();
        assert!(reasons.iter().all(|reason| *reason != "io server disconnect"), "{reasons:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_vanish_give_their_place_back() {
    let relay = api::RelayTimes {
        heartbeat: Duration::from_millis(200),
        silence: Duration::from_secs(1),
        ..Default::default()
    };
    let options = Options { relay, ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    let url = server.url("");
    let scripts = ["default", "polling", "websocket"]
        .map(|transports| Script::start("socket_io.mjs", &[&url, transports]));
    for script in &scripts {
        script.until(|told| told["connected"] == true).await;
    }
    scripts[0].until(|told| told["transport"] == "websocket").await;
    // Several beats later they are still there: the engine's pings are answered.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(server.metric("ragtrain_sockets").await, 3);
    drop(scripts);
    wait_until(LIMIT, async || server.metric("ragtrain_sockets").await == 0).await;
}
