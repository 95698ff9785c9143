//! Staging a version and switching it in.

use super::{
    Artifacts, Attempt, Database, Deleted, DocumentRecord, EmbeddedChunks, Graph, GraphCounts,
    Switched, unfinished,
};
use crate::Result;
use uuid::Uuid;

impl Database {
    /// Starts an attempt: gives it the next version and removes what earlier attempts of this
    /// job left. `StoreError::Fenced` when a later attempt has begun.
    pub fn begin(
        &self,
        document: Uuid,
        collection: &str,
        job: Uuid,
        fence: i64,
    ) -> Result<Attempt> {
        let _ = (document, collection, job, fence);
        Err(unfinished())
    }

    /// Stage 12: writes the work graph and the cited norms, and counts them by reading back.
    /// Repeatable: a second call replaces what the first wrote.
    pub fn stage_graph(&self, attempt: &Attempt, graph: Graph<'_>) -> Result<GraphCounts> {
        let _ = (attempt, graph);
        Err(unfinished())
    }

    /// Stage 14: writes chunks and vectors, and counts the stored chunks by reading back.
    /// Repeatable.
    pub fn stage_chunks(&self, attempt: &Attempt, chunks: EmbeddedChunks<'_>) -> Result<u64> {
        let _ = (attempt, chunks);
        Err(unfinished())
    }

    /// Makes the staged version the searchable one and removes the old one, in one step.
    pub fn switch(
        &self,
        attempt: &Attempt,
        record: &DocumentRecord,
        artifacts: &Artifacts,
    ) -> Result<Switched> {
        let _ = (attempt, record, artifacts);
        Err(unfinished())
    }

    /// Gives up an attempt that ended otherwise (cancelled, failed): removes what it staged.
    pub fn abandon(&self, attempt: &Attempt) -> Result<()> {
        let _ = attempt;
        Err(unfinished())
    }

    /// Removes what dead attempts of a finished job left. Answers the number of versions.
    pub fn sweep_job(&self, job: Uuid) -> Result<u64> {
        let _ = job;
        Err(unfinished())
    }

    /// Deletes a document and everything that came from it, and verifies that nothing is left.
    /// `None` when there is no such document.
    pub fn delete_document(&self, document: Uuid) -> Result<Option<Deleted>> {
        let _ = document;
        Err(unfinished())
    }
}
