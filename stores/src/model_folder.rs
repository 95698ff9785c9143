//! One loaded model for a whole process: an api and a worker that live together share it.

use crate::Result;
use crate::embedder::Embedder;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the model is, and the model once somebody loaded it. Clones share it.
#[derive(Clone, Debug)]
pub struct ModelFolder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    threads: usize,
    loaded: Mutex<Option<Arc<Embedder>>>,
}

impl ModelFolder {
    /// Nothing is read yet. At most `threads` passages will be embedded at once.
    pub fn new(path: &Path, threads: usize) -> ModelFolder {
        let loaded = Mutex::default();
        ModelFolder(Arc::new(Inner { path: path.to_owned(), threads, loaded }))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The model, read from its folder by the first caller; others wait for it. Blocking, about a
    /// second. `StoreError::ModelMissing` while the folder has no usable model.
    pub fn load(&self) -> Result<Arc<Embedder>> {
        let mut loaded = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(embedder) = loaded.as_ref() {
            return Ok(Arc::clone(embedder));
        }
        let embedder = Arc::new(Embedder::load(&self.0.path, self.0.threads)?);
        tracing::info!(model = embedder.model_id(), "embedding model loaded");
        Ok(Arc::clone(loaded.insert(embedder)))
    }
}
