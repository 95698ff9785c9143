//! What is told after the work: the report of a document, the report of a job, the log lines.

use crate::run::StageTime;
use serde_json::{Value, json};
use shared::job::{JobDocument, JobSpec, JobStatus, JobView};
use shared::outcome::{Code, Outcome};
use std::collections::BTreeMap;

/// The report of one document in one job.
pub fn of_document(row: &JobDocument, stages: &[StageTime], sha256: Option<&str>) -> Value {
    json!({ "document": row, "sha256": sha256, "stages": stages })
}

/// The last log line of a document.
pub fn ending_log(
    name: &str,
    outcome: Outcome,
    code: Option<Code>,
    message: Option<&str>,
) -> String {
    let (mark, words) = match outcome {
        Outcome::Completed => ("✅", "обучен"),
        Outcome::CompletedWithWarnings => ("⚠️", "обучен с предупреждениями"),
        Outcome::SkippedDuplicate => ("⏭️", "пропущен"),
        Outcome::TooShort => ("⏭️", "слишком мало текста"),
        Outcome::NeedsAttention => ("⚠️", "требует внимания"),
        Outcome::Failed => ("❌", "не обучен"),
        Outcome::Cancelled => ("⏹️", "отменён"),
    };
    let mut log = format!("{mark} {name}: {words}");
    if let Some(code) = code {
        log.push_str(&format!(" [{}]", code.name()));
    }
    if let Some(message) = message {
        log.push_str(&format!(" — {message}"));
    }
    log
}

/// Sums over the documents of a job, gathered row by row.
#[derive(Debug, Default)]
pub struct Totals {
    pages: u64,
    chunks: u64,
    stage_ms: BTreeMap<String, u64>,
    failures: Vec<Value>,
}

/// Failures that a job's report names one by one; the counts are always exact.
const NAMED_FAILURES: usize = 1_000;

impl Totals {
    /// Adds a document's row and report.
    pub fn add(&mut self, row: &JobDocument, report: &Value) {
        self.pages += row.pages.unwrap_or(0);
        self.chunks += row.chunks.unwrap_or(0);
        for stage in report["stages"].as_array().into_iter().flatten() {
            if let (Some(name), Some(ms)) = (stage["stage"].as_str(), stage["duration_ms"].as_u64())
            {
                *self.stage_ms.entry(name.to_owned()).or_default() += ms;
            }
        }
        let failed = matches!(
            row.outcome,
            Some(Outcome::Failed | Outcome::NeedsAttention | Outcome::TooShort)
        );
        if failed && self.failures.len() < NAMED_FAILURES {
            self.failures.push(json!({
                "id": row.id, "path": row.path, "outcome": row.outcome, "code": row.code, "message": row.message,
            }));
        }
    }

    /// The job's report. `pages_per_s` is absent when nothing was read or no time passed.
    pub fn report(self, job: &JobSpec, view: &JobView, status: JobStatus, elapsed_s: f64) -> Value {
        let pages_per_s =
            (elapsed_s > 0.0 && self.pages > 0).then(|| self.pages as f64 / elapsed_s);
        json!({
            "job_id": job.id,
            "status": status,
            "collection": job.collection,
            "created_at": view.created_at.format(&time::format_description::well_known::Rfc3339).ok(),
            "duration_s": elapsed_s,
            "documents": view.documents,
            "error": view.error,
            "retry_of": job.retry_of,
            "epoch": view.epoch,
            "pages": self.pages,
            "chunks": self.chunks,
            "pages_per_s": pages_per_s,
            "stage_duration_ms": self.stage_ms,
            "failures": self.failures,
        })
    }
}
