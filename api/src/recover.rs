//! Jobs that were accepted but that Redis lost: submitted again from their durable record.

use crate::state::App;
use shared::job::JobSpec;
use shared::queue::{NewJob, Queue, QueueError};
use std::time::Duration;
use stores::Blobs;
use tokio::time::sleep;

/// Submits one job again; does nothing when the queue knows it.
pub(crate) async fn submit_again(queue: &Queue, spec: &JobSpec) -> Result<bool, QueueError> {
    let submitted = queue.submit(&NewJob::from_spec(spec)).await?;
    if submitted.created {
        tracing::warn!(job.id = %spec.id, "job {} was unknown to redis and runs again", spec.id);
    }
    Ok(submitted.created)
}

/// Submits every job again that has no report and is unknown to the queue (`ragtrain jobs
/// recover`, and the start of every api). Answers how many there were.
pub async fn recover(queue: &Queue, blobs: &Blobs) -> anyhow::Result<usize> {
    let mut recovered = 0;
    for spec in blobs.jobs_without_report().await? {
        recovered += usize::from(submit_again(queue, &spec).await?);
    }
    Ok(recovered)
}

/// Recovers at the start and whenever the connection to Redis is another one, for Redis may have
/// come back without its last second or empty. The subscription is a connection that always
/// stands, so this needs nobody who watches a job or asks for one.
pub(crate) async fn recover_for_ever(app: App) {
    let mut subscribed = app.hub.subscribed.subscribe();
    let mut recovered = 0;
    loop {
        let connection = tokio::select! {
            now = subscribed.wait_for(|now| now.connected && now.number != recovered) => match now {
                Ok(now) => now.number,
                Err(_closed) => return,
            },
            () = app.draining.cancelled() => return,
        };
        let mut pause = Duration::from_millis(500);
        loop {
            let outcome = match app.stores() {
                Ok(stores) => recover(&app.queue, &stores.blobs).await,
                Err(problem) => Err(anyhow::anyhow!(problem.detail)),
            };
            match outcome {
                Ok(_) => break,
                Err(error) => tracing::debug!(%error, "jobs cannot be recovered yet"),
            }
            tokio::select! {
                () = sleep(pause) => pause = (pause * 2).min(Duration::from_secs(30)),
                () = app.draining.cancelled() => return,
            }
        }
        recovered = connection;
    }
}
