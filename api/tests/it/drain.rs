//! The end of a process as its clients and its load balancer see it.

use crate::client::Socket;
use crate::harness::LIMIT;
use crate::process::Api;
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{RedisServer, wait_until, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_15_first_the_notice_then_the_door_then_the_goodbyes() {
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().unwrap());
    let more = ["--max-sockets-per-address=1000", "--drain-notice-s=3"];
    let mut api = Api::start_with(&redis, folder.path(), &more).await;
    let address = api.address.to_string();
    let job = api.train().await;
    let path = format!("/ws/{job}");
    let mut sockets = Vec::new();
    for _ in 0..100 {
        sockets.push(Socket::open_at(&address, &path, None).await.unwrap());
    }
    let client = reqwest::Client::new();
    let waiting = format!("/jobs/{job}/events?format=json&since=1&wait=20");
    let waiting = tokio::spawn(client.get(api.url(&waiting)).send());
    let stream = client.get(api.url(&format!("/jobs/{job}/events"))).send().await.unwrap();
    api.process.terminate();
    let ready = async || client.get(api.url("/readyz")).send().await.unwrap().status();
    wait_until(LIMIT, async || ready().await == 503).await;
    // Load balancers have not noticed yet: who comes now is served.
    sockets.push(Socket::open_at(&address, &path, None).await.unwrap());
    let mut refused = None;
    wait_until(LIMIT, async || {
        refused = Socket::open_at(&address, &path, None).await.err();
        refused.is_some()
    })
    .await;
    assert_eq!(refused, Some(503), "refused, not cut off");
    let mut goodbyes = Vec::new();
    for socket in sockets {
        goodbyes.push(tokio::spawn(async move {
            let mut socket = socket;
            let (frames, code) = socket.rest().await;
            (frames.last().cloned(), code, Instant::now())
        }));
    }
    let mut times = Vec::new();
    for goodbye in goodbyes {
        let (bye, code, at) = within(LIMIT, goodbye).await.unwrap();
        let bye = bye.unwrap();
        assert_eq!((code, &bye["type"]), (1012, &json!("bye")), "{bye}");
        times.push(at);
    }
    times.sort_unstable();
    let spread = times[times.len() - 1] - times[0];
    assert!(spread > Duration::from_millis(1000), "all within {spread:?}");
    let text = within(LIMIT, stream.text()).await.unwrap();
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.contains("retry:") && last.contains("\"bye\""), "{last}");
    assert_eq!(within(LIMIT, waiting).await.unwrap().unwrap().status(), 200);
    let status = api.process.wait(LIMIT);
    assert_eq!(status.code(), Some(0), "{}", api.process.output());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_15_who_does_not_let_go_is_cut_off_at_the_limit() {
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().unwrap());
    let mut api = Api::start_with(&redis, folder.path(), &["--drain-limit-s=2"]).await;
    // A request that never becomes complete keeps its connection open.
    let mut line = tokio::net::TcpStream::connect(api.address).await.unwrap();
    let head =
        format!("POST /train HTTP/1.1\r\nHost: {}\r\nContent-Length: 9\r\n\r\n", api.address);
    tokio::io::AsyncWriteExt::write_all(&mut line, head.as_bytes()).await.unwrap();
    let begin = Instant::now();
    api.process.terminate();
    let status = api.process.wait(LIMIT);
    assert_eq!(status.code(), Some(0), "{}", api.process.output());
    assert!(begin.elapsed() > Duration::from_millis(1900), "{:?}", begin.elapsed());
    assert!(api.process.output().contains("cut off"), "{}", api.process.output());
}
