//! A job that Redis no longer knows, told from its durable record: the accepted request and the
//! report that ended it.

use super::entry::Entry;
use super::frames::{SnapshotFrame, SnapshotJob, encode};
use serde_json::{Value, json};
use shared::job::{DocumentCounts, JobSpec, JobStatus, JobView};
use shared::outcome::Outcome;
use stores::{Blobs, StoreError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// The epoch of a history that is told from the record.
pub(crate) const EPOCH: &str = "record";
/// The history of a record is its final event.
const LAST_SEQ: u64 = 1;

/// What is known for ever of a job.
pub(crate) struct JobRecord {
    pub(crate) spec: JobSpec,
    /// `None` while the job has not ended.
    pub(crate) report: Option<Value>,
}

/// The record of a job; `None` when it was never accepted.
pub(crate) async fn read(blobs: &Blobs, job: Uuid) -> Result<Option<JobRecord>, StoreError> {
    let Some(spec) = blobs.read_job(job).await? else { return Ok(None) };
    let report = blobs.read_report(job).await?;
    Ok(Some(JobRecord { spec, report }))
}

impl JobRecord {
    /// The status: that of the report, or `queued` for a job that waits for being recovered.
    pub(crate) fn status(&self) -> JobStatus {
        let Some(report) = &self.report else { return JobStatus::Queued };
        let named = report.get("status").and_then(Value::as_str).and_then(JobStatus::parse);
        named.unwrap_or_else(|| {
            if self.documents().failed > 0 {
                JobStatus::CompletedWithErrors
            } else {
                JobStatus::Completed
            }
        })
    }

    /// The counters of the report; all 0 without one.
    pub(crate) fn documents(&self) -> DocumentCounts {
        let mut counts = DocumentCounts::default();
        let Some(reported) = self.report.as_ref().and_then(|report| report.get("documents")) else {
            return counts;
        };
        let number = |name: &str| reported.get(name).and_then(Value::as_u64).unwrap_or(0);
        for outcome in Outcome::ALL {
            *counts.of(outcome) = number(outcome.name());
        }
        counts.total = number("total").max(counts.ended());
        counts
    }

    /// The job as `GET /jobs/{id}` shows it.
    pub(crate) fn view(&self) -> JobView {
        let status = self.status();
        JobView {
            job_id: self.spec.id,
            status,
            collection: self.spec.collection.clone(),
            created_at: self.spec.created_at,
            started_at: self.instant("started_at"),
            finished_at: self.instant("finished_at"),
            progress: if status.is_final() { 100.0 } else { 0.0 },
            documents: self.documents(),
            queue_position: None,
            eta_s: None,
            last_seq: if status.is_final() { LAST_SEQ } else { 0 },
            epoch: EPOCH.to_owned(),
            error: self.text("error"),
            retry_of: self.spec.retry_of,
        }
    }

    fn text(&self, field: &str) -> Option<String> {
        let value = self.report.as_ref()?.get(field)?;
        value.as_str().map(str::to_owned)
    }

    fn instant(&self, field: &str) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.text(field)?, &Rfc3339).ok()
    }

    /// The snapshot and the event after it: the final one, or for a job that waits for being
    /// recovered the fact that it is queued.
    pub(crate) fn frames(&self) -> (SnapshotFrame, Entry) {
        let view = self.view();
        let counts = view.documents;
        let job = SnapshotJob {
            status: view.status.name(),
            done: counts.done(),
            failed: counts.failed,
            skipped: counts.skipped_duplicate,
            total: counts.total,
            progress: view.progress,
            eta_s: None,
        };
        let succeeded =
            matches!(view.status, JobStatus::Completed | JobStatus::CompletedWithErrors);
        let log = match view.status {
            JobStatus::Completed | JobStatus::CompletedWithErrors => format!(
                "🎉 Обработка завершена: обучено {}, пропущено {}, с ошибкой {} из {}",
                counts.done(),
                counts.skipped_duplicate,
                counts.failed,
                counts.total
            ),
            JobStatus::Cancelled => "Ошибка во время обучения: задание отменено".to_owned(),
            _ => format!(
                "Ошибка во время обучения: {}",
                view.error.as_deref().unwrap_or("задание не выполнено")
            ),
        };
        let ts = view.finished_at.unwrap_or(view.created_at).format(&Rfc3339).unwrap_or_default();
        let event = json!({
            "type": "job",
            "job_id": view.job_id,
            "epoch": EPOCH,
            "seq": LAST_SEQ,
            "ts": ts,
            "stage": if succeeded { "complete" } else { "error" },
            "log": log,
            "progress": if succeeded { 100 } else { 0 },
            "job": job,
            "final": true,
        });
        let snapshot = SnapshotFrame::new(
            view.job_id,
            EPOCH.to_owned(),
            LAST_SEQ - 1,
            job,
            counts,
            Vec::new(),
            vec![log],
        );
        let entry = Entry::new(view.job_id, EPOCH.to_owned(), LAST_SEQ, true, &encode(&event));
        (snapshot, entry)
    }
}
