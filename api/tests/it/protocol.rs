//! Frames that no decent client sends.

use crate::client::{Received, Socket, assert_whole};
use crate::harness::{LIMIT, Server};
use crate::worker::FakeWorker;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::routing::any;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The program of the conformance suite in a virtual environment of its own.
fn kosoku() -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kosoku");
    let program = folder.join("bin/kosoku");
    if !program.exists() {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kosoku.txt");
        let run = |program: &Path, arguments: &[&str]| {
            let ran =
                Command::new(program).args(arguments).output().expect("python3-venv is missing");
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        };
        run(Path::new("python3"), &["-m", "venv", folder.to_str().unwrap()]);
        run(&folder.join("bin/pip"), &["install", "-q", "-r", requirements.to_str().unwrap()]);
    }
    program.to_str().unwrap().to_owned()
}

/// The same machinery that the relay upgrades with, but with room for the suite's large messages
/// and sending back what comes.
async fn echo() -> String {
    let upgrade = async |upgrade: WebSocketUpgrade| {
        let upgrade = upgrade.max_message_size(64 << 20).max_frame_size(64 << 20);
        upgrade.on_upgrade(async |mut socket| {
            while let Some(Ok(message)) = socket.recv().await {
                let is_data = matches!(message, Message::Text(_) | Message::Binary(_));
                if is_data && socket.send(message).await.is_err() {
                    return;
                }
            }
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/", any(upgrade));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_18_the_conformance_suite() {
    let address = echo().await;
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().to_str().unwrap().to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut suite = Command::new(kosoku());
        for cases in [1, 2, 3, 4, 5, 6, 7, 9, 10] {
            suite.args(["-i", &format!("{cases}.*")]);
        }
        suite.args(["-o", &report, &address]).output()
    });
    let output = within(Duration::from_secs(120), output).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("301 cases passed"), "{text}");
}

/// A connection upgraded by hand, for frames that no library makes.
async fn upgraded(server: &Server, path: &str) -> TcpStream {
    let mut line = TcpStream::connect(&server.address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        server.address
    );
    line.write_all(request.as_bytes()).await.unwrap();
    line
}

/// The code of the close frame that ends what the server sends.
async fn close_code(line: &mut TcpStream) -> Option<u16> {
    let mut received = Vec::new();
    within(LIMIT, line.read_to_end(&mut received)).await.unwrap();
    let frames = received.windows(4);
    let close = frames.rev().find(|bytes| bytes[0] == 0x88 && usize::from(bytes[1]) >= 2)?;
    Some(u16::from_be_bytes([close[2], close[3]]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_18_broken_frames_are_answered_and_harm_nobody() {
    let server = Server::start().await;
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let path = format!("/ws/{job}");
    let mut peer = Socket::open(&server, &path).await;
    let masked = |first: u8, payload: &[u8]| {
        let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        frame
    };
    for (frame, code, what) in [
        (masked(0x09, b"x"), 1002, "a ping in pieces"),
        (masked(0x83, b"x"), 1002, "an unknown kind"),
        (masked(0xf1, b"x"), 1002, "reserved bits"),
        (masked(0x80, b"x"), 1002, "the rest of nothing"),
        (vec![0x81, 1, b'x'], 1002, "not masked"),
        (masked(0x81, &[0xff]), 1007, "no UTF-8"),
        (masked(0x82, b"x"), 1003, "binary"),
    ] {
        let mut line = upgraded(&server, &path).await;
        line.write_all(&frame).await.unwrap();
        assert_eq!(close_code(&mut line).await, Some(code), "{what}");
    }
    // Ten megabytes are not even read.
    let mut line = upgraded(&server, &path).await;
    line.write_all(&[0x81, 0xff, 0, 0, 0, 0, 0, 0xa0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(close_code(&mut line).await, Some(1009));
    worker.run(1).await;
    let (frames, code) = peer.rest().await;
    assert_eq!(code, 1000);
    assert_whole(&frames, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_18_who_does_not_ask_is_closed_after_five_seconds() {
    let server = Server::start().await;
    let mut silent = TcpStream::connect(&server.address).await.unwrap();
    let mut halting = TcpStream::connect(&server.address).await.unwrap();
    halting.write_all(b"GET /ws HTTP/1.1\r\nHost: loc").await.unwrap();
    let mut patient = Socket::open(&server, "/ws").await;
    for line in [&mut silent, &mut halting] {
        let mut received = Vec::new();
        // Closed by whatever means; a reset is as good as an end.
        let _ = within(Duration::from_secs(10), line.read_to_end(&mut received)).await;
    }
    // Who asked in time stays.
    server.train().await;
    assert!(matches!(patient.next().await, Received::Frame(_)));
}
