//! What the stages need from outside: stores, the model, the parsers, the rules.

use crate::rules::Rules;
use crate::settings::Settings;
use extractor::client::{ExtractLimits, Tools};
use shared::queue::Queue;
use std::path::PathBuf;
use std::sync::Arc;
use stores::{Blobs, Database, Embedder, StoreError};
use tokio::runtime::Handle;

/// Shared by all documents of a process.
pub struct Services {
    /// The queue and the event log.
    pub queue: Queue,
    /// Manifests, reports, uploads.
    pub blobs: Blobs,
    /// The knowledge base.
    pub database: Database,
    /// The model; without one documents are searched by words only.
    pub embedder: Option<Arc<Embedder>>,
    /// Knowledge about documents.
    pub rules: Rules,
    /// What one document may cost.
    pub limits: ExtractLimits,
    /// The extractor and its tools.
    pub tools: Tools,
    /// Limits and languages that a remembered failure depends on.
    pub fingerprint: String,
    /// The worker's name in events.
    pub worker: String,
    /// Where archives are unpacked for a moment.
    pub scratch: PathBuf,
    /// Carries the network calls of blocking threads.
    runtime: Handle,
}

impl Services {
    /// Opens everything but the queue. Blocking.
    ///
    /// # Errors
    /// A store cannot be opened or a rule file is wrong.
    pub fn open(settings: &Settings, queue: Queue, worker: String) -> anyhow::Result<Services> {
        let data = &settings.storage.data;
        let limits = settings.limits();
        let tools = settings.tools();
        let scratch = data.join("scratch");
        std::fs::create_dir_all(&scratch)?;
        Ok(Services {
            queue,
            blobs: Blobs::in_folder(&data.join("blobs"))?,
            database: Database::open(data)?,
            embedder: load_embedder(settings)?,
            rules: Rules::builtin()?,
            fingerprint: fingerprint(&limits, &tools),
            limits,
            tools,
            worker,
            scratch,
            runtime: Handle::current(),
        })
    }

    /// Waits for a call on a blocking thread.
    pub fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }
}

/// A missing model is no error: the system then searches by words and says so.
fn load_embedder(settings: &Settings) -> anyhow::Result<Option<Arc<Embedder>>> {
    match Embedder::load(&settings.model.model, settings.worker.workers as usize) {
        Ok(embedder) => Ok(Some(Arc::new(embedder))),
        Err(StoreError::ModelMissing(_)) => {
            tracing::warn!(
                folder = %settings.model.model.display(),
                "no embedding model: search will use words only (get it with: ragtrain model fetch)"
            );
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A failure is worth repeating when a limit, a language or a tool changed.
fn fingerprint(limits: &ExtractLimits, tools: &Tools) -> String {
    format!(
        "{limits:?} {:?} tesseract={} pdftotext={}",
        tools.ocr_languages,
        tools.tesseract.is_some(),
        tools.pdftotext.is_some()
    )
}
