//! Stage 7: the detailed structure of a document and its Rubern text.

use crate::extracted::Extracted;
use crate::stages::structural_analysis::Skeleton;
use crate::stages::work_candidates::WorkCandidate;
use crate::rules::Rules;
use shared::structure::{Clause, Dependency, DocumentType, PageRange, Section, Table, Work};

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
    /// The whole body in reading order, as references into the lists above.
    pub body: Vec<Part>,
    /// Nodes of the work graph.
    pub works: Vec<Work>,
    /// Edges of the work graph.
    pub dependencies: Vec<Dependency>,
    /// Seeds that are no works.
    pub dropped_seeds: Vec<DroppedSeed>,
    /// What a person should know about the structure, in Russian.
    pub issues: Vec<String>,
}

/// A piece of the body.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The heading of `sections[i]`.
    Section(usize),
    /// `clauses[i]`.
    Clause(usize),
    /// `tables[i]`.
    Table(usize),
    /// `lists[i]`.
    List(usize),
    /// The caption of `figures[i]`.
    Figure(usize),
    /// Paragraphs outside clauses.
    Passage(Passage),
}

/// Running text outside clauses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Passage {
    /// Paragraphs divided by newlines.
    pub text: String,
    /// Index into the list of sections.
    pub section: Option<usize>,
    /// First and last page.
    pub pages: PageRange,
}

/// A figure; its picture is not read, only its caption.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// «1», «А.2»; empty when it has none.
    pub number: String,
    /// The caption with «Рисунок N» as written.
    pub caption: String,
    /// Index into the list of sections.
    pub section: Option<usize>,
    /// Page of the caption.
    pub page: u32,
}

/// A list that stands outside clauses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    /// The sentence that introduces the list; empty when there is none.
    pub lead: String,
    /// Items with their markers as written.
    pub items: Vec<String>,
    /// Index into the list of sections.
    pub section: Option<usize>,
    /// First and last page.
    pub pages: PageRange,
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
    _rules: &Rules,
    _extracted: &Extracted,
    skeleton: &Skeleton,
    _seeds: &[WorkCandidate],
    _document_type: &DocumentType,
) -> Markup {
    Markup { sections: skeleton.sections.clone(), ..Markup::default() }
}
