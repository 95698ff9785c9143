//! Reading trained documents.

use super::rows::json;
use super::{
    ArtifactKind, Database, DocumentFilter, Estimate, EstimatePosition, NormDocument, Original,
    Page, StoreCounts, StoredChunk, TrainedDocument, after, checked_limit, page,
};
use crate::search::cite;
use crate::text::designation_key;
use crate::{Result, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::chunk::ChunkKind;
use shared::job::Location;
use shared::outcome::Outcome;
use time::OffsetDateTime;
use uuid::Uuid;

/// Columns that [`trained_document`] reads.
const DOCUMENT: &str = "document_id, name, path, collection, sha256, version, outcome, family, \
     subtype, designation, title, status, pages, chunks, quality, trained_at, norm_id, job_id";

/// Columns that [`stored_chunk`] reads.
pub(crate) const CHUNK: &str = "chunk_id, document_id, version, ordinal, kind, address, \
     chunks.path, first_page, last_page, text, cells, caption, cited, designation, name, paginated";

impl Database {
    /// The trained document with these bytes, if any (stage 2).
    pub fn find_trained(
        &self,
        collection: &str,
        sha256: &str,
        pipeline_version: u32,
    ) -> Result<Option<TrainedDocument>> {
        self.one_document(
            "collection = ?1 AND sha256 = ?2 AND pipeline_version = ?3",
            params![collection, sha256, pipeline_version],
        )
    }

    /// Other trained documents of a collection with the same own designation (stage 8 reports a
    /// probable re-issue).
    pub fn same_designation(
        &self,
        collection: &str,
        norm_id: &str,
        except: Uuid,
    ) -> Result<Vec<TrainedDocument>> {
        let key = designation_key(norm_id);
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(&format!(
                "SELECT {DOCUMENT} FROM versions WHERE state = 'current' AND collection = ?1
                 AND norm_key = ?2 AND document_id <> ?3 ORDER BY version_row"
            ))?;
            collect(&mut select, params![collection, key, except.as_bytes()], trained_document)
        })
    }

    /// Trained documents, those trained first first; `limit` is 1..=1000.
    pub fn documents(
        &self,
        filter: &DocumentFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<TrainedDocument>> {
        let (limit, after) = (checked_limit(limit)?, after(cursor)?);
        let key = filter.designation.as_deref().map(designation_key);
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(&format!(
                "SELECT {DOCUMENT}, version_row FROM versions
                 WHERE state = 'current' AND version_row > ?1
                   AND (?2 IS NULL OR collection = ?2) AND (?3 IS NULL OR family = ?3)
                   AND (?4 IS NULL OR subtype = ?4) AND (?5 IS NULL OR status = ?5)
                   AND (?6 IS NULL OR designation_key = ?6 OR norm_key = ?6)
                 ORDER BY version_row LIMIT ?7"
            ))?;
            let rows = collect(
                &mut select,
                params![
                    after,
                    filter.collection,
                    filter.family,
                    filter.subtype,
                    filter.status,
                    key,
                    limit + 1
                ],
                |row| Ok((row.get::<_, i64>("version_row")?, trained_document(row)?)),
            )?;
            Ok(page(rows, limit))
        })
    }

    /// A trained document.
    pub fn document(&self, document: Uuid) -> Result<Option<TrainedDocument>> {
        self.one_document("document_id = ?1", [document.as_bytes()])
    }

    /// Where the original of a trained document is.
    pub fn original(&self, document: Uuid) -> Result<Option<Original>> {
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT name, path, location, sha256 FROM versions
                 WHERE document_id = ?1 AND state = 'current'",
            )?;
            let read = |row: &Row<'_>| {
                Ok(Original {
                    name: row.get(0)?,
                    path: row.get(1)?,
                    location: parsed(row, 2)?,
                    sha256: row.get(3)?,
                })
            };
            Ok(select.query_row([document.as_bytes()], read).optional()?)
        })
    }

    /// Whether a trained document's original is at this place.
    pub fn is_original(&self, location: &Location) -> Result<bool> {
        let location = json(location)?;
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM versions WHERE state = 'current' AND location = ?1)",
            )?;
            Ok(select.query_row([&location], |row| row.get(0))?)
        })
    }

    /// An artifact of a trained document; `None` without the document or the artifact.
    pub fn artifact(&self, document: Uuid, kind: ArtifactKind) -> Result<Option<String>> {
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT content FROM artifacts JOIN versions USING (version_row)
                 WHERE document_id = ?1 AND state = 'current' AND artifacts.kind = ?2",
            )?;
            let found = select
                .query_row(params![document.as_bytes(), kind.name()], |row| row.get(0))
                .optional()?;
            Ok(found)
        })
    }

    /// Chunks of a trained document in order; `limit` is 1..=1000.
    pub fn chunks(
        &self,
        document: Uuid,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<StoredChunk>> {
        let (limit, after) = (checked_limit(limit)?, after(cursor)?);
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(&format!(
                "SELECT {CHUNK} FROM chunks JOIN versions USING (version_row)
                 WHERE document_id = ?1 AND state = 'current' AND ordinal > ?2
                 ORDER BY ordinal LIMIT ?3"
            ))?;
            let read = |row: &Row<'_>| stored_chunk(row).map(|chunk| (chunk.ordinal, chunk));
            let rows = collect(&mut select, params![document.as_bytes(), after, limit + 1], read)?;
            Ok(page(rows, limit))
        })
    }

    /// The estimate of a trained document; `None` when it is no estimate.
    pub fn estimate(&self, document: Uuid) -> Result<Option<Estimate>> {
        let Some(totals) = self.artifact(document, ArtifactKind::Estimate)? else {
            return Ok(None);
        };
        let positions = self.read(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT position FROM positions JOIN versions USING (version_row)
                 WHERE document_id = ?1 AND state = 'current' ORDER BY ordinal",
            )?;
            collect(&mut select, [document.as_bytes()], |row| parsed::<EstimatePosition>(row, 0))
        })?;
        let totals: Value = serde_json::from_str(&totals)?;
        Ok(Some(Estimate { document_id: document, positions, totals }))
    }

    /// Totals for status and metrics.
    pub fn counts(&self) -> Result<StoreCounts> {
        let bytes = self.connections.bytes();
        self.read(|transaction| {
            let count = |query: &str| -> Result<u64> {
                let found: i64 =
                    transaction.prepare_cached(query)?.query_row([], |row| row.get(0))?;
                Ok(found.unsigned_abs())
            };
            let visible = |table: &str| {
                count(&format!(
                    "SELECT count(*) FROM {table} WHERE version_row IN
                     (SELECT version_row FROM versions WHERE state = 'current')"
                ))
            };
            Ok(StoreCounts {
                documents: count("SELECT count(*) FROM versions WHERE state = 'current'")?,
                chunks: visible("chunks")?,
                vectors: visible("vectors")?,
                works: visible("works")?,
                edges: visible("edges")?,
                references: visible("citations")?,
                norms: count(&format!("SELECT count(*) FROM ({})", super::knowledge::NORM_KEYS))?,
                cached_embeddings: count("SELECT count(*) FROM embeddings")?,
                staged: count("SELECT count(*) FROM versions WHERE state = 'staged'")?,
                bytes,
            })
        })
    }

    fn one_document(
        &self,
        condition: &str,
        arguments: impl rusqlite::Params,
    ) -> Result<Option<TrainedDocument>> {
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(&format!(
                "SELECT {DOCUMENT} FROM versions WHERE state = 'current' AND {condition}"
            ))?;
            Ok(select.query_row(arguments, trained_document).optional()?)
        })
    }
}

fn trained_document(row: &Row<'_>) -> rusqlite::Result<TrainedDocument> {
    let micros: i64 = row.get("trained_at")?;
    let outcome: String = row.get("outcome")?;
    Ok(TrainedDocument {
        id: uuid(row, "document_id")?,
        name: row.get("name")?,
        path: row.get("path")?,
        collection: row.get("collection")?,
        sha256: row.get("sha256")?,
        version: row.get("version")?,
        outcome: Outcome::parse(&outcome).ok_or(rusqlite::Error::InvalidQuery)?,
        family: row.get("family")?,
        subtype: row.get("subtype")?,
        designation: row.get("designation")?,
        title: row.get("title")?,
        status: row.get("status")?,
        pages: row.get::<_, i64>("pages")?.unsigned_abs(),
        chunks: row.get::<_, i64>("chunks")?.unsigned_abs(),
        quality: row.get("quality")?,
        trained_at: OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH),
        norm_id: row.get("norm_id")?,
        job: uuid(row, "job_id")?,
    })
}

/// A chunk from the columns of [`CHUNK`].
pub(crate) fn stored_chunk(row: &Row<'_>) -> rusqlite::Result<StoredChunk> {
    let kind: String = row.get("kind")?;
    let kind: ChunkKind =
        serde_json::from_value(Value::String(kind)).map_err(|_| rusqlite::Error::InvalidQuery)?;
    let cells: Option<String> = row.get("cells")?;
    let (address, pages): (String, [u32; 2]) =
        (row.get("address")?, [row.get("first_page")?, row.get("last_page")?]);
    let printed = row.get::<_, bool>("paginated")?.then_some(pages);
    let (designation, name): (Option<String>, String) = (row.get("designation")?, row.get("name")?);
    Ok(StoredChunk {
        id: uuid(row, "chunk_id")?,
        document_id: uuid(row, "document_id")?,
        version: row.get("version")?,
        ordinal: row.get("ordinal")?,
        kind,
        citation: cite(designation.as_deref().unwrap_or(&name), &address, printed),
        address,
        path: parsed(row, 6)?,
        pages,
        text: row.get("text")?,
        table: match cells {
            Some(cells) => Some(from_json(&cells)?),
            None => None,
        },
        caption: row.get("caption")?,
        cited: parsed(row, 12)?,
    })
}

/// Runs a query and reads all its rows.
pub(crate) fn collect<T>(
    select: &mut rusqlite::CachedStatement<'_>,
    arguments: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    Ok(select.query_map(arguments, read)?.collect::<rusqlite::Result<_>>()?)
}

/// Trained documents with a norm's key, for the registry of norms.
pub(super) fn norm_documents(
    transaction: &Transaction<'_>,
    key: &str,
) -> Result<Vec<(NormDocument, Option<String>, Option<String>)>> {
    let mut select = transaction.prepare_cached(
        "SELECT document_id, name, designation, collection, title, status FROM versions
         WHERE state = 'current' AND norm_key = ?1 ORDER BY version_row",
    )?;
    collect(&mut select, [key], |row| {
        let document = NormDocument {
            id: uuid(row, "document_id")?,
            name: row.get(1)?,
            designation: row.get(2)?,
            collection: row.get(3)?,
        };
        Ok((document, row.get(4)?, row.get(5)?))
    })
}

pub(super) fn uuid(row: &Row<'_>, column: &str) -> rusqlite::Result<Uuid> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

/// A column that holds JSON.
pub(super) fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    match row.get_ref(column)? {
        ValueRef::Text(text) => serde_json::from_slice(text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                column,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        }),
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}

fn from_json<T: DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

impl From<rusqlite::types::FromSqlError> for StoreError {
    fn from(error: rusqlite::types::FromSqlError) -> StoreError {
        StoreError::Damaged(error.to_string())
    }
}
