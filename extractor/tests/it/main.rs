//! The extractor as the worker runs it: real child processes.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod corpus;
mod formats;
mod limits;
mod pictures;

use extractor::client::{ExtractError, ExtractLimits, Extraction, Tools, extract};
use std::path::{Path, PathBuf};

/// The programs under test; tesseract and pdftotext must be installed.
fn tools() -> Tools {
    let mut tools = Tools::find("/usr/local/bin:/usr/bin:/bin", &["rus", "eng"], 2);
    tools.extractor = PathBuf::from(env!("CARGO_BIN_EXE_ragtrain-extractor"));
    assert!(tools.tesseract.is_some(), "tesseract is missing: apt install tesseract-ocr");
    assert!(tools.pdftotext.is_some(), "pdftotext is missing: apt install poppler-utils");
    tools
}

fn read(path: &Path) -> Result<Extraction, ExtractError> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    extract(path, &name, &ExtractLimits::default(), &tools(), &|| false, &|_| ())
}

fn text(extraction: &Extraction) -> String {
    let blocks = extraction.pages.iter().flat_map(|page| &page.blocks);
    blocks.map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn code(error: ExtractError) -> &'static str {
    match error {
        ExtractError::Failed(failure) => failure.code.name(),
        other => panic!("{other}"),
    }
}
