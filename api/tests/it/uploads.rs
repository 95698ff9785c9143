//! Uploads: the whole of it or nothing.

use crate::harness::{Options, Server, answer};
use reqwest::multipart::{Form, Part};
use serde_json::json;
use std::time::Duration;
use testkit::{RedisServer, wait_until};
use tokio::io::AsyncWriteExt;

fn file(name: &str, size: usize) -> Part {
    Part::bytes(vec![b'x'; size]).file_name(name.to_owned())
}

async fn limited() -> Server {
    let arguments = ["--max-file-mb=1", "--upload-mb=2", "--upload-files=3"];
    let arguments = arguments.map(str::to_owned).to_vec();
    Server::start_with(RedisServer::start(), Options { arguments, ..Options::default() }).await
}

/// Nothing is left below `uploads/`, not even a part of a file.
async fn assert_nothing_left(server: &Server) {
    let folder = server.folder.path().join("data/blobs/uploads");
    wait_until(Duration::from_secs(10), || {
        let found = walk(&folder);
        async move { found.is_empty() }
    })
    .await;
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries.flatten() {
        if entry.path().is_dir() {
            files.extend(walk(&entry.path()))
        } else {
            files.push(entry.path())
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_stored_and_trained() {
    let server = limited().await;
    let form = Form::new()
        .part("files", file("СП 45.pdf", 10))
        .part("files", file("../../СП 45.pdf", 700_000))
        .part("other", file("a/b.txt", 5));
    let sent = server.http.post(server.url("/uploads")).multipart(form).send().await.unwrap();
    let (status, uploaded) = answer(sent).await;
    assert_eq!(status, 201, "{uploaded}");
    let names: Vec<&str> =
        uploaded["files"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["СП 45.pdf", "СП 45 (2).pdf", "a/b.txt"]);
    let id = uploaded["upload_id"].as_str().unwrap().parse().unwrap();
    let stored = server.blobs().read_upload(id).await.unwrap().unwrap();
    assert_eq!(server.blobs().get(&stored.files[1].key).await.unwrap().len(), 700_000);
    let (status, _) = server.post("/train", &json!({"sources": [{"upload": id}]})).await;
    assert_eq!(status, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_limits_nothing_is_left() {
    let server = limited().await;
    for (sizes, code) in [
        (vec![10, (1 << 20) + 1], "file_too_large"),
        (vec![900_000, 900_000, 900_000], "upload_too_large"),
        (vec![1, 1, 1, 1], "too_many_files"),
    ] {
        let mut form = Form::new();
        for size in sizes {
            form = form.part("files", file("a.pdf", size));
        }
        let sent = server.http.post(server.url("/uploads")).multipart(form).send().await.unwrap();
        let (status, refusal) = answer(sent).await;
        assert_eq!((status, &refusal["code"]), (413, &json!(code)), "{refusal}");
        assert_nothing_left(&server).await;
    }
    let form = Form::new().text("note", "hello");
    let sent = server.http.post(server.url("/uploads")).multipart(form).send().await.unwrap();
    assert_eq!(answer(sent).await.1["code"], "unknown_field");
    let sent = server.http.post(server.url("/uploads")).multipart(Form::new()).send().await;
    let (status, refusal) = answer(sent.unwrap()).await;
    assert!(status == 422 && refusal["code"] == "no_files" || status == 400, "{refusal}");
    assert_nothing_left(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_leaves_nothing() {
    let server = limited().await;
    let mut socket = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let head = format!(
        "POST /uploads HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: 900000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; \
         filename=\"a.pdf\"\r\n\r\n",
        server.address
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b'x'; 500_000]).await.unwrap();
    socket.shutdown().await.unwrap();
    drop(socket);
    let (_, metrics) = server.get("/metrics").await;
    assert!(metrics.as_str().unwrap().contains("ragtrain_http_requests_total"));
    assert_nothing_left(&server).await;
}
