//! What the log line of each stage tells: the counts that were really found, in Russian.

use crate::embedding::Chunked;
use crate::stages::duplicate_check::{Fingerprint, Known};
use crate::stages::initial_validation::Source;
use crate::stages::metadata::Metadata;
use crate::stages::quality_control::Quality;
use crate::stages::rubern_markup::Markup;
use crate::stages::save_vectors::Saved;
use crate::stages::structural_analysis::Skeleton;
use crate::stages::text_extraction::Reading;
use crate::stages::type_specific::TypeSpecific;
use crate::stages::work_candidates::WorkCandidate;
use crate::stages::work_sequences::Sequences;
use extractor::model::TextSource;
use shared::structure::DocumentType;
use stores::database::{GraphCounts, Switched};

/// Stage 1.
pub fn initial_validation(source: &Source) -> String {
    let kilobytes = source.size.div_ceil(1024);
    let mismatch = if source.mismatch.is_some() {
        ", расширение не соответствует содержимому"
    } else {
        ""
    };
    format!("{:?}, {kilobytes} КБ{mismatch}", source.format)
}

/// Stage 2.
pub fn duplicate_check(fingerprint: &Fingerprint) -> String {
    let short = fingerprint.sha256.get(..12).unwrap_or_default();
    let known = match &fingerprint.known {
        Known::Nothing => "новый документ",
        Known::Trained(_) => "уже обучен",
        Known::Remembered(_) => "исход известен",
        Known::ByThisJob(_) => "обучен прерванной попыткой",
    };
    format!("{known}, sha256 {short}…")
}

/// Stage 3.
pub fn text_extraction(reading: &Reading) -> String {
    let pages = &reading.extracted.pages;
    let recognised = pages.iter().filter(|page| page.source == TextSource::Ocr).count();
    let recognised =
        if recognised > 0 { format!(", распознано {recognised}") } else { String::new() };
    format!(
        "страниц {}{recognised}, букв и цифр {}",
        reading.extracted.page_count, reading.characters
    )
}

/// Stage 4.
pub fn document_type(kind: &DocumentType) -> String {
    let subtype =
        if kind.subtype.is_empty() { String::new() } else { format!("/{}", kind.subtype) };
    format!("{}{subtype}, уверенность {:.2}", kind.family, kind.confidence)
}

/// Stage 5.
pub fn structural_analysis(skeleton: &Skeleton) -> String {
    let counts = &skeleton.counts;
    format!(
        "разделов {}, пунктов {}, таблиц {}, рисунков {}, полнота {:.2}",
        counts.sections, counts.clauses, counts.tables, counts.figures, skeleton.completeness
    )
}

/// Stage 6.
#[expect(clippy::ptr_arg, reason = "called with the stage's artifact as it is")]
pub fn work_candidates(seeds: &Vec<WorkCandidate>) -> String {
    format!("кандидатов {}", seeds.len())
}

/// Stage 7.
pub fn rubern_markup(markup: &Markup) -> String {
    format!(
        "работ {}, зависимостей {}, разделов {}, пунктов {}, таблиц {}",
        markup.works.len(),
        markup.dependencies.len(),
        markup.sections.len(),
        markup.clauses.len(),
        markup.tables.len()
    )
}

/// Stage 8.
pub fn metadata(metadata: &Metadata) -> String {
    let designation = metadata.designation.as_ref().map_or("обозначения нет", |found| &found.value);
    format!(
        "{designation}; ссылок на нормы {}, материалов {}, сумм {}, дат {}",
        metadata.references.len(),
        metadata.materials.len(),
        metadata.finances.len(),
        metadata.dates.len()
    )
}

/// Stage 9.
pub fn quality_control(quality: &Quality) -> String {
    format!(
        "{} из 100 ({}), замечаний {}",
        quality.score.round(),
        quality.level,
        quality.issues.len()
    )
}

/// Stage 10.
pub fn type_specific(specific: &TypeSpecific) -> String {
    specific.summary()
}

/// Stage 11.
pub fn work_sequences(sequences: &Sequences) -> String {
    sequences.summary()
}

/// Stage 12.
pub fn save_sequences(counts: &GraphCounts) -> String {
    format!("работ {}, зависимостей {}, ссылок {}", counts.works, counts.edges, counts.references)
}

/// Stage 13.
pub fn chunking(chunked: &Chunked) -> String {
    match &chunked.embedding {
        Some(made) => format!(
            "фрагментов {}, векторов {} (вычислено {})",
            chunked.chunks.len(),
            made.vectors.len(),
            made.computed
        ),
        None => format!("фрагментов {}, без векторов: нет модели", chunked.chunks.len()),
    }
}

/// Stage 14.
pub fn save_vectors(saved: &Saved) -> String {
    let version = match &saved.switched {
        Switched::Done { replaced: Some(old), .. } => format!(", заменена версия {old}"),
        Switched::Done { replaced: None, .. } => String::new(),
        Switched::Duplicate { .. } => ", такой документ уже обучен".to_owned(),
    };
    format!("{}{version}", self::saved(saved.chunks, saved.vectors))
}

/// What stage 14 stored.
pub fn saved(chunks: u64, vectors: usize) -> String {
    format!("сохранено фрагментов {chunks}, векторов {vectors}")
}
