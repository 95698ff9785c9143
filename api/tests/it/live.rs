//! Every event of a job, once and in order, whoever comes when.

use crate::client::{Received, Socket, assert_whole, events, seqs};
use crate::harness::{LIMIT, Options, Server, trim};
use crate::worker::FakeWorker;
use serde_json::{Value, json};
use shared::outcome::Outcome;
use shared::stage::Stage;
use std::time::Duration;
use testkit::{RedisServer, within};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joiners_at_every_moment_get_everything() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let mut early = Socket::open(&server, &format!("/ws/{job}")).await;
    let hello = early.frame().await;
    assert_eq!((&hello["type"], &hello["seq"]), (&json!("hello"), &json!(0)));
    assert_eq!((&hello["recovered"], &hello["job_id"]), (&json!(true), &json!(job)));
    worker.list(3).await;
    worker.document().await;
    let claim = worker.claim().await;
    for stage in &Stage::ALL[..7] {
        worker.stage(&claim, *stage).await;
    }
    let mut late = Socket::open(&server, &format!("/ws/{job}")).await;
    let by_seq = Socket::open(&server, &format!("/ws/{job}?since=5")).await;
    for stage in &Stage::ALL[7..] {
        worker.stage(&claim, *stage).await;
    }
    worker.complete(&claim, Outcome::Completed).await;
    worker.document().await;
    worker.finish().await;
    let mut after = Socket::open(&server, &format!("/ws/{job}")).await;

    let expected = server.queue.events(job, 0, 1000).await.unwrap().unwrap();
    let expected: Vec<Value> =
        expected.events.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert!(expected.len() > 3 * 15);
    for socket in [&mut early, &mut late, &mut after] {
        let (frames, code) = socket.rest().await;
        assert_eq!(code, 1000);
        assert_whole(&frames, 1);
        let received: Vec<Value> = events(&frames).into_iter().cloned().collect();
        assert_eq!(received, expected);
    }
    let mut by_seq = by_seq;
    let (frames, code) = by_seq.rest().await;
    assert_eq!((code, frames[0]["type"].as_str()), (1000, Some("hello")));
    assert_whole(&frames, 6);
    let last = expected.last().unwrap();
    assert_eq!((&last["stage"], &last["progress"]), (&json!("complete"), &json!(100)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumed_client_gets_exactly_what_it_missed() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(2).await;
    worker.document().await;
    let mut first = Socket::open(&server, &format!("/ws/{job}")).await;
    let epoch = first.frame().await["epoch"].as_str().unwrap().to_owned();
    let mut got = Vec::new();
    for _ in 0..9 {
        got.push(first.frame().await);
    }
    drop(first);
    worker.document().await;
    let mut second = Socket::open(&server, &format!("/ws/{job}?since={epoch}:9")).await;
    let hello = second.frame().await;
    assert_eq!((&hello["recovered"], &hello["seq"]), (&json!(true), &json!(9)));
    worker.finish().await;
    let (frames, code) = second.rest().await;
    assert_eq!(code, 1000);
    got.extend(frames);
    assert_whole(&got, 1);
    // At the end there is nothing more to get.
    let last = seqs(&got).len();
    let mut done = Socket::open(&server, &format!("/ws/{job}?since={epoch}:{last}")).await;
    assert_eq!(done.frame().await["type"], "hello");
    assert_eq!(done.next().await, Received::Closed(1000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_that_are_gone_get_a_snapshot() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(3).await;
    worker.document().await;
    worker.document().await;
    let head = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap();
    // The stream is trimmed to its newest five.
    let trimmed = trim(&server.redis, job, 5);
    assert!(trimmed > 20);
    for (since, reason) in [
        (String::new(), "trimmed"),
        ("?since=3".to_owned(), "trimmed"),
        (format!("?since={}:9999", head.epoch), "regressed"),
        ("?since=other:3".to_owned(), "epoch"),
    ] {
        let mut socket = Socket::open(&server, &format!("/ws/{job}{since}")).await;
        let hello = socket.frame().await;
        assert_eq!((&hello["recovered"], &hello["seq"]), (&json!(false), &json!(head.seq)));
        let reset = socket.frame().await;
        assert_eq!(reset, json!({"type": "reset", "reason": reason}), "{since}");
        let snapshot = socket.frame().await;
        assert_eq!(snapshot["type"], "snapshot");
        assert_eq!(snapshot["job"]["done"], 2);
        assert_eq!(snapshot["stages"], json!([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]));
        assert!(!snapshot["log_tail"].as_array().unwrap().is_empty());
    }
    let still_there = head.seq - 5;
    let mut socket =
        Socket::open(&server, &format!("/ws/{job}?since={}:{still_there}", head.epoch)).await;
    assert_eq!(socket.frame().await["recovered"], true);
    worker.document().await;
    worker.finish().await;
    assert_whole(&socket.rest().await.0, still_there + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_ended_long_ago_answers_from_its_record() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.run(1).await;
    let report = json!({"status": "completed", "documents": {"total": 1, "completed": 1}});
    server.blobs().write_report(job, &report).await.unwrap();
    redis::cmd("FLUSHALL").exec(&mut server.redis.connection()).unwrap();
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    let (frames, code) = socket.rest().await;
    let types: Vec<&str> = frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
    assert_eq!((types, code), (vec!["hello", "reset", "snapshot", "job"], 1000));
    let last = &frames[3];
    assert_eq!((&last["stage"], &last["progress"]), (&json!("complete"), &json!(100)));
    assert_eq!(last["seq"].as_u64(), frames[2]["seq"].as_u64().map(|seq| seq + 1));
    let since = format!("{}:{}", last["epoch"].as_str().unwrap(), last["seq"]);
    let mut again = Socket::open(&server, &format!("/ws/{job}?since={since}")).await;
    assert_eq!(again.frame().await["recovered"], true);
    assert_eq!(again.next().await, Received::Closed(1000));
    let (status, view) = server.get(&format!("/jobs/{job}")).await;
    assert_eq!((status, &view["status"]), (200, &json!("completed")));
    assert_eq!(view["documents"]["completed"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_clients_get_plain_frames_of_all_jobs() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let before = server.train().await;
    worker.list(1).await;
    let mut socket = Socket::open(&server, "/ws").await;
    worker.document().await;
    worker.finish().await;
    let after = server.train().await;
    worker.run(1).await;
    let mut of_before = Vec::new();
    let mut of_after = Vec::new();
    while of_after.last().is_none_or(|last: &Value| last["final"] != true) {
        let frame = socket.frame().await;
        for key in ["stage", "log", "progress"] {
            assert!(!frame[key].is_null(), "{frame}");
        }
        if frame["job_id"] == json!(before) { of_before.push(frame) } else { of_after.push(frame) }
    }
    assert!(of_after.iter().all(|frame| frame["job_id"] == json!(after)));
    assert_whole(&of_after, 1);
    // What was published before the socket opened is not told.
    assert!(seqs(&of_before)[0] > 1);
    assert_whole(&of_before, seqs(&of_before)[0]);
    let stages: Vec<(&str, u64)> = of_after
        .iter()
        .filter(|frame| frame["type"] == "stage")
        .map(|frame| (frame["stage"].as_str().unwrap(), frame["progress"].as_u64().unwrap()))
        .collect();
    let expected: Vec<(String, u64)> = (1..=14).map(|n| (format!("{n}/14"), 7 * n)).collect();
    let expected: Vec<(&str, u64)> = expected.iter().map(|(s, p)| (s.as_str(), *p)).collect();
    assert_eq!(stages, expected);
    let last = of_after.last().unwrap();
    assert_eq!((&last["stage"], last["progress"].as_f64()), (&json!("complete"), Some(100.0)));
    socket.send(Message::text(r#"{"type":"ping"}"#)).await;
    assert_eq!(socket.frame().await, json!({"type": "pong"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_subscriptions_lose_nothing() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let mut all = Socket::open(&server, "/ws").await;
    let mut sockets = Vec::new();
    for _ in 0..4 {
        sockets.push(Socket::open(&server, &format!("/ws/{job}")).await);
    }
    let documents = 60;
    let training = tokio::spawn(async move { worker.run(documents).await });
    let mut killer = server.redis.connection();
    let mut killed = 0;
    while !training.is_finished() {
        let count: u64 =
            redis::cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"]).query(&mut killer).unwrap();
        killed += count;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    training.await.unwrap();
    for socket in &mut sockets {
        let (frames, code) = socket.rest().await;
        assert_eq!(code, 1000);
        assert_whole(&frames, 1);
        assert!(seqs(&frames).len() as u64 > documents * 15);
    }
    let mut frames = vec![all.frame().await];
    while frames.last().is_some_and(|frame| frame["final"] != true) {
        frames.push(all.frame().await);
    }
    assert_whole(&frames, seqs(&frames)[0]);
    assert!(seqs(&frames)[0] <= 2, "a viewer of all jobs misses nothing after its first sight");
    assert!(killed > 0, "no subscription was ever killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_a_socket() {
    let server = Server::start().await;
    let job = server.train().await;
    let path = format!("/ws/{job}");
    for (path, code) in [
        (format!("/ws/{}", Uuid::nil()), 4504),
        ("/ws/not-an-id".to_owned(), 4504),
        (format!("{path}?since=x"), 4500),
    ] {
        let mut socket = Socket::open(&server, &path).await;
        assert_eq!(socket.next().await, Received::Closed(code), "{path}");
    }
    for (message, code) in
        [(Message::binary(vec![1, 2, 3]), 1003), (Message::text("x".repeat(5000)), 1009)]
    {
        let mut socket = Socket::open(&server, &path).await;
        socket.send(message).await;
        assert_eq!(socket.rest().await.1, code);
    }
    let mut flood = Socket::open(&server, &path).await;
    for _ in 0..30 {
        flood.send(Message::text("{}")).await;
    }
    assert_eq!(flood.rest().await.1, 1008);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_sockets_are_refused_before_the_upgrade() {
    let arguments = vec!["--max-sockets-per-address=2".to_owned()];
    let options = Options { arguments, ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    let first = Socket::open(&server, "/ws").await;
    let _second = Socket::open(&server, "/ws").await;
    assert_eq!(Socket::open_from(&server, "/ws", None).await.err(), Some(429));
    drop(first);
    testkit::wait_until(LIMIT, || async { Socket::open_from(&server, "/ws", None).await.is_ok() })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_says_goodbye() {
    let mut server = Server::start().await;
    let job = server.train().await;
    let mut new = Socket::open(&server, &format!("/ws/{job}")).await;
    let mut old = Socket::open(&server, "/ws").await;
    assert_eq!(new.frame().await["type"], "hello");
    server.stop();
    let (frames, code) = new.rest().await;
    assert_eq!(code, 1012);
    let bye = frames.last().unwrap();
    assert!(bye["type"] == "bye" && bye["retry_ms"].as_u64().is_some(), "{bye}");
    let (frames, code) = old.rest().await;
    assert_eq!(code, 1012);
    assert!(frames.iter().all(|frame| frame["stage"].is_string()), "{frames:?}");
    server.stopped().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_carry_the_position() {
    let relay = api::RelayTimes { heartbeat: Duration::from_millis(100), ..Default::default() };
    let options = Options { relay, ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    let job = server.train().await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    let beat = within(LIMIT, async {
        loop {
            let frame = socket.frame().await;
            if frame["type"] == "hb" {
                return frame;
            }
        }
    })
    .await;
    assert_eq!(beat["seq"], 1, "{beat}");
    assert!(beat["t"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_is_closed_and_made_whole_later() {
    let relay = api::RelayTimes { slow_send: Duration::from_millis(300), ..Default::default() };
    let options = Options { relay, ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let path = format!("/ws/{job}");
    let mut healthy = Socket::open(&server, &path).await;
    // It never reads: the kernel's buffers fill up, then the server gives it up.
    let mut slow = Socket::open(&server, &path).await;
    let reading = tokio::spawn(async move { healthy.rest().await });
    worker.list(110).await;
    for _ in 0..110 {
        worker.wordy_document(8000).await;
    }
    worker.finish().await;
    let (frames, code) = reading.await.unwrap();
    assert_eq!(code, 1000);
    assert_whole(&frames, 1);
    let open = || async {
        let (_, metrics) = server.get("/metrics").await;
        metrics.as_str().unwrap().contains("\nragtrain_sockets 0\n")
    };
    testkit::wait_until(LIMIT, open).await;
    let mut got = slow.rest_until_broken().await;
    let last = *seqs(&got).last().unwrap();
    assert!(last < *seqs(&frames).last().unwrap(), "the slow client was not slow");
    let mut resumed = Socket::open(&server, &format!("{path}?since={last}")).await;
    let (rest, code) = resumed.rest().await;
    assert_eq!(code, 1000);
    got.extend(rest);
    assert_whole(&got, 1);
}
