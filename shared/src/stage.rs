//! The 14 stages of a document: numbers, wire names and titles (spec: pipeline.md).

use serde::{Deserialize, Serialize};

/// One of the 14 stages, in the order in which every document passes them.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[expect(missing_docs, reason = "each variant is described by its title")]
pub enum Stage {
    InitialValidation = 1,
    DuplicateCheck,
    TextExtraction,
    DocumentType,
    StructuralAnalysis,
    WorkCandidates,
    RubernMarkup,
    Metadata,
    QualityControl,
    TypeSpecific,
    WorkSequences,
    SaveSequences,
    Chunking,
    SaveVectors,
}

impl Stage {
    /// How many stages a document passes.
    pub const COUNT: u8 = 14;

    /// All stages in order.
    pub const ALL: [Stage; Stage::COUNT as usize] = [
        Stage::InitialValidation,
        Stage::DuplicateCheck,
        Stage::TextExtraction,
        Stage::DocumentType,
        Stage::StructuralAnalysis,
        Stage::WorkCandidates,
        Stage::RubernMarkup,
        Stage::Metadata,
        Stage::QualityControl,
        Stage::TypeSpecific,
        Stage::WorkSequences,
        Stage::SaveSequences,
        Stage::Chunking,
        Stage::SaveVectors,
    ];

    /// 1 … 14.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The stage's snake-case name on the wire and of its source file.
    pub fn name(self) -> &'static str {
        match self {
            Stage::InitialValidation => "initial_validation",
            Stage::DuplicateCheck => "duplicate_check",
            Stage::TextExtraction => "text_extraction",
            Stage::DocumentType => "document_type",
            Stage::StructuralAnalysis => "structural_analysis",
            Stage::WorkCandidates => "work_candidates",
            Stage::RubernMarkup => "rubern_markup",
            Stage::Metadata => "metadata",
            Stage::QualityControl => "quality_control",
            Stage::TypeSpecific => "type_specific",
            Stage::WorkSequences => "work_sequences",
            Stage::SaveSequences => "save_sequences",
            Stage::Chunking => "chunking",
            Stage::SaveVectors => "save_vectors",
        }
    }

    /// The title people read in the log.
    pub fn title(self) -> &'static str {
        match self {
            Stage::InitialValidation => "Начальная валидация документа",
            Stage::DuplicateCheck => "Проверка на дубликаты",
            Stage::TextExtraction => "Извлечение текстового содержимого",
            Stage::DocumentType => "Определение типа документа",
            Stage::StructuralAnalysis => "Структурный анализ документа",
            Stage::WorkCandidates => "Извлечение кандидатов-работ",
            Stage::RubernMarkup => "Генерация разметки Rubern",
            Stage::Metadata => "Извлечение метаданных",
            Stage::QualityControl => "Контроль качества данных",
            Stage::TypeSpecific => "Обработка с учетом типа документа",
            Stage::WorkSequences => "Извлечение рабочих последовательностей",
            Stage::SaveSequences => "Сохранение рабочих последовательностей",
            Stage::Chunking => "Разбиение на фрагменты и векторные представления",
            Stage::SaveVectors => "Сохранение фрагментов",
        }
    }

    /// `"7/14"`, as old and new clients read it.
    pub fn label(self) -> String {
        format!("{}/{}", self.number(), Stage::COUNT)
    }

    /// Progress of one document after this stage in percent: 7 · N, 7 … 98.
    pub fn progress(self) -> u8 {
        7 * self.number()
    }

    /// The log line of the finished stage; `details` are real counts, never made up.
    pub fn log(self, details: &str) -> String {
        format!("✅ [Stage {}] {}: {details}", self.label(), self.title())
    }
}

#[cfg(test)]
mod tests {
    use super::Stage;

    #[test]
    fn wire_forms_follow_the_number() {
        for (position, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(stage.number()), position + 1);
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.name());
        }
        assert_eq!(Stage::SaveVectors.progress(), 98);
        assert_eq!(Stage::RubernMarkup.label(), "7/14");
    }
}
