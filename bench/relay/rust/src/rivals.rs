//! How a message of the same size as ours gets into the systems that are compared with.

use crate::{Failure, System};
use redis::aio::ConnectionManager;
use serde::Serialize;
use serde_json::{Value, json};

/// A publisher to one rival.
#[derive(Clone)]
pub enum Rival {
    /// As npm's redis-emitter does: a packet for a room, in MessagePack.
    SocketIo(ConnectionManager),
    /// A plain `PUBLISH` to the channel of the job.
    FastApi(ConnectionManager),
    /// Its own API, because only its engine knows how to write to its streams.
    Centrifuge(reqwest::Client, String),
}

/// The parts of a packet as the adapter reads them.
#[derive(Serialize)]
struct Packet<'a> {
    r#type: u8,
    data: (&'a str, &'a Value),
    nsp: &'a str,
}

#[derive(Serialize)]
struct Options<'a> {
    rooms: [&'a str; 1],
    except: [&'a str; 0],
    flags: Flags,
}

#[derive(Serialize)]
struct Flags {}

impl Rival {
    /// Connects. `target` is a Redis address, or that of the server for Centrifuge.
    pub async fn connect(system: System, target: &str) -> Result<Rival, Failure> {
        if system == System::Centrifuge {
            return Ok(Rival::Centrifuge(reqwest::Client::new(), format!("http://{target}")));
        }
        let client = redis::Client::open(format!("redis://{target}/"))?;
        let connection = client.get_connection_manager().await?;
        Ok(match system {
            System::SocketIo => Rival::SocketIo(connection),
            _ => Rival::FastApi(connection),
        })
    }

    /// Publishes an event to those who watch `room`.
    pub async fn publish(&mut self, room: &str, event: &Value) -> Result<(), Failure> {
        let publish = |channel: String, message: Vec<u8>| {
            let mut command = redis::cmd("PUBLISH");
            command.arg(channel).arg(message);
            command
        };
        match self {
            Rival::SocketIo(redis) => {
                let packet = Packet { r#type: 2, data: ("stage_update", event), nsp: "/" };
                let options = Options { rooms: [room], except: [], flags: Flags {} };
                let message = rmp_serde::to_vec_named(&("emitter", packet, options))?;
                let command = publish(format!("socket.io#/#{room}#"), message);
                command.exec_async(redis).await?;
            }
            Rival::FastApi(redis) => {
                let command = publish(format!("job:{room}"), serde_json::to_vec(event)?);
                command.exec_async(redis).await?;
            }
            Rival::Centrifuge(http, server) => {
                let address = format!("{server}/publish?channel={room}");
                let answer = http.post(address).body(serde_json::to_vec(event)?).send().await?;
                if !answer.status().is_success() {
                    return Err(answer.text().await?.into());
                }
            }
        }
        Ok(())
    }
}

/// An event as ours, so that all systems carry the same bytes.
pub fn event(job: &str, number: u64, log: &str) -> Value {
    json!({
        "type": "stage", "job_id": job, "epoch": "k3f9q", "seq": number,
        "ts": "2026-11-28T12:00:00.000Z", "stage": "3/14", "stage_name": "text_extraction",
        "log": log, "progress": 21,
        "document": {
            "id": "6d0f5d7e-1f0a-5d0c-9a51-4b4a3a0e5f11", "name": "СП 45.pdf", "index": 0,
            "total": 1, "attempt": 1,
        },
        "duration_ms": 812, "worker": "bench",
        "job": {
            "status": "running", "done": 0, "failed": 0, "skipped": 0, "total": 1,
            "progress": 21.4, "eta_s": 95,
        },
    })
}
