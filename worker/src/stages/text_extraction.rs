//! Stage 3: every page of the document, read by a limited child process.

use crate::extracted::Extracted;
use crate::heartbeat::Held;
use crate::services::Services;
use crate::stages::duplicate_check::Fingerprint;
use crate::stages::initial_validation::Source;
use crate::stop::Stop;
use extractor::client::{ExtractError, Extraction, Tools, extract};
use extractor::model::TextSource;
use shared::outcome::{Code, Outcome};

/// Fewer characters than this are no document (spec: pipeline.md, «How a document ends»).
const SHORTEST_TEXT: usize = 10;

/// What was read, whether or not it is enough.
#[derive(Debug)]
pub struct Reading {
    /// The pages.
    pub extracted: Extracted,
    /// Letters and digits in them.
    pub characters: usize,
}

impl Reading {
    /// Lets a document with a usable text pass.
    ///
    /// # Errors
    /// `needs_attention` when the pages could not be read, `too_short` when there is nothing on them.
    pub fn admit(&self) -> Result<&Extracted, Stop> {
        if self.characters >= SHORTEST_TEXT {
            return Ok(&self.extracted);
        }
        let warnings = &self.extracted.warnings;
        let broken = warnings.iter().find(|(code, _)| code.is_some_and(spoils_text));
        Err(match broken {
            Some((code, message)) => Stop::Skipped {
                outcome: Outcome::NeedsAttention,
                code: *code,
                message: message.clone(),
            },
            None => Stop::Skipped {
                outcome: Outcome::TooShort,
                code: Some(Code::NoText),
                message: format!("текста нет или почти нет (знаков: {})", self.characters),
            },
        })
    }

    /// Pages of which nothing could be read although something seems to be there.
    pub fn unreadable_pages(&self) -> usize {
        let pages = &self.extracted.pages;
        pages
            .iter()
            .filter(|page| page.source == TextSource::None && !page.warnings.is_empty())
            .count()
    }
}

/// Codes of warnings that explain why a document has no text.
fn spoils_text(code: Code) -> bool {
    use Code::*;
    matches!(
        code,
        TextLayerBroken
            | OcrLanguageMissing
            | DamagedFile
            | ParserTimeout
            | ParserMemory
            | ParserCrashed
    )
}

/// Reads the pages.
///
/// # Errors
/// The codes of the extractor; a document of which some pages were read before it failed goes on
/// with those and a warning.
pub fn text_extraction(
    services: &Services,
    source: &Source,
    digest: &Fingerprint,
    name: &str,
    held: &Held,
) -> Result<Reading, Stop> {
    // Every wait in there has a clock of its own, so whoever is asked this is alive.
    let cancelled = || {
        held.moves_on();
        !held.is_running()
    };
    // One folder per file, so that deleting the document deletes its recognised text.
    let ocr_cache = Some(services.ocr_cache.folder(&digest.sha256));
    let tools = Tools { ocr_cache, ..services.tools.clone() };
    let result = extract(&source.path, name, &services.limits, &tools, &cancelled, &|_page| {});
    let mut extraction = match result {
        Ok(extraction) => extraction,
        Err(ExtractError::Cancelled) => {
            held.proceed()?;
            return Err(Stop::store("чтение прервано"));
        }
        Err(ExtractError::Unavailable(message)) => return Err(Stop::store(message)),
        Err(ExtractError::Failed(failure)) => match failure.partial {
            Some(mut partial) if has_text(&partial) => {
                partial.warnings.push((Some(failure.code), failure.message));
                partial
            }
            _ => return Err(Stop::permanent(failure.code, failure.message)),
        },
    };
    if let Some(mismatch) = &source.mismatch {
        extraction.warnings.push((Some(Code::ExtensionMismatch), mismatch.clone()));
    }
    let extracted = Extracted::from(extraction);
    let characters = extracted
        .blocks()
        .flat_map(|(_, block)| block.text.chars())
        .filter(|character| character.is_alphanumeric())
        .count();
    Ok(Reading { extracted, characters })
}

fn has_text(extraction: &Extraction) -> bool {
    extraction
        .pages
        .iter()
        .any(|page| page.blocks.iter().any(|block| !block.text.trim().is_empty()))
}
