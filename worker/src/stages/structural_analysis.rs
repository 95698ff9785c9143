//! Stage 5: the coarse skeleton of a document, and the fallback of stage 7.

use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::structure::body::{Body, body};
use crate::structure::line::Role;
use crate::structure::outline::{Outline, outline};
use crate::structure::{StructureRules, heading::Form};
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
    /// Completeness is below 0.3: stage 7 trusts only numbers that others bear out.
    pub generic: bool,
    /// Every line of the document with its role.
    pub outline: Outline,
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

/// Below this completeness stage 7 works in generic mode (spec: pipeline.md, stage 5).
const GENERIC_BELOW: f64 = 0.3;

/// Reads the skeleton of a document.
pub fn structural_analysis(
    rules: &Rules,
    extracted: &Extracted,
    document_type: &DocumentType,
) -> Skeleton {
    let outline = outline(rules, extracted, document_type, true);
    let body = body(extracted, &outline);
    let structure = StructureRules::of(rules);
    let counts = count(&structure, extracted, &outline, &body);
    let completeness = completeness(&structure, &document_type.family, &counts, &outline, &body);
    Skeleton {
        counts,
        sections: body.sections,
        completeness,
        generic: completeness < GENERIC_BELOW,
        outline,
    }
}

fn count(rules: &StructureRules, extracted: &Extracted, outline: &Outline, body: &Body) -> Counts {
    let in_body = || outline.lines.iter().filter(|line| line.role != Role::Contents);
    let text = || in_body().map(|line| line.text.as_str());
    let cells = || body.tables.iter().flat_map(|table| table.rows.iter().flatten());
    let words = |text: &str| text.split_whitespace().count();
    let letters = |text: &str| text.chars().count();
    let appendices = in_body().filter(
        |line| matches!(&line.role, Role::Heading(heading) if heading.form == Form::Appendix),
    );
    Counts {
        paragraphs: in_body().filter(|line| line.first && line.role != Role::Table).count(),
        words: text().map(words).sum::<usize>() + cells().map(|cell| words(cell)).sum::<usize>(),
        characters: text().map(letters).sum::<usize>()
            + cells().map(|cell| letters(cell)).sum::<usize>(),
        pages: extracted.page_count as usize,
        tables: body.tables.len(),
        figures: body.figures.len(),
        sections: body.sections.len(),
        clauses: body.clauses.len(),
        appendices: appendices.count(),
        examples: text().filter(|text| rules.example.is_match(text)).count(),
    }
}

/// Found by expected (spec: pipeline.md, stage 5: «Completeness»), at most 1.
fn completeness(
    rules: &StructureRules,
    family: &str,
    counts: &Counts,
    outline: &Outline,
    body: &Body,
) -> f64 {
    let rows = || body.tables.iter().flat_map(|table| &table.rows);
    let (found, expected) = match family {
        "norms" => (counts.sections, 10),
        "ppr" => {
            let texts = outline.lines.iter().filter(|line| line.role != Role::Contents);
            let stages = texts.filter(|line| rules.operation.is_match(&line.text)).count();
            (stages.max(counts.sections), 5)
        }
        "smeta" => {
            let coded = rows().filter(|row| row.iter().any(|cell| rules.rate_code.is_match(cell)));
            (coded.count(), 20)
        }
        "educational" => (body.sections.iter().filter(|section| section.level == 1).count(), 3),
        _ => (counts.sections + counts.clauses + counts.tables + counts.figures, 10),
    };
    (found as f64 / f64::from(expected)).min(1.0)
}
