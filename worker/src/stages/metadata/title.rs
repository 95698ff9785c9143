//! What a document is called.

use super::{Found, Place, Provenance, evidence};
use crate::extracted::Extracted;
use crate::norms;
use crate::norms::own;
use crate::rules::{Rule, Rules};
use crate::title_page::{Line, TitlePage};
use shared::structure::DocumentType;

/// A title of more characters is cut at a word.
const TITLE_CHARS: usize = 400;
/// A longer line that ends like a sentence is prose.
const PROSE_CHARS: usize = 110;

/// The title: quoted after the designation, behind a label, the heading of an act, the line that
/// names the kind of document, the first line that is none of the formal ones, a property of the
/// file, the file name.
pub(super) fn title(
    rules: &Rules,
    extracted: &Extracted,
    page: &TitlePage,
    document_type: &DocumentType,
    designation: Option<&str>,
    file_name: &str,
) -> Option<Found<String>> {
    let topic = rules.topic("metadata");
    let furniture: Vec<Line> = page.furniture.iter().map(|(line, _)| line.clone()).collect();
    let quoted_in = |lines: &[Line]| {
        (0..lines.len()).find_map(|index| quoted(rules, lines, index, designation))
    };
    let quoted = quoted_in(&page.title).or_else(|| quoted_in(&furniture));
    let labelled = || {
        page.title.iter().find_map(|line| {
            let title = topic.rule("title_labelled").captures(&line.text)?.name("title")?.as_str();
            of_lines(&[&Line { text: title.to_owned(), ..line.clone() }])
        })
    };
    let act = || lines_from(page, topic.rule("title_of_act"), topic.rule("no_title"));
    let kind = || of_kind(rules, page, document_type);
    let plain = || plain(rules, opening(page), 0);
    if let Some(found) = quoted.or_else(labelled).or_else(act).or_else(kind).or_else(plain) {
        return Some(found);
    }
    let property = extracted.properties.get("title").map(|title| title.trim());
    let named = |place, value: &str| Found {
        value: value.to_owned(),
        provenance: Provenance { place, evidence: evidence(value), ..Provenance::default() },
    };
    match property {
        Some(title) if title.chars().any(char::is_alphabetic) => {
            Some(named(Place::Properties, title))
        }
        _ => {
            let stem = own::stem(file_name);
            let worded = stem.chars().filter(|c| c.is_alphabetic()).count() > 3;
            worded.then(|| named(Place::FileName, &stem))
        }
    }
}

/// The title page, or the first lines of a document that begins at once with its first section.
fn opening(page: &TitlePage) -> &[Line] {
    let first = page.front.get(..3).unwrap_or(&page.front);
    if page.title.is_empty() { first } else { &page.title }
}

fn of_lines(lines: &[&Line]) -> Option<Found<String>> {
    let first = lines.first()?;
    let joined = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = joined.split_whitespace().collect();
    let mut value = String::new();
    for word in words {
        if value.chars().count() + word.chars().count() > TITLE_CHARS {
            break;
        }
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(word);
    }
    let value = value.trim_matches(['"', ' ', '.']).to_owned();
    let value = match value.strip_prefix('«') {
        Some(rest) if !rest.contains('«') => rest.trim_end_matches('»').to_owned(),
        _ => value,
    };
    let provenance = Provenance {
        place: Place::TitlePage,
        page: Some(first.page),
        address: String::new(),
        evidence: evidence(&first.text),
    };
    (!value.is_empty()).then_some(Found { value, provenance })
}

/// «СП … «Название»» on a line that begins with the document's own designation; a quotation that
/// is not closed goes on with the next lines.
fn quoted(
    rules: &Rules,
    lines: &[Line],
    index: usize,
    designation: Option<&str>,
) -> Option<Found<String>> {
    let (line, designation) = (lines.get(index)?, designation?);
    let mention = norms::find(rules, &line.text).into_iter().next()?;
    if mention.designation.text != designation {
        return None;
    }
    let mut text = line.text.clone();
    for next in lines.iter().skip(index + 1).take(3) {
        let opened = text.matches('«').count() > text.matches('»').count()
            || text.matches('"').count() % 2 == 1;
        if !opened {
            break;
        }
        text = format!("{text} {}", next.text);
    }
    let captures = rules.topic("metadata").rule("title_quoted").captures(&text)?;
    let value = captures.name("title")?.as_str().trim();
    of_lines(&[&Line { text: value.to_owned(), ..line.clone() }])
}

/// The line that names the kind of document («Лекция № 1. …»). For a ППР or a process chart the
/// work is named on the line after it; for a drawing it is the name of the sheet.
fn of_kind(rules: &Rules, page: &TitlePage, document_type: &DocumentType) -> Option<Found<String>> {
    let family = document_type.family.as_str();
    if family == "norms" {
        return None;
    }
    let topic = rules.topic("document_type");
    let of_family = |rule: &&Rule| {
        rule.field("family") == family
            && rule.field("zones").contains("title")
            && (!rule.field("subtype").is_empty() || family == "unknown")
            && (family != "rd" || rule.id == "rd_views")
            && rule.id != "unknown_catalogue"
    };
    let kinds: Vec<&Rule> = topic.rules.iter().filter(of_family).collect();
    let letters = |line: &Line| line.text.chars().filter(|c| c.is_alphabetic()).count();
    let is_kind = |line: &&Line| {
        letters(line) >= 8
            && line.text.contains(' ')
            && !line.text.contains('\t')
            && kinds.iter().any(|rule| rule.is_match(&line.folded))
    };
    let lines = || opening(page).iter().filter(is_kind);
    match family {
        "ppr" => {
            let index = opening(page).iter().position(|line| is_kind(&line))?;
            plain(rules, opening(page), index + 1).or_else(|| of_lines(&[lines().next()?]))
        }
        // An estimate may name its program and its book first: the fullest name is the title.
        "smeta" => of_lines(&[lines().rev().max_by_key(|line| letters(line))?]),
        _ => of_lines(&[lines().next()?]),
    }
}

/// The first line that the rule knows, with the lines that go on with it.
fn lines_from(page: &TitlePage, first: &Rule, formal: &Rule) -> Option<Found<String>> {
    let start = page.title.iter().position(|line| first.is_match(&line.folded))?;
    of_lines(&continued(&page.title, start, formal, |_| false))
}

/// A title set over several lines goes on while the lines look alike and are not formal.
fn continued<'p>(
    lines: &'p [Line],
    start: usize,
    formal: &Rule,
    ends: impl Fn(&Line) -> bool,
) -> Vec<&'p Line> {
    let Some(first) = lines.get(start) else { return Vec::new() };
    let capital = is_capital(&first.text);
    let rest = lines.iter().skip(start + 1).take_while(|line| {
        // Formal words may stand in the middle of a long title of an act in capitals.
        let alike = is_capital(&line.text) == capital;
        let starts_low = line.text.starts_with(|c: char| c.is_lowercase());
        let latin = is_foreign(&line.text);
        !latin
            && !ends(line)
            && ((capital && alike) || starts_low)
            && (capital || !formal.is_match(&line.folded))
    });
    std::iter::once(first).chain(rest.take(8)).collect()
}

fn is_capital(text: &str) -> bool {
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    letters().count() > 2 && letters().all(|c| !c.is_lowercase())
}

/// Most letters are Latin: the English title below the Russian one.
fn is_foreign(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(char::is_ascii_alphabetic).count();
    letters > 0 && latin * 2 > letters
}

/// The first line from an index on that is none of the formal ones; one that the layout sets off
/// is preferred.
fn plain(rules: &Rules, lines: &[Line], from: usize) -> Option<Found<String>> {
    let formal = rules.topic("metadata").rule("no_title");
    let organisation = rules.topic("metadata").rule("organisation");
    let named = |line: &Line| norms::parse(rules, &line.text).is_some();
    let fits = |line: &Line| {
        let letters = line.text.chars().filter(|c| c.is_alphabetic()).count();
        let length = line.text.chars().count();
        letters >= 5
            && (6..=TITLE_CHARS).contains(&length)
            && (length <= PROSE_CHARS || !line.text.ends_with(['.', ':', ';']))
            && !line.text.contains('\t')
            && !line.text.starts_with(|c: char| c.is_lowercase())
            && !is_foreign(&line.text)
            && !is_kazakh(&line.text)
            && !formal.is_match(&line.folded)
            && !organisation.is_match(&line.folded)
            && !named(line)
    };
    let mut candidates = lines.iter().enumerate().skip(from).filter(|(_, line)| fits(line));
    let first = candidates.next()?;
    let best = if first.1.prominent || is_capital(&first.1.text) {
        first
    } else {
        candidates.find(|(_, line)| line.prominent).unwrap_or(first)
    };
    of_lines(&continued(lines, best.0, formal, named))
}

/// The Kazakh line above the Russian one.
fn is_kazakh(text: &str) -> bool {
    text.chars().any(|c| "ӘәҒғҚқҢңӨөҰұҮүҺһІі".contains(c))
}
