//! The document's own designation, for norms and for papers that carry a code («шифр»).

use super::{Found, Place, Provenance, evidence};
use crate::extracted::Extracted;
use crate::norms::fold::fold;
use crate::norms::own::{self, Own};
use crate::rules::Rules;
use crate::title_page::{Line, TitlePage};
use extractor::model::Format;
use serde::Serialize;
use shared::structure::DocumentType;

/// Blocks in which a drawing may carry its code: the stamp comes last.
const STAMP_BLOCKS: usize = 400;

/// A norm by its canonical id and its designation as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Canonical id.
    pub id: String,
    /// With the edition.
    pub text: String,
}

/// The designation of a norm as metadata.
pub(super) fn of_norm(own: &Own, file_name: &str) -> Found<String> {
    let text = &own.designation.text;
    let value = match &own.amendment {
        Some(number) => format!("Изменение № {number} к {text}"),
        None => text.clone(),
    };
    let (place, words) = match own.place {
        own::Place::FileName => (Place::FileName, file_name),
        own::Place::Furniture => (Place::Furniture, text.as_str()),
        own::Place::Title | own::Place::Approval => (Place::TitlePage, text.as_str()),
    };
    let provenance =
        Provenance { place, page: own.page, address: String::new(), evidence: evidence(words) };
    Found { value, provenance }
}

/// The code of a document that is no norm: after a label, after the kind of document, alone on a
/// line, or in the file name, in this order.
pub(super) fn code(
    rules: &Rules,
    extracted: &Extracted,
    page: &TitlePage,
    document_type: &DocumentType,
    file_name: &str,
) -> Option<Found<String>> {
    let drawing = document_type.family == "rd" || matches!(extracted.format, Format::Dxf);
    let stamp = if drawing { stamp(extracted) } else { Vec::new() };
    let topic = rules.topic("metadata");
    for id in ["code_labelled", "code_after_kind", "code_of_paper", "code_alone", "code_collection"]
    {
        if id == "code_collection" && document_type.family != "smeta" {
            continue;
        }
        let rule = topic.rule(id);
        let titled = page.title.iter().map(|line| (line, false));
        let hit = titled.chain(stamp.iter().map(|line| (line, true))).find_map(|(line, stamp)| {
            let captures = rule.captures(&line.folded)?;
            let code = captures.name("code")?.as_str().to_owned();
            // Among all the texts of a drawing «DR-03» is the type of a device.
            if stamp && code.matches(['-', '/']).count() < 2 {
                return None;
            }
            let kind = captures.name("kind").map_or(String::new(), |kind| kind.as_str().to_owned());
            Some((line, kind, code))
        });
        if let Some((line, kind, code)) = hit {
            let value = if id == "code_of_paper" { paper(&kind, &code) } else { code };
            let provenance = Provenance {
                place: Place::TitlePage,
                page: Some(line.page),
                address: String::new(),
                evidence: evidence(&line.text),
            };
            return Some(Found { value: fuller(rules, value, file_name), provenance });
        }
    }
    from_file_name(rules, file_name)
}

/// «ДОКУМЕНТ О КАЧЕСТВЕ», «731/Б» → «Документ о качестве № 731/Б».
fn paper(kind: &str, code: &str) -> String {
    let lower = kind.to_lowercase();
    let mut letters = lower.chars();
    let capital = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{capital}{} № {code}", letters.as_str())
}

/// A state estimate holds «07-31» where its file is called «ОС-07-31»: the longer form is the code.
fn fuller(rules: &Rules, code: String, file_name: &str) -> String {
    match from_file_name(rules, file_name) {
        Some(named) if named.value.ends_with(&format!("-{code}")) => named.value,
        _ => code,
    }
}

fn from_file_name(rules: &Rules, file_name: &str) -> Option<Found<String>> {
    let folded = fold(&own::stem(file_name));
    let captures = rules.topic("metadata").rule("code_in_name").captures(&folded)?;
    let provenance = Provenance {
        place: Place::FileName,
        page: None,
        address: String::new(),
        evidence: evidence(file_name),
    };
    Some(Found { value: captures.name("code")?.as_str().to_owned(), provenance })
}

fn stamp(extracted: &Extracted) -> Vec<Line> {
    let blocks: Vec<_> = extracted.blocks().collect();
    let last = blocks.iter().rev().take(STAMP_BLOCKS);
    let lines = last.flat_map(|(page, block)| {
        let cells = block.text.split(['\n', '\t']).map(str::trim).filter(|cell| !cell.is_empty());
        let line = |text: &str| Line {
            text: text.to_owned(),
            folded: fold(text),
            page: *page,
            prominent: false,
        };
        cells.map(line).collect::<Vec<_>>()
    });
    lines.collect()
}
