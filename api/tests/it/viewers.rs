//! Viewers that come in crowds, at every moment, and go without a word.

use crate::client::{Received, Socket, assert_whole, seqs};
use crate::harness::{LIMIT, Options, Server};
use crate::worker::FakeWorker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::{Choices, Mode, Proxy, RedisServer, is_long, wait_until, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

fn many_sockets(relay: api::RelayTimes) -> Options {
    let arguments =
        ["--max-sockets-per-address=20000", "--sweep-s=0.2"].map(str::to_owned).to_vec();
    Options { arguments, relay, ..Options::default() }
}

/// The events of the next frames; heartbeats are no events.
async fn first_events(socket: &mut Socket, count: usize) -> Vec<u64> {
    let mut frames = Vec::new();
    while seqs(&frames).len() < count {
        frames.push(socket.frame().await);
    }
    seqs(&frames)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_01_joining_while_the_publisher_is_in_full_swing() {
    let server =
        Arc::new(Server::start_with(RedisServer::start(), many_sockets(Default::default())).await);
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(100_000).await;
    let enough = Arc::new(AtomicBool::new(false));
    let publishing = tokio::spawn({
        let enough = Arc::clone(&enough);
        async move {
            while !enough.load(Ordering::Relaxed) {
                worker.document().await;
            }
        }
    });
    let mut choices = Choices::of_test();
    let mut joining = JoinSet::new();
    let rounds = if is_long() { 1000 } else { 200 };
    for round in 0..rounds {
        let (server, behind, yields) = (Arc::clone(&server), choices.below(4), choices.below(20));
        joining.spawn(async move {
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            // At the head of the stream, a little behind it, and at its start.
            let head = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap();
            let since = match behind {
                3 => 0,
                behind => head.seq - behind.min(head.seq),
            };
            let path = format!("/ws/{job}?since={}:{since}", head.epoch);
            let mut socket = Socket::open(&server, &path).await;
            let hello = socket.frame().await;
            assert_eq!((&hello["seq"], &hello["recovered"]), (&since.into(), &true.into()));
            let got = first_events(&mut socket, 40).await;
            let last = since + got.len() as u64;
            assert_eq!(got, Vec::from_iter(since + 1..=last), "round {round}");
        });
        if joining.len() >= 16 {
            joining.join_next().await.unwrap().unwrap();
        }
    }
    joining.join_all().await;
    enough.store(true, Ordering::Relaxed);
    publishing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_13_a_client_that_vanishes_leaves_nothing_behind() {
    let relay = api::RelayTimes {
        heartbeat: Duration::from_millis(100),
        silence: Duration::from_millis(600),
        linger: Duration::from_millis(300),
        ..Default::default()
    };
    let server = Server::start_with(RedisServer::start(), many_sockets(relay)).await;
    let job = server.train().await;
    let proxy = Proxy::start(server.address.parse().unwrap()).await;
    let address = proxy.address().to_string();
    let mut one = Socket::open_at(&address, &format!("/ws/{job}"), None).await.unwrap();
    let mut all = Socket::open_at(&address, "/ws", None).await.unwrap();
    let subscriptions = || -> (Vec<String>, u64) {
        let mut connection = server.redis.connection();
        let channels = redis::cmd("PUBSUB").arg("CHANNELS").query(&mut connection).unwrap();
        let patterns = redis::cmd("PUBSUB").arg("NUMPAT").query(&mut connection).unwrap();
        (channels, patterns)
    };
    let of_job = |channels: &[String]| channels.iter().any(|name| name.contains(&job.to_string()));
    assert_eq!(one.frame().await["type"], "hello");
    let before = subscriptions();
    assert!(of_job(&before.0) && before.1 == 1, "{before:?}");
    proxy.set(Mode::Blackhole);
    wait_until(LIMIT, async || server.metric("ragtrain_sockets").await == 0).await;
    wait_until(LIMIT, async || {
        let (channels, patterns) = subscriptions();
        !of_job(&channels) && patterns == 0
    })
    .await;
    // The server's own end of the line is closed, not only forgotten.
    one.rest_until_broken().await;
    all.rest_until_broken().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_13_who_answers_no_ping_is_told_4012() {
    let relay = api::RelayTimes {
        heartbeat: Duration::from_millis(100),
        silence: Duration::from_millis(600),
        ..Default::default()
    };
    let server = Server::start_with(RedisServer::start(), many_sockets(relay)).await;
    let job = server.train().await;
    // A client library would answer the pings by itself.
    let mut line = TcpStream::connect(&server.address).await.unwrap();
    let upgrade = format!(
        "GET /ws/{job} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        server.address
    );
    line.write_all(upgrade.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    within(LIMIT, line.read_to_end(&mut received)).await.unwrap();
    let ping = [0x89, 0];
    assert!(received.windows(2).any(|bytes| bytes == ping));
    let close = received
        .windows(4)
        .rposition(|bytes| bytes[0] == 0x88 && bytes[2..] == 4012_u16.to_be_bytes());
    assert!(close.is_some(), "{:?}", String::from_utf8_lossy(&received));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_14_everybody_comes_back_at_once() {
    let server = Server::start_with(RedisServer::start(), many_sockets(Default::default())).await;
    let worker = FakeWorker::new(&server.queue);
    let mut jobs = Vec::new();
    for _ in 0..3 {
        let job = server.train().await;
        worker.list(3).await;
        worker.document().await;
        server.queue.pause(job).await.unwrap();
        jobs.push((job, server.queue.heads(&[job]).await.unwrap().remove(0).unwrap()));
    }
    let reads = || -> u64 {
        let stats: String =
            redis::cmd("INFO").arg("commandstats").query(&mut server.redis.connection()).unwrap();
        let xrange = stats.lines().find_map(|line| line.strip_prefix("cmdstat_xrange:calls="));
        xrange.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
    };
    let before = reads();
    let clients = if is_long() { 5000 } else { 300 };
    let mut coming = JoinSet::new();
    for client in 0..clients {
        let (job, head) = jobs[client % jobs.len()].clone();
        let address = server.address.clone();
        coming.spawn(async move {
            let path = format!("/ws/{job}?since={}:{}", head.epoch, head.seq - 2);
            let mut socket = Socket::open_at(&address, &path, None).await.unwrap();
            let hello = socket.frame().await;
            assert_eq!(hello["recovered"], true, "{hello}");
            assert_eq!(first_events(&mut socket, 2).await, [head.seq - 1, head.seq]);
            socket
        });
    }
    let mut sockets = within(Duration::from_secs(10), coming.join_all()).await;
    let made = reads() - before;
    assert!(made <= jobs.len() as u64, "{made} reads of 3 streams for {clients} clients");
    // They are not only greeted: what comes next reaches each.
    for (job, _) in &jobs {
        server.queue.cancel(*job).await.unwrap();
    }
    for socket in &mut sockets {
        assert!(matches!(socket.next().await, Received::Frame(_)));
    }
}

/// The client speaks while its line is lent to whoever writes the events: answers and events never
/// mix within a frame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_events_share_a_line() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let mut socket = Socket::open(&server, &format!("/ws/{job}")).await;
    assert_eq!(socket.frame().await["type"], "hello");
    worker.list(60).await;
    let publishing = async {
        for _ in 0..60 {
            worker.wordy_document(500).await;
        }
        worker.finish().await;
    };
    let speaking = async {
        let (mut frames, mut pongs) = (Vec::new(), 0);
        for spoken in 0..8 {
            socket.send(Message::Ping(vec![spoken].into())).await;
            socket.send(Message::Text(r#"{"type":"ping"}"#.into())).await;
            // Until the answer to the second one: events come before, between and after.
            while pongs <= spoken {
                match socket.next().await {
                    Received::Frame(frame) if frame["type"] == "pong" => pongs += 1,
                    Received::Frame(frame) => frames.push(frame),
                    Received::Closed(code) => panic!("closed with {code}"),
                }
            }
        }
        let (rest, code) = socket.rest().await;
        frames.extend(rest);
        (frames, code)
    };
    let ((frames, code), ()) = within(LIMIT, async { tokio::join!(speaking, publishing) }).await;
    assert_eq!(code, 1000);
    assert_whole(&frames, 1);
}
