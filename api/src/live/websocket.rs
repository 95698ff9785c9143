//! WebSockets: one job with replay and control messages, or all jobs as the first clients know
//! them.

use super::entry::Since;
use super::frames::{self, Frame};
use super::hub::{Hub, WatchedAll};
use super::viewer::{Refusal, Step};
use crate::problem::Problem;
use crate::sockets::SocketPermit;
use crate::state::App;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use futures_util::SinkExt;
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use uuid::Uuid;

/// Close codes of spec/api.md.
mod code {
    pub(super) const FINISHED: u16 = 1000;
    pub(super) const BINARY: u16 = 1003;
    pub(super) const FLOOD: u16 = 1008;
    pub(super) const TOO_BIG: u16 = 1009;
    pub(super) const DRAINING: u16 = 1012;
    pub(super) const SLOW: u16 = 4008;
    pub(super) const BACKEND_DOWN: u16 = 4011;
    pub(super) const NO_PONG: u16 = 4012;
    pub(super) const BAD_REQUEST: u16 = 4500;
    pub(super) const NO_SUCH_JOB: u16 = 4504;
}

/// Inbound messages a second, and how many at once.
const INBOUND_RATE: f64 = 10.0;
const INBOUND_BURST: f64 = 20.0;
/// Largest inbound message in bytes.
const INBOUND_BYTES: usize = 4096;
/// How often a socket looks at its clocks.
const TICK: Duration = Duration::from_secs(5);

/// The events of one job: history from `since` on, then live, then a close with 1000.
#[utoipa::path(
    get, path = "/ws/{job_id}", tag = "events",
    params(
        ("job_id" = Uuid, Path, description = "the job"),
        ("since" = Option<String>, Query, description = "`<epoch>:<seq>` or a bare seq; default: from the start"),
    ),
    responses(
        (status = 101, description = "frames: `hello`, then events; see the close codes in the specification"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn job_events(
    State(app): State<App>,
    permit: SocketPermit,
    Path(job): Path<String>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    let since = query_value(query.as_deref().unwrap_or_default(), "since");
    let task = app.tasks.clone();
    configured(upgrade).on_upgrade(move |socket| async move {
        task.track_future(async move {
            let mut connection = Connection::new(socket, &app);
            let end = serve_job(&app, &mut connection, &job, since).await;
            connection.close(end).await;
            drop(permit);
        })
        .await;
    })
}

/// The events of all jobs from now on, as plain `{stage, log, progress, …}` frames.
#[utoipa::path(
    get, path = "/ws", tag = "events",
    responses(
        (status = 101, description = "plain frames; `{\"type\":\"ping\"}` is answered `{\"type\":\"pong\"}`"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn all_events(
    State(app): State<App>,
    permit: SocketPermit,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Before the 101: whatever the client starts after it, it will see.
    let watched = app.hub.watch_all().await;
    let cursor = app.hub.firehose.from_now();
    let task = app.tasks.clone();
    configured(upgrade).on_upgrade(move |socket| async move {
        task.track_future(async move {
            let mut connection = Connection::new(socket, &app);
            let end = serve_all(&app, &mut connection, watched, cursor).await;
            connection.close(end).await;
            drop(permit);
        })
        .await;
    })
}

fn configured(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(1024)
        .write_buffer_size(4096)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(INBOUND_BYTES)
        .max_frame_size(INBOUND_BYTES)
}

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Close(u16, &'static str),
    /// The client is gone; there is nobody to say goodbye to.
    Gone,
}

async fn serve_job(
    app: &App,
    connection: &mut Connection,
    job: &str,
    since: Option<String>,
) -> End {
    let since = match since.as_deref().map(Since::parse) {
        None => None,
        Some(Some(since)) => Some(since),
        Some(None) => return End::Close(code::BAD_REQUEST, "since is <epoch>:<seq>"),
    };
    let Ok(job) = Uuid::try_parse(job) else {
        return End::Close(code::NO_SUCH_JOB, "no such job");
    };
    let (hello, mut viewer) = match crate::live::open(app, job, since).await {
        Ok(opened) => opened,
        Err(Refusal::NoSuchJob) => return End::Close(code::NO_SUCH_JOB, "no such job"),
        Err(refusal) => {
            tracing::debug!(job.id = %job, ?refusal, "a socket could not be served");
            return End::Close(code::BACKEND_DOWN, "the event log does not answer");
        }
    };
    let greeting = Frame::Hello {
        job_id: hello.job,
        epoch: &hello.epoch,
        seq: hello.seq,
        recovered: hello.recovered,
        oldest: hello.oldest,
        hb: app.hub.times.heartbeat.as_secs(),
    };
    if let Err(end) = connection.send(vec![greeting.json()]).await {
        return end;
    }
    let mut clock = Clock::new(&app.hub);
    loop {
        let frames = tokio::select! {
            step = viewer.next() => match step {
                Step::Events(events) => {
                    app.metrics.events_delivered.add(events.len() as u64);
                    events.iter().map(|entry| entry.json.clone()).collect()
                }
                Step::Reset(reason, snapshot) => vec![frames::reset(reason), snapshot.json()],
                Step::Ended => return End::Close(code::FINISHED, "finished"),
            },
            inbound = connection.receive() => match inbound {
                Ok(reply) => reply.into_iter().collect(),
                Err(end) => return end,
            },
            due = clock.tick() => {
                if let Err(end) = connection.check_silence(app.hub.times.silence) {
                    return end;
                }
                match due {
                    Due::Nothing => continue,
                    Due::Heartbeat => {
                        if let Err(end) = connection.ping().await {
                            return end;
                        }
                        // While Redis is away nobody knows the newest seq.
                        if app.hub.away_since.borrow().is_some() {
                            continue;
                        }
                        vec![Frame::Hb { seq: viewer.top(), t: frames::timestamp() }.json()]
                    }
                    Due::Degraded => vec![Frame::Degraded.json()],
                    Due::GiveUp => return End::Close(code::BACKEND_DOWN, "redis is away"),
                }
            },
            () = app.draining.cancelled() => {
                let bye = Frame::Bye { retry_ms: spread(5000) }.json();
                drop(connection.send(vec![bye]).await);
                return End::Close(code::DRAINING, "draining");
            }
        };
        if let Err(end) = connection.send(frames).await {
            return end;
        }
    }
}

async fn serve_all(
    app: &App,
    connection: &mut Connection,
    _watched: WatchedAll,
    (mut changes, mut position): (watch::Receiver<u64>, u64),
) -> End {
    let mut clock = Clock::new(&app.hub);
    loop {
        changes.mark_unchanged();
        let (events, next) = app.hub.firehose.read(position, 256);
        position = next;
        if !events.is_empty() {
            app.metrics.events_delivered.add(events.len() as u64);
            let frames = events.iter().map(|entry| entry.json.clone()).collect();
            if let Err(end) = connection.send(frames).await {
                return end;
            }
            continue;
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() {
                return End::Close(code::DRAINING, "draining");
            },
            inbound = connection.receive() => match inbound {
                Ok(reply) => if let Err(end) = connection.send(reply.into_iter().collect()).await {
                    return end;
                },
                Err(end) => return end,
            },
            due = clock.tick() => {
                let checked = connection.check_silence(app.hub.times.silence);
                let alive = match due {
                    Due::Heartbeat => connection.ping().await,
                    Due::GiveUp => return End::Close(code::BACKEND_DOWN, "redis is away"),
                    Due::Nothing | Due::Degraded => Ok(()),
                };
                if let Err(end) = checked.and(alive) {
                    return end;
                }
            },
            () = app.draining.cancelled() => return End::Close(code::DRAINING, "draining"),
        }
    }
}

/// What the clocks of a socket say.
enum Due {
    Nothing,
    Heartbeat,
    Degraded,
    GiveUp,
}

struct Clock {
    ticks: tokio::time::Interval,
    next_heartbeat: Instant,
    away_since: watch::Receiver<Option<Instant>>,
    told_degraded: bool,
    heartbeat: Duration,
    degraded_after: Duration,
    give_up_after: Duration,
}

impl Clock {
    fn new(hub: &Hub) -> Clock {
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

    async fn tick(&mut self) -> Due {
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

/// The socket with its limits.
struct Connection {
    socket: WebSocket,
    slow_send: Duration,
    last_inbound: Instant,
    /// Tokens of the inbound limit.
    allowance: f64,
}

impl Connection {
    fn new(socket: WebSocket, app: &App) -> Connection {
        Connection {
            socket,
            slow_send: app.hub.times.slow_send,
            last_inbound: Instant::now(),
            allowance: INBOUND_BURST,
        }
    }

    /// Sends frames and flushes once.
    async fn send(&mut self, frames: Vec<Utf8Bytes>) -> Result<(), End> {
        self.write(frames.into_iter().map(Message::Text).collect()).await
    }

    async fn ping(&mut self) -> Result<(), End> {
        self.write(vec![Message::Ping(bytes::Bytes::new())]).await
    }

    async fn write(&mut self, messages: Vec<Message>) -> Result<(), End> {
        let socket = &mut self.socket;
        let writing = async {
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
    async fn receive(&mut self) -> Result<Option<Utf8Bytes>, End> {
        let message = match self.socket.recv().await {
            None => return Err(End::Gone),
            Some(Err(error)) if error.to_string().contains("too long") => {
                return Err(End::Close(code::TOO_BIG, "a message of at most 4 KiB"));
            }
            Some(Err(_)) => return Err(End::Gone),
            Some(Ok(message)) => message,
        };
        let passed = self.last_inbound.elapsed().as_secs_f64();
        self.last_inbound = Instant::now();
        self.allowance = (self.allowance + passed * INBOUND_RATE).min(INBOUND_BURST) - 1.0;
        if self.allowance < 0.0 {
            return Err(End::Close(code::FLOOD, "at most 10 messages a second"));
        }
        match message {
            Message::Text(text) => Ok(is_ping(&text).then(|| Frame::Pong.json())),
            Message::Binary(_) => Err(End::Close(code::BINARY, "text frames only")),
            Message::Close(_) => Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
        }
    }

    fn check_silence(&self, limit: Duration) -> Result<(), End> {
        if self.last_inbound.elapsed() > limit {
            Err(End::Close(code::NO_PONG, "no answer to pings"))
        } else {
            Ok(())
        }
    }

    /// Says goodbye and waits a moment for the other side to do the same.
    async fn close(mut self, end: End) {
        let End::Close(code, reason) = end else { return };
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let goodbye = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        drop(timeout(Duration::from_secs(2), goodbye).await);
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

/// The value of a query parameter; sockets ignore parameters that they do not know.
fn query_value(query: &str, name: &str) -> Option<String> {
    let (_, value) =
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    Some(value.replace("%3A", ":").replace("%3a", ":"))
}

/// A number below `limit`, different for every caller.
fn spread(limit: u64) -> u64 {
    u64::from(Uuid::new_v4().as_fields().0) % limit
}

#[cfg(test)]
mod tests {
    use super::{is_ping, query_value};

    #[test]
    fn queries_and_pings() {
        assert_eq!(query_value("a=1&since=k:4", "since").as_deref(), Some("k:4"));
        assert_eq!(query_value("since=k%3A4", "since").as_deref(), Some("k:4"));
        assert_eq!(query_value("since", "since"), None);
        assert!(is_ping(r#"{"type":"ping","t":1}"#));
        assert!(!is_ping("ping"));
    }
}
