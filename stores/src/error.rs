//! What can go wrong in a store, divided by what the caller can do about it.

/// A failed store call.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such blob, document or norm.
    #[error("not found: {0}")]
    NotFound(String),
    /// A create-only write met an existing blob.
    #[error("already exists: {0}")]
    AlreadyExists(String),
    /// A later attempt at the same document has taken over; this one must stop writing.
    #[error("fenced off: a later attempt owns document {document}")]
    Fenced {
        /// The document that was written to.
        document: uuid::Uuid,
    },
    /// Another job has switched a version of the document in since this attempt began, so the
    /// bytes that this attempt read may be older than what is searchable: it must begin again.
    #[error("overtaken: document {document} was trained by another job meanwhile")]
    Overtaken {
        /// The document that was to be switched.
        document: uuid::Uuid,
    },
    /// A key or an argument that is not allowed.
    #[error("invalid argument: {0}")]
    Invalid(String),
    /// Stored data that cannot be read back.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// There is no usable embedding model.
    #[error("no embedding model: {0}")]
    ModelMissing(String),
    /// The model did not run.
    #[error("embedding failed: {0}")]
    Embedding(String),
    /// The caller asked to stop (the document was cancelled).
    #[error("stopped on request")]
    Stopped,
    /// SQLite said no.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The blob store said no.
    #[error("blob store: {0}")]
    Blob(#[source] object_store::Error),
    /// The file system said no.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl StoreError {
    /// Whether the same call may succeed later (locked database, full or absent disk, network).
    pub fn is_transient(&self) -> bool {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure,
        };
        match self {
            StoreError::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(DatabaseBusy | DatabaseLocked | DiskFull | CannotOpen | SystemIoFailure)
            ),
            StoreError::Blob(_) | StoreError::Io { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> StoreError {
        let what = what.into();
        move |source| StoreError::Io { what, source }
    }
}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> StoreError {
        match error {
            object_store::Error::NotFound { path, .. } => StoreError::NotFound(path),
            object_store::Error::AlreadyExists { path, .. } => StoreError::AlreadyExists(path),
            other => StoreError::Blob(other),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> StoreError {
        StoreError::Damaged(error.to_string())
    }
}
