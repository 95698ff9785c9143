//! Events page by page, for clients without sockets and streams.

use super::sse::{EventsQuery, parse_since};
use super::viewer::{Refusal, Step};
use crate::problem::Problem;
use crate::state::App;
use axum::Json;
use serde::Serialize;
use serde_json::value::RawValue;
use shared::event::Event;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A page of a job's events.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct EventsPage {
    /// In order, without a hole.
    #[schema(value_type = Vec<Event>)]
    pub(crate) events: Vec<Box<RawValue>>,
    /// The epoch of the history.
    pub(crate) epoch: String,
    /// The last event of the page, or the client's position: pass `<epoch>:<last_seq>` as `since`.
    pub(crate) last_seq: u64,
    /// The final event has been handed over.
    pub(crate) ended: bool,
    /// Why the client must forget what it has; the state then is in `snapshot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reset: Option<&'static str>,
    /// The state of the job at `last_seq`, when the events before it are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) snapshot: Option<Box<RawValue>>,
}

pub(super) async fn page(
    app: &App,
    job: Uuid,
    query: &EventsQuery,
    goodbye: &CancellationToken,
) -> Result<Json<EventsPage>, Problem> {
    let limit = match query.limit {
        None => 100,
        Some(limit @ 1..=1000) => limit,
        Some(_) => return Err(Problem::invalid_field("limit", "limit — от 1 до 1000")),
    };
    let wait = match query.wait {
        None => 0.0,
        Some(wait) if (0.0..=20.0).contains(&wait) => wait,
        Some(_) => return Err(Problem::invalid_field("wait", "wait — от 0 до 20 секунд")),
    };
    let since = parse_since(query.since.as_deref())?;
    let (_, mut viewer) = super::open(app, job, since).await?;
    let deadline = Instant::now() + Duration::from_secs_f64(wait);
    let mut page = EventsPage {
        events: Vec::new(),
        epoch: String::new(),
        last_seq: 0,
        ended: false,
        reset: None,
        snapshot: None,
    };
    while page.events.len() < limit {
        viewer.at_once(limit - page.events.len());
        let mut step = viewer.try_next().await?;
        if step.is_none() && page.events.is_empty() && page.snapshot.is_none() {
            // Nothing yet: wait for one, or for the end of the server.
            step = tokio::select! {
                step = timeout_at(deadline, viewer.next()) => step.ok(),
                () = goodbye.cancelled() => None,
            };
        }
        match step {
            // Nobody else writes the answer of a poll.
            None | Some(Step::Unfinished) => break,
            Some(Step::Events(entries)) => {
                app.metrics.events_delivered.add(entries.len() as u64);
                for entry in entries {
                    let raw = RawValue::from_string(entry.json.as_str().to_owned());
                    page.events.push(raw.map_err(Problem::internal)?);
                    page.ended |= entry.is_final;
                }
            }
            Some(Step::Reset(reason, snapshot)) => {
                // One page, one history: what was read before belongs to the one that is void.
                page.events.clear();
                page.ended = false;
                page.reset = Some(reason.name());
                let raw = RawValue::from_string(snapshot.json().as_str().to_owned());
                page.snapshot = Some(raw.map_err(Problem::internal)?);
            }
            Some(Step::Ended) => {
                page.ended = true;
                break;
            }
        }
    }
    page.epoch = viewer.epoch().to_owned();
    page.last_seq = viewer.position();
    Ok(Json(page))
}

impl From<shared::queue::QueueError> for Refusal {
    fn from(error: shared::queue::QueueError) -> Refusal {
        Refusal::Queue(error)
    }
}
