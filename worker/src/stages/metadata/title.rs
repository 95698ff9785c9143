//! What a document is called.

use super::{Found, Place, Provenance, evidence};
use crate::extracted::Extracted;
use crate::norms;
use crate::norms::own;
use crate::rules::{Rule, Rules};
use crate::title_page::{Line, TitlePage};

/// A title of more characters is cut at a word.
const TITLE_CHARS: usize = 400;

/// The title: quoted after the designation, the heading of an act, the first line that is none of
/// the formal ones, a property of the file, the file name.
pub(super) fn title(
    rules: &Rules,
    extracted: &Extracted,
    page: &TitlePage,
    designation: Option<&str>,
    file_name: &str,
) -> Option<Found<String>> {
    let topic = rules.topic("metadata");
    let quoted = page.title.iter().find_map(|line| quoted(rules, line, designation));
    let act = || lines_from(page, topic.rule("title_of_act"), topic.rule("no_title"));
    let plain = || plain(rules, page);
    if let Some(found) = quoted.or_else(act).or_else(plain) {
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
    let value = value.trim_matches(['«', '»', '"', ' ']).to_owned();
    let provenance = Provenance {
        place: Place::TitlePage,
        page: Some(first.page),
        address: String::new(),
        evidence: evidence(&first.text),
    };
    (!value.is_empty()).then_some(Found { value, provenance })
}

/// «СП … «Название»» on a line that begins with the document's own designation.
fn quoted(rules: &Rules, line: &Line, designation: Option<&str>) -> Option<Found<String>> {
    let designation = designation?;
    let mention = norms::find(rules, &line.text).into_iter().next()?;
    if mention.designation.text != designation {
        return None;
    }
    let captures = rules.topic("metadata").rule("title_quoted").captures(&line.text)?;
    let value = captures.name("title")?.as_str().trim();
    let line = Line { text: value.to_owned(), ..line.clone() };
    of_lines(&[&line])
}

/// The first line that the rule knows, with the lines that go on with it.
fn lines_from(page: &TitlePage, first: &Rule, formal: &Rule) -> Option<Found<String>> {
    let start = page.title.iter().position(|line| first.is_match(&line.folded))?;
    of_lines(&continued(&page.title, start, formal))
}

/// A title set over several lines goes on while the lines look alike and are not formal.
fn continued<'p>(lines: &'p [Line], start: usize, formal: &Rule) -> Vec<&'p Line> {
    let Some(first) = lines.get(start) else { return Vec::new() };
    let capital = is_capital(&first.text);
    let rest = lines.iter().skip(start + 1).take_while(|line| {
        // Formal words may stand in the middle of a long title of an act in capitals.
        let alike = is_capital(&line.text) == capital && line.prominent == first.prominent;
        let starts_low = line.text.starts_with(|c: char| c.is_lowercase());
        let latin = is_foreign(&line.text);
        !latin && ((capital && alike) || starts_low) && !(formal.is_match(&line.folded) && !capital)
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

/// The first line of the title page that is none of the formal ones.
fn plain(rules: &Rules, page: &TitlePage) -> Option<Found<String>> {
    let formal = rules.topic("metadata").rule("no_title");
    let start = page.title.iter().position(|line| {
        let letters = line.text.chars().filter(|c| c.is_alphabetic()).count();
        let length = line.text.chars().count();
        letters >= 5
            && (6..=TITLE_CHARS).contains(&length)
            && !line.text.contains('\t')
            && !is_foreign(&line.text)
            && !is_kazakh(&line.text)
            && !formal.is_match(&line.folded)
            && norms::parse(rules, &line.text).is_none()
    })?;
    of_lines(&continued(&page.title, start, formal))
}

/// The Kazakh line above the Russian one.
fn is_kazakh(text: &str) -> bool {
    text.chars().any(|c| "ӘәҒғҚқҢңӨөҰұҮүҺһІі".contains(c))
}
