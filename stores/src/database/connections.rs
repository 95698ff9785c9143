//! Connections to the file, and its schema.

use crate::{Result, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a writer waits for writers of other processes.
const BUSY: Duration = Duration::from_secs(30);
/// Connections kept open for the next caller.
const KEPT: usize = 8;
/// The schema in this file; another number in a database is refused.
const SCHEMA_VERSION: i64 = 2;

#[derive(Debug)]
pub(super) struct Connections {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// Held while writing: threads of one process queue here instead of polling the file.
    writer: Mutex<()>,
}

impl Connections {
    pub(super) fn open(path: PathBuf) -> Result<Connections> {
        let connections =
            Connections { path, idle: Mutex::new(Vec::new()), writer: Mutex::new(()) };
        connections.write(create_schema)?;
        Ok(connections)
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.run(TransactionBehavior::Deferred, work)
    }

    pub(super) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let _turn = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.run(TransactionBehavior::Immediate, work)
    }

    /// Size of the file with its log, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let log = self.path.with_extension("sqlite-wal");
        [&self.path, &log]
            .iter()
            .filter_map(|file| std::fs::metadata(file).ok())
            .map(|meta| meta.len())
            .sum()
    }

    fn run<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let transaction = connection.transaction_with_behavior(behavior)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        let mut idle = idle();
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(result)
    }
}

fn connect(path: &std::path::Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    set_wal(&connection)?;
    // FULL: a document that the queue counts as done survives a power failure.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    Ok(connection)
}

/// Switches to the write-ahead log. SQLite does not wait for its turn here when several
/// processes meet a new file, so this does.
fn set_wal(connection: &Connection) -> Result<()> {
    let deadline = Instant::now() + BUSY;
    loop {
        let mode =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(StoreError::Invalid(format!("no write-ahead log, but {mode}")));
            }
            Err(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
                ) && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The schema of the knowledge base in a data folder, read without changing anything; an error
/// when it is damaged or newer than this program.
pub(super) fn inspect(file: &Path) -> Result<i64> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if !(1..=SCHEMA_VERSION).contains(&version) {
        return Err(unknown_schema(version));
    }
    connection.query_row("SELECT count(*) FROM versions", [], |row| row.get::<_, i64>(0))?;
    Ok(version)
}

fn unknown_schema(version: i64) -> StoreError {
    StoreError::Invalid(format!(
        "the knowledge base has schema {version}, this program knows {SCHEMA_VERSION}"
    ))
}

fn create_schema(transaction: &Transaction<'_>) -> Result<()> {
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match version {
        0 => transaction.execute_batch(include_str!("schema.sql"))?,
        1 => transaction.execute_batch(FROM_1_TO_2)?,
        SCHEMA_VERSION => return Ok(()),
        other => return Err(unknown_schema(other)),
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {SCHEMA_VERSION}"))?;
    Ok(())
}

/// Documents trained before are cited with their pages until they are trained again.
const FROM_1_TO_2: &str = "ALTER TABLE versions ADD COLUMN paginated INTEGER NOT NULL DEFAULT 1";
