//! Stage 5: the coarse skeleton of a document, and the fallback of stage 7.

use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::structure::line::Line;
use shared::structure::{DocumentType, Section};

/// What stage 5 found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Skeleton {
    /// How much of what there is.
    pub counts: Counts,
    /// The headings of the body, in order, with their place in the tree.
    pub sections: Vec<Section>,
    /// Found elements by those expected for the family, 0..1.
    pub completeness: f64,
    /// Completeness is below 0.3: stage 7 trusts headings only, not numbers.
    pub generic: bool,
    /// Every line of the document with its role, in reading order.
    pub lines: Vec<Line>,
}

/// Counts over the body (the table of contents is not the body).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of spec/pipeline.md, stage 5")]
pub struct Counts {
    pub paragraphs: usize,
    pub words: usize,
    pub characters: usize,
    pub pages: usize,
    pub tables: usize,
    pub figures: usize,
    pub sections: usize,
    pub clauses: usize,
    pub appendices: usize,
    pub examples: usize,
}

/// Reads the skeleton of a document.
pub fn structural_analysis(
    _rules: &Rules,
    extracted: &Extracted,
    _document_type: &DocumentType,
) -> Skeleton {
    Skeleton {
        counts: Counts { pages: extracted.page_count as usize, ..Counts::default() },
        ..Skeleton::default()
    }
}
