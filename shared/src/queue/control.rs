//! What people do to a job: cancel, pause, resume.

use super::{Queue, QueueError, scripts, scripts::Script};
use crate::job::JobStatus;
use futures_util::{Stream, StreamExt};
use uuid::Uuid;

/// A message of the control channel. It only makes things fast: who misses it learns the same
/// from the next beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Stop the job's units.
    Cancel(Uuid),
    /// Nothing new of this job will be given out.
    Pause(Uuid),
    /// The job goes on.
    Resume(Uuid),
}

impl Control {
    /// Reads a message of [`super::control_channel`].
    pub fn parse(message: &str) -> Option<Control> {
        let (verb, job) = message.split_once(' ')?;
        let job = job.parse().ok()?;
        match verb {
            "cancel" => Some(Control::Cancel(job)),
            "pause" => Some(Control::Pause(job)),
            "resume" => Some(Control::Resume(job)),
            _ => None,
        }
    }
}

impl Queue {
    /// Cancels a job and answers its status afterwards. Documents that nobody holds are counted
    /// as cancelled at once; holders are told to stop; the job is `cancelled` when the last unit
    /// has been given back and the report is written. Does nothing to a job that has ended or
    /// whose documents have all ended.
    pub async fn cancel(&self, job_id: Uuid) -> Result<JobStatus, QueueError> {
        self.change(&scripts::CANCEL, job_id).await
    }

    /// Gives out no more units of the job until it is resumed; running ones go on.
    pub async fn pause(&self, job_id: Uuid) -> Result<JobStatus, QueueError> {
        self.change(&scripts::PAUSE, job_id).await
    }

    /// Lets a paused job go on.
    pub async fn resume(&self, job_id: Uuid) -> Result<JobStatus, QueueError> {
        self.change(&scripts::RESUME, job_id).await
    }

    /// The control messages from now on. The stream ends when Redis goes away.
    pub async fn controls(
        &self,
    ) -> Result<impl Stream<Item = Control> + Send + Unpin + use<>, QueueError> {
        let mut pubsub = self.pubsub().await?;
        pubsub.subscribe(super::control_channel()).await?;
        let controls = pubsub.into_on_message().filter_map(|message| {
            let text: Result<String, _> = message.get_payload();
            std::future::ready(text.ok().as_deref().and_then(Control::parse))
        });
        Ok(Box::pin(controls))
    }

    async fn change(&self, script: &Script, job_id: Uuid) -> Result<JobStatus, QueueError> {
        let reply: String =
            self.invoke(script.call(self.shard(job_id)).arg(job_id.to_string())).await?;
        JobStatus::parse(&reply).ok_or(QueueError::Reply(reply))
    }
}
