//! Stage 9: how good the result is, from 100 points with every deduction shown.

use crate::extracted::Extracted;
use crate::stages::metadata::Metadata;
use crate::stages::rubern_markup::Markup;
use extractor::model::TextSource;
use serde::Serialize;
use shared::structure::{Clause, DocumentType};
use std::collections::BTreeMap;

/// Below this the job carries a warning (spec/pipeline.md, stage 9).
pub const WARNING_BELOW: f64 = 50.0;

/// One deduction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deduction {
    /// Stable name.
    pub code: &'static str,
    /// Points taken off.
    pub points: f64,
    /// In Russian, with the figures behind it.
    pub reason: String,
    /// What a person can do about it, in Russian.
    pub recommendation: &'static str,
}

/// The verdict of stage 9.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// 0..100.
    pub score: f64,
    /// `high`, `medium`, `low` or `poor`.
    pub level: &'static str,
    /// Why it is not 100.
    pub deductions: Vec<Deduction>,
    /// The reasons, and other things a person should know, in Russian.
    pub issues: Vec<String>,
    /// What to do, in Russian.
    pub recommendations: Vec<String>,
}

impl Quality {
    /// Whether the job should warn about this document.
    pub fn warns(&self) -> bool {
        self.score < WARNING_BELOW
    }
}

/// Judges the result of stages 4 to 8.
pub fn quality_control(
    extracted: &Extracted,
    document_type: &DocumentType,
    markup: &Markup,
    metadata: &Metadata,
) -> Quality {
    let mut deductions = Vec::new();
    let mut deduct = |code, points: f64, reason: String, recommendation| {
        deductions.push(Deduction { code, points, reason, recommendation });
    };
    let family = document_type.family.as_str();
    if document_type.confidence < crate::stages::document_type::SURE {
        let reason = format!("тип документа определён неуверенно: {:.2}", document_type.confidence);
        deduct("type_confidence", 15.0, reason, "Проверьте тип документа вручную.");
    }
    if markup.sections.len() < 2 {
        let reason = format!("разделов найдено: {}", markup.sections.len());
        deduct("sections", 20.0, reason, "Проверьте, есть ли в файле заголовки разделов.");
    }
    if matches!(family, "ppr" | "smeta") && markup.works.len() < 3 {
        let reason = format!("работ найдено: {}", markup.works.len());
        deduct("works", 10.0, reason, "Проверьте, перечислены ли в документе работы или позиции.");
    }
    if family == "ppr" && !markup.works.is_empty() && markup.dependencies.is_empty() {
        let reason = format!("работ {}, зависимостей между ними нет", markup.works.len());
        deduct("dependencies", 5.0, reason, "Опишите последовательность работ в тексте.");
    }
    if metadata.is_empty() {
        let reason = "метаданные не найдены".to_owned();
        deduct("metadata", 15.0, reason, "Проверьте титульный лист документа.");
    }
    let characters = text_length(extracted);
    if characters < 500 {
        let reason = format!("символов текста: {characters}");
        deduct("text_length", 25.0, reason, "Проверьте, полон ли файл и есть ли в нём текст.");
    }
    if family == "norms" && metadata.designation.is_none() {
        let reason = "у нормативного документа не найдено собственное обозначение".to_owned();
        deduct(
            "designation",
            40.0,
            reason,
            "Добавьте титульный лист или назовите файл обозначением.",
        );
    }
    if let Some(confidence) = recognition(extracted).filter(|confidence| *confidence < 0.8) {
        let reason = format!("уверенность распознавания: {confidence:.2}");
        deduct("recognition", 10.0, reason, "Отсканируйте документ чётче, от 300 точек на дюйм.");
    }
    let (unread, pages) = unreadable(extracted);
    if unread > 0 {
        let points = rounded(f64::from(unread) / f64::from(pages) * 50.0);
        let reason = format!("не прочитано страниц: {unread} из {pages}");
        deduct("unreadable_pages", points, reason, "Замените повреждённые страницы.");
    }
    let gaps = numbering_gaps(&markup.clauses);
    if let Some((first, last)) = gaps.first().zip(gaps.last()) {
        let span = if gaps.len() == 1 { first.clone() } else { format!("{first} … {last}") };
        let reason = format!("пропуски в нумерации пунктов: {} ({span})", gaps.len());
        deduct("numbering_gaps", 5.0, reason, "Сверьте нумерацию пунктов с оригиналом.");
    }
    verdict(deductions, extracted, markup)
}

fn verdict(deductions: Vec<Deduction>, extracted: &Extracted, markup: &Markup) -> Quality {
    let lost: f64 = deductions.iter().map(|deduction| deduction.points).sum();
    let score = rounded((100.0 - lost).clamp(0.0, 100.0));
    let level = match score {
        80.0.. => "high",
        60.0.. => "medium",
        40.0.. => "low",
        _ => "poor",
    };
    let warnings = extracted.warnings.iter().map(|(_, message)| message.clone());
    let mut issues: Vec<String> = deductions.iter().map(|found| found.reason.clone()).collect();
    issues.extend(warnings);
    issues.extend(markup.issues.iter().cloned());
    let recommendations = deductions.iter().map(|found| found.recommendation.to_owned()).collect();
    Quality { score, level, deductions, issues, recommendations }
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn text_length(extracted: &Extracted) -> usize {
    extracted
        .blocks()
        .map(|(_, block)| block.text.chars().filter(|c| !c.is_whitespace()).count())
        .sum()
}

/// Mean confidence over the recognised pages, 0..1.
fn recognition(extracted: &Extracted) -> Option<f64> {
    let pages = extracted.pages.iter().filter(|page| page.source == TextSource::Ocr);
    let found: Vec<f64> = pages.filter_map(|page| page.confidence.map(f64::from)).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

/// Pages from which nothing could be read, and all pages.
fn unreadable(extracted: &Extracted) -> (u32, u32) {
    let delivered = u32::try_from(extracted.pages.len()).unwrap_or(u32::MAX);
    let pages = extracted.page_count.max(delivered);
    let empty =
        |page: &&extractor::model::Page| page.source == TextSource::None && page.blocks.is_empty();
    let empty = u32::try_from(extracted.pages.iter().filter(empty).count()).unwrap_or(u32::MAX);
    (empty + (pages - delivered), pages)
}

/// The first missing number of every gap between sibling clauses («5.3» when 5.4 follows 5.2).
fn numbering_gaps(clauses: &[Clause]) -> Vec<String> {
    let mut last: BTreeMap<&str, u32> = BTreeMap::new();
    let mut gaps = Vec::new();
    for clause in clauses {
        let Some((parent, own)) = clause.number.rsplit_once('.') else { continue };
        let digits: String = own.chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse::<u32>() else { continue };
        if let Some(before) = last.insert(parent, number)
            && number > before.saturating_add(1)
        {
            gaps.push(format!("{parent}.{}", before + 1));
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use extractor::model::{Block, BlockKind, Format, Page};
    use shared::structure::{Dependency, Section, Work};

    fn extracted(text: &str) -> Extracted {
        let blocks = vec![Block::new(BlockKind::Paragraph, text)];
        Extracted {
            format: Format::Docx,
            pages: vec![Page { number: 1, blocks, ..Page::default() }],
            page_count: 1,
            properties: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    fn of(family: &str, confidence: f64) -> DocumentType {
        DocumentType { family: family.to_owned(), confidence, ..DocumentType::default() }
    }

    fn good_markup() -> Markup {
        Markup {
            sections: vec![Section::default(), Section::default()],
            works: vec![Work::default(), Work::default(), Work::default()],
            dependencies: vec![Dependency::default()],
            ..Markup::default()
        }
    }

    fn good_metadata() -> Metadata {
        let designation = Some(super::super::metadata::Found::default());
        Metadata { designation, ..Metadata::default() }
    }

    fn codes(quality: &Quality) -> Vec<(&str, f64)> {
        quality.deductions.iter().map(|found| (found.code, found.points)).collect()
    }

    #[test]
    fn a_good_document_keeps_all_points() {
        let text = "Слово ".repeat(200);
        let quality =
            quality_control(&extracted(&text), &of("ppr", 0.9), &good_markup(), &good_metadata());
        assert_eq!((quality.score, quality.level), (100.0, "high"));
        assert!(quality.issues.is_empty());
    }

    #[test]
    fn every_deduction_of_the_specification() {
        let empty = Markup::default();
        let quality =
            quality_control(&extracted("мало"), &of("norms", 0.5), &empty, &Metadata::default());
        let expected = [
            ("type_confidence", 15.0),
            ("sections", 20.0),
            ("metadata", 15.0),
            ("text_length", 25.0),
            ("designation", 40.0),
        ];
        assert_eq!(codes(&quality), expected);
        assert_eq!((quality.score, quality.level), (0.0, "poor"));
        assert!(quality.warns());

        let text = "Слово ".repeat(200);
        let mut markup = Markup { dependencies: Vec::new(), ..good_markup() };
        let quality =
            quality_control(&extracted(&text), &of("ppr", 0.9), &markup, &good_metadata());
        assert_eq!(codes(&quality), [("dependencies", 5.0)]);
        markup.works.clear();
        let quality =
            quality_control(&extracted(&text), &of("smeta", 0.9), &markup, &good_metadata());
        assert_eq!(codes(&quality), [("works", 10.0)]);
        assert_eq!((quality.score, quality.level), (90.0, "high"));
    }

    #[test]
    fn recognition_pages_and_gaps() {
        let mut document = extracted(&"Слово ".repeat(200));
        document.pages[0].source = TextSource::Ocr;
        document.pages[0].confidence = Some(0.7);
        document.page_count = 4;
        let clause = |number: &str| Clause { number: number.to_owned(), ..Clause::default() };
        let clauses =
            vec![clause("5.1"), clause("5.2"), clause("5.2.1"), clause("5.5"), clause("6.1")];
        let markup = Markup { clauses, ..good_markup() };
        let quality = quality_control(&document, &of("norms", 0.9), &markup, &good_metadata());
        let expected = [("recognition", 10.0), ("unreadable_pages", 37.5), ("numbering_gaps", 5.0)];
        assert_eq!(codes(&quality), expected);
        assert_eq!((quality.score, quality.level), (47.5, "low"));
        assert!(quality.issues[2].contains("5.3"));
    }
}
