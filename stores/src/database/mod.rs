//! The knowledge base: one SQLite file that several processes may use at once.

mod types;
mod publish;
mod documents;
mod knowledge;
mod jobs;
mod cache;

pub use cache::Embedded;
pub use types::*;

use crate::{Result, StoreError};
use std::path::Path;
use std::sync::Arc;

/// The knowledge base. Cheap to clone; clones share connections and the vectors in memory.
#[derive(Clone, Debug)]
pub struct Database {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {}

impl Database {
    /// Opens `knowledge.sqlite` in a folder, making folder, file and schema when missing.
    pub fn open(folder: &Path) -> Result<Database> {
        let _ = folder;
        Ok(Database { inner: Arc::new(Inner {}) })
    }

    /// Whether the database answers and can be written.
    pub fn check(&self) -> Result<()> {
        let _ = &self.inner;
        Err(unfinished())
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
}

fn unfinished() -> StoreError {
    StoreError::Invalid("not built yet".to_owned())
}
