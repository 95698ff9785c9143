//! What a real browser makes of it: a bare `WebSocket` and an `EventSource` whose line breaks.

use crate::client::assert_whole;
use crate::harness::Server;
use crate::scripts::Script;
use crate::worker::FakeWorker;
use serde_json::{Value, json};
use testkit::{Mode, Proxy};

fn events(told: Vec<Value>) -> Vec<Value> {
    let events = told.into_iter().map(|mut told| told["event"].take());
    events.filter(|event| event["seq"].is_u64() && event["stage"].is_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_19_a_bare_websocket_in_a_browser() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let socket = format!("ws://{}/ws", server.address);
    let page = Script::start("browser.mjs", &[&server.url("/healthz"), &socket, "socket"]);
    page.until(|told| told["connected"] == true).await;
    server.train().await;
    worker.run(1).await;
    let told = page.until(|told| told["event"]["final"] == true).await;
    let events = events(told);
    assert_whole(&events, 1);
    let stages: Vec<_> = events.iter().filter(|event| event["type"] == "stage").collect();
    assert_eq!((stages.len(), &stages[2]["stage"]), (14, &json!("3/14")));
    assert_eq!(events.last().unwrap()["stage"], "complete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_19_an_event_source_goes_on_where_its_line_broke() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    worker.list(3).await;
    // The page comes through the same line, so that the stream is of its own origin.
    let line = Proxy::start(server.address.parse().unwrap()).await;
    let url = format!("http://{}", line.address());
    let stream = format!("{url}/jobs/{job}/events");
    let page = Script::start("browser.mjs", &[&format!("{url}/healthz"), &stream, "events"]);
    worker.document().await;
    let head = server.queue.heads(&[job]).await.unwrap().remove(0).unwrap().seq;
    page.until(|told| told["event"]["seq"] == head && told["id"] != "").await;
    line.set(Mode::Cut);
    page.until(|told| told["broken"] == 0).await;
    worker.document().await;
    line.set(Mode::Pass);
    worker.document().await;
    worker.finish().await;
    // Behind the final event the browser is told not to come back (204): its source is closed.
    let told = page.until(|told| told["broken"] == 2).await;
    assert!(told.iter().filter(|told| told["connected"] == true).count() >= 2, "{told:?}");
    assert_whole(&events(told), 1);
}
