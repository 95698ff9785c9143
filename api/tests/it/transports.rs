//! The same history by SSE and page by page.

use crate::harness::{LIMIT, Server};
use crate::worker::FakeWorker;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::within;
use uuid::Uuid;

/// Events of an SSE stream: ids and data, until the stream ends.
async fn sse(server: &Server, path: &str, last: Option<&str>) -> (u16, Vec<(String, Value)>) {
    let mut request = server.http.get(server.url(path));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = within(LIMIT, request.send()).await.unwrap();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(piece) = within(LIMIT, stream.next()).await {
        body.extend_from_slice(&piece.unwrap());
    }
    let body = String::from_utf8(body).unwrap();
    let mut messages = Vec::new();
    for block in body.split("\n\n") {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        if let Some(data) = field("data: ") {
            let id = field("id: ").unwrap_or_default().to_owned();
            messages.push((id, serde_json::from_str(data).unwrap()));
        }
    }
    (status, messages)
}

fn numbered(messages: &[(String, Value)]) -> Vec<u64> {
    let events = messages.iter().filter(|(id, _)| !id.is_empty());
    events.map(|(_, event)| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sse_resumes_and_ends() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let path = format!("/jobs/{job}/events");
    let (live, ()) = tokio::join!(sse(&server, &path, None), worker.run(2));
    assert_eq!(live.0, 200);
    assert_eq!(live.1[0].1["type"], "hello");
    let all = numbered(&live.1);
    assert_eq!(all, Vec::from_iter(1..=all.len() as u64));
    let (last_id, last) = live.1.last().unwrap();
    assert_eq!((&last["final"], &last["stage"]), (&json!(true), &json!("complete")));
    assert_eq!(*last_id, format!("{}:{}", last["epoch"].as_str().unwrap(), last["seq"]));
    let epoch = last["epoch"].as_str().unwrap();
    let (_, resumed) = sse(&server, &path, Some(&format!("{epoch}:7"))).await;
    assert_eq!(numbered(&resumed), Vec::from_iter(8..=all.len() as u64));
    // The header wins over the query.
    let query = format!("{path}?since={epoch}:2");
    let (_, resumed) = sse(&server, &query, Some(&format!("{epoch}:9"))).await;
    assert_eq!(numbered(&resumed)[0], 10);
    let (status, nothing) = sse(&server, &path, Some(last_id)).await;
    assert_eq!((status, nothing.len()), (204, 0));
    let (status, refusal) = server.get(&format!("/jobs/{}/events", Uuid::nil())).await;
    assert_eq!((status, &refusal["code"]), (404, &json!("job_not_found")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_long_polls() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let path = format!("/jobs/{job}/events?format=json");
    let (status, page) = server.get(&path).await;
    assert_eq!((status, page["events"].as_array().unwrap().len()), (200, 1));
    let since = format!("{}:{}", page["epoch"].as_str().unwrap(), page["last_seq"]);
    // Without `wait` an empty page comes at once; with it, the next event does.
    let (_, empty) = server.get(&format!("{path}&since={since}")).await;
    assert_eq!((&empty["events"], &empty["last_seq"]), (&json!([]), &json!(1)));
    let waiting = format!("{path}&since={since}&wait=20");
    let (waited, ()) = tokio::join!(server.get(&waiting), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        worker.list(2).await;
    });
    assert_eq!(waited.1["events"][0]["seq"], 2, "{}", waited.1);
    worker.document().await;
    worker.document().await;
    worker.finish().await;
    let mut all = Vec::new();
    let mut cursor = String::new();
    let ended = loop {
        let (_, page) = server.get(&format!("{path}&limit=7{cursor}")).await;
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 7);
        all.extend(events.iter().map(|event| event["seq"].as_u64().unwrap()));
        if page["ended"] == true {
            break page;
        }
        cursor = format!("&since={}:{}", page["epoch"].as_str().unwrap(), page["last_seq"]);
    };
    assert_eq!(all, Vec::from_iter(1..=all.len() as u64));
    assert_eq!(ended["last_seq"].as_u64(), all.last().copied());
    // Nobody waits for events after the final one.
    let start = Instant::now();
    let (_, past) = server.get(&format!("{path}&since={}&wait=20", all.len())).await;
    assert_eq!((&past["events"], &past["ended"]), (&json!([]), &json!(true)));
    assert!(start.elapsed() < Duration::from_secs(10));
    let (_, whole) = server.get(&format!("{path}&limit=1000")).await;
    assert_eq!(whole["events"].as_array().unwrap().len(), all.len());
}
