//! The 14 stages of a document, in order. `let` bindings are the state: no stage can read what
//! has not been produced yet, and a signature lists exactly what a stage reads.

use crate::embedding::{embed, window};
use crate::extracted::Extracted;
use crate::narration;
use crate::run::Run;
use crate::services::Services;
use crate::stages::chunking::chunking;
use crate::stages::document_type::document_type;
use crate::stages::duplicate_check::duplicate_check;
use crate::stages::initial_validation::initial_validation;
use crate::stages::metadata::{Metadata, metadata};
use crate::stages::quality_control::quality_control;
use crate::stages::rubern_markup::{Markup, rubern_markup};
use crate::stages::save_sequences::save_sequences;
use crate::stages::save_vectors::save_vectors;
use crate::stages::structural_analysis::structural_analysis;
use crate::stages::text_extraction::text_extraction;
use crate::stages::type_specific::type_specific;
use crate::stages::work_candidates::work_candidates;
use crate::stages::work_sequences::work_sequences;
use crate::stop::Stop;
use crate::task::DocumentTask;
use crate::trained::{Found, Trained};
use shared::chunk::Chunk;
use shared::stage::Stage;

/// Trains one document on the calling (blocking) thread.
///
/// # Errors
/// Why the document stopped before its last stage.
pub fn process(
    services: &Services,
    task: &DocumentTask,
    run: &mut Run<'_>,
) -> Result<Trained, Stop> {
    let rules = &services.rules;
    let name = task.entry.name.as_str();
    let held = run.held;

    let source = run.stage(
        Stage::InitialValidation,
        || initial_validation(services, &task.entry),
        narration::initial_validation,
    )?;
    let digest = run.stage(
        Stage::DuplicateCheck,
        || duplicate_check(services, task, &source, held),
        narration::duplicate_check,
    )?;
    run.sha256 = Some(digest.sha256.clone());
    digest.admit()?;
    let extracted = run.stage(
        Stage::TextExtraction,
        || text_extraction(services, &source, &digest, name, held),
        narration::text_extraction,
    )?;
    let text = extracted.admit()?;
    let kind = run.stage(
        Stage::DocumentType,
        || Ok(document_type(rules, text, name)),
        narration::document_type,
    )?;
    let skeleton = run.stage(
        Stage::StructuralAnalysis,
        || Ok(structural_analysis(rules, text, &kind)),
        narration::structural_analysis,
    )?;
    let seeds = run.stage(
        Stage::WorkCandidates,
        || Ok(work_candidates(rules, text, &skeleton, &kind)),
        narration::work_candidates,
    )?;
    let markup = run.stage(
        Stage::RubernMarkup,
        || Ok(rubern_markup(rules, text, &skeleton, &seeds, &kind)),
        narration::rubern_markup,
    )?;
    let metadata = run.stage(
        Stage::Metadata,
        || Ok(metadata(rules, text, &markup, &kind, name)),
        narration::metadata,
    )?;
    let quality = run.stage(
        Stage::QualityControl,
        || Ok(quality_control(text, &kind, &markup, &metadata)),
        narration::quality_control,
    )?;
    let specific = run.stage(
        Stage::TypeSpecific,
        || Ok(type_specific(rules, text, &markup, &kind)),
        narration::type_specific,
    )?;
    let sequences = run.stage(
        Stage::WorkSequences,
        || Ok(work_sequences(rules, &markup, &specific)),
        narration::work_sequences,
    )?;
    run.stage(
        Stage::SaveSequences,
        || save_sequences(services, task, &markup, &metadata, &sequences),
        narration::save_sequences,
    )?;
    let chunked = run.stage(
        Stage::Chunking,
        || embed(services, cut(services, text, &markup, &metadata), held),
        narration::chunking,
    )?;
    let mut trained = Found { extracted, kind, markup, metadata, quality, specific, sequences }
        .into_trained(task, &digest, &chunked, &run.finished);
    let saved = run.stage(
        Stage::SaveVectors,
        || save_vectors(services, &task.attempt, &chunked, &mut trained),
        narration::save_vectors,
    )?;
    saved.admit()?;
    Ok(trained)
}

/// The pure half of stage 13, with the model's own way of counting.
fn cut(services: &Services, text: &Extracted, markup: &Markup, metadata: &Metadata) -> Vec<Chunk> {
    let (count_tokens, window) = window(services);
    chunking(markup, text, &metadata.references, &count_tokens, window)
}
