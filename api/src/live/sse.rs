//! Server-sent events: `id: <epoch>:<seq>`, resumed by `Last-Event-ID`.

use super::frames::{self, Frame};
use super::socket::{Clock, Due};
use super::viewer::{Hello, Step, Viewer};
use super::{Since, poll};
use crate::extract::{Query, parse_id};
use crate::problem::Problem;
use crate::sockets::SocketPermit;
use crate::state::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use utoipa::IntoParams;

/// What `GET /jobs/{id}/events` understands.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// `json` for a page of history; without it a stream of server-sent events.
    pub(crate) format: Option<String>,
    /// `<epoch>:<seq>` or a bare seq: the last event that the client has.
    pub(crate) since: Option<String>,
    /// The same, for clients that cannot set the `Last-Event-ID` header.
    pub(crate) last_event_id: Option<String>,
    /// Events of a page, 1 to 1,000 (JSON only).
    pub(crate) limit: Option<usize>,
    /// Seconds to wait for an event when there is none, at most 20 (JSON only).
    pub(crate) wait: Option<f64>,
}

/// The events of a job as a stream (SSE) or page by page (`format=json`).
#[utoipa::path(
    get, path = "/jobs/{id}/events", tag = "events",
    params(
        ("id" = Uuid, Path, description = "the job"),
        ("Last-Event-ID" = Option<String>, Header, description = "resume behind this event"),
        EventsQuery,
    ),
    responses(
        (status = 200, description = "text/event-stream, or a page with `format=json`", body = poll::EventsPage),
        (status = 204, description = "the client has the final event: do not reconnect"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn events(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
    permit: SocketPermit,
) -> Result<Response, Problem> {
    let job = parse_id(&id, Problem::job_not_found)?;
    match query.format.as_deref() {
        Some("json") => {
            return poll::page(&app, job, &query, permit.goodbye())
                .await
                .map(IntoResponse::into_response);
        }
        None | Some("sse") => {}
        Some(_) => return Err(Problem::invalid_field("format", "format — json или sse")),
    }
    // The header is the browser's own record, so it wins.
    let resumed = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let resumed = resumed.or(query.last_event_id.as_deref()).filter(|value| !value.is_empty());
    let since = parse_since(resumed.or(query.since.as_deref()))?;
    let has_position = since.is_some();
    let (hello, mut viewer) = super::open(&app, job, since).await?;
    let first = viewer.try_next().await?;
    if has_position && matches!(first, Some(Step::Ended)) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let clock = Clock::new(&app.hub);
    let body = stream::once(async move { greeting(&hello) })
        .chain(stream::iter(first.map(|step| encode(&step, &viewer, &app)).unwrap_or_default()))
        .chain(stream::unfold(Some((viewer, clock, app, permit)), follow).flatten());
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15)).text("hb");
    let mut response =
        Sse::new(body.map(Ok::<_, Infallible>)).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Parses a position or refuses it.
pub(super) fn parse_since(text: Option<&str>) -> Result<Option<Since>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let since = Since::parse(text)
        .ok_or_else(|| Problem::invalid_field("since", "since — это <epoch>:<seq> или seq"))?;
    Ok(Some(since))
}

fn greeting(hello: &Hello) -> Event {
    let frame = Frame::Hello {
        job_id: hello.job,
        epoch: &hello.epoch,
        seq: hello.seq,
        recovered: hello.recovered,
        oldest: hello.oldest,
        hb: 15,
    };
    Event::default().retry(Duration::from_secs(2)).data(frame.json().as_str())
}

type Following = Option<(Viewer, Clock, App, SocketPermit)>;

/// The next events of the stream; `None` after the final one or at the drain.
async fn follow(state: Following) -> Option<(stream::Iter<std::vec::IntoIter<Event>>, Following)> {
    let (mut viewer, mut clock, app, permit) = state?;
    let events = loop {
        tokio::select! {
            step = viewer.next() => match step {
                Step::Ended => return None,
                step => break encode(&step, &viewer, &app),
            },
            // Heartbeats are comments of the transport.
            due = clock.tick() => match due {
                Due::Nothing | Due::Heartbeat => {}
                Due::Degraded => break vec![Event::default().data(Frame::Degraded.json().as_str())],
                Due::GiveUp => return Some((stream::iter(vec![bye()]), None)),
            },
            () = permit.goodbye().cancelled() => return Some((stream::iter(vec![bye()]), None)),
        }
    };
    Some((stream::iter(events), Some((viewer, clock, app, permit))))
}

/// The client comes back by itself, with what it has.
fn bye() -> Event {
    let bye = Event::default().retry(Duration::from_secs(1));
    bye.data(Frame::Bye { retry_ms: 1000 }.json().as_str())
}

fn encode(step: &Step, viewer: &Viewer, app: &App) -> Vec<Event> {
    match step {
        Step::Events(entries) => {
            app.metrics.events_delivered.add(entries.len() as u64);
            let numbered = entries.iter().map(|entry| {
                Event::default()
                    .id(format!("{}:{}", entry.epoch, entry.seq))
                    .data(entry.json.as_str())
            });
            numbered.collect()
        }
        Step::Reset(reason, snapshot) => vec![
            Event::default().data(frames::reset(*reason).as_str()),
            Event::default()
                .id(format!("{}:{}", viewer.epoch(), snapshot.seq))
                .data(snapshot.json().as_str()),
        ],
        Step::Unfinished | Step::Ended => Vec::new(),
    }
}
