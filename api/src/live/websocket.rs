//! `WebSockets`: one job with replay and control messages, or all jobs as the first clients know
//! them.

use super::entry::Since;
use super::fan::{Back, Seat};
use super::firehose::Firehose;
use super::frames::{self, Frame};
use super::look::Cursor;
use super::socket::{Clock, Connection, Due, End, code, configured};
use super::tracking::WatchedAll;
use super::viewer::{Refusal, Step, Viewer};
use crate::listener::OwnLine;
use crate::problem::Problem;
use crate::sockets::SocketPermit;
use crate::state::App;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use futures_util::FutureExt;
use std::pin::{Pin, pin};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The most that the task of a socket may keep, in bytes.
const LIFE_BYTES: usize = 1440;
/// The same of its opening: a thousand viewers of a job come at once, and wait for the first one.
const GREETING_BYTES: usize = 2048;

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
        (status = 426, description = "`websocket_required`", body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn job_events(
    State(app): State<App>,
    permit: SocketPermit,
    OwnLine(line): OwnLine,
    Path(job): Path<String>,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = configured(upgrade)?;
    let since = query_value(query.as_deref().unwrap_or_default(), "since");
    let task = app.tasks.clone();
    Ok(upgrade.on_upgrade(move |socket| {
        let mut connection = Connection::new(socket, line, &app);
        task.track_future(slim::<LIFE_BYTES, _>(async move {
            let end = serve_job(&app, &mut connection, permit.goodbye(), &job, since).await;
            Box::pin(connection.close(end)).await;
            drop(permit);
        }))
    }))
}

/// The events of all jobs from now on, as plain `{stage, log, progress, …}` frames.
#[utoipa::path(
    get, path = "/ws", tag = "events",
    responses(
        (status = 101, description = "plain frames; `{\"type\":\"ping\"}` is answered `{\"type\":\"pong\"}`"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 426, description = "`websocket_required`", body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn all_events(
    State(app): State<App>,
    permit: SocketPermit,
    OwnLine(line): OwnLine,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = configured(upgrade)?;
    // Before the 101: whatever the client starts after it, it will see.
    let watched = app.hub.watch_all().await;
    let cursor = app.hub.firehose.subscribe_from_now();
    let task = app.tasks.clone();
    Ok(upgrade.on_upgrade(move |socket| {
        let mut connection = Connection::new(socket, line, &app);
        task.track_future(slim::<LIFE_BYTES, _>(async move {
            let end = serve_all(&app, &mut connection, permit.goodbye(), watched, cursor).await;
            Box::pin(connection.close(end)).await;
            drop(permit);
        }))
    }))
}

/// A future in a box, so that what waits for it has no room for it when it is over or not begun.
/// That it stays small is what tens of thousands of sockets cost (bench/relay).
fn slim<const MOST: usize, F: Future>(future: F) -> Pin<Box<F>> {
    const { assert!(size_of::<F>() <= MOST, "a socket must stay small") };
    Box::pin(future)
}

/// Opens the cursor and says hello; then answers what the client said meanwhile.
async fn greet(
    app: &App,
    connection: &mut Connection,
    job: &str,
    since: Option<String>,
) -> Result<Viewer, End> {
    // The first read frees the buffer that the head of the request was read into: 14 KB for each
    // of those who wait here for the first viewer of their job.
    let early = connection.receive().now_or_never().transpose()?.flatten();
    let since = match since.as_deref().map(Since::parse) {
        None => None,
        Some(Some(since)) => Some(since),
        Some(None) => return Err(End::Close(code::BAD_REQUEST, "since is <epoch>:<seq>")),
    };
    let no_such_job = End::Close(code::NO_SUCH_JOB, "no such job");
    let job = Uuid::try_parse(job).map_err(|_| no_such_job)?;
    let (hello, mut viewer) = crate::live::open(app, job, since).await.map_err(|refusal| {
        if matches!(refusal, Refusal::NoSuchJob) {
            return no_such_job;
        }
        tracing::debug!(job.id = %job, ?refusal, "a socket could not be served");
        End::Close(code::BACKEND_DOWN, "the event log does not answer")
    })?;
    let greeting = Frame::Hello {
        job_id: hello.job,
        epoch: &hello.epoch,
        seq: hello.seq,
        recovered: hello.recovered,
        oldest: hello.oldest,
        hb: app.hub.times.heartbeat.as_secs(),
    };
    connection.send([greeting.json()].into_iter().chain(early).collect::<Vec<_>>()).await?;
    if let Some(outlet) = connection.outlet() {
        viewer.lend(outlet);
    }
    Ok(viewer)
}

async fn serve_job(
    app: &App,
    connection: &mut Connection,
    goodbye: &CancellationToken,
    job: &str,
    since: Option<String>,
) -> End {
    let greeting = slim::<GREETING_BYTES, _>(greet(app, connection, job, since));
    let mut viewer = match greeting.await {
        Ok(viewer) => viewer,
        Err(end) => return end,
    };
    let mut clock = Clock::new(&app.hub);
    let mut goodbye = pin!(goodbye.cancelled());
    loop {
        let frames = tokio::select! {
            step = viewer.next() => match step {
                Step::Events(events) => {
                    app.metrics.events_delivered.add(events.len() as u64);
                    events.iter().map(|entry| entry.json.clone()).collect()
                }
                Step::Reset(reason, snapshot) => vec![frames::reset(reason), snapshot.json()],
                Step::Unfinished => Vec::new(),
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
                        if let Err(end) = Box::pin(connection.ping()).await {
                            return end;
                        }
                        // While Redis is away nobody knows the newest seq; that somebody is there
                        // is told all the same.
                        let is_away = app.hub.away_since.borrow().is_some();
                        vec![if is_away {
                            Frame::Degraded.json()
                        } else {
                            Frame::Hb { seq: viewer.top(), t: frames::timestamp() }.json()
                        }]
                    }
                    Due::Degraded => vec![Frame::Degraded.json()],
                    Due::GiveUp => return End::Close(code::BACKEND_DOWN, "redis is away"),
                }
            },
            () = &mut goodbye => {
                let bye = Frame::Bye { retry_ms: spread(5000) }.json();
                return match Box::pin(connection.send([bye])).await {
                    Ok(()) => End::Close(code::DRAINING, "draining"),
                    Err(end) => end,
                };
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
    goodbye: &CancellationToken,
    _watched: WatchedAll,
    (mut changes, position): (watch::Receiver<u64>, u64),
) -> End {
    let firehose = &app.hub.firehose;
    let mut cursor = Cursor { position, lineage: 0 };
    let seat = connection.outlet();
    let seat = seat.map(|outlet| firehose.fans.join(firehose, outlet, &app.metrics));
    let mut clock = Clock::new(&app.hub);
    let mut goodbye = pin!(goodbye.cancelled());
    loop {
        changes.mark_unchanged();
        let (events, next) = firehose.read(cursor.position, 256);
        // Also with events at hand the other branches get their turn: a client that is only just
        // too slow is pinged, heard and told goodbye.
        let frames: Vec<_> = tokio::select! {
            () = std::future::ready(()), if !events.is_empty() => {
                cursor.position = next;
                app.metrics.events_delivered.add(events.len() as u64);
                events.iter().map(|entry| entry.json.clone()).collect()
            }
            back = until_news(seat.as_ref(), &mut changes, firehose, &mut cursor),
                if events.is_empty() => match back
            {
                Back::News => continue,
                Back::Unfinished => Vec::new(),
            },
            inbound = connection.receive() => match inbound {
                Ok(reply) => reply.into_iter().collect(),
                Err(end) => return end,
            },
            due = clock.tick() => {
                let checked = connection.check_silence(app.hub.times.silence);
                let alive = match due {
                    Due::Heartbeat => Box::pin(connection.ping()).await,
                    Due::GiveUp => return End::Close(code::BACKEND_DOWN, "redis is away"),
                    Due::Nothing | Due::Degraded => Ok(()),
                };
                if let Err(end) = checked.and(alive) {
                    return end;
                }
                continue;
            }
            () = &mut goodbye => return End::Close(code::DRAINING, "draining"),
        };
        if let Err(end) = connection.send(frames).await {
            return end;
        }
    }
}

/// Waits for an event behind the cursor that is not written by somebody else.
async fn until_news(
    seat: Option<&Seat>,
    changes: &mut watch::Receiver<u64>,
    firehose: &Firehose,
    cursor: &mut Cursor,
) -> Back {
    match seat {
        Some(seat) => seat.until_back(firehose, cursor).await,
        None => {
            // The firehose lives as long as the process.
            changes.changed().await.ok();
            Back::News
        }
    }
}

/// The value of a query parameter; sockets ignore parameters that they do not know.
pub(super) fn query_value(query: &str, name: &str) -> Option<String> {
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
    use super::query_value;

    #[test]
    fn queries() {
        assert_eq!(query_value("a=1&since=k:4", "since").as_deref(), Some("k:4"));
        assert_eq!(query_value("since=k%3A4", "since").as_deref(), Some("k:4"));
        assert_eq!(query_value("since", "since"), None);
    }
}
