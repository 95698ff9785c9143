//! Stage 2: SHA-256 of the bytes; is this document trained already, or known not to be trainable.

use crate::heartbeat::Held;
use crate::services::Services;
use crate::stages::initial_validation::Source;
use crate::stop::Stop;
use crate::task::DocumentTask;
use sha2::{Digest, Sha256};
use shared::identity::PIPELINE_VERSION;
use shared::outcome::Outcome;
use std::io::Read;
use stores::database::{MemoryKey, Remembered, TrainedDocument};

/// The document's bytes and what is known of them.
#[derive(Debug)]
pub struct Fingerprint {
    /// Lower-case hex.
    pub sha256: String,
    /// What is known.
    pub known: Known,
}

/// What is known of some bytes.
#[derive(Debug)]
pub enum Known {
    /// Nothing, or the job wants to know it anew.
    Nothing,
    /// A document with these bytes is trained.
    Trained(Box<TrainedDocument>),
    /// They ended for good in this way before.
    Remembered(Remembered),
    /// A crashed attempt of this job had trained this very document; only the telling is left.
    ByThisJob(Box<TrainedDocument>),
}

impl Fingerprint {
    /// Lets new documents pass.
    ///
    /// # Errors
    /// The known outcome of these bytes.
    pub fn admit(&self) -> Result<(), Stop> {
        match &self.known {
            Known::Nothing => Ok(()),
            Known::Trained(trained) => Err(Stop::Skipped {
                outcome: Outcome::SkippedDuplicate,
                code: None,
                message: format!("уже обучено: {}", trained.path),
            }),
            Known::ByThisJob(trained) => Err(Stop::Skipped {
                outcome: trained.outcome,
                code: None,
                message: "обучено прерванной попыткой этой же задачи".to_owned(),
            }),
            Known::Remembered(known) => Err(Stop::Skipped {
                outcome: known.outcome,
                code: known.code,
                message: known.message.clone().unwrap_or_default(),
            }),
        }
    }
}

/// Hashes the file and asks the stores.
///
/// # Errors
/// The file cannot be read to its end, or a store does not answer.
pub fn duplicate_check(
    services: &Services,
    task: &DocumentTask,
    source: &Source,
    held: &Held,
) -> Result<Fingerprint, Stop> {
    let sha256 = hash(source, held)?;
    let known = known(services, task, &sha256).map_err(Stop::from_store)?;
    Ok(Fingerprint { sha256, known })
}

fn known(
    services: &Services,
    task: &DocumentTask,
    sha256: &str,
) -> Result<Known, stores::StoreError> {
    let database = &services.database;
    if let Some(trained) = database.find_trained(&task.collection, sha256, PIPELINE_VERSION)? {
        if trained.id == task.entry.document_id && trained.job == task.lease.job_id {
            return Ok(Known::ByThisJob(Box::new(trained)));
        }
        if !task.force {
            return Ok(Known::Trained(Box::new(trained)));
        }
    }
    if task.force {
        return Ok(Known::Nothing);
    }
    let key = memory_key(services, sha256);
    Ok(database.remembered(key)?.map_or(Known::Nothing, Known::Remembered))
}

/// Under which key a permanent outcome of these bytes is remembered.
pub fn memory_key<'a>(services: &'a Services, sha256: &'a str) -> MemoryKey<'a> {
    MemoryKey { sha256, pipeline_version: PIPELINE_VERSION, fingerprint: &services.fingerprint }
}

fn hash(source: &Source, held: &Held) -> Result<String, Stop> {
    let mut file = std::fs::File::open(&source.path).map_err(Stop::store)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        held.proceed()?;
        let read = file.read(&mut buffer).map_err(Stop::store)?;
        if read == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(&buffer[..read]);
    }
}
