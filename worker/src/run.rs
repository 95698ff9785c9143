//! What every stage of one document needs done around it: the check whether to go on, the clock,
//! the event. The stages themselves know nothing of this.

use crate::heartbeat::Held;
use crate::services::Services;
use crate::stop::Stop;
use serde::Serialize;
use shared::queue::{DocumentName, Published, QueueError, StageBody};
use shared::stage::Stage;
use std::time::{Duration, Instant};

/// Pause between two tries to publish while Redis does not answer.
const PUBLISH_PAUSE: Duration = Duration::from_millis(200);

/// A finished stage in the document's report.
#[derive(Clone, Debug, Serialize)]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// Wall time.
    pub duration_ms: u64,
    /// The counts that its event told.
    pub details: String,
}

/// One attempt at one document.
pub struct Run<'a> {
    /// The event log, among others.
    pub services: &'a Services,
    /// The lease and what the heartbeat learned about it.
    pub held: &'a Held,
    /// What events call the document by.
    pub document: &'a DocumentName,
    /// Finished stages so far.
    pub finished: Vec<StageTime>,
    /// SHA-256 of the bytes, once stage 2 knows it.
    pub sha256: Option<String>,
}

impl Run<'_> {
    /// Runs one stage, then publishes it. `details` are the counts for its log line.
    ///
    /// # Errors
    /// The stage's own, or `Interrupted` when the document is to be let go of.
    pub fn stage<T>(
        &mut self,
        stage: Stage,
        work: impl FnOnce() -> Result<T, Stop>,
        details: impl FnOnce(&T) -> String,
    ) -> Result<T, Stop> {
        self.held.proceed()?;
        let span =
            tracing::info_span!("stage", name = stage.name(), document.id = %self.document.id);
        let _entered = span.enter();
        let started = Instant::now();
        self.held.enter(stage);
        let artifact = work()?;
        let duration = started.elapsed();
        let details = details(&artifact);
        self.publish(stage, &details, duration)?;
        let duration_ms = milliseconds(duration);
        tracing::debug!(duration_ms, "{}", stage.log(&details));
        self.finished.push(StageTime { stage, duration_ms, details });
        Ok(artifact)
    }

    /// An event must not be lost because Redis was away for a moment: it is tried until it is
    /// written or the lease is gone, and then another attempt tells the story again.
    fn publish(&self, stage: Stage, details: &str, duration: Duration) -> Result<(), Stop> {
        let n = u32::from(stage.number());
        let body = StageBody {
            stage,
            details,
            duration,
            document: self.document,
            worker: &self.services.worker,
        };
        loop {
            let published =
                self.services.wait(self.services.queue.publish(&self.held.lease, n, &body));
            match published {
                Ok(Published::Accepted) => return Ok(()),
                Ok(Published::Cancelled) => self.held.cancel(),
                Ok(Published::Lost) => self.held.lose(),
                Err(error) => self.wait_after(&error),
            }
            self.held.proceed()?;
        }
    }

    fn wait_after(&self, error: &QueueError) {
        tracing::warn!("event not published yet: {error}");
        std::thread::sleep(PUBLISH_PAUSE);
    }
}

/// Whole milliseconds, as reports and events carry them.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
