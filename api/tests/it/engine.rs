//! A client of Socket.IO made by hand: it reads when it wants, which no library lets it.

use crate::harness::LIMIT;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use testkit::within;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) struct Engine {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Engine {
    /// A session over WebSocket that is told `stage_update` from now on.
    pub(crate) async fn open(address: &str) -> Engine {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (mut stream, _) = within(LIMIT, connect_async(url)).await.unwrap();
        stream.send(Message::text("40")).await.unwrap();
        let mut engine = Engine { stream };
        while !engine.packet().await.is_some_and(|packet| packet.starts_with("40{")) {}
        engine
    }

    /// The next packet; answers pings. `None` when the line has ended.
    pub(crate) async fn packet(&mut self) -> Option<String> {
        let message = within(LIMIT, self.stream.next()).await?.ok()?;
        let packet = message.into_text().unwrap().to_string();
        if packet == "2" {
            // The line may be cut by now; the next read tells.
            let _ = self.stream.send(Message::text("3")).await;
        }
        Some(packet)
    }

    /// The event object of the next `stage_update`.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let packet = self.packet().await.unwrap();
            if let Some(event) = packet.strip_prefix("42") {
                let (name, event): (String, Value) = serde_json::from_str(event).unwrap();
                assert_eq!(name, "stage_update");
                return event;
            }
        }
    }
}
