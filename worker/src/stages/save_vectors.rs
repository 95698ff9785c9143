//! Stage 14: chunks and vectors are stored, then the new version becomes the searchable one in
//! one step and the old one is gone.

use crate::embedding::Chunked;
use crate::narration;
use crate::run::{StageTime, milliseconds};
use crate::services::Services;
use crate::stop::Stop;
use crate::trained::Trained;
use shared::outcome::Outcome;
use shared::stage::Stage;
use std::time::Instant;
use stores::database::{Attempt, EmbeddedChunks, Switched};

/// How the switch ended.
#[derive(Debug)]
pub struct Saved {
    /// Chunks that the store acknowledged.
    pub chunks: u64,
    /// How many of them have vectors.
    pub vectors: usize,
    /// The store's answer.
    pub switched: Switched,
}

impl Saved {
    /// Lets the version that won pass.
    ///
    /// # Errors
    /// `skipped_duplicate` when another document with the same bytes was switched in first.
    pub fn admit(&self) -> Result<(), Stop> {
        match &self.switched {
            Switched::Done { .. } => Ok(()),
            Switched::Duplicate { path, .. } => Err(Stop::Skipped {
                outcome: Outcome::SkippedDuplicate,
                code: None,
                message: format!("уже обучено: {path}"),
            }),
        }
    }
}

/// Stores the chunks and switches the version.
///
/// # Errors
/// The store does not answer, acknowledges another number of chunks than were sent, or knows of a
/// later attempt.
pub fn save_vectors(
    services: &Services,
    attempt: &Attempt,
    chunked: &Chunked,
    trained: &mut Trained,
) -> Result<Saved, Stop> {
    let started = Instant::now();
    let vectors =
        chunked.embedding.as_ref().map(|made| (made.model.as_str(), made.vectors.as_slice()));
    let embedded = EmbeddedChunks { chunks: &chunked.chunks, vectors };
    let stored = services.database.stage_chunks(attempt, embedded).map_err(Stop::from_store)?;
    if stored != chunked.chunks.len() as u64 {
        return Err(Stop::store(format!(
            "сохранено {stored} фрагментов из {}",
            chunked.chunks.len()
        )));
    }
    let vectors = vectors.map_or(0, |(_, vectors)| vectors.len());
    // The report becomes visible with the version, so it has the time up to the switch.
    trained.close_report(&StageTime {
        stage: Stage::SaveVectors,
        duration_ms: milliseconds(started.elapsed()),
        details: narration::saved(stored, vectors),
    });
    let switched = services
        .database
        .switch(attempt, &trained.record, &trained.artifacts)
        .map_err(Stop::from_store)?;
    Ok(Saved { chunks: stored, vectors, switched })
}
