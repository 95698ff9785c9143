//! The client side of the live contract: every event of a job exactly once and in order, through
//! cut sockets and restarts of the server (spec: api.md, «Client rule»).

use crate::client::{Client, Refusal};
use anyhow::bail;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use shared::event::Event;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self, Message};
use uuid::Uuid;

/// A silent connection is given up after this: the server sends a heartbeat every 20 s.
const SILENCE: Duration = Duration::from_secs(50);
/// Pauses between two tries to connect.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// What a viewer is told.
#[derive(Debug)]
pub(crate) enum Update {
    /// The next event.
    Event(Box<Event>, String),
    /// History before this is gone; here is the state instead.
    Snapshot(Value),
    /// The connection was lost and is being made anew.
    Reconnecting,
}

/// The position of a viewer: what it has seen of which epoch.
#[derive(Debug, Default)]
struct Cursor {
    epoch: Option<String>,
    seq: u64,
}

/// What to do with a frame.
#[derive(Debug, PartialEq)]
enum Verdict {
    Take,
    Drop,
    Hole,
}

impl Cursor {
    fn judge(&mut self, epoch: &str, seq: u64) -> Verdict {
        if self.epoch.as_deref() != Some(epoch) {
            // A new epoch starts with a reset and a snapshot; an event in between is a hole.
            if self.epoch.is_some() {
                return Verdict::Hole;
            }
            self.epoch = Some(epoch.to_owned());
        }
        if seq <= self.seq {
            Verdict::Drop
        } else if seq == self.seq + 1 {
            self.seq = seq;
            Verdict::Take
        } else {
            Verdict::Hole
        }
    }

    fn since(&self) -> String {
        match &self.epoch {
            Some(epoch) => format!("?since={epoch}:{}", self.seq),
            None => String::new(),
        }
    }
}

/// How one connection ended.
enum End {
    /// The final event was seen.
    Final,
    /// Connect again from the cursor.
    Again,
}

/// Follows a job to its final event, calling `on_update` for everything seen.
///
/// # Errors
/// The server refuses: no such job, no right to see it.
pub(crate) async fn follow(
    client: &Client,
    job: Uuid,
    on_update: &mut dyn FnMut(Update),
) -> anyhow::Result<()> {
    // Only who was there once is waited for: a wrong address or id is told at once.
    client.get(&format!("/jobs/{job}"), &[]).await?;
    let mut cursor = Cursor::default();
    let mut pause = PAUSE.0;
    loop {
        let before = cursor.seq;
        match connection(client, job, &mut cursor, on_update).await? {
            End::Final => return Ok(()),
            End::Again => {}
        }
        on_update(Update::Reconnecting);
        pause = if cursor.seq > before { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
        tokio::time::sleep(pause).await;
    }
}

async fn connection(
    client: &Client,
    job: Uuid,
    cursor: &mut Cursor,
    on_update: &mut dyn FnMut(Update),
) -> anyhow::Result<End> {
    let address = client.socket(&format!("/ws/{job}{}", cursor.since()));
    let mut socket = match tokio_tungstenite::connect_async(address.as_str()).await {
        Ok((socket, _answer)) => socket,
        Err(tungstenite::Error::Http(answer)) if refuses_for_good(answer.status().as_u16()) => {
            bail!("HTTP {}", answer.status())
        }
        Err(_) => return Ok(End::Again),
    };
    loop {
        let frame = match tokio::time::timeout(SILENCE, socket.next()).await {
            Ok(Some(Ok(frame))) => frame,
            _ => return Ok(End::Again),
        };
        match frame {
            Message::Text(text) => match take(&text, cursor, on_update)? {
                Some(End::Final) => {
                    let _ = socket.close(None).await;
                    return Ok(End::Final);
                }
                Some(End::Again) => return Ok(End::Again),
                None => {}
            },
            Message::Ping(_) => {
                let _ = socket.flush().await;
            }
            Message::Close(Some(close)) if (4500..4600).contains(&u16::from(close.code)) => {
                let code = match u16::from(close.code) {
                    4504 => "job_not_found",
                    4501 => "unauthenticated",
                    4503 => "forbidden",
                    _ => "bad_request",
                };
                let detail = close.reason.to_string();
                return Err(Refusal { code: code.to_owned(), detail }.into());
            }
            Message::Close(_) => return Ok(End::Again),
            _ => {}
        }
    }
}

/// Takes one frame; answers how the connection is to end, if it is.
fn take(
    text: &str,
    cursor: &mut Cursor,
    on_update: &mut dyn FnMut(Update),
) -> anyhow::Result<Option<End>> {
    let value: Value = serde_json::from_str(text)?;
    match value["type"].as_str().unwrap_or_default() {
        "stage" | "document" | "job" => {
            let event: Event = serde_json::from_value(value)?;
            match cursor.judge(&event.epoch, event.seq) {
                Verdict::Drop => Ok(None),
                Verdict::Hole => Ok(Some(End::Again)),
                Verdict::Take => {
                    let last = event.is_final;
                    on_update(Update::Event(Box::new(event), text.to_owned()));
                    Ok(last.then_some(End::Final))
                }
            }
        }
        "snapshot" => {
            cursor.epoch = value["epoch"].as_str().map(str::to_owned);
            cursor.seq = value["seq"].as_u64().unwrap_or(0);
            on_update(Update::Snapshot(value));
            Ok(None)
        }
        "reset" => {
            *cursor = Cursor::default();
            Ok(None)
        }
        "bye" => Ok(Some(End::Again)),
        _ => Ok(None),
    }
}

/// Statuses before the upgrade that no waiting mends.
fn refuses_for_good(status: u16) -> bool {
    matches!(status, 400 | 401 | 403 | 404)
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Verdict};

    #[test]
    fn accepts_the_next_drops_the_old_and_notices_holes() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.judge("a", 1), Verdict::Take);
        assert_eq!(cursor.judge("a", 1), Verdict::Drop);
        assert_eq!(cursor.judge("a", 3), Verdict::Hole);
        assert_eq!(cursor.judge("a", 2), Verdict::Take);
        assert_eq!(cursor.judge("b", 3), Verdict::Hole);
        assert_eq!(cursor.since(), "?since=a:2");
    }
}
