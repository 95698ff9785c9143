//! Documents of jobs, and outcomes that are remembered.

use super::{Database, MemoryKey, Page, Remembered, unfinished};
use crate::Result;
use serde_json::Value;
use shared::job::JobDocument;
use shared::outcome::Outcome;
use uuid::Uuid;

impl Database {
    /// Writes how a document of a job ended, before the queue is told. Repeatable; a row of a
    /// later fence is not overwritten (`StoreError::Fenced`).
    pub fn record_job_document(
        &self,
        job: Uuid,
        fence: i64,
        document: &JobDocument,
        report: &Value,
    ) -> Result<()> {
        let _ = (job, fence, document, report);
        Err(unfinished())
    }

    /// Ended documents of a job by their index; `limit` is 1..=1000.
    pub fn job_documents(
        &self,
        job: Uuid,
        outcome: Option<Outcome>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<JobDocument>> {
        let _ = (job, outcome, limit, cursor);
        Err(unfinished())
    }

    /// One ended document of a job with its report.
    pub fn job_document(&self, job: Uuid, document: Uuid) -> Result<Option<(JobDocument, Value)>> {
        let _ = (job, document);
        Err(unfinished())
    }

    /// The remembered outcome of these bytes, if any (stage 2).
    pub fn remembered(&self, key: MemoryKey<'_>) -> Result<Option<Remembered>> {
        let _ = key;
        Err(unfinished())
    }

    /// Remembers a permanent outcome.
    pub fn remember(&self, key: MemoryKey<'_>, outcome: &Remembered) -> Result<()> {
        let _ = (key, outcome);
        Err(unfinished())
    }

    /// Forgets what is remembered of these bytes (they were trained after all).
    pub fn forget(&self, sha256: &str) -> Result<()> {
        let _ = sha256;
        Err(unfinished())
    }
}
