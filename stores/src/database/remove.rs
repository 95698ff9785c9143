//! Removing versions and documents, with proof.

use super::{Database, Deleted};
use crate::{Result, StoreError};
use rusqlite::Transaction;
use uuid::Uuid;

/// The tables whose rows belong to a version.
const TABLES: [&str; 8] =
    ["chunks", "vectors", "works", "edges", "citations", "replacements", "artifacts", "positions"];

impl Database {
    /// Deletes a document and everything that came from it, and verifies that nothing is left.
    /// `None` when there is no such document. Rows of past jobs stay: they are the jobs' history.
    pub fn delete_document(&self, document: Uuid) -> Result<Option<Deleted>> {
        self.write(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT version_row, state = 'current' FROM versions WHERE document_id = ?1",
            )?;
            let versions: Vec<(i64, bool)> = select
                .query_map([document.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let mut deleted = Deleted::default();
            for (version, current) in &versions {
                let count = |table| count_rows(transaction, table, *version);
                deleted.versions += 1;
                deleted.chunks += count("chunks")?;
                deleted.vectors += count("vectors")?;
                deleted.works += count("works")?;
                deleted.edges += count("edges")?;
                deleted.references += count("citations")?;
                deleted.artifacts += count("artifacts")?;
                deleted.positions += count("positions")?;
                remove_version(transaction, *version, *current)?;
            }
            transaction
                .execute("DELETE FROM documents WHERE document_id = ?1", [document.as_bytes()])?;
            Ok((!versions.is_empty()).then_some(deleted))
        })
    }
}

/// Removes a version with everything that belongs to it, and checks that it is gone.
/// `visible` versions are also announced to the vectors in memory.
pub(super) fn remove_version(
    transaction: &Transaction<'_>,
    version: i64,
    visible: bool,
) -> Result<()> {
    if visible {
        transaction.execute(
            "DELETE FROM words WHERE rowid IN (SELECT chunk_row FROM chunks WHERE version_row = ?1)",
            [version],
        )?;
        transaction
            .execute("INSERT INTO changes (version_row, added) VALUES (?1, 0)", [version])?;
    }
    // Edges name works by a key that does not cascade.
    transaction.execute("DELETE FROM edges WHERE version_row = ?1", [version])?;
    transaction.execute("DELETE FROM versions WHERE version_row = ?1", [version])?;
    for table in TABLES {
        let left = count_rows(transaction, table, version)?;
        if left > 0 {
            return Err(StoreError::Damaged(format!(
                "{left} rows of a removed version are left in {table}"
            )));
        }
    }
    Ok(())
}

/// Rows of a version in one of the tables that belong to versions.
pub(super) fn count_rows(transaction: &Transaction<'_>, table: &str, version: i64) -> Result<u64> {
    let count: i64 = transaction
        .prepare_cached(&format!("SELECT count(*) FROM {table} WHERE version_row = ?1"))?
        .query_row([version], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
