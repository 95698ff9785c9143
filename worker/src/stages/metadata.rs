//! Stage 8: what the document says about itself and what it refers to, each with its place.

mod code;
mod front;
mod materials;
mod references;
mod title;
mod values;

use crate::extracted::Extracted;
use crate::norms::Designation;
use crate::norms::own;
use crate::rules::Rules;
use crate::stages::rubern_markup::Markup;
use crate::title_page::TitlePage;
use serde::Serialize;
use shared::structure::{DocumentType, Reference};

pub use code::Named;
pub use materials::Material;
pub use references::Relation;
pub use values::Money;

/// Where a piece of metadata stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The title page or the foreword.
    #[default]
    TitlePage,
    /// A running header or footer.
    Furniture,
    /// The heading of a section.
    Heading,
    /// A numbered sub-clause.
    Clause,
    /// A paragraph.
    Paragraph,
    /// A cell of a table.
    TableCell,
    /// The name of the file.
    FileName,
    /// The properties of the file.
    Properties,
}

/// Where a value was found and in which words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// The kind of place.
    pub place: Place,
    /// From 1; `None` for file name and properties.
    pub page: Option<u32>,
    /// Number of the clause or section, `table/row/column` from 1 for a cell; may be empty.
    pub address: String,
    /// The words of the document, shortened.
    pub evidence: String,
}

/// A value with its provenance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub provenance: Provenance,
}

/// Everything that stage 8 knows. What the document does not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metadata {
    /// What the document is called.
    pub title: Option<Found<String>>,
    /// What the document is: its own designation with the edition («СП 45.13330.2017», «ТК-12-25»).
    pub designation: Option<Found<String>>,
    /// Canonical id of the own designation; `None` when the document is no norm.
    pub norm_id: Option<String>,
    /// Edition of the own designation («2017», «85*»).
    pub edition: Option<String>,
    /// «действующий», «отменён», «утратил силу», «заменён», «проект», when the text says so.
    pub status: Option<Found<String>>,
    /// Who issued or made the document.
    pub organisation: Option<Found<String>>,
    /// ISO 8601.
    pub approval_date: Option<Found<String>>,
    /// ISO 8601.
    pub effective_date: Option<Found<String>>,
    /// Norms that this document replaces.
    pub replaces: Vec<Found<Named>>,
    /// Norms that this document amends («Изменение № 1 к …»).
    pub amends: Vec<Found<Named>>,
    /// Amendments that are already in this text («№ 1, 2», «по состоянию на 06.11.2019»).
    pub amendments: Vec<Found<String>>,
    /// Materials, only from table cells.
    pub materials: Vec<Found<Material>>,
    /// Money, only from paragraphs and tables of estimates.
    pub finances: Vec<Found<Money>>,
    /// Dates in ISO 8601, only from the title page, headings and sub-clauses.
    pub dates: Vec<Found<String>>,
    /// Numbers of documents, only from the title page and headings.
    pub numbers: Vec<Found<String>>,
    /// Cited norms and acts, one per written edition, in the order of first mention.
    pub references: Vec<Reference>,
    /// What the text says about cited norms: replaced, no longer valid.
    pub relations: Vec<Relation>,
}

impl Metadata {
    /// Whether the document told nothing about itself and cites nothing.
    pub fn is_empty(&self) -> bool {
        self.title.is_none()
            && self.designation.is_none()
            && self.organisation.is_none()
            && self.approval_date.is_none()
            && self.effective_date.is_none()
            && self.materials.is_empty()
            && self.finances.is_empty()
            && self.dates.is_empty()
            && self.numbers.is_empty()
            && self.references.is_empty()
    }
}

/// Reads the metadata of a document, each kind only from where it belongs.
pub fn metadata(
    rules: &Rules,
    extracted: &Extracted,
    markup: &Markup,
    document_type: &DocumentType,
    file_name: &str,
) -> Metadata {
    let page = TitlePage::read(rules, extracted);
    let own_norm =
        (document_type.family == "norms").then(|| own::own(rules, &page, file_name)).flatten();
    let own_id = own_norm.as_ref().map(|own| own.designation.clone());
    let (references, relations) = references::references(rules, extracted, own_id.as_ref());
    let mut metadata = Metadata {
        materials: materials::materials(rules, &markup.tables),
        finances: values::finances(rules, extracted, &markup.tables, document_type),
        dates: values::dates(rules, &page, markup),
        numbers: values::numbers(rules, &page, markup),
        references,
        relations,
        ..front::front(rules, &page, own_norm.as_ref())
    };
    match own_norm {
        Some(own) => {
            metadata.norm_id = own.amendment.is_none().then(|| own.designation.id.clone());
            metadata.edition.clone_from(&own.designation.edition);
            metadata.designation = Some(code::of_norm(&own, file_name));
        }
        None => {
            metadata.designation = code::code(rules, extracted, &page, document_type, file_name);
        }
    }
    let designation = metadata.designation.as_ref().map(|found| found.value.as_str());
    metadata.title = title::title(rules, extracted, &page, document_type, designation, file_name);
    metadata
}

/// Words as evidence: one line, at most 160 characters.
fn evidence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or("")),
        None => line,
    }
}

fn named(designation: &Designation) -> Named {
    Named { id: designation.id.clone(), text: designation.text.clone() }
}

#[cfg(test)]
mod tests;
