//! The end of a job: its report, written once, then the one final event.

use crate::report::Totals;
use crate::services::Services;
use crate::stop::Stop;
use shared::job::{JobSpec, JobStatus};
use shared::queue::QueueError;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Rows of a job read at once.
const ROWS: u32 = 1_000;

/// Writes the report of a job whose documents have all ended and removes what its dead attempts
/// left. Repeatable: a report that is already there stands.
///
/// # Errors
/// A store or Redis does not answer.
pub fn write_report(
    services: &Services,
    job: &JobSpec,
    verdict: JobStatus,
    error: Option<&str>,
) -> Result<(), Stop> {
    if !services.wait(services.blobs.has_report(job.id)).map_err(Stop::from_store)? {
        let report = compose(services, job, verdict, error)?;
        services.wait(services.blobs.write_report(job.id, &report)).map_err(Stop::from_store)?;
    }
    // Also after a report that is already there: its writer may have died before this. Rows that
    // dead attempts staged belong to nobody any more.
    services.database.sweep_job(job.id).map_err(Stop::from_store)?;
    Ok(())
}

fn compose(
    services: &Services,
    job: &JobSpec,
    verdict: JobStatus,
    error: Option<&str>,
) -> Result<serde_json::Value, Stop> {
    let view = services.wait(services.queue.job(job.id)).map_err(from_queue)?;
    let Some(view) = view else {
        return Err(Stop::store("задача исчезла из очереди"));
    };
    let mut totals = Totals::default();
    let mut cursor: Option<String> = None;
    loop {
        let page = services
            .database
            .job_documents(job.id, None, ROWS, cursor.as_deref())
            .map_err(Stop::from_store)?;
        for row in &page.items {
            let found = services.database.job_document(job.id, row.id).map_err(Stop::from_store)?;
            if let Some((row, report)) = found {
                totals.add(&row, &report);
            }
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let finished_at = OffsetDateTime::now_utc();
    let started_at = view.started_at.unwrap_or(job.created_at);
    let mut report =
        totals.report(job, &view, verdict, (finished_at - started_at).as_seconds_f64());
    report["started_at"] = started_at.format(&Rfc3339).ok().into();
    report["finished_at"] = finished_at.format(&Rfc3339).ok().into();
    report["error"] = error.into();
    Ok(report)
}

fn from_queue(error: QueueError) -> Stop {
    Stop::store(error)
}
