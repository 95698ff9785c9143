//! Money, dates and numbers of documents, each only from where it belongs.

use super::{Found, Place, Provenance, evidence};
use crate::extracted::Extracted;
use crate::norms::fold::{Folded, fold};
use crate::norms::numeric_date;
use crate::rules::{Rules, Topic};
use crate::stages::rubern_markup::Markup;
use crate::title_page::TitlePage;
use extractor::model::BlockKind;
use serde::Serialize;
use shared::structure::{DocumentType, Table};

/// No document keeps more values of one kind; more is a table, not metadata.
const MOST: usize = 2000;

/// An amount of money, exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// In hundredths of the currency (kopecks).
    pub hundredths: i64,
    /// `RUB` or `KZT`.
    pub currency: String,
    /// As written.
    pub text: String,
    /// What the amount is for: the first cell of its row; empty in a paragraph.
    pub label: String,
}

/// Money in paragraphs, and in the rows of totals and the priced cells of an estimate's tables.
pub(super) fn finances(
    rules: &Rules,
    extracted: &Extracted,
    tables: &[Table],
    document_type: &DocumentType,
) -> Vec<Found<Money>> {
    let topic = rules.topic("metadata");
    let mut found = Vec::new();
    for (page, block) in extracted.blocks() {
        if matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem) {
            for money in money(topic, &block.text) {
                let place = (Place::Paragraph, Some(page), String::new());
                found.push(with_place(money, place, &block.text));
            }
        }
    }
    if document_type.family == "smeta" {
        for (index, table) in tables.iter().enumerate() {
            table_finances(topic, index, table, &mut found);
        }
    }
    found.truncate(MOST);
    found
}

fn with_place<T>(
    value: T,
    (place, page, address): (Place, Option<u32>, String),
    words: &str,
) -> Found<T> {
    Found { value, provenance: Provenance { place, page, address, evidence: evidence(words) } }
}

fn table_finances(topic: &Topic, index: usize, table: &Table, found: &mut Vec<Found<Money>>) {
    let columns = priced_columns(topic, table);
    for (row_index, row) in table.rows.iter().enumerate() {
        let label = row.iter().find(|cell| cell.chars().any(char::is_alphabetic));
        let label = label.map_or("", |cell| cell.trim());
        let total = topic.rule("total_row").is_match(&fold(label));
        for (column, cell) in row.iter().enumerate() {
            let place =
                || (Place::TableCell, Some(table.pages[0]), address(index, row_index, column));
            for mut money in money(topic, cell) {
                money.label = evidence(label);
                found.push(with_place(money, place(), &row.join(" | ")));
            }
            if let Some(Some(scale)) = columns.get(column).filter(|_| total)
                && let Some(hundredths) = hundredths(&fold(cell), *scale)
            {
                let money = Money {
                    hundredths,
                    currency: "RUB".to_owned(),
                    text: cell.trim().to_owned(),
                    label: evidence(label),
                };
                found.push(with_place(money, place(), &row.join(" | ")));
            }
        }
    }
}

/// `table/row/column`, from 1.
pub(super) fn address(table: usize, row: usize, column: usize) -> String {
    format!("{}/{}/{}", table + 1, row + 1, column + 1)
}

/// For every column its scale when its header says that it holds roubles. A header above merged
/// columns counts for the empty cells right of it.
fn priced_columns(topic: &Topic, table: &Table) -> Vec<Option<i64>> {
    let width = table.rows.first().map_or(0, Vec::len);
    let mut columns = vec![None; width];
    let header = table.header_rows.max(1);
    for row in table.rows.iter().take(header) {
        let mut spreading = None;
        for (column, cell) in row.iter().enumerate() {
            if !cell.trim().is_empty() {
                let folded = fold(cell);
                let captures = topic.rule("money_column").captures(&folded);
                spreading = captures.map(|captures| {
                    scale(captures.name("scale").map_or("", |scale| scale.as_str()))
                });
            }
            if let (Some(scale), Some(slot)) = (spreading, columns.get_mut(column)) {
                *slot = Some(scale);
            }
        }
    }
    columns
}

/// Amounts of money in a text.
pub(super) fn money(topic: &Topic, text: &str) -> Vec<Money> {
    let folded = Folded::new(text);
    let rule = topic.rule("money");
    let captures = rule.patterns.iter().flat_map(|pattern| pattern.captures_iter(&folded.text));
    let of = |captures: regex::Captures<'_>| -> Option<Money> {
        let group = |name| captures.name(name).map_or("", |found| found.as_str());
        let whole = hundredths(group("amount"), scale(group("scale")))?;
        let kopecks: i64 = group("kopecks").parse().unwrap_or(0);
        let range = captures.get(0)?.range();
        let written = text.get(folded.origin(range.start)..folded.origin(range.end))?;
        let tenge = group("currency").to_lowercase().starts_with("тенге");
        Some(Money {
            hundredths: whole.checked_add(kopecks)?,
            currency: if tenge { "KZT" } else { "RUB" }.to_owned(),
            text: written.trim().to_owned(),
            label: String::new(),
        })
    };
    captures.filter_map(of).collect()
}

fn scale(word: &str) -> i64 {
    let word = word.trim().to_lowercase();
    let scales = [("тыс", 1_000), ("млн", 1_000_000), ("миллион", 1_000_000)];
    let billions = [("млрд", 1_000_000_000), ("миллиард", 1_000_000_000)];
    let mut all = scales.iter().chain(&billions);
    all.find(|(stem, _)| word.starts_with(stem)).map_or(1, |(_, scale)| *scale)
}

/// A decimal number times a scale in hundredths; `None` when it is no number or not exact.
fn hundredths(number: &str, scale: i64) -> Option<i64> {
    let plain: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    let (whole, fraction) = plain.split_once([',', '.']).unwrap_or((plain.as_str(), ""));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let unit = scale.checked_mul(100)?;
    let whole = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    if fraction.is_empty() {
        return Some(whole);
    }
    let power = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<i64>().ok()?.checked_mul(unit)?;
    if part % power != 0 {
        return None;
    }
    whole.checked_add(part / power)
}

/// A date as written in ISO 8601 and where it stands in the text.
pub(super) struct WrittenDate {
    pub(super) value: String,
}

/// The dates in a folded text, in order.
pub(super) fn iso_dates(topic: &Topic, folded: &str) -> Vec<WrittenDate> {
    let rule = topic.rule("date");
    let mut dates: Vec<(usize, String)> = Vec::new();
    for captures in rule.patterns.iter().flat_map(|pattern| pattern.captures_iter(folded)) {
        let Some(start) = captures.get(0).map(|found| found.start()) else { continue };
        let date = match captures.name("iso") {
            Some(iso) => valid_iso(iso.as_str()),
            None => captures
                .name("date")
                .or(captures.name("words"))
                .and_then(|found| iso_date(found.as_str())),
        };
        dates.extend(date.map(|date| (start, date)));
    }
    dates.sort();
    dates.into_iter().map(|(_, value)| WrittenDate { value }).collect()
}

/// «1 июля 2017», «01.07.2017» → «2017-07-01».
pub(super) fn iso_date(text: &str) -> Option<String> {
    let numeric = numeric_date(text)?;
    let mut parts = numeric.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{year}-{month}-{day}"))
}

fn valid_iso(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    iso_date(&format!("{day}.{month}.{year}"))
}

/// Dates on the title page, in headings and in sub-clauses.
pub(super) fn dates(rules: &Rules, page: &TitlePage, markup: &Markup) -> Vec<Found<String>> {
    let topic = rules.topic("metadata");
    let note = topic.rule("note");
    let mut found: Vec<Found<String>> = Vec::new();
    let mut add = |text: &str, place: (Place, Option<u32>, String)| {
        for date in iso_dates(topic, &fold(text)) {
            if found.len() < MOST && !found.iter().any(|known| known.value == date.value) {
                found.push(with_place(date.value, place.clone(), text));
            }
        }
    };
    for line in page.title.iter().filter(|line| !note.is_match(&line.folded)) {
        add(&line.text, (Place::TitlePage, Some(line.page), String::new()));
    }
    for section in &markup.sections {
        let place = (Place::Heading, Some(section.pages[0]), section.number.clone());
        add(&section.title, place);
    }
    for clause in markup.clauses.iter().filter(|clause| clause.number.contains('.')) {
        add(&clause.text, (Place::Clause, Some(clause.pages[0]), clause.number.clone()));
    }
    found
}

/// Numbers of documents on the title page and in headings.
pub(super) fn numbers(rules: &Rules, page: &TitlePage, markup: &Markup) -> Vec<Found<String>> {
    let topic = rules.topic("metadata");
    let (rule, note) = (topic.rule("number"), topic.rule("note"));
    let mut found: Vec<Found<String>> = Vec::new();
    let mut add = |text: &str, place: (Place, Option<u32>, String)| {
        let folded = fold(text);
        for captures in rule.patterns.iter().flat_map(|pattern| pattern.captures_iter(&folded)) {
            let Some(number) = captures.name("number").map(|found| found.as_str()) else {
                continue;
            };
            let known = found.iter().any(|known| known.value == number);
            let numbered = number.contains(|c: char| c.is_ascii_digit());
            if numbered && !known && found.len() < MOST {
                found.push(with_place(number.to_owned(), place.clone(), text));
            }
        }
    };
    for line in page.title.iter().filter(|line| !note.is_match(&line.folded)) {
        add(&line.text, (Place::TitlePage, Some(line.page), String::new()));
    }
    for section in &markup.sections {
        let place = (Place::Heading, Some(section.pages[0]), section.number.clone());
        add(&section.title, place);
    }
    found
}
