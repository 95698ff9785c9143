//! Stage 6: seeds of the work graph.

use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::stages::structural_analysis::Skeleton;
use shared::structure::{DocumentType, PageRange};

/// A phrase that looks like a work (ppr), a requirement (norms), a position (smeta, rd) or an
/// example (educational). Stage 7 keeps it as a work or drops it with a reason.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkCandidate {
    /// The phrase as written, whole words, more than 10 characters.
    pub text: String,
    /// Number of the clause, code of the rate or number of the operation; empty when it has none.
    pub number: String,
    /// Index into [`crate::stages::structural_analysis::Skeleton::sections`].
    pub section: Option<usize>,
    /// First and last page.
    pub pages: PageRange,
    /// Which rule found it.
    pub rule: String,
}

/// Finds up to 40 seeds.
pub fn work_candidates(
    _rules: &Rules,
    _extracted: &Extracted,
    _skeleton: &Skeleton,
    _document_type: &DocumentType,
) -> Vec<WorkCandidate> {
    Vec::new()
}
