//! The live relay: every event of a job, in order, without a hole, to whoever watches.
//!
//! `channel` keeps the newest events of one job whole, `supervisor` owns the one subscription and
//! the sweep, `viewer` is a cursor, and the transports (`websocket`, `sse`, `poll`) only encode
//! what the cursor hands over. `firehose` merges all jobs for the transports of the first clients
//! (`websocket`, `socket_io`).

mod entry;
mod log;
mod look;
mod outlet;
mod fan;
mod channel;
mod firehose;
mod hub;
mod tracking;
mod supervisor;
mod frames;
mod record;
mod viewer;
mod socket;
pub(crate) mod websocket;
pub(crate) mod sse;
pub(crate) mod poll;
mod severable;
mod session;
pub(crate) mod socket_io;

pub(crate) use entry::Since;
pub(crate) use hub::Hub;
pub use hub::RelayTimes;
pub(crate) use record::JobRecord;
pub(crate) use viewer::Refusal;

use crate::problem::Problem;
use crate::state::App;
use stores::Blobs;
use uuid::Uuid;
use viewer::{Hello, Viewer};

/// The durable record of a job.
pub(crate) async fn record_of(
    blobs: &Blobs,
    job: Uuid,
) -> Result<Option<JobRecord>, stores::StoreError> {
    record::read(blobs, job).await
}

/// Opens a cursor. A job that was accepted but is unknown to Redis is submitted again first.
pub(crate) async fn open(
    app: &App,
    job: Uuid,
    since: Option<Since>,
) -> Result<(Hello, Viewer), Refusal> {
    if let Some(opened) = Viewer::open(&app.hub, job, since.clone()).await? {
        return Ok(opened);
    }
    let stores = app.stores().map_err(|_| Refusal::Timeout)?;
    // Boxed like the reads of Redis (`log.rs`): hardly anybody comes here.
    let record = Box::pin(record::read(&stores.blobs, job)).await.map_err(Refusal::Store)?;
    let record = record.ok_or(Refusal::NoSuchJob)?;
    if record.report.is_some() {
        return Ok(Viewer::of_record(&app.hub, &record, since));
    }
    let submitting = crate::recover::submit_again(&app.queue, &record.spec);
    Box::pin(submitting).await.map_err(Refusal::Queue)?;
    Viewer::open(&app.hub, job, since).await?.ok_or(Refusal::NoSuchJob)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::NoSuchJob => Problem::job_not_found("с этим номером"),
            Refusal::Queue(error) => error.into(),
            Refusal::Store(error) => error.into(),
            Refusal::Timeout => Problem::queue_unavailable("the event log did not answer in time"),
        }
    }
}
