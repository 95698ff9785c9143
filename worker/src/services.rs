//! What the stages need from outside: stores, the model, the parsers, the rules.

use crate::rules::Rules;
use crate::settings::Settings;
use extractor::client::checks::missing_languages;
use extractor::client::{ExtractLimits, Tools};
use shared::queue::Queue;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stores::{Blobs, Database, Embedder, Manifest, ModelFolder, OcrCache, StoreError};
use tokio::runtime::Handle;
use uuid::Uuid;

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
    /// Recognised pages.
    pub ocr_cache: OcrCache,
    /// Limits and languages that a remembered failure depends on.
    pub fingerprint: String,
    /// The worker's name in events.
    pub worker: String,
    /// Where archives are unpacked for a moment.
    pub scratch: PathBuf,
    /// Manifests of the jobs at hand, newest first.
    manifests: Mutex<Vec<(Uuid, Manifest)>>,
    /// Carries the network calls of blocking threads.
    runtime: Handle,
}

impl Services {
    /// Opens everything but the queue. Blocking.
    ///
    /// # Errors
    /// A store cannot be opened or a rule file is wrong.
    pub fn open(
        settings: &Settings,
        model: &ModelFolder,
        queue: Queue,
        worker: String,
    ) -> anyhow::Result<Services> {
        if settings.storage.blobs_url.is_some() {
            anyhow::bail!("BLOBS_URL: only the folder of RAGTRAIN_DATA is supported so far");
        }
        let data = &settings.storage.data;
        let limits = settings.limits();
        let tools = settings.tools();
        let scratch = data.join("scratch");
        std::fs::create_dir_all(&scratch)?;
        remove_old_scratch(&scratch);
        let ocr_cache = OcrCache::of(data);
        ocr_cache.remove_old();
        Ok(Services {
            queue,
            blobs: Blobs::in_folder(&data.join("blobs"))?,
            database: Database::open(data)?,
            embedder: load_embedder(model)?,
            rules: Rules::builtin()?,
            fingerprint: fingerprint(&limits, &tools),
            manifests: Mutex::default(),
            limits,
            tools,
            ocr_cache,
            worker,
            scratch,
            runtime: Handle::current(),
        })
    }

    /// The manifest of a job; its parts stay in memory while documents of the job come in.
    pub fn manifest(&self, job: Uuid) -> Manifest {
        let mut manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, manifest)) = manifests.iter().find(|(id, _)| *id == job) {
            return manifest.clone();
        }
        let manifest = Manifest::of(&self.blobs, job);
        manifests.truncate(MANIFESTS - 1);
        manifests.insert(0, (job, manifest.clone()));
        manifest
    }

    /// Waits for a call on a blocking thread.
    pub fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }
}

/// A missing model is no error: the system then searches by words and says so.
fn load_embedder(model: &ModelFolder) -> anyhow::Result<Option<Arc<Embedder>>> {
    match model.load() {
        Ok(embedder) => Ok(Some(embedder)),
        Err(StoreError::ModelMissing(_)) => {
            tracing::warn!(
                folder = %model.path().display(),
                "no embedding model: search will use words only (get it with: ragtrain model fetch)"
            );
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Jobs whose manifests are kept at hand; a worker rarely serves more at once.
const MANIFESTS: usize = 8;
/// No archive takes this long to unpack: older folders were left by a killed worker.
const SCRATCH_AGE: Duration = Duration::from_secs(24 * 3600);

fn remove_old_scratch(scratch: &Path) {
    for entry in std::fs::read_dir(scratch).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > SCRATCH_AGE)
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!("old scratch folder stays: {error}");
        }
    }
}

/// A failure is worth repeating when a limit, a language or a tool changed.
fn fingerprint(limits: &ExtractLimits, tools: &Tools) -> String {
    format!(
        "{limits:?} {:?} missing={:?} pdftotext={}",
        tools.ocr_languages,
        missing_languages(tools),
        tools.pdftotext.is_some()
    )
}
