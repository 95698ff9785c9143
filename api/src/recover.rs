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

/// Recovers at the start and whenever Redis comes back, for it may have come back empty.
pub(crate) async fn recover_for_ever(app: App) {
    let mut away = app.hub.away_since.subscribe();
    loop {
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
        tokio::select! {
            lost = away.wait_for(Option::is_some) => if lost.is_err() { return },
            () = app.draining.cancelled() => return,
        }
        tokio::select! {
            back = away.wait_for(Option::is_none) => if back.is_err() { return },
            () = app.draining.cancelled() => return,
        }
    }
}
