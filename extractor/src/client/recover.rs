//! The chain of a page whose own text is not usable: external text tool, then recognition.

use super::{ExtractError, ExtractLimits, Extraction, Tools};
use crate::model::{Page, TextVerdict};
use std::fs::File;

/// Whether the page goes down the chain.
pub(crate) fn needs_help(page: &Page) -> bool {
    !matches!(page.verdict, TextVerdict::Good | TextVerdict::Blank)
}

/// Sends every page that needs it down the chain, in place.
pub(crate) fn recover(
    _source: &File,
    _name: &str,
    extraction: &mut Extraction,
    _limits: &ExtractLimits,
    _tools: &Tools,
    _cancel: &(dyn Fn() -> bool + Sync),
    on_page: &(dyn Fn(&Page) + Sync),
) -> Result<(), ExtractError> {
    for page in extraction.pages.iter().filter(|page| needs_help(page)) {
        on_page(page);
    }
    Ok(())
}
