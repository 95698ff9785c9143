//! How a document ends, and the stable codes that say why (spec: pipeline.md, api.md).

use serde::{Deserialize, Serialize};

/// The end of one document in one job. A failed document never stops the job.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Trained and searchable.
    Completed,
    /// Trained and searchable, with something a person should know.
    CompletedWithWarnings,
    /// The same bytes are already trained in this collection.
    SkippedDuplicate,
    /// Fewer than 10 characters of text.
    TooShort,
    /// The file opens but its text is not usable.
    NeedsAttention,
    /// Not trained; the code says why.
    Failed,
    /// The job was cancelled before the document ended.
    Cancelled,
}

impl Outcome {
    /// All outcomes, in the order in which counters are listed.
    pub const ALL: [Outcome; 7] = [
        Outcome::Completed,
        Outcome::CompletedWithWarnings,
        Outcome::SkippedDuplicate,
        Outcome::TooShort,
        Outcome::NeedsAttention,
        Outcome::Failed,
        Outcome::Cancelled,
    ];

    /// The name on the wire and of the counter in Redis.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::CompletedWithWarnings => "completed_with_warnings",
            Outcome::SkippedDuplicate => "skipped_duplicate",
            Outcome::TooShort => "too_short",
            Outcome::NeedsAttention => "needs_attention",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
        }
    }

    /// The outcome with this wire name.
    pub fn parse(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Whether the document is in the knowledge base afterwards.
    pub fn is_trained(self) -> bool {
        matches!(self, Outcome::Completed | Outcome::CompletedWithWarnings)
    }
}

/// Why a document did not simply complete. Stable: clients and scripts match on the name.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the names are the documentation; spec: api.md, «Codes of documents»"
)]
pub enum Code {
    EmptyFile,
    FileTooLarge,
    UnsupportedFormat,
    /// A warning: the content decides, not the extension.
    ExtensionMismatch,
    PasswordProtected,
    DamagedFile,
    ArchiveUnsafePath,
    ArchiveLimits,
    XmlExternalEntity,
    NoText,
    TextLayerBroken,
    OcrLanguageMissing,
    ParserTimeout,
    ParserMemory,
    ParserCrashed,
    StoreUnavailable,
    WorkerLost,
    /// The file was there when the job was listed and is gone or unreadable now.
    SourceNotFound,
    /// A defect of ours: a stage panicked.
    InternalError,
}

impl Code {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Code::EmptyFile => "empty_file",
            Code::FileTooLarge => "file_too_large",
            Code::UnsupportedFormat => "unsupported_format",
            Code::ExtensionMismatch => "extension_mismatch",
            Code::PasswordProtected => "password_protected",
            Code::DamagedFile => "damaged_file",
            Code::ArchiveUnsafePath => "archive_unsafe_path",
            Code::ArchiveLimits => "archive_limits",
            Code::XmlExternalEntity => "xml_external_entity",
            Code::NoText => "no_text",
            Code::TextLayerBroken => "text_layer_broken",
            Code::OcrLanguageMissing => "ocr_language_missing",
            Code::ParserTimeout => "parser_timeout",
            Code::ParserMemory => "parser_memory",
            Code::ParserCrashed => "parser_crashed",
            Code::StoreUnavailable => "store_unavailable",
            Code::WorkerLost => "worker_lost",
            Code::SourceNotFound => "source_not_found",
            Code::InternalError => "internal_error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Outcome};

    #[test]
    fn names_are_the_wire_names() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
            assert_eq!(Outcome::parse(outcome.name()), Some(outcome));
        }
        assert_eq!(serde_json::to_value(Code::XmlExternalEntity).unwrap(), "xml_external_entity");
    }
}
