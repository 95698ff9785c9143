//! Clients that do not keep up: nobody else notices, and nothing is lost in silence.

use crate::client::{Socket, assert_whole, seqs};
use crate::engine::Engine;
use crate::harness::{LIMIT, Options, Server};
use crate::worker::FakeWorker;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use testkit::{RedisServer, is_long, wait_until, within};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

/// More than the ring of all jobs holds, and what the kernel takes on the way.
const JOBS: usize = 300;
const DOCUMENTS: u64 = 3;

fn ends(events: &[Value]) -> usize {
    events.iter().filter(|event| event["final"] == true).count()
}

/// What was read, and how many jobs have ended in it. Counted on the way: looking through all of it
/// for each event took so long that the slow client was taken for a vanished one.
#[derive(Default)]
struct Read {
    events: Vec<Value>,
    ended: usize,
}

impl Read {
    fn add(&mut self, event: Value) {
        self.ended += usize::from(event["final"] == true);
        self.events.push(event);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_12_a_slow_viewer_of_all_jobs_gets_the_newest_and_every_end() {
    let relay = api::RelayTimes { slow_send: LIMIT, ..Default::default() };
    let options = Options { relay, ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    let worker = FakeWorker::new(&server.queue);
    let mut slow = Socket::open(&server, "/ws").await;
    let mut slow_engine = Engine::open(&server.address).await;
    let mut healthy = Socket::open(&server, "/ws").await;
    let reading = tokio::spawn(async move {
        let mut read = Read::default();
        while read.ended < JOBS {
            read.add(healthy.frame().await);
        }
        read.events
    });
    for _ in 0..JOBS {
        server.train().await;
        worker.list(DOCUMENTS).await;
        for _ in 0..DOCUMENTS {
            worker.wordy_document(700).await;
        }
        worker.finish().await;
    }
    let all = within(LIMIT, reading).await.unwrap();
    let (mut plain, mut by_engine) = (Read::default(), Read::default());
    while plain.ended < JOBS {
        plain.add(slow.frame().await);
    }
    while by_engine.ended < JOBS {
        by_engine.add(slow_engine.event().await);
    }
    for got in [plain.events, by_engine.events] {
        println!("a slow one got {} events of {}", got.len(), all.len());
        assert!(got.len() + 1000 < all.len(), "the slow client was not slow");
        let mut by_job: HashMap<String, Vec<Value>> = HashMap::new();
        for event in got {
            by_job.entry(event["job_id"].as_str().unwrap().to_owned()).or_default().push(event);
        }
        assert_eq!(by_job.len(), JOBS);
        for events in by_job.values() {
            let seqs = seqs(events);
            assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
            assert_eq!((ends(events), &events[events.len() - 1]["final"]), (1, &true.into()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_11_a_dead_reader_costs_its_peers_nothing() {
    let relay = api::RelayTimes { slow_send: Duration::from_secs(1), ..Default::default() };
    let arguments = vec!["--max-sockets-per-address=1000".to_owned()];
    let options = Options { relay, arguments, ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let path = format!("/ws/{job}");
    let mut peers = Vec::new();
    let healthy = if is_long() { 500 } else { 50 };
    for _ in 0..healthy {
        let mut peer = Socket::open(&server, &path).await;
        peers.push(tokio::spawn(async move { peer.rest().await }));
    }
    let mut dead = Socket::open(&server, &path).await;
    assert_eq!(dead.frame().await["type"], "hello");
    worker.list(60).await;
    for _ in 0..60 {
        worker.wordy_document(8000).await;
    }
    // Given up while the job still runs and the others are served.
    wait_until(LIMIT, async || server.metric("ragtrain_sockets").await == healthy).await;
    worker.finish().await;
    for peer in peers {
        let (frames, code) = within(LIMIT, peer).await.unwrap();
        assert_eq!(code, 1000);
        assert_whole(&frames, 1);
    }
    let mut got = dead.rest_until_broken().await;
    let last = *seqs(&got).last().unwrap();
    let mut again = Socket::open(&server, &format!("{path}?since={last}")).await;
    let (rest, code) = again.rest().await;
    assert_eq!(code, 1000);
    got.extend(rest);
    assert_whole(&got, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_11_a_stream_that_nobody_reads_is_cut_off() {
    let relay = api::RelayTimes { unanswered: Duration::from_secs(2), ..Default::default() };
    let options = Options { relay, ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut dead = socket.connect(server.address.parse().unwrap()).await.unwrap();
    let request = format!("GET /jobs/{job}/events HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    dead.write_all(request.as_bytes()).await.unwrap();
    wait_until(LIMIT, async || server.metric("ragtrain_sockets").await == 1).await;
    worker.list(60).await;
    for _ in 0..60 {
        worker.wordy_document(8000).await;
    }
    wait_until(LIMIT, async || server.metric("ragtrain_sockets").await == 0).await;
    let running = server.get(&format!("/jobs/{job}")).await.1;
    assert_eq!(running["status"], "running", "it was the end of the job that closed the stream");
    worker.finish().await;
}
