//! Every refusal has its status and its stable code, as a problem.

use crate::client::Socket;
use crate::harness::{Server, answer};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_of_train() {
    let server = Server::start().await;
    let outside = server.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, server.docs().join("link")).unwrap();
    let upload = Uuid::nil();
    for (body, status, code, field) in [
        (json!({"sources": [{"path": "/etc"}]}), 403, "source_outside_roots", "sources[0]"),
        (json!({"custom_dir": outside}), 403, "source_outside_roots", "sources[0]"),
        (json!({"custom_dir": server.docs().join("link")}), 403, "source_outside_roots", ""),
        (json!({"custom_dir": server.docs().join("none")}), 404, "source_not_found", ""),
        (json!({"sources": [{"path": "none"}]}), 404, "source_not_found", "sources[0]"),
        (json!({"sources": [{"upload": upload}]}), 404, "upload_not_found", "sources[0]"),
        (json!({"sources": [{"s3": "s3://b/p"}]}), 422, "s3_not_configured", "sources[0]"),
        (json!({"sources": [{}]}), 422, "invalid_field", "sources[0]"),
        (json!({"sources": [{"path": "", "s3": ""}]}), 422, "invalid_field", "sources[0]"),
        (json!({"source": "x"}), 422, "unknown_field", "source"),
        (json!({"collection": "../x"}), 422, "invalid_field", "collection"),
        (json!({"max_files": 0}), 422, "invalid_field", "max_files"),
        (json!({"max_files": -1}), 422, "invalid_field", "max_files"),
        (json!({"include": ["a{"]}), 422, "invalid_field", "include"),
        (json!({"tags": ["\u{7}"]}), 422, "invalid_field", "tags"),
        (json!({"priority": "urgent"}), 422, "invalid_field", "priority"),
        (json!([1]), 422, "", ""),
    ] {
        let (answered, refusal) = server.post("/train", &body).await;
        assert_eq!(answered, status, "{body}: {refusal}");
        if !code.is_empty() {
            assert_eq!(refusal["code"], code, "{body}: {refusal}");
        }
        if !field.is_empty() {
            assert_eq!(refusal["field"], field, "{body}: {refusal}");
        }
        assert_eq!(refusal["status"], status, "{refusal}");
    }
    let broken = server.http.post(server.url("/train")).body("{\"sources\": [").send().await;
    let (status, refusal) = answer(broken.unwrap()).await;
    assert_eq!((status, &refusal["code"]), (400, &json!("invalid_json")));
    let large = server.http.post(server.url("/train")).body("x".repeat(1 << 21)).send().await;
    let (status, refusal) = answer(large.unwrap()).await;
    assert_eq!((status, &refusal["code"]), (413, &json!("body_too_large")));
    // Nothing half-done: no job, no record.
    assert_eq!(server.get("/jobs").await.1["jobs"], json!([]));
    assert_eq!(server.blobs().job_ids().await.unwrap(), Vec::<Uuid>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_elsewhere() {
    let server = Server::start().await;
    let id = Uuid::nil();
    for (method, path, status, code) in [
        ("GET", "/nowhere".to_owned(), 404, "route_not_found"),
        ("PUT", "/train".to_owned(), 405, "method_not_allowed"),
        ("GET", "/search".to_owned(), 405, "method_not_allowed"),
        ("GET", format!("/jobs/{id}"), 404, "job_not_found"),
        ("GET", "/jobs/not-an-id".to_owned(), 404, "job_not_found"),
        ("GET", format!("/jobs/{id}/documents"), 404, "job_not_found"),
        ("GET", format!("/jobs/{id}/report"), 404, "job_not_found"),
        ("POST", format!("/jobs/{id}/cancel"), 404, "job_not_found"),
        ("POST", format!("/jobs/{id}/retry"), 404, "job_not_found"),
        ("GET", format!("/jobs/{id}/events"), 404, "job_not_found"),
        ("GET", format!("/jobs/{id}/events?format=json"), 404, "job_not_found"),
        ("GET", format!("/jobs/{id}/events?since=x"), 422, "invalid_field"),
        ("GET", format!("/jobs/{id}/events?format=xml"), 422, "invalid_field"),
        ("GET", "/jobs?limit=0".to_owned(), 422, "invalid_field"),
        ("GET", "/jobs?limit=1001".to_owned(), 422, "invalid_field"),
        ("GET", "/jobs?limit=x".to_owned(), 422, "invalid_field"),
        ("GET", "/jobs?status=done".to_owned(), 422, "invalid_field"),
        ("GET", "/jobs?page=2".to_owned(), 422, "unknown_field"),
        ("GET", "/jobs?cursor=x".to_owned(), 422, "invalid_field"),
        ("GET", "/documents/not-an-id".to_owned(), 404, "document_not_found"),
        ("GET", format!("/documents/{id}/graph?format=dot"), 422, "invalid_field"),
        ("GET", "/ws".to_owned(), 426, "websocket_required"),
        ("GET", format!("/ws/{id}"), 426, "websocket_required"),
        ("POST", "/uploads".to_owned(), 400, "invalid_multipart"),
        ("POST", "/search".to_owned(), 415, "unsupported_media_type"),
    ] {
        let method: reqwest::Method = method.parse().unwrap();
        let sent = server.http.request(method.clone(), server.url(&path)).send().await.unwrap();
        let allowed = sent.headers().get("allow").cloned();
        let (answered, refusal) = answer(sent).await;
        assert_eq!((answered, refusal["code"].as_str()), (status, Some(code)), "{method} {path}");
        assert_eq!(refusal["type"], format!("urn:ragtrain:error:{code}"));
        assert_eq!(allowed.is_some(), status == 405, "{method} {path}");
    }
    for (body, status, code) in [
        (json!({"query": " "}), 422, "invalid_field"),
        (json!({"query": "x", "k": 0}), 422, "invalid_field"),
        (json!({"query": "x", "k": 101}), 422, "invalid_field"),
        (json!({"query": "x", "mode": "magic"}), 422, "invalid_field"),
        (json!({"query": "x", "filter": {}}), 422, "unknown_field"),
        (json!({"query": "x", "filters": {"author": "y"}}), 422, "unknown_field"),
        (json!({}), 422, "missing_field"),
    ] {
        let (answered, refusal) = server.post("/search", &body).await;
        assert_eq!((answered, refusal["code"].as_str()), (status, Some(code)), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_pages_are_refused() {
    let server = Server::start().await;
    let own = format!("http://{}", server.address);
    for (origin, status) in [
        ("https://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("null", 403),
        (own.as_str(), 200),
    ] {
        let sent = server.http.get(server.url("/healthz")).header("origin", origin).send().await;
        let (answered, body): (u16, Value) = answer(sent.unwrap()).await;
        assert_eq!(answered, status, "{origin} {body}");
        let socket = Socket::open_from(&server, "/ws", Some(origin)).await;
        assert_eq!(socket.err().unwrap_or(200), status, "{origin}");
    }
    let rebound = server.http.get(server.url("/status")).header("host", "evil.example").send();
    let (status, refusal) = answer(rebound.await.unwrap()).await;
    assert_eq!((status, &refusal["code"]), (403, &json!("host_forbidden")));
    // Scripts send no Origin.
    assert!(Socket::open_from(&server, "/ws", None).await.is_ok());
}
