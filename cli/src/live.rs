//! The client side of the live contract: every event of a job exactly once and in order, through
//! cut sockets and restarts of the server (spec: api.md, «Client rule»).

use crate::client::{Client, Refusal};
use anyhow::bail;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use shared::event::Event;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::{self, Message};
use uuid::Uuid;

/// A silent connection is given up after this: the server sends a heartbeat every 20 s, so two may
/// be lost.
const SILENCE: Duration = Duration::from_secs(45);
/// The greeting comes at once, if anybody is there.
const GREETING: Duration = Duration::from_secs(10);
/// Events that a heartbeat tells of may still be on their way for so long.
const OVERTAKEN: Duration = Duration::from_secs(2);
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
    /// The server is there, but its Redis is not.
    Degraded,
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
#[derive(Debug, PartialEq)]
enum End {
    /// The final event was seen.
    Final,
    /// Connect again from the cursor, not before so long.
    Again(Duration),
}

/// At once, as far as the server is concerned.
const AGAIN: End = End::Again(Duration::ZERO);

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
        let at_least = match connection(client, job, &mut cursor, on_update).await? {
            End::Final => return Ok(()),
            End::Again(at_least) => at_least,
        };
        on_update(Update::Reconnecting);
        pause = if cursor.seq > before { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
        // Many viewers lose the server at the same moment: they must not all come back at once.
        tokio::time::sleep(at_least + pause.mul_f64(0.5 + chance())).await;
    }
}

async fn connection(
    client: &Client,
    job: Uuid,
    cursor: &mut Cursor,
    on_update: &mut dyn FnMut(Update),
) -> anyhow::Result<End> {
    let address = client.socket(&format!("/ws/{job}{}", cursor.since()));
    let connecting = tokio_tungstenite::connect_async(address.as_str());
    let mut socket = match timeout(GREETING, connecting).await {
        Ok(Ok((socket, _answer))) => socket,
        Ok(Err(tungstenite::Error::Http(answer))) if refuses_for_good(answer.status().as_u16()) => {
            bail!("HTTP {}", answer.status())
        }
        Ok(Err(_)) | Err(_) => return Ok(AGAIN),
    };
    let mut silent_at = Instant::now() + GREETING;
    // A heartbeat was ahead of the events: to be caught up with until then.
    let mut overtaken: Option<(Instant, u64)> = None;
    loop {
        overtaken = overtaken.filter(|(_, seq)| *seq > cursor.seq);
        let deadline = overtaken.map_or(silent_at, |(at, _)| at.min(silent_at));
        let frame = match timeout_at(deadline, socket.next()).await {
            Ok(Some(Ok(frame))) => frame,
            _ => return Ok(AGAIN),
        };
        silent_at = Instant::now() + SILENCE;
        match frame {
            Message::Text(text) => match take(&text, cursor, on_update) {
                Taken::Done => {}
                Taken::End(End::Final) => {
                    let _ = socket.close(None).await;
                    return Ok(End::Final);
                }
                Taken::End(again) => return Ok(again),
                Taken::Heartbeat(seq) if seq > cursor.seq => {
                    overtaken.get_or_insert((Instant::now() + OVERTAKEN, seq));
                }
                Taken::Heartbeat(_) => {}
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
            Message::Close(_) => return Ok(AGAIN),
            _ => {}
        }
    }
}

/// What a frame meant.
#[derive(Debug)]
enum Taken {
    Done,
    End(End),
    /// Nothing new, and how far the server has come.
    Heartbeat(u64),
}

/// Takes one frame.
fn take(text: &str, cursor: &mut Cursor, on_update: &mut dyn FnMut(Update)) -> Taken {
    // A frame that cannot be read may have been an event: its place is asked for again.
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Taken::End(AGAIN) };
    match value["type"].as_str().unwrap_or_default() {
        "stage" | "document" | "job" => {
            let Ok(event) = serde_json::from_value::<Event>(value) else {
                return Taken::End(AGAIN);
            };
            match cursor.judge(&event.epoch, event.seq) {
                Verdict::Drop => Taken::Done,
                Verdict::Hole => Taken::End(AGAIN),
                Verdict::Take => {
                    let last = event.is_final;
                    on_update(Update::Event(Box::new(event), text.to_owned()));
                    if last { Taken::End(End::Final) } else { Taken::Done }
                }
            }
        }
        "snapshot" => {
            cursor.epoch = value["epoch"].as_str().map(str::to_owned);
            cursor.seq = value["seq"].as_u64().unwrap_or(0);
            on_update(Update::Snapshot(value));
            Taken::Done
        }
        "hb" => Taken::Heartbeat(value["seq"].as_u64().unwrap_or(0)),
        "degraded" => {
            on_update(Update::Degraded);
            Taken::Done
        }
        "bye" => {
            let retry_ms = value["retry_ms"].as_u64().unwrap_or(0).min(60_000);
            Taken::End(End::Again(Duration::from_millis(retry_ms)))
        }
        // After `reset` the old place stays until the snapshot is there: a line that breaks in
        // between brings another reset, and not the story from its start.
        _ => Taken::Done,
    }
}

/// A number from 0 to 1, different for every caller.
fn chance() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

/// Statuses before the upgrade that no waiting mends.
fn refuses_for_good(status: u16) -> bool {
    matches!(status, 400 | 401 | 403 | 404)
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, Cursor, End, Taken, Update, Verdict, take};
    use std::time::Duration;

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

    #[test]
    fn control_messages_mean_what_the_contract_says() {
        let mut cursor = Cursor { epoch: Some("a".to_owned()), seq: 7 };
        let mut told = Vec::new();
        let mut tell =
            |frame: &str, cursor: &mut Cursor| take(frame, cursor, &mut |update| told.push(update));
        assert!(matches!(tell(r#"{"type":"hb","seq":9}"#, &mut cursor), Taken::Heartbeat(9)));
        let bye = tell(r#"{"type":"bye","retry_ms":1500}"#, &mut cursor);
        assert!(matches!(bye, Taken::End(End::Again(wait)) if wait == Duration::from_millis(1500)));
        assert!(matches!(tell(r#"{"type":"degraded"}"#, &mut cursor), Taken::Done));
        assert!(matches!(tell("{", &mut cursor), Taken::End(end) if end == AGAIN));
        // A line that breaks here asks for the old place again.
        assert!(matches!(tell(r#"{"type":"reset","reason":"epoch"}"#, &mut cursor), Taken::Done));
        assert_eq!(cursor.since(), "?since=a:7");
        tell(r#"{"type":"snapshot","epoch":"b","seq":3}"#, &mut cursor);
        assert_eq!(cursor.since(), "?since=b:3");
        assert!(matches!(told[..], [Update::Degraded, Update::Snapshot(_)]));
    }
}
