//! The knowledge base: one SQLite file that several processes may use at once.
//!
//! Readers never wait (WAL). Writers queue: first for a lock in this process, then for SQLite's
//! own between processes. Everything a document leaves hangs on a row of `versions`, so a version
//! becomes visible by changing one row and disappears with one delete.

mod types;
mod views;
mod connections;
mod publish;
mod rows;
mod remove;
pub(crate) mod documents;
mod knowledge;
mod jobs;
mod cache;

pub use cache::Embedded;
pub use types::*;
pub use views::*;

use crate::search::VectorIndex;
use crate::{Result, StoreError};
use connections::Connections;
use std::path::Path;
use std::sync::Arc;

/// The knowledge base. Cheap to clone; clones share connections and the vectors in memory.
#[derive(Clone, Debug)]
pub struct Database {
    connections: Arc<Connections>,
    pub(crate) vectors: Arc<VectorIndex>,
}

impl Database {
    /// Opens `knowledge.sqlite` in a folder, making folder, file and schema when missing.
    pub fn open(folder: &Path) -> Result<Database> {
        std::fs::create_dir_all(folder)
            .map_err(StoreError::io(format!("make data folder {}", folder.display())))?;
        let connections = Connections::open(folder.join("knowledge.sqlite"))?;
        Ok(Database { connections: Arc::new(connections), vectors: Arc::default() })
    }

    /// The schema of the knowledge base in a data folder, looked up without opening it for work
    /// (for `ragtrain doctor`).
    pub fn inspect(data: &Path) -> Result<i64> {
        connections::inspect(&data.join("knowledge.sqlite"))
    }

    /// Whether the database answers and can be written (for `/readyz`).
    pub fn check(&self) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM changes WHERE generation < 0", [])?;
            Ok(())
        })
    }

    /// Runs blocking work on a blocking thread.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.clone();
        match tokio::task::spawn_blocking(move || work(&database)).await {
            Ok(result) => result,
            Err(panic) => Err(StoreError::Damaged(format!("a database call panicked: {panic}"))),
        }
    }

    /// Reads one consistent state.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.connections.read(work)
    }

    /// Writes all or nothing.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.connections.write(work)
    }
}

/// The start of a page from its cursor: the last key of the page before.
fn after(cursor: Option<&str>) -> Result<i64> {
    match cursor {
        None => Ok(-1),
        Some(cursor) => cursor
            .parse()
            .map_err(|_| StoreError::Invalid(format!("cursor {cursor:?} is not one of ours"))),
    }
}

/// Makes a page of rows read with one row more than asked for.
fn page<T, K: ToString>(mut rows: Vec<(K, T)>, limit: u32) -> Page<T> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = more.then(|| rows.last().map(|(key, _)| key.to_string())).flatten();
    Page { items: rows.into_iter().map(|(_, row)| row).collect(), next_cursor }
}

/// Limits of a listing: 1..=1000, one row more is read to know whether there is a next page.
fn checked_limit(limit: u32) -> Result<u32> {
    match limit {
        1..=1000 => Ok(limit),
        _ => Err(StoreError::Invalid(format!("limit {limit} is not in 1..=1000"))),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
pub(crate) mod tests;
