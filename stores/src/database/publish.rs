//! Staging a version and switching it in: stages 12 and 14.

use super::remove::{count_rows, remove_version};
use super::rows::{insert_artifacts, insert_chunks, insert_graph, json};
use super::{
    Artifacts, Attempt, Database, DocumentRecord, EmbeddedChunks, Graph, GraphCounts, Switched,
};
use crate::text::{designation_key, index_words};
use crate::{Result, StoreError};
use rusqlite::{OptionalExtension, Transaction, params};
use shared::identity::PIPELINE_VERSION;
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows of `changes` that are kept for the vectors in memory of other processes.
const KEPT_CHANGES: i64 = 10_000;

impl Database {
    /// Starts an attempt: gives it the next version and removes what earlier attempts of this
    /// job left. `StoreError::Fenced` when a later attempt has begun, or has ended and its fence
    /// went with the job: a worker that slept meanwhile must leave nothing behind.
    pub fn begin(
        &self,
        document: Uuid,
        collection: &str,
        job: Uuid,
        fence: i64,
    ) -> Result<Attempt> {
        self.write(|transaction| {
            let ended: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM job_documents
                 WHERE job_id = ?1 AND document_id = ?2 AND fence > ?3)",
                params![job.as_bytes(), document.as_bytes(), fence],
                |row| row.get(0),
            )?;
            if ended {
                return Err(StoreError::Fenced { document });
            }
            transaction.execute(
                "INSERT INTO documents VALUES (?1, 0) ON CONFLICT DO NOTHING",
                [document.as_bytes()],
            )?;
            let taken = transaction.execute(
                "INSERT INTO fences VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET fence = excluded.fence WHERE fence <= excluded.fence",
                params![document.as_bytes(), job.as_bytes(), fence],
            )?;
            if taken == 0 {
                return Err(StoreError::Fenced { document });
            }
            remove_staged(transaction, document, job, None)?;
            let version: i64 = transaction.query_row(
                "UPDATE documents SET last_version = last_version + 1 WHERE document_id = ?1
                 RETURNING last_version",
                [document.as_bytes()],
                |row| row.get(0),
            )?;
            transaction.execute(
                "INSERT INTO versions (document_id, version, collection, state, job_id, fence)
                 VALUES (?1, ?2, ?3, 'staged', ?4, ?5)",
                params![document.as_bytes(), version, collection, job.as_bytes(), fence],
            )?;
            let replaces = current(transaction, document)?.map(|(_, version)| version);
            Ok(Attempt { document, version, job, fence, replaces })
        })
    }

    /// Stage 12: writes the work graph and the cited norms, and counts them by reading back.
    /// Repeatable: a second call replaces what the first wrote.
    pub fn stage_graph(&self, attempt: &Attempt, graph: Graph<'_>) -> Result<GraphCounts> {
        self.write(|transaction| {
            let version = staged_row(transaction, attempt)?;
            // Edges point to works, so they go first.
            for table in ["edges", "works", "citations"] {
                transaction
                    .execute(&format!("DELETE FROM {table} WHERE version_row = ?1"), [version])?;
            }
            insert_graph(transaction, version, graph)?;
            Ok(GraphCounts {
                works: count_rows(transaction, "works", version)?,
                edges: count_rows(transaction, "edges", version)?,
                references: count_rows(transaction, "citations", version)?,
            })
        })
    }

    /// Stage 14: writes chunks and vectors, and counts the stored chunks by reading back.
    /// Repeatable.
    pub fn stage_chunks(&self, attempt: &Attempt, embedded: EmbeddedChunks<'_>) -> Result<u64> {
        if let Some((_, vectors)) = embedded.vectors
            && vectors.len() != embedded.chunks.len()
        {
            return Err(StoreError::Invalid(format!(
                "{} vectors for {} chunks",
                vectors.len(),
                embedded.chunks.len()
            )));
        }
        self.write(|transaction| {
            let version = staged_row(transaction, attempt)?;
            transaction.execute("DELETE FROM chunks WHERE version_row = ?1", [version])?;
            insert_chunks(transaction, version, attempt, embedded)?;
            count_rows(transaction, "chunks", version)
        })
    }

    /// Makes the staged version the searchable one and removes the old one, in one step.
    /// `StoreError::Overtaken` when the searchable version is not the one that the attempt began
    /// with: a slow attempt of an older job must not put older bytes over newer ones.
    pub fn switch(
        &self,
        attempt: &Attempt,
        record: &DocumentRecord,
        artifacts: &Artifacts,
    ) -> Result<Switched> {
        // Stemming takes longer than anything else here; it needs no lock.
        let words = self.read(|transaction| staged_words(transaction, attempt))?;
        self.write(|transaction| {
            let version = staged_row(transaction, attempt)?;
            let old = current(transaction, attempt.document)?;
            if old.map(|(_, version)| version) != attempt.replaces {
                return Err(StoreError::Overtaken { document: attempt.document });
            }
            let twin = twin(transaction, attempt, version, &record.sha256)?;
            if let Some((of, path)) = twin {
                remove_version(transaction, version, false)?;
                return Ok(Switched::Duplicate { of, path });
            }
            if let Some((row, _)) = old {
                remove_version(transaction, row, true)?;
            }
            remove_staged(transaction, attempt.document, attempt.job, Some(version))?;
            make_current(transaction, version, record)?;
            insert_artifacts(transaction, version, record, artifacts)?;
            let mut insert = transaction
                .prepare_cached("INSERT INTO words (rowid, heading, body) VALUES (?1, ?2, ?3)")?;
            for (chunk, heading, body) in &words {
                insert.execute(params![chunk, heading, body])?;
            }
            let chunks = count_rows(transaction, "chunks", version)?;
            if chunks != words.len() as u64 {
                return Err(StoreError::Damaged(format!(
                    "{chunks} chunks staged, {} indexed",
                    words.len()
                )));
            }
            transaction
                .execute("INSERT INTO changes (version_row, added) VALUES (?1, 1)", [version])?;
            Ok(Switched::Done { replaced: old.map(|(_, version)| version), chunks })
        })
    }

    /// Gives up an attempt that ended otherwise (cancelled, failed): removes what it staged.
    pub fn abandon(&self, attempt: &Attempt) -> Result<()> {
        self.write(|transaction| match staged_row(transaction, attempt) {
            Ok(version) => remove_version(transaction, version, false),
            Err(StoreError::Fenced { .. }) => Ok(()),
            Err(error) => Err(error),
        })
    }

    /// Removes what dead attempts of a finished job left. Answers the number of versions.
    pub fn sweep_job(&self, job: Uuid) -> Result<u64> {
        self.write(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT version_row FROM versions WHERE job_id = ?1 AND state = 'staged'",
            )?;
            let rows: Vec<i64> = select
                .query_map([job.as_bytes()], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for row in &rows {
                remove_version(transaction, *row, false)?;
            }
            transaction.execute("DELETE FROM fences WHERE job_id = ?1", [job.as_bytes()])?;
            // A document that never got a version is no document.
            transaction.execute(
                "DELETE FROM documents WHERE document_id NOT IN (SELECT document_id FROM versions)
                 AND document_id NOT IN (SELECT document_id FROM fences)",
                [],
            )?;
            // A process that missed more than these loads all vectors again.
            transaction.execute(
                "DELETE FROM changes WHERE generation <= (SELECT max(generation) FROM changes) - ?1",
                [KEPT_CHANGES],
            )?;
            Ok(rows.len() as u64)
        })
    }
}

/// The row of the attempt's version, if the attempt still is the last one of its job.
fn staged_row(transaction: &Transaction<'_>, attempt: &Attempt) -> Result<i64> {
    let row: Option<i64> = transaction
        .prepare_cached(
            "SELECT version_row FROM versions JOIN fences USING (document_id, job_id)
             WHERE document_id = ?1 AND version = ?2 AND job_id = ?3 AND state = 'staged'
               AND versions.fence = ?4 AND fences.fence = ?4",
        )?
        .query_row(
            params![
                attempt.document.as_bytes(),
                attempt.version,
                attempt.job.as_bytes(),
                attempt.fence
            ],
            |row| row.get(0),
        )
        .optional()?;
    row.ok_or(StoreError::Fenced { document: attempt.document })
}

/// Row and number of the searchable version.
fn current(transaction: &Transaction<'_>, document: Uuid) -> Result<Option<(i64, i64)>> {
    let found = transaction
        .prepare_cached(
            "SELECT version_row, version FROM versions
             WHERE document_id = ?1 AND state = 'current'",
        )?
        .query_row([document.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

fn remove_staged(
    transaction: &Transaction<'_>,
    document: Uuid,
    job: Uuid,
    except: Option<i64>,
) -> Result<()> {
    let mut select = transaction.prepare_cached(
        "SELECT version_row FROM versions
         WHERE document_id = ?1 AND job_id = ?2 AND state = 'staged' AND version_row IS NOT ?3",
    )?;
    let rows: Vec<i64> = select
        .query_map(params![document.as_bytes(), job.as_bytes(), except], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for row in rows {
        remove_version(transaction, row, false)?;
    }
    Ok(())
}

/// Another trained document with the same bytes in the collection of this version.
fn twin(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    version: i64,
    sha256: &str,
) -> Result<Option<(Uuid, String)>> {
    let found = transaction
        .query_row(
            "SELECT document_id, path FROM versions
             WHERE collection = (SELECT collection FROM versions WHERE version_row = ?1)
               AND sha256 = ?2 AND pipeline_version = ?3 AND state = 'current'
               AND document_id <> ?4",
            params![version, sha256, PIPELINE_VERSION, attempt.document.as_bytes()],
            |row| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?)),
        )
        .optional()?;
    Ok(found)
}

/// Row, heading stems and body stems of every staged chunk.
fn staged_words(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
) -> Result<Vec<(i64, String, String)>> {
    let version = staged_row(transaction, attempt)?;
    let mut select = transaction.prepare_cached(
        "SELECT chunk_row, path, caption, text FROM chunks WHERE version_row = ?1 ORDER BY ordinal",
    )?;
    let mut rows = select.query([version])?;
    let mut words = Vec::new();
    while let Some(row) = rows.next()? {
        let path: Vec<String> = serde_json::from_str(row.get_ref(1)?.as_str()?)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        let caption: Option<String> = row.get(2)?;
        let text: String = row.get(3)?;
        let heading =
            path.iter().chain(&caption).map(String::as_str).collect::<Vec<_>>().join("\n");
        words.push((row.get(0)?, index_words(&heading), index_words(&text)));
    }
    Ok(words)
}

fn make_current(
    transaction: &Transaction<'_>,
    version: i64,
    record: &DocumentRecord,
) -> Result<()> {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000;
    let designation_key = record.designation.as_deref().map(designation_key);
    let norm_key = record.norm_id.as_deref().map(crate::text::designation_key);
    transaction.execute(
        "UPDATE versions SET state = 'current', trained_at = ?2, pipeline_version = ?3,
             sha256 = ?4, name = ?5, path = ?6, location = ?7, outcome = ?8, family = ?9,
             subtype = ?10, category = ?11, designation = ?12, designation_key = ?13,
             norm_id = ?14, norm_key = ?15, title = ?16, status = ?17, pages = ?18, quality = ?19,
             paginated = ?20,
             chunks = (SELECT count(*) FROM chunks WHERE version_row = ?1)
         WHERE version_row = ?1",
        params![
            version,
            i64::try_from(now).unwrap_or(i64::MAX),
            PIPELINE_VERSION,
            record.sha256,
            record.name,
            record.path,
            json(&record.location)?,
            record.outcome.name(),
            record.family,
            record.subtype,
            record.category,
            record.designation,
            designation_key,
            record.norm_id,
            norm_key,
            record.title,
            record.status,
            i64::try_from(record.pages).unwrap_or(i64::MAX),
            record.quality,
            record.paginated
        ],
    )?;
    Ok(())
}
