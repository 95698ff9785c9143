//! What each system wants from its clients. The rules for coming back are those of each system's
//! own client: ours and Centrifuge name the position that they have, the others just join again.

use crate::{ALL_JOBS, Failure, System};
use serde_json::{Value, json};

/// A client's side of one system.
#[derive(Debug)]
pub struct Client {
    system: System,
    job: String,
    /// Epoch and number of the newest event, as the system counts.
    position: Option<(String, u64)>,
}

/// What a frame asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// From now on everything is delivered.
    pub joined: bool,
    /// To be sent.
    pub answer: Option<String>,
}

impl Client {
    /// A viewer of one job, or of all.
    pub fn new(system: System, job: &str) -> Client {
        Client { system, job: job.to_owned(), position: None }
    }

    /// Where to connect to.
    pub fn url(&self, address: &str) -> String {
        let job = &self.job;
        match (self.system, &self.position) {
            (System::Ours, _) if job == ALL_JOBS => format!("ws://{address}/ws"),
            (System::Ours, None) => format!("ws://{address}/ws/{job}"),
            (System::Ours, Some((epoch, seq))) => {
                format!("ws://{address}/ws/{job}?since={epoch}:{seq}")
            }
            (System::SocketIo, _) => {
                format!("ws://{address}/socket.io/?EIO=4&transport=websocket&job={job}")
            }
            (System::FastApi, _) => format!("ws://{address}/ws/{job}"),
            (System::Centrifuge, _) => format!("ws://{address}/connection/websocket"),
        }
    }

    /// What is said first.
    pub fn greeting(&self) -> Option<String> {
        (self.system == System::Centrifuge).then(|| json!({"id": 1, "params": {}}).to_string())
    }

    /// True where the open connection is all that it takes.
    pub fn joins_silently(&self) -> bool {
        self.system == System::Ours && self.job == ALL_JOBS
    }

    /// Reads a frame; its marks are read elsewhere.
    pub fn hear(&mut self, frame: &str) -> Result<Heard, Failure> {
        match self.system {
            System::Ours => self.hear_ours(frame),
            System::SocketIo => Ok(match frame.get(..1) {
                Some("0") => answer("40"),
                Some("2") => answer("3"),
                _ => Heard { joined: frame.starts_with("40"), answer: None },
            }),
            System::FastApi => Ok(Heard { joined: frame == "joined", answer: None }),
            System::Centrifuge => self.hear_centrifuge(frame),
        }
    }

    fn hear_ours(&mut self, frame: &str) -> Result<Heard, Failure> {
        let is = |kind: &str| frame.starts_with(&format!(r#"{{"type":"{kind}""#));
        if is("hello") || is("snapshot") {
            let frame: Value = serde_json::from_str(frame)?;
            let epoch = frame["epoch"].as_str().unwrap_or_default();
            self.position = Some((epoch.to_owned(), frame["seq"].as_u64().unwrap_or_default()));
            return Ok(Heard { joined: frame["type"] == "hello", answer: None });
        }
        if !is("hb")
            && let Some(seq) = last_number(frame, r#""seq":"#)
            && let Some((_, last)) = &mut self.position
        {
            *last = seq;
        }
        Ok(Heard::default())
    }

    fn hear_centrifuge(&mut self, frame: &str) -> Result<Heard, Failure> {
        let mut heard = Heard::default();
        for reply in frame.lines() {
            if reply.starts_with(r#"{"result""#) {
                if let (Some(offset), Some((_, last))) =
                    (last_number(reply, r#""offset":"#), &mut self.position)
                {
                    *last = offset;
                }
                continue;
            }
            let reply: Value = serde_json::from_str(reply)?;
            match reply["id"].as_u64() {
                Some(1) => heard = answer(&self.subscribe()),
                Some(2) if reply["result"].is_object() => {
                    let epoch = reply["result"]["epoch"].as_str().unwrap_or_default();
                    let offset = reply["result"]["offset"].as_u64().unwrap_or_default();
                    // With what was missed, the reply names the position of its last message.
                    let missed = reply["result"]["publications"].as_array();
                    let offset = missed
                        .and_then(|missed| missed.last()?.get("offset")?.as_u64())
                        .unwrap_or(offset);
                    self.position = Some((epoch.to_owned(), offset));
                    heard.joined = true;
                }
                _ => return Err(format!("unexpected: {reply}").into()),
            }
        }
        Ok(heard)
    }

    fn subscribe(&self) -> String {
        // Who comes for the first time asks for everything, too, as ours gives it.
        let nothing = (String::new(), 0);
        let (epoch, offset) = self.position.as_ref().unwrap_or(&nothing);
        let params =
            json!({"channel": self.job, "recover": true, "epoch": epoch, "offset": offset});
        json!({"id": 2, "method": 1, "params": params}).to_string()
    }
}

fn answer(text: &str) -> Heard {
    Heard { joined: false, answer: Some(text.to_owned()) }
}

fn last_number(frame: &str, name: &str) -> Option<u64> {
    let (_, rest) = frame.rsplit_once(name)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_comes_back_with_its_position() {
        let mut client = Client::new(System::Ours, "j");
        assert_eq!(client.url("h:1"), "ws://h:1/ws/j");
        let hello = r#"{"type":"hello","job_id":"j","epoch":"k3","seq":0,"recovered":true}"#;
        assert!(client.hear(hello).unwrap().joined);
        client.hear(r#"{"type":"batch","events":[{"seq":1,"x":2},{"seq":12,"y":3}]}"#).unwrap();
        client.hear(r#"{"type":"hb","seq":99,"t":"x"}"#).unwrap();
        assert_eq!(client.url("h:1"), "ws://h:1/ws/j?since=k3:12");
    }

    #[test]
    fn socket_io_answers_the_engine() {
        let mut client = Client::new(System::SocketIo, "j");
        assert_eq!(client.hear(r#"0{"sid":"x"}"#).unwrap(), answer("40"));
        assert!(client.hear(r#"40{"sid":"y"}"#).unwrap().joined);
        assert_eq!(client.hear("2").unwrap(), answer("3"));
        assert_eq!(client.hear(r#"42["stage_update",{}]"#).unwrap(), Heard::default());
    }
}
