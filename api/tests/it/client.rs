//! A WebSocket client that keeps its own record and checks it.

use crate::harness::{LIMIT, Server};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use testkit::within;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// A frame or the end.
#[derive(Debug, PartialEq)]
pub(crate) enum Received {
    Frame(Value),
    Closed(u16),
}

impl Socket {
    pub(crate) async fn open(server: &Server, path: &str) -> Socket {
        Socket::open_from(server, path, None).await.unwrap()
    }

    /// Opens with an `Origin`; the HTTP status when the upgrade is refused.
    pub(crate) async fn open_from(
        server: &Server,
        path: &str,
        origin: Option<&str>,
    ) -> Result<Socket, u16> {
        Socket::open_at(&server.address, path, origin).await
    }

    /// Likewise, at an address.
    pub(crate) async fn open_at(
        address: &str,
        path: &str,
        origin: Option<&str>,
    ) -> Result<Socket, u16> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match within(LIMIT, connect_async(request)).await {
            Ok((stream, _)) => Ok(Socket { stream }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                Err(response.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens or not, over a line that may break at any moment.
    pub(crate) async fn try_open(address: &str, path: &str) -> Option<Socket> {
        let request = format!("ws://{address}{path}").into_client_request().unwrap();
        let opening = tokio::time::timeout(Duration::from_secs(2), connect_async(request));
        opening.await.ok()?.ok().map(|(stream, _)| Socket { stream })
    }

    /// Likewise: the next frame, or `None` when the line broke or is silent for too long.
    pub(crate) async fn try_next(&mut self) -> Option<Received> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(5), self.stream.next());
            match next.await.ok()??.ok()? {
                Message::Text(text) => {
                    return Some(Received::Frame(serde_json::from_str(&text).unwrap()));
                }
                Message::Close(frame) => {
                    return Some(Received::Closed(frame.map_or(1005, |frame| frame.code.into())));
                }
                _ => {}
            }
        }
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Received {
        loop {
            match within(LIMIT, self.stream.next()).await {
                Some(Ok(Message::Text(text))) => {
                    return Received::Frame(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Close(frame))) => {
                    return Received::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("{error}"),
                None => return Received::Closed(1006),
            }
        }
    }

    /// Everything until the connection ends in whatever way.
    pub(crate) async fn rest_until_broken(&mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        while let Some(Ok(message)) = within(LIMIT, self.stream.next()).await {
            if let Message::Text(text) = message {
                frames.push(serde_json::from_str(&text).unwrap());
            }
        }
        frames
    }

    /// The next frame, which must be one.
    pub(crate) async fn frame(&mut self) -> Value {
        match self.next().await {
            Received::Frame(frame) => frame,
            Received::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// Everything until the close.
    pub(crate) async fn rest(&mut self) -> (Vec<Value>, u16) {
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                Received::Frame(frame) => frames.push(frame),
                Received::Closed(code) => return (frames, code),
            }
        }
    }
}

/// The events among frames.
pub(crate) fn events(frames: &[Value]) -> Vec<&Value> {
    let is_event =
        |frame: &&Value| matches!(frame["type"].as_str(), Some("stage" | "document" | "job"));
    frames.iter().filter(is_event).collect()
}

pub(crate) fn seqs(frames: &[Value]) -> Vec<u64> {
    events(frames).iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

/// Every event from `first` on, once and in order; the final one is last and the only one.
pub(crate) fn assert_whole(frames: &[Value], first: u64) {
    let seqs = seqs(frames);
    let last = seqs.last().copied().unwrap_or(0);
    assert_eq!(seqs, Vec::from_iter(first..=last));
    let finals: Vec<u64> = events(frames)
        .iter()
        .filter(|event| event["final"] == true)
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(finals, [last]);
    let mut progress = 0.0;
    for event in events(frames) {
        let now = event["job"]["progress"].as_f64().unwrap();
        assert!(now >= progress, "job progress went down: {event}");
        progress = now;
        for key in ["stage", "log", "progress"] {
            assert!(!event[key].is_null(), "{key} is missing: {event}");
        }
    }
}
