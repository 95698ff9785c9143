//! One socket with its limits: what may come in, how long a send may take, what its clocks say.

use super::frames::Frame;
use super::hub::Hub;
use super::outlet::Outlet;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use futures_util::SinkExt;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError;

/// Close codes of spec/api.md.
pub(super) mod code {
    pub(in crate::live) const FINISHED: u16 = 1000;
    pub(in crate::live) const PROTOCOL: u16 = 1002;
    pub(in crate::live) const BINARY: u16 = 1003;
    pub(in crate::live) const NO_TEXT: u16 = 1007;
    pub(in crate::live) const FLOOD: u16 = 1008;
    pub(in crate::live) const TOO_BIG: u16 = 1009;
    pub(in crate::live) const DRAINING: u16 = 1012;
    pub(in crate::live) const SLOW: u16 = 4008;
    pub(in crate::live) const BACKEND_DOWN: u16 = 4011;
    pub(in crate::live) const NO_PONG: u16 = 4012;
    pub(in crate::live) const BAD_REQUEST: u16 = 4500;
    pub(in crate::live) const NO_SUCH_JOB: u16 = 4504;
}

/// Inbound messages a second, and how many at once.
const INBOUND_RATE: f64 = 10.0;
const INBOUND_BURST: f64 = 20.0;
/// Largest inbound message in bytes.
const INBOUND_BYTES: usize = 4096;
/// Larger ones up to this are read, so that the close with 1009 arrives; the rest is cut off.
const INBOUND_READ: usize = 64 * 1024;
/// How often a socket looks at its clocks.
const TICK: Duration = Duration::from_secs(5);

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Close(u16, &'static str),
    /// The client is gone; there is nobody to say goodbye to.
    Gone,
}

/// The upgrade with our limits, or the 426 for a request that is none.
pub(super) fn configured(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<WebSocketUpgrade, Problem> {
    let upgrade = upgrade.map_err(|_| Problem::no_websocket())?;
    let upgrade = upgrade
        .read_buffer_size(256)
        .write_buffer_size(4096)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(INBOUND_READ)
        .max_frame_size(INBOUND_READ);
    Ok(upgrade)
}

/// What the clocks of a socket say.
pub(super) enum Due {
    Nothing,
    Heartbeat,
    Degraded,
    GiveUp,
}

pub(super) struct Clock {
    ticks: tokio::time::Interval,
    next_heartbeat: Instant,
    away_since: watch::Receiver<Option<Instant>>,
    told_degraded: bool,
    heartbeat: Duration,
    degraded_after: Duration,
    give_up_after: Duration,
}

impl Clock {
    pub(super) fn new(hub: &Hub) -> Clock {
        let times = &hub.times;
        let mut ticks = interval(TICK.min(times.heartbeat).min(times.degraded_after));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Clock {
            ticks,
            next_heartbeat: Instant::now() + times.heartbeat,
            away_since: hub.away_since.subscribe(),
            told_degraded: false,
            heartbeat: times.heartbeat,
            degraded_after: times.degraded_after,
            give_up_after: times.give_up_after,
        }
    }

    pub(super) async fn tick(&mut self) -> Due {
        self.ticks.tick().await;
        let away = self.away_since.borrow().map(|since| since.elapsed());
        match away {
            Some(away) if away >= self.give_up_after => return Due::GiveUp,
            Some(away) if away >= self.degraded_after && !self.told_degraded => {
                self.told_degraded = true;
                return Due::Degraded;
            }
            None => self.told_degraded = false,
            Some(_) => {}
        }
        if Instant::now() >= self.next_heartbeat {
            self.next_heartbeat = Instant::now() + self.heartbeat;
            return Due::Heartbeat;
        }
        Due::Nothing
    }
}

/// How much a client may still say.
#[derive(Debug)]
pub(super) struct Allowance {
    tokens: f64,
    /// When it last said something.
    last: Instant,
}

impl Allowance {
    pub(super) fn new() -> Allowance {
        Allowance { tokens: INBOUND_BURST, last: Instant::now() }
    }

    /// Counts one message; `false` when it is one too many.
    pub(super) fn take(&mut self) -> bool {
        let passed = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        self.tokens = (self.tokens + passed * INBOUND_RATE).min(INBOUND_BURST) - 1.0;
        self.tokens >= 0.0
    }
}

/// The socket with its limits.
pub(super) struct Connection {
    socket: WebSocket,
    /// The line below, when others may write to it.
    outlet: Option<Arc<Outlet>>,
    slow_send: Duration,
    allowance: Allowance,
}

impl Connection {
    /// The line must be the one that carries the socket and nothing else.
    pub(super) fn new(socket: WebSocket, line: Option<Arc<TcpStream>>, app: &App) -> Connection {
        let (outlet, slow_send) = (line.map(Outlet::new), app.hub.times.slow_send);
        Connection { socket, outlet, slow_send, allowance: Allowance::new() }
    }

    /// What may be lent to others. Everything sent here is flushed, so they begin with a frame.
    pub(super) fn outlet(&self) -> Option<Arc<Outlet>> {
        self.outlet.clone()
    }

    /// Sends frames and flushes once.
    pub(super) async fn send(
        &mut self,
        frames: impl IntoIterator<Item = Utf8Bytes>,
    ) -> Result<(), End> {
        self.write(frames.into_iter().map(Message::Text)).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), End> {
        self.write([Message::Ping(bytes::Bytes::new())]).await
    }

    async fn write(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), End> {
        let socket = &mut self.socket;
        let outlet = &self.outlet;
        let writing = async {
            if let Some(outlet) = outlet {
                outlet.finish().await.map_err(axum::Error::new)?;
            }
            for message in messages {
                socket.feed(message).await?;
            }
            socket.flush().await
        };
        match timeout(self.slow_send, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Close(code::SLOW, "too slow; resume with since")),
        }
    }

    /// Reads one message; answers with what is to be sent back.
    pub(super) async fn receive(&mut self) -> Result<Option<Utf8Bytes>, End> {
        let message = match self.socket.recv().await {
            None => return Err(End::Gone),
            Some(Err(error)) => return Err(end_of(error)),
            Some(Ok(message)) => message,
        };
        if !self.allowance.take() {
            return Err(End::Close(code::FLOOD, "at most 10 messages a second"));
        }
        match message {
            Message::Text(text) if text.len() > INBOUND_BYTES => {
                Err(End::Close(code::TOO_BIG, "a message of at most 4 KiB"))
            }
            Message::Text(text) => Ok(is_ping(&text).then(|| Frame::Pong.json())),
            Message::Binary(_) => Err(End::Close(code::BINARY, "text frames only")),
            Message::Close(_) => Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
        }
    }

    pub(super) fn check_silence(&self, limit: Duration) -> Result<(), End> {
        if self.allowance.last.elapsed() > limit {
            Err(End::Close(code::NO_PONG, "no answer to pings"))
        } else {
            Ok(())
        }
    }

    /// Says goodbye and waits a moment for the other side to do the same.
    pub(super) async fn close(mut self, end: End) {
        let End::Close(code, reason) = end else { return };
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let goodbye = async {
            if let Some(outlet) = &self.outlet
                && outlet.finish().await.is_err()
            {
                return;
            }
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        drop(timeout(Duration::from_secs(2), goodbye).await);
    }
}

/// What a client is told whose bytes are no WebSocket, or not one of ours.
fn end_of(error: axum::Error) -> End {
    let Ok(error) = error.into_inner().downcast::<tungstenite::Error>() else { return End::Gone };
    match *error {
        tungstenite::Error::Capacity(_) => End::Close(code::TOO_BIG, "a message of at most 4 KiB"),
        tungstenite::Error::Utf8(_) => End::Close(code::NO_TEXT, "text is UTF-8"),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        tungstenite::Error::Protocol(_) => End::Close(code::PROTOCOL, "no such frame"),
        _ => End::Gone,
    }
}

fn is_ping(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Inbound<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
    }
    serde_json::from_str::<Inbound<'_>>(text).is_ok_and(|inbound| inbound.kind == "ping")
}

#[cfg(test)]
mod tests {
    use super::is_ping;

    #[test]
    fn only_pings_are_pings() {
        assert!(is_ping(r#"{"type":"ping","t":1}"#));
        assert!(!is_ping("ping"));
    }
}
