//! Stage 4: what kind of document this is, and why.

use crate::extracted::Extracted;
use crate::norms::fold::fold;
use crate::norms::own::{self, Own, Place};
use crate::rules::{Rule, Rules};
use crate::title_page::TitlePage;
use extractor::model::Format;
use shared::structure::DocumentType;
use std::collections::BTreeMap;

/// Below this the type is not sure: the file name helps (spec/pipeline.md, stage 4).
pub const SURE: f64 = 0.7;
/// A hit on the title page says more than many in the body, one in the file name lies between.
const TITLE_WEIGHT: f64 = 3.0;
const NAME_WEIGHT: f64 = 2.0;
/// Families below this score are not named: one stray word of the body is no evidence.
const LEAST_SCORE: f64 = 1.2;
/// Rates are per 1000 words; a text shorter than this is not scaled up further.
const LEAST_WORDS: f64 = 400.0;
/// The body is read up to here, in bytes: enough for rates, bounded for huge files.
const BODY_BYTES: usize = 600_000;

/// A rule that hit, for the reasons.
struct Evidence {
    family: String,
    subtype: String,
    score: f64,
    reason: String,
}

/// Decides family and subtype from the text and the file name.
pub fn document_type(rules: &Rules, extracted: &Extracted, file_name: &str) -> DocumentType {
    let page = TitlePage::read(rules, extracted);
    let title: Vec<&str> = page.title.iter().map(|line| line.folded.as_str()).collect();
    let title = title.join("\n");
    let name = fold(&own::stem(file_name));
    let body = body(extracted);
    let words = body.split_whitespace().count();

    let mut evidence: Vec<Evidence> = Vec::new();
    for rule in &rules.topic("document_type").rules {
        evidence.extend(score(rule, &name, &title, &body, words));
    }
    evidence.extend(own::own(rules, &page, file_name).map(norm_evidence));
    evidence.extend(format_evidence(extracted.format));
    let mut decided = decide(&evidence, true);
    if decided.confidence < SURE && !name.is_empty() {
        decided = with_name(decided, &evidence);
    }
    let mut decided = with_light_scan(decided, &body);
    decided.subtype = subtype(&decided.family, &evidence);
    decided.reasons = reasons(&decided.family, &evidence);
    decided
}

/// The category for search filters (spec/pipeline.md, stage 4).
pub fn category(family: &str) -> &str {
    match family {
        "norms" | "ppr" | "rd" => "construction",
        "smeta" | "finance" | "accounting" => "finance",
        "educational" => "education",
        "unknown" | "" => "other",
        other => other,
    }
}

fn body(extracted: &Extracted) -> String {
    let mut body = String::new();
    for (_, block) in extracted.blocks() {
        for line in block.text.split('\n') {
            // Tabs part cells and matter to the rules; folding would make them spaces.
            let cells: Vec<String> = line.split('\t').map(fold).collect();
            body.push_str(cells.join("\t").trim());
            body.push('\n');
        }
        if body.len() > BODY_BYTES {
            break;
        }
    }
    body
}

fn score(rule: &Rule, name: &str, title: &str, body: &str, words: usize) -> Option<Evidence> {
    let hits = |zone: &str, text: &str| -> usize {
        let looks = rule.field("zones").split(' ').any(|named| named == zone);
        let count = |pattern: &regex::Regex| pattern.find_iter(text).take(500).count();
        if looks { rule.patterns.iter().map(count).sum() } else { 0 }
    };
    let (in_name, in_title, in_body) =
        (hits("name", name), hits("title", title), hits("body", body));
    let rate = in_body as f64 * 1000.0 / (words as f64).max(LEAST_WORDS);
    let score = rule.weight
        * (NAME_WEIGHT * saturated(in_name as f64)
            + TITLE_WEIGHT * saturated(in_title as f64)
            + saturated(rate));
    let places = [("имя файла", in_name), ("титул", in_title), ("текст", in_body)];
    let places: Vec<String> = places
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(place, count)| format!("{place}: {count}"))
        .collect();
    (!places.is_empty()).then(|| Evidence {
        family: rule.field("family").to_owned(),
        subtype: rule.field("subtype").to_owned(),
        score,
        reason: format!("{} ({})", rule.id, places.join(", ")),
    })
}

/// 0 for nothing, a half for one hit (or one in 1000 words), towards 1 for many.
fn saturated(hits: f64) -> f64 {
    hits / (hits + 1.0)
}

fn norm_evidence(own: Own) -> Evidence {
    let (score, place) = match own.place {
        Place::Title => (8.0, "титул"),
        Place::Furniture => (6.0, "колонтитул"),
        Place::Approval => (3.0, "гриф утверждения"),
        Place::FileName => (3.0, "имя файла"),
    };
    Evidence {
        family: "norms".to_owned(),
        subtype: own.designation.kind.clone(),
        score,
        reason: format!("обозначение «{}» ({place})", own.designation.text),
    }
}

/// Formats in which only one kind of document is written.
fn format_evidence(format: Format) -> Option<Evidence> {
    let (family, subtype, reason) = match format {
        Format::Dxf | Format::Dwg => ("rd", "drawing_cad", "формат чертежа САПР"),
        Format::Ifc => ("rd", "bim", "формат информационной модели"),
        Format::Gge => ("smeta", "", "формат сметы XML (gge)"),
        _ => return None,
    };
    Some(Evidence {
        family: family.to_owned(),
        subtype: subtype.to_owned(),
        score: 6.0,
        reason: reason.to_owned(),
    })
}

/// The family with the highest score. Confidence grows with the score and with the lead.
fn decide(evidence: &[Evidence], with_unknown: bool) -> DocumentType {
    let mut scores: BTreeMap<&str, f64> = BTreeMap::new();
    for found in evidence.iter().filter(|found| with_unknown || found.family != "unknown") {
        *scores.entry(found.family.as_str()).or_default() += found.score;
    }
    let mut ranked: Vec<(&str, f64)> = scores.into_iter().collect();
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1));
    let unknown = DocumentType { family: "unknown".to_owned(), ..DocumentType::default() };
    let Some((family, first)) = ranked.first().copied() else { return unknown };
    if first < LEAST_SCORE {
        return unknown;
    }
    let second = ranked.get(1).map_or(0.0, |(_, score)| *score);
    let confidence = first / (first + 1.0) * (0.5 + 0.5 * (first - second) / first);
    DocumentType { family: family.to_owned(), confidence: rounded(confidence), ..unknown }
}

/// An unsure type takes the file name into account once more, up to the border of being sure.
fn with_name(decided: DocumentType, evidence: &[Evidence]) -> DocumentType {
    let named: Vec<&Evidence> =
        evidence.iter().filter(|found| found.reason.contains("имя файла")).collect();
    let agrees = named.iter().any(|found| found.family == decided.family);
    match (agrees, named.first()) {
        (true, _) => DocumentType { confidence: SURE, ..decided },
        (false, Some(found)) if decided.family == "unknown" => {
            DocumentType { family: found.family.clone(), confidence: 0.5, ..decided }
        }
        _ => decided,
    }
}

/// The light scan for Rubern tags: agreement raises the confidence, otherwise the larger wins.
fn with_light_scan(decided: DocumentType, body: &str) -> DocumentType {
    let count = |tags: [&str; 2]| tags.iter().map(|tag| body.matches(tag).count()).sum::<usize>();
    let tags = [
        ("norms", count(["\\норма{", "\\norm{"])),
        ("ppr", count(["\\работа{", "\\work{"])),
        ("educational", count(["\\пример{", "\\ехаmрlе{"])),
    ];
    let Some((family, hits)) = tags.into_iter().max_by_key(|(_, hits)| *hits) else {
        return decided;
    };
    let found = rounded(saturated(hits as f64 / 2.0));
    if hits == 0 {
        decided
    } else if family == decided.family {
        let confidence = 1.0 - (1.0 - decided.confidence) * (1.0 - found);
        DocumentType { confidence: rounded(confidence), ..decided }
    } else if found > decided.confidence {
        DocumentType { family: family.to_owned(), confidence: found, ..decided }
    } else {
        decided
    }
}

fn subtype(family: &str, evidence: &[Evidence]) -> String {
    let mut scores: BTreeMap<&str, f64> = BTreeMap::new();
    for found in evidence.iter().filter(|found| found.family == family) {
        if !found.subtype.is_empty() {
            *scores.entry(found.subtype.as_str()).or_default() += found.score;
        }
    }
    let best = scores.into_iter().max_by(|left, right| left.1.total_cmp(&right.1));
    best.map_or_else(String::new, |(subtype, _)| subtype.to_owned())
}

/// The reasons for the family, strongest first, then the strongest one against it.
fn reasons(family: &str, evidence: &[Evidence]) -> Vec<String> {
    let mut ranked: Vec<&Evidence> = evidence.iter().collect();
    ranked.sort_by(|left, right| right.score.total_cmp(&left.score));
    let line =
        |found: &&Evidence| format!("{}: {} +{:.1}", found.family, found.reason, found.score);
    let (own, other): (Vec<_>, Vec<_>) =
        ranked.into_iter().partition(|found| found.family == family);
    own.iter().take(8).map(line).chain(other.iter().take(2).map(line)).collect()
}

fn rounded(confidence: f64) -> f64 {
    (confidence.clamp(0.0, 1.0) * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
