//! Documents of jobs, and outcomes that are remembered.

use super::documents::{collect, parsed};
use super::rows::json;
use super::{Database, MemoryKey, Page, Remembered, after, checked_limit, page};
use crate::{Result, StoreError};
use rusqlite::{OptionalExtension, params};
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
        let number = i64::try_from(document.index)
            .map_err(|_| StoreError::Invalid("index of a document".to_owned()))?;
        self.write(|transaction| {
            let written = transaction.execute(
                "INSERT INTO job_documents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (job_id, number) DO UPDATE SET
                     document_id = excluded.document_id, outcome = excluded.outcome,
                     fence = excluded.fence, document = excluded.document, report = excluded.report
                 WHERE fence <= excluded.fence",
                params![
                    job.as_bytes(),
                    number,
                    document.id.as_bytes(),
                    document.outcome.map(Outcome::name),
                    fence,
                    json(document)?,
                    json(report)?
                ],
            )?;
            match written {
                0 => Err(StoreError::Fenced { document: document.id }),
                _ => Ok(()),
            }
        })
    }

    /// Ended documents of a job by their index; `limit` is 1..=1000.
    pub fn job_documents(
        &self,
        job: Uuid,
        outcome: Option<Outcome>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<JobDocument>> {
        let (limit, after) = (checked_limit(limit)?, after(cursor)?);
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT number, document FROM job_documents
                 WHERE job_id = ?1 AND number > ?2 AND (?3 IS NULL OR outcome = ?3)
                 ORDER BY number LIMIT ?4",
            )?;
            let rows = collect(
                &mut select,
                params![job.as_bytes(), after, outcome.map(Outcome::name), limit + 1],
                |row| Ok((row.get::<_, i64>(0)?, parsed::<JobDocument>(row, 1)?)),
            )?;
            Ok(page(rows, limit))
        })
    }

    /// One ended document of a job with its report.
    pub fn job_document(&self, job: Uuid, document: Uuid) -> Result<Option<(JobDocument, Value)>> {
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT document, report FROM job_documents
                 WHERE job_id = ?1 AND document_id = ?2 ORDER BY number LIMIT 1",
            )?;
            let found = select
                .query_row([job.as_bytes(), document.as_bytes()], |row| {
                    Ok((parsed(row, 0)?, parsed(row, 1)?))
                })
                .optional()?;
            Ok(found)
        })
    }

    /// The remembered outcome of these bytes, if any (stage 2).
    pub fn remembered(&self, key: MemoryKey<'_>) -> Result<Option<Remembered>> {
        let found: Option<(String, Option<String>, Option<String>, String)> =
            self.read(|transaction| {
                let mut select = transaction.prepare_cached(
                    "SELECT outcome, code, message, stage FROM remembered
                     WHERE sha256 = ?1 AND pipeline_version = ?2 AND fingerprint = ?3",
                )?;
                let arguments = params![key.sha256, key.pipeline_version, key.fingerprint];
                let read = |row: &rusqlite::Row<'_>| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                };
                Ok(select.query_row(arguments, read).optional()?)
            })?;
        let Some((outcome, code, message, stage)) = found else { return Ok(None) };
        let outcome = Outcome::parse(&outcome)
            .ok_or_else(|| StoreError::Damaged(format!("outcome {outcome}")))?;
        let code = code.map(|code| serde_json::from_value(Value::String(code))).transpose()?;
        Ok(Some(Remembered { outcome, code, message, stage }))
    }

    /// Remembers a permanent outcome.
    pub fn remember(&self, key: MemoryKey<'_>, outcome: &Remembered) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO remembered VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    key.sha256,
                    key.pipeline_version,
                    key.fingerprint,
                    outcome.outcome.name(),
                    outcome.code.map(|code| code.name()),
                    outcome.message,
                    outcome.stage
                ],
            )?;
            Ok(())
        })
    }

    /// Forgets what is remembered of these bytes (they were trained after all).
    pub fn forget(&self, sha256: &str) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM remembered WHERE sha256 = ?1", [sha256])?;
            Ok(())
        })
    }
}
