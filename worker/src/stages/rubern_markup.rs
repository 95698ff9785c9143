//! Stage 7: the detailed structure of a document and its Rubern text.

use crate::extracted::Extracted;
use crate::rubern::{self, Language};
use crate::rules::Rules;
use crate::stages::structural_analysis::Skeleton;
use crate::stages::work_candidates::WorkCandidate;
use crate::structure::StructureRules;
use crate::structure::body::{self, Body};
use crate::structure::outline::outline;
use crate::works::{self, WorkGraph};
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
    /// Which clause a block belongs to: the block (index of its page, index in the page) and an
    /// index into `clauses`, in document order.
    pub block_clauses: Vec<((usize, usize), usize)>,
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
    seeds: &[WorkCandidate],
    document_type: &DocumentType,
) -> Markup {
    let body = if skeleton.generic {
        body::body(extracted, &outline(rules, extracted, document_type, false))
    } else {
        body::body(extracted, &skeleton.outline)
    };
    let WorkGraph { works, dependencies, dropped_seeds, issues: cycles } =
        works::graph(rules, &body, seeds, document_type);
    let tags = rubern::tags(&StructureRules::of(rules), &body, &works, &dependencies);
    let Body {
        sections,
        headings,
        clauses,
        tables,
        figures,
        lists,
        parts,
        block_clauses,
        mut issues,
    } = body;
    issues.extend(cycles);
    Markup {
        rubern: rubern::write(&tags, Language::Russian),
        sections,
        headings,
        clauses,
        tables,
        figures,
        lists,
        parts,
        block_clauses,
        works,
        dependencies,
        dropped_seeds,
        issues,
    }
}

#[cfg(test)]
mod tests {
    use super::rubern_markup;
    use crate::extracted::Extracted;
    use crate::rubern::{Tag, parse};
    use crate::rules::Rules;
    use crate::stages::structural_analysis::structural_analysis;
    use extractor::model::{Block, BlockKind, Format, Page};
    use shared::structure::DocumentType;

    #[test]
    fn the_structure_is_written_as_rubern() {
        let lines = ["1 Область", "1.1 Нормы касаются } рвов.", "- сухих;", "1.2 Конец."];
        let blocks = lines.iter().map(|line| Block::new(BlockKind::Paragraph, *line)).collect();
        let extracted = Extracted {
            format: Format::Text,
            pages: vec![Page { number: 1, blocks, ..Page::default() }],
            page_count: 1,
            properties: Default::default(),
            warnings: Vec::new(),
        };
        let rules = Rules::shipped();
        let kind = DocumentType { family: "norms".to_owned(), ..DocumentType::default() };
        let skeleton = structural_analysis(rules, &extracted, &kind);
        let markup = rubern_markup(rules, &extracted, &skeleton, &[], &kind);
        assert_eq!(skeleton.counts.clauses, 2);
        assert_eq!(
            parse(&markup.rubern),
            [
                Tag::Section("1 Область".to_owned()),
                Tag::Norm("1.1 Нормы касаются } рвов.\n- сухих;".to_owned()),
                Tag::Norm("1.2 Конец.".to_owned()),
            ]
        );
    }
}
