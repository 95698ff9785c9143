//! Where everything that lasts is kept: blobs (jobs, uploads, reports), the knowledge base
//! (documents, chunks, vectors, work graphs, norms), and the model that embeds text.
//!
//! All functions of [`Database`] block; call them from a blocking thread or through
//! [`Database::call`]. Blobs are async.

pub mod blobs;
pub mod ledger;
pub mod manifest;
pub mod database;
pub mod vector;
pub mod embedder;
pub mod model;
mod model_folder;
mod ocr_cache;
pub mod text;
pub mod search;
mod error;

pub use blobs::Blobs;
pub use database::Database;
pub use embedder::Embedder;
pub use error::StoreError;
pub use manifest::Manifest;
pub use model_folder::ModelFolder;
pub use ocr_cache::OcrCache;

/// The result of every store call.
pub type Result<T> = std::result::Result<T, StoreError>;
