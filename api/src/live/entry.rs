//! One event as the relay holds it: encoded once per process, shared by all viewers.

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use serde::Deserialize;
use std::borrow::Cow;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use uuid::Uuid;

/// An event of one job.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) job: Uuid,
    pub(crate) epoch: String,
    pub(crate) seq: u64,
    pub(crate) is_final: bool,
    /// The event as published, which is also what every transport sends.
    pub(crate) json: Utf8Bytes,
    /// The same as one frame of a WebSocket; `json` is its end.
    frame: Bytes,
}

/// The few fields that the relay itself needs; the rest is passed on unread.
#[derive(Deserialize)]
struct Envelope<'a> {
    job_id: Uuid,
    #[serde(borrow)]
    epoch: Cow<'a, str>,
    seq: u64,
    #[serde(default, rename = "final")]
    is_final: bool,
}

impl Entry {
    /// Encodes an event once for all its viewers.
    pub(crate) fn new(job: Uuid, epoch: String, seq: u64, is_final: bool, json: &str) -> Entry {
        let mut header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        header.is_final = true;
        let length = json.len() as u64;
        let mut frame = Vec::with_capacity(header.len(length) + json.len());
        // Writing to memory cannot fail.
        header.format(length, &mut frame).unwrap_or_default();
        let begin = frame.len();
        frame.extend_from_slice(json.as_bytes());
        let frame = Bytes::from(frame);
        let json = Utf8Bytes::try_from(frame.slice(begin..)).unwrap_or_default();
        Entry { job, epoch, seq, is_final, json, frame }
    }

    /// The event as one unmasked text frame.
    pub(crate) fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// Reads a published event; `None` for what is not one.
    pub(crate) fn parse(body: &str) -> Option<Entry> {
        let envelope: Envelope<'_> = serde_json::from_str(body).ok()?;
        let Envelope { job_id, epoch, seq, is_final } = envelope;
        Some(Entry::new(job_id, epoch.into_owned(), seq, is_final, body))
    }
}

/// A position in the history of a job, as clients name it: `<epoch>:<seq>` or a bare seq.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Since {
    /// `None` when the client named a bare seq: it then means the present epoch.
    pub(crate) epoch: Option<String>,
    /// The last event that the client has.
    pub(crate) seq: u64,
}

impl Since {
    /// Parses `<epoch>:<seq>` or `<seq>`.
    pub(crate) fn parse(text: &str) -> Option<Since> {
        match text.rsplit_once(':') {
            Some((epoch, seq)) if !epoch.is_empty() && epoch.len() <= 64 => {
                Some(Since { epoch: Some(epoch.to_owned()), seq: seq.parse().ok()? })
            }
            Some(_) => None,
            None => Some(Since { epoch: None, seq: text.parse().ok()? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Since};

    #[test]
    fn positions_in_both_forms() {
        let full = Since { epoch: Some("k3f9q".into()), seq: 41 };
        assert_eq!(Since::parse("k3f9q:41"), Some(full));
        assert_eq!(Since::parse("41"), Some(Since { epoch: None, seq: 41 }));
        for bad in ["", "x", ":4", "k:", "k:-1", "-1", "1.5", "k:99999999999999999999"] {
            assert_eq!(Since::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_events_are_events() {
        let body =
            r#"{"seq":7,"epoch":"e","job_id":"00000000-0000-0000-0000-000000000001","final":true}"#;
        let entry = Entry::parse(body).unwrap();
        assert_eq!((entry.seq, entry.is_final, entry.json.as_str()), (7, true, body));
        assert!(Entry::parse("{}").is_none());
        assert!(Entry::parse("not json").is_none());
    }
}
