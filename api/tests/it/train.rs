//! Accepting jobs.

use crate::harness::{Options, Server, answer};
use serde_json::{Value, json};
use shared::job::{Priority, Source};
use std::collections::HashSet;
use testkit::RedisServer;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_forms_of_a_request() {
    let server = Server::start().await;
    let docs = server.docs();
    let root = docs.to_str().unwrap().to_owned();
    let file = docs.join("a.txt").to_str().unwrap().to_owned();
    for (path, body, source) in [
        ("/train", None, &root),
        ("/api/train", None, &root),
        ("/train", Some(json!({})), &root),
        ("/train", Some(json!({"custom_dir": null, "max_files": null})), &root),
        ("/train", Some(json!({"custom_dir": root})), &root),
        ("/train", Some(json!({"base_dir": root, "force_retrain": true})), &root),
        ("/train", Some(json!({"sources": [{"path": "a.txt"}]})), &file),
        ("/train?custom_dir=a.txt", None, &file),
        ("/api/train?custom_dir=a.txt", Some(json!({"force": true})), &file),
    ] {
        let request = server.http.post(server.url(path));
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let sent = request.send().await.unwrap();
        let location = sent.headers()["location"].to_str().unwrap().to_owned();
        let (status, accepted) = answer(sent).await;
        assert_eq!(status, 202, "{path} {body:?}: {accepted}");
        assert_eq!(accepted["status"], "queued");
        let id: Uuid = accepted["job_id"].as_str().unwrap().parse().unwrap();
        assert_eq!(location, format!("/jobs/{id}"));
        assert_eq!(accepted["ws_url"], format!("ws://{}/ws/{id}", server.address));
        assert_eq!(accepted["events_url"], server.url(&format!("/jobs/{id}/events")));
        let (status, job) = server.get(&location).await;
        assert_eq!((status, &job["status"]), (200, &json!("queued")));
        // The record was there before the answer.
        let spec = server.blobs().read_job(id).await.unwrap().unwrap();
        assert_eq!(spec.sources, [Source::Path(source.clone())], "{path} {body:?}");
        let forced =
            body.is_some_and(|body| body["force"] == true || body["force_retrain"] == true);
        assert_eq!(spec.force, forced);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_reaches_the_record() {
    let server = Server::start().await;
    let body = json!({
        "collection": "нормы", "priority": "high", "max_files": 7, "include": ["**/*.pdf"],
        "tags": ["объект 5"], "sources": [{"path": "."}], "max_failed": 3, "max_inflight": 2,
    });
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = server.http.post(server.url("/train")).header("traceparent", trace);
    let (_, accepted) = answer(request.json(&body).send().await.unwrap()).await;
    let id = accepted["job_id"].as_str().unwrap().parse().unwrap();
    let spec = server.blobs().read_job(id).await.unwrap().unwrap();
    assert_eq!(spec.collection, "нормы");
    assert_eq!(spec.priority, Priority::High);
    assert_eq!(spec.max_files, Some(7));
    assert_eq!((spec.max_failed, spec.max_inflight), (Some(3), Some(2)));
    assert_eq!(spec.traceparent.as_deref(), Some(trace));
    assert_eq!((spec.include, spec.tags), (vec!["**/*.pdf".into()], vec!["объект 5".into()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_one_job() {
    let server = Server::start().await;
    let send = |body: Value| {
        let request = server.http.post(server.url("/train")).header("idempotency-key", "k-1");
        async move { answer(request.json(&body).send().await.unwrap()).await }
    };
    let answers = futures_util::future::join_all((0..100).map(|_| send(json!({})))).await;
    let jobs: HashSet<String> = answers
        .iter()
        .map(|(status, accepted)| {
            assert_eq!(*status, 202, "{accepted}");
            accepted["job_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(jobs.len(), 1);
    let (_, listed) = server.get("/jobs").await;
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 1);
    let (status, refusal) = send(json!({"force": true})).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("idempotency_conflict")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_and_forgets() {
    let options = Options { arguments: vec!["--max-jobs=2".into()], ..Options::default() };
    let server = Server::start_with(RedisServer::start(), options).await;
    server.train().await;
    server.train().await;
    let sent = server.http.post(server.url("/train")).send().await.unwrap();
    assert!(sent.headers().contains_key("retry-after"));
    let (status, refusal) = answer(sent).await;
    assert_eq!((status, &refusal["code"]), (503, &json!("queue_full")));
    assert_eq!(server.blobs().job_ids().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_listed_paused_resumed_and_cancelled() {
    let server = Server::start().await;
    let mut jobs = Vec::new();
    for _ in 0..5 {
        jobs.push(server.train().await.to_string());
    }
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = server.get(&format!("/jobs?limit=2{cursor}")).await;
        for job in page["jobs"].as_array().unwrap() {
            listed.push(job["job_id"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    jobs.reverse();
    assert_eq!(listed, jobs, "newest first");
    let job = &jobs[0];
    let post = |verb: &'static str| {
        let path = format!("/jobs/{job}/{verb}");
        let server = &server;
        async move { server.post(&path, &json!({})).await }
    };
    assert_eq!(post("pause").await.1["status"], "paused");
    assert_eq!(server.get("/jobs?status=paused").await.1["jobs"][0]["job_id"], job.as_str());
    let resumed = post("resume").await.1["status"].clone();
    assert!(resumed == "queued" || resumed == "running", "{resumed}");
    let (status, refusal) = post("retry").await;
    assert_eq!((status, &refusal["code"]), (409, &json!("job_not_ended")));
    let (status, cancelled) = post("cancel").await;
    assert_eq!(status, 200);
    assert!(cancelled["status"] == "cancelling" || cancelled["status"] == "cancelled");
}
