//! Reading trained documents.

use super::{
    ArtifactKind, Database, DocumentFilter, Estimate, Original, Page, StoreCounts, StoredChunk,
    TrainedDocument, unfinished,
};
use crate::Result;
use uuid::Uuid;

impl Database {
    /// The trained document with these bytes, if any (stage 2).
    pub fn find_trained(
        &self,
        collection: &str,
        sha256: &str,
        pipeline_version: u32,
    ) -> Result<Option<TrainedDocument>> {
        let _ = (collection, sha256, pipeline_version);
        Err(unfinished())
    }

    /// Other trained documents of a collection with the same own designation (stage 8 reports a
    /// probable re-issue).
    pub fn same_designation(
        &self,
        collection: &str,
        norm_id: &str,
        except: Uuid,
    ) -> Result<Vec<TrainedDocument>> {
        let _ = (collection, norm_id, except);
        Err(unfinished())
    }

    /// Trained documents, oldest first; `limit` is 1..=1000.
    pub fn documents(
        &self,
        filter: &DocumentFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<TrainedDocument>> {
        let _ = (filter, limit, cursor);
        Err(unfinished())
    }

    /// A trained document.
    pub fn document(&self, document: Uuid) -> Result<Option<TrainedDocument>> {
        let _ = document;
        Err(unfinished())
    }

    /// Where the original of a trained document is.
    pub fn original(&self, document: Uuid) -> Result<Option<Original>> {
        let _ = document;
        Err(unfinished())
    }

    /// An artifact of a trained document; `None` without the document or the artifact.
    pub fn artifact(&self, document: Uuid, kind: ArtifactKind) -> Result<Option<String>> {
        let _ = (document, kind);
        Err(unfinished())
    }

    /// Chunks of a trained document in order.
    pub fn chunks(
        &self,
        document: Uuid,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<StoredChunk>> {
        let _ = (document, limit, cursor);
        Err(unfinished())
    }

    /// The estimate of a trained document; `None` when it is no estimate.
    pub fn estimate(&self, document: Uuid) -> Result<Option<Estimate>> {
        let _ = document;
        Err(unfinished())
    }

    /// Totals for status and metrics.
    pub fn counts(&self) -> Result<StoreCounts> {
        Err(unfinished())
    }
}
