//! Stage 6: seeds of the work graph.

use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::stages::structural_analysis::Skeleton;
use crate::structure::StructureRules;
use crate::structure::body::{Body, body};
use crate::works::columns::Columns;
use crate::works::evidence;
use crate::works::lines::{Kind, Line, Texts, sentences};
use crate::works::name::{Names, normal_form};
use crate::works::operations::operations;
use shared::structure::{DocumentType, PageRange, Table};
use std::collections::HashSet;

/// At most so many seeds (spec: pipeline.md, stage 6).
const MAX_SEEDS: usize = 40;

/// A seed is longer than this, in characters (spec: pipeline.md, stage 6).
const LONGER_THAN: usize = 10;

/// A requirement phrase is cut at a word after so many characters.
const MAX_TEXT: usize = 300;

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

/// Finds up to 40 seeds: those with the longest context first, equal ones in reading order.
pub fn work_candidates(
    rules: &Rules,
    extracted: &Extracted,
    skeleton: &Skeleton,
    document_type: &DocumentType,
) -> Vec<WorkCandidate> {
    let body = body(extracted, &skeleton.outline);
    let texts = Texts {
        sections: &body.sections,
        clauses: &body.clauses,
        lists: &body.lists,
        parts: &body.parts,
    };
    let lines = texts.lines(rules.topic("works").rule("marker"));
    let found = match document_type.family.as_str() {
        "norms" => requirements(rules, &lines),
        "ppr" => works(rules, &lines, &body),
        "smeta" => positions(rules, &body.tables, true),
        "rd" => positions(rules, &body.tables, false),
        "educational" => examples(rules, &lines),
        _ => Vec::new(),
    };
    best(found)
}

/// Unique by normal form, the longest first.
fn best(mut found: Vec<WorkCandidate>) -> Vec<WorkCandidate> {
    found.retain(|seed| {
        seed.text.chars().count() > LONGER_THAN && seed.text.chars().any(char::is_alphabetic)
    });
    found.sort_by_key(|seed| std::cmp::Reverse(seed.text.chars().count()));
    let mut known = HashSet::new();
    found.retain(|seed| known.insert(normal_form(&seed.text)));
    found.truncate(MAX_SEEDS);
    found
}

fn seed(text: &str, line: &Line<'_>, rule: &str) -> WorkCandidate {
    WorkCandidate {
        text: whole_words(text),
        number: line.number.to_owned(),
        section: line.section,
        pages: line.pages,
        rule: rule.to_owned(),
    }
}

/// Cut between words when it is too long.
fn whole_words(text: &str) -> String {
    let mut kept = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        length += word.chars().count() + 1;
        if length > MAX_TEXT + 1 && !kept.is_empty() {
            break;
        }
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    kept
}

/// Clauses with the sentence that requires something.
fn requirements(rules: &Rules, lines: &[Line<'_>]) -> Vec<WorkCandidate> {
    let modality = &rules.topic("modality");
    let required = |sentence: &&str| {
        ["prohibited", "limit", "must", "should", "may"]
            .iter()
            .any(|id| modality.rule(id).is_match(sentence))
    };
    let clauses = lines.iter().filter(|line| line.kind == Kind::Clause);
    clauses
        .filter_map(|line| {
            let sentence = sentences(line.text).into_iter().find(required)?;
            Some(seed(sentence, line, "requirement"))
        })
        .collect()
}

/// Stages, items of sequences, operations of tables, and lines that name works.
fn works(rules: &Rules, lines: &[Line<'_>], body: &Body) -> Vec<WorkCandidate> {
    let names = Names::of(rules);
    let mut found = Vec::new();
    for (run, rule) in evidence::stages(rules, lines)
        .into_iter()
        .map(|run| (run, "work_stage"))
        .chain(evidence::sequences(rules, lines).into_iter().map(|run| (run, "work_sequence")))
    {
        found.extend(run.steps.into_iter().map(|step| WorkCandidate {
            text: step.name,
            number: step.number,
            section: step.section,
            pages: step.pages,
            rule: rule.to_owned(),
        }));
    }
    for (index, table) in body.tables.iter().enumerate() {
        found.extend(operations(rules, index, table).into_iter().map(|row| WorkCandidate {
            text: whole_words(&row.name),
            number: row.number,
            section: table.section,
            pages: row.pages,
            rule: "work_table".to_owned(),
        }));
    }
    let operation = StructureRules::of(rules).operation;
    // Above the first numbered section stands the title: the whole project is no work in it.
    let numbered = |section: Option<usize>| {
        section
            .and_then(|index| body.sections.get(index))
            .is_some_and(|section| !section.number.is_empty())
    };
    let title_ends = body.sections.iter().any(|section| !section.number.is_empty());
    for line in lines.iter().filter(|line| operation.is_match(line.text)) {
        if title_ends && !numbered(line.section) {
            continue;
        }
        let name =
            sentences(line.text).first().map(|sentence| names.clean(sentence)).unwrap_or_default();
        // A sentence with a verb is a rule about a work and no name of one.
        let verb = rules
            .topic("modality")
            .rules
            .iter()
            .any(|rule| rule.field("verb") == "yes" && rule.is_match(&name));
        let few_words = name.split_whitespace().count() <= 14;
        if names.is_work(&name) && few_words && !verb {
            found.push(seed(&name, line, "work_line"));
        }
    }
    found
}

/// Rows of estimates and specifications with their codes or positions.
fn positions(rules: &Rules, tables: &[Table], estimate: bool) -> Vec<WorkCandidate> {
    let topic = rules.topic("estimates");
    let (rate, resource, subtotal) =
        (topic.rule("rate"), topic.rule("resource"), topic.rule("subtotal"));
    let mut found = Vec::new();
    for table in tables {
        let Some(columns) = Columns::of(rules, table) else { continue };
        for row in table.rows.iter().skip(columns.first_row) {
            let (name, code) = (columns.cell(row, "name"), columns.cell(row, "code"));
            let number = columns.cell(row, "number");
            if name.is_empty() || (number.is_empty() && code.is_empty()) || subtotal.is_match(&name)
            {
                continue;
            }
            let rule = match () {
                () if !estimate => "element",
                () if rate.is_match(&code) => "rate",
                () if resource.is_match(&code) || number.contains('.') => "resource",
                () => "position",
            };
            let number = if code.is_empty() { number } else { code };
            found.push(WorkCandidate {
                text: whole_words(&name),
                number,
                section: table.section,
                pages: table.pages,
                rule: rule.to_owned(),
            });
        }
    }
    found
}

/// Examples and tasks with their headings.
fn examples(rules: &Rules, lines: &[Line<'_>]) -> Vec<WorkCandidate> {
    let example = StructureRules::of(rules).example;
    lines
        .iter()
        .filter(|line| example.is_match(line.text))
        .map(|line| seed(line.text, line, "example"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::work_candidates;
    use crate::extracted::Extracted;
    use crate::rules::Rules;
    use crate::stages::structural_analysis::structural_analysis;
    use extractor::model::{Block, BlockKind, Format, Page};
    use shared::structure::DocumentType;

    fn seeds(family: &str, blocks: Vec<Block>) -> Vec<(String, String, String)> {
        let pages = vec![Page { number: 1, blocks, ..Page::default() }];
        let extracted = Extracted {
            format: Format::Text,
            pages,
            page_count: 1,
            properties: Default::default(),
            warnings: Vec::new(),
        };
        let kind = DocumentType { family: family.to_owned(), ..DocumentType::default() };
        let skeleton = structural_analysis(Rules::shipped(), &extracted, &kind);
        let found = work_candidates(Rules::shipped(), &extracted, &skeleton, &kind);
        assert_eq!(found, work_candidates(Rules::shipped(), &extracted, &skeleton, &kind));
        found.into_iter().map(|seed| (seed.number, seed.text, seed.rule)).collect()
    }

    fn paragraphs(lines: &[&str]) -> Vec<Block> {
        lines.iter().map(|line| Block::new(BlockKind::Paragraph, *line)).collect()
    }

    #[test]
    fn stages_of_a_project_once_and_the_longest_first() {
        let found = seeds(
            "ppr",
            paragraphs(&[
                "Этап 1. Рытьё траншеи",
                "Этап 2. Укладка чугунных труб",
                "Укладка  чугунных труб.",
                "Монтаж",
            ]),
        );
        let texts: Vec<&str> = found.iter().map(|(_, text, _)| text.as_str()).collect();
        assert_eq!(texts, ["Укладка чугунных труб", "Рытьё траншеи"]);
    }

    #[test]
    fn clauses_of_a_norm_with_what_they_require() {
        let found = seeds(
            "norms",
            paragraphs(&[
                "1 Рвы",
                "1.1 Рвы бывают сухие. Дно рва следует уплотнять.",
                "1.2 Рвы бывают мокрые.",
            ]),
        );
        assert_eq!(
            found,
            [("1.1".to_owned(), "Дно рва следует уплотнять.".to_owned(), "requirement".to_owned())]
        );
    }

    #[test]
    fn positions_of_an_estimate_with_their_codes() {
        let rows = [
            "№|Обоснование|Наименование работ|Ед. изм.|Количество|Всего, руб.",
            "1|ГЭСН01-01-001-01|Рытьё траншеи вручную|м3|4|40",
            "2|ФССЦ-01.1|Песок природный|м3|4|10",
            "||Итого по разделу 1|||50",
        ];
        let rows = rows.iter().map(|row| row.split('|').map(str::to_owned).collect()).collect();
        let found = seeds("smeta", vec![Block::table(rows, 1)]);
        assert_eq!(
            found[0],
            ("ГЭСН01-01-001-01".to_owned(), "Рытьё траншеи вручную".to_owned(), "rate".to_owned())
        );
        assert_eq!(found[1].2, "resource");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn never_more_than_forty() {
        let lines: Vec<String> =
            (1..80).map(|n| format!("1.{n} Ров {n} следует осушать насосом номер {n}.")).collect();
        let lines: Vec<&str> =
            std::iter::once("1 Рвы").chain(lines.iter().map(String::as_str)).collect();
        assert_eq!(seeds("norms", paragraphs(&lines)).len(), 40);
        assert!(seeds("unknown", paragraphs(&lines)).is_empty());
    }
}
