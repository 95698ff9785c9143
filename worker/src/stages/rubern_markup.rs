//! Stage 7: the detailed structure of a document and its Rubern text.

use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::stages::structural_analysis::Skeleton;
use crate::stages::work_candidates::WorkCandidate;
use crate::structure::body::{self, Body};
use crate::structure::outline::outline;
use shared::structure::{Clause, Dependency, DocumentType, Section, Table, Work};

pub use crate::structure::body::{Figure, List, Part, Passage};

/// What stage 7 made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Markup {
    /// The document as Rubern text.
    pub rubern: String,
    /// The section tree.
    pub sections: Vec<Section>,
    /// Clauses with unique numbers, in document order.
    pub clauses: Vec<Clause>,
    /// Tables, in document order.
    pub tables: Vec<Table>,
    /// Figures, in document order.
    pub figures: Vec<Figure>,
    /// Lists that stand outside clauses, in document order.
    pub lists: Vec<List>,
    /// The headings of `sections` as written («Приложение А (обязательное) Нагрузки»).
    pub headings: Vec<String>,
    /// The whole body in reading order, as references into the lists above.
    pub parts: Vec<Part>,
    /// Nodes of the work graph.
    pub works: Vec<Work>,
    /// Edges of the work graph.
    pub dependencies: Vec<Dependency>,
    /// Seeds that are no works.
    pub dropped_seeds: Vec<DroppedSeed>,
    /// What a person should know about the structure, in Russian.
    pub issues: Vec<String>,
}

/// A seed of stage 6 that is no work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedSeed {
    /// The phrase.
    pub text: String,
    /// Why, in Russian.
    pub reason: String,
}

/// Builds the full structure and its Rubern text.
pub fn rubern_markup(
    rules: &Rules,
    extracted: &Extracted,
    skeleton: &Skeleton,
    _seeds: &[WorkCandidate],
    document_type: &DocumentType,
) -> Markup {
    let body = if skeleton.generic {
        body::body(extracted, &outline(rules, extracted, document_type, false))
    } else {
        body::body(extracted, &skeleton.outline)
    };
    let Body { sections, headings, clauses, tables, figures, lists, parts, issues } = body;
    Markup {
        rubern: String::new(),
        sections,
        headings,
        clauses,
        tables,
        figures,
        lists,
        parts,
        works: Vec::new(),
        dependencies: Vec::new(),
        dropped_seeds: Vec::new(),
        issues,
    }
}
