//! The registry of norms: trained, cited, replaced. It is a query over the current versions, so
//! a norm that nobody cites any more is gone by itself.

use super::documents::{CHUNK, collect, norm_documents, parsed, stored_chunk, uuid};
use super::{
    Database, Direction, Norm, NormDocument, NormReference, Page, StoredChunk, after,
    checked_limit, page,
};
use crate::text::{address_key, designation_key};
use crate::{Result, StoreError};
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// Keys of all norms, each once.
pub(super) const NORM_KEYS: &str = "
    SELECT norm_key FROM versions WHERE state = 'current' AND norm_key IS NOT NULL
    UNION SELECT citations.norm_key FROM citations JOIN versions USING (version_row)
          WHERE state = 'current'
    UNION SELECT replacements.norm_key FROM replacements JOIN versions USING (version_row)
          WHERE state = 'current'";

impl Database {
    /// Norms in the order of their keys; `limit` is 1..=1000.
    pub fn norms(&self, limit: u32, cursor: Option<&str>) -> Result<Page<Norm>> {
        let limit = checked_limit(limit)?;
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(&format!(
                "SELECT norm_key FROM ({NORM_KEYS}) WHERE norm_key > ?1 ORDER BY norm_key LIMIT ?2"
            ))?;
            let keys: Vec<String> =
                collect(&mut select, params![cursor.unwrap_or(""), limit + 1], |row| row.get(0))?;
            let mut rows = Vec::new();
            for key in keys {
                if let Some(norm) = norm(transaction, &key)? {
                    rows.push((key, norm));
                }
            }
            Ok(page(rows, limit))
        })
    }

    /// A norm by its canonical id or by a designation with an edition («СП 45.13330.2017»).
    pub fn norm(&self, id: &str) -> Result<Option<Norm>> {
        self.read(|transaction| norm(transaction, &resolve(transaction, id)?))
    }

    /// The chunks of a clause (or «таблица 3») of a trained norm; several when the clause is long.
    /// With several trained editions, those of the edition in `id`, else of the last trained one.
    pub fn norm_clause(&self, id: &str, address: &str) -> Result<Vec<StoredChunk>> {
        let written = designation_key(id);
        self.read(|transaction| {
            let key = resolve(transaction, id)?;
            let mut select = transaction.prepare_cached(&format!(
                "SELECT {CHUNK} FROM chunks JOIN versions USING (version_row)
                 WHERE version_row = (
                     SELECT version_row FROM versions JOIN chunks USING (version_row)
                     WHERE state = 'current' AND (norm_key = ?1 OR designation_key = ?2)
                       AND address_key = ?3
                     ORDER BY designation_key = ?2 DESC, version_row DESC LIMIT 1)
                   AND address_key = ?3
                 ORDER BY ordinal"
            ))?;
            collect(&mut select, params![key, written, address_key(address)], stored_chunk)
        })
    }

    /// Citations of a norm (`In`) or by it (`Out`); `limit` is 1..=1000.
    pub fn norm_references(
        &self,
        id: &str,
        direction: Direction,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<NormReference>> {
        let (limit, after) = (checked_limit(limit)?, after(cursor)?);
        let offset = after.max(0);
        let side = match direction {
            Direction::In => "citations.norm_key",
            Direction::Out => "versions.norm_key",
        };
        self.read(|transaction| {
            let key = resolve(transaction, id)?;
            let mut select = transaction.prepare_cached(&format!(
                "SELECT document_id, name, designation, collection, citations.norm_id, text,
                        edition, clause, citations.pages, count
                 FROM citations JOIN versions USING (version_row)
                 WHERE state = 'current' AND {side} = ?1
                 ORDER BY version_row, ordinal LIMIT ?2 OFFSET ?3"
            ))?;
            let rows: Vec<NormReference> =
                collect(&mut select, params![key, limit + 1, offset], reference)?;
            let numbered = (offset + 1..).zip(rows).collect();
            Ok(page(numbered, limit))
        })
    }
}

/// The key of a norm from what a person wrote: the canonical id, or the designation of a trained
/// document or of a citation, edition included.
fn resolve(transaction: &Transaction<'_>, id: &str) -> Result<String> {
    let written = designation_key(id);
    if written.is_empty() {
        return Err(StoreError::Invalid("the id of a norm is empty".to_owned()));
    }
    let known = |query: &str, key: &str| -> Result<Option<String>> {
        let mut select = transaction.prepare_cached(query)?;
        Ok(select.query_row([key], |row| row.get(0)).optional()?)
    };
    let by_key = format!("SELECT norm_key FROM ({NORM_KEYS}) WHERE norm_key = ?1");
    if let Some(key) = known(&by_key, &written)? {
        return Ok(key);
    }
    let by_designation = "SELECT norm_key FROM versions
        WHERE state = 'current' AND designation_key = ?1 AND norm_key IS NOT NULL LIMIT 1";
    if let Some(key) = known(by_designation, &written)? {
        return Ok(key);
    }
    // «.2017», «-85*»: the edition is what follows the last dot or dash.
    if let Some((stem, edition)) = written.rsplit_once(['.', '-'])
        && matches!(edition.len(), 2 | 4)
        && let Some(key) = known(&by_key, stem)?
    {
        return Ok(key);
    }
    Ok(written)
}

fn norm(transaction: &Transaction<'_>, key: &str) -> Result<Option<Norm>> {
    let texts = |query: &str| -> Result<Vec<String>> {
        let mut select = transaction.prepare_cached(query)?;
        collect(&mut select, [key], |row| row.get(0))
    };
    let documents = norm_documents(transaction, key)?;
    let cited_by: i64 = transaction
        .prepare_cached(
            "SELECT count(DISTINCT document_id) FROM citations JOIN versions USING (version_row)
             WHERE state = 'current' AND citations.norm_key = ?1",
        )?
        .query_row([key], |row| row.get(0))?;
    // The most frequent spelling names the norm.
    let names = texts(
        "SELECT norm_id FROM (
             SELECT norm_id FROM versions WHERE state = 'current' AND norm_key = ?1
             UNION ALL SELECT citations.norm_id FROM citations JOIN versions USING (version_row)
                 WHERE state = 'current' AND citations.norm_key = ?1
             UNION ALL SELECT replacements.norm_id FROM replacements
                 JOIN versions USING (version_row)
                 WHERE state = 'current' AND replacements.norm_key = ?1)
         GROUP BY norm_id ORDER BY count(*) DESC, norm_id LIMIT 1",
    )?;
    let Some(id) = names.into_iter().next() else { return Ok(None) };
    let replaces = texts(
        "SELECT DISTINCT replacements.norm_id FROM replacements JOIN versions USING (version_row)
         WHERE state = 'current' AND versions.norm_key = ?1 ORDER BY 1",
    )?;
    let replaced_by = texts(
        "SELECT DISTINCT versions.norm_id FROM replacements JOIN versions USING (version_row)
         WHERE state = 'current' AND replacements.norm_key = ?1 AND versions.norm_id IS NOT NULL
         ORDER BY 1",
    )?;
    let written = documents.iter().find_map(|(_, _, status)| status.clone());
    let title = documents.iter().find_map(|(_, title, _)| title.clone());
    Ok(Some(Norm {
        id,
        title,
        status: written.or_else(|| (!replaced_by.is_empty()).then(|| "заменён".to_owned())),
        cited_by: cited_by.unsigned_abs(),
        replaces,
        replaced_by,
        documents: documents.into_iter().map(|(document, _, _)| document).collect(),
    }))
}

fn reference(row: &Row<'_>) -> rusqlite::Result<NormReference> {
    Ok(NormReference {
        document: NormDocument {
            id: uuid(row, "document_id")?,
            name: row.get(1)?,
            designation: row.get(2)?,
            collection: row.get(3)?,
        },
        norm: row.get(4)?,
        text: row.get(5)?,
        edition: row.get(6)?,
        clause: row.get(7)?,
        pages: parsed(row, 8)?,
        count: row.get(9)?,
    })
}
