//! What a body is made of.

use shared::structure::{Clause, PageRange, Section, Table};

/// The structure of a document's body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The section tree.
    pub sections: Vec<Section>,
    /// The headings of `sections` as written («Приложение А (обязательное) Нагрузки»).
    pub headings: Vec<String>,
    /// Clauses with unique numbers, in document order.
    pub clauses: Vec<Clause>,
    /// Tables, in document order.
    pub tables: Vec<Table>,
    /// Figures, in document order.
    pub figures: Vec<Figure>,
    /// Lists that stand outside clauses, in document order.
    pub lists: Vec<List>,
    /// The whole body in reading order, as references into the lists above.
    pub parts: Vec<Part>,
    /// Which clause a block belongs to: the block (index of its page, index in the page) and an
    /// index into `clauses`, in document order.
    pub block_clauses: Vec<((usize, usize), usize)>,
    /// What a person should know about the numbering, in Russian.
    pub issues: Vec<String>,
}

/// A piece of the body.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The heading of `sections[i]`.
    Section(usize),
    /// `clauses[i]`, with the captions of its figures.
    Clause(usize),
    /// `tables[i]`.
    Table(usize),
    /// `lists[i]`.
    List(usize),
    /// Paragraphs outside clauses, with the captions of their figures.
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
    /// «1», «А.2».
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
