//! Acts: laws, decrees, orders and letters, known by kind, issuer, date and number.

use super::fold::fold;
use super::{Designation, Hit};
use crate::rules::{Rule, Rules, Topic};

/// Months in the genitive, in order.
const MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// Rules of `acts` that find a whole act in running text.
const KINDS: [&str; 6] = ["federal_law", "decree", "order", "direction", "letter", "edict"];

pub(super) fn find(rules: &Rules, text: &str) -> Vec<Hit> {
    let topic = rules.topic("acts");
    let more = topic.rule("more");
    let mut found = Vec::new();
    for rule in KINDS.map(|id| topic.rule(id)) {
        for captures in rule.patterns.iter().flat_map(|pattern| pattern.captures_iter(text)) {
            let Some(whole) = captures.get(0) else { continue };
            let issuer = captures.name("organ").map_or("", |found| found.as_str());
            let issuer = organ(rules, issuer).unwrap_or_else(|| shortened(issuer));
            let mut position = whole.end();
            found.extend(hit(rule, &issuer, &captures, whole.start(), position));
            while let Some(next) = text.get(position..).and_then(|rest| more.captures(rest)) {
                let Some(end) = next.get(0).map(|found| found.end()) else { break };
                let start = next.name("date").map_or(0, |found| found.start());
                found.extend(hit(rule, &issuer, &next, position + start, position + end));
                position += end;
            }
        }
    }
    found
}

fn hit(
    rule: &Rule,
    issuer: &str,
    captures: &regex::Captures<'_>,
    start: usize,
    end: usize,
) -> Option<Hit> {
    let number = captures.name("number")?.as_str();
    if rule.id != "federal_law" && number.ends_with("ФЗ") {
        return None;
    }
    let date = captures.name("date").and_then(|found| numeric_date(found.as_str()));
    Some(Hit { designation: act(rule, issuer, date.as_deref(), number), start, end })
}

/// Puts an act together: «Приказ Минстроя России от 25.12.2015 № 938/пр».
fn act(rule: &Rule, issuer: &str, date: Option<&str>, number: &str) -> Designation {
    let mut text = rule.field("name").to_owned();
    if !issuer.is_empty() {
        text = format!("{text} {issuer}");
    }
    if let Some(date) = date {
        text = format!("{text} от {date}");
    }
    text = format!("{text} № {number}");
    let federal_law = rule.id == "federal_law";
    let id = if federal_law { number.to_uppercase() } else { text.to_uppercase() };
    let edition = date.filter(|_| federal_law).map(str::to_owned);
    Designation { id, text, edition, kind: rule.field("kind").to_owned() }
}

/// The act that a document's letterhead names over several lines: issuer, «ПРИКАЗ»,
/// «от 25 декабря 2015 г. N 938/пр».
///
/// `lines` are the first lines of the document in reading order.
pub fn letterhead(rules: &Rules, lines: &[String]) -> Option<Designation> {
    let topic = rules.topic("acts");
    let folded: Vec<String> = lines.iter().map(|line| fold(line)).collect();
    let (kind_at, rule) = folded.iter().enumerate().find_map(|(index, line)| {
        let kind = topic.rule("head").captures(line)?.name("kind")?.as_str().to_lowercase();
        Some((index, by_name(topic, &kind)?))
    })?;
    let near = kind_at.saturating_sub(3)..folded.len().min(kind_at + 6);
    let captures =
        folded.get(near)?.iter().find_map(|line| topic.rule("head_date").captures(line))?;
    let date = numeric_date(captures.name("date")?.as_str())?;
    let number = captures.name("number")?.as_str();
    if rule.id == "federal_law" {
        return Some(act(rule, "", Some(&date), number));
    }
    let above = folded.get(kind_at.saturating_sub(4)..kind_at)?.join(" ");
    let issuer = organ(rules, &above)?;
    Some(act(rule, &issuer, Some(&date), number))
}

fn by_name<'t>(topic: &'t Topic, name: &str) -> Option<&'t Rule> {
    KINDS
        .map(|id| topic.rule(id))
        .into_iter()
        .find(|rule| rule.field("name").to_lowercase() == name)
}

/// The usual short name (genitive) of an issuer named in a text.
pub fn organ(rules: &Rules, text: &str) -> Option<String> {
    let folded = fold(text);
    let rule = rules.topic("organs").rules.iter().find(|rule| rule.is_match(&folded))?;
    Some(rule.field("name").to_owned())
}

fn shortened(issuer: &str) -> String {
    issuer.trim().replace("Российской Федерации", "РФ").replace("Республики Казахстан", "РК")
}

/// «16 февраля 2008», «16.02.2008», «5.04.23» → «16.02.2008»; `None` when it is no date.
pub fn numeric_date(text: &str) -> Option<String> {
    let cleaned: String =
        text.to_lowercase().chars().filter(|c| !matches!(c, '«' | '»' | '"')).collect();
    let parts: Vec<&str> = if cleaned.contains('.') {
        cleaned.split('.').map(str::trim).collect()
    } else {
        cleaned.split_whitespace().collect()
    };
    let [day, month, year] = parts.as_slice() else { return None };
    let day: u8 = day.parse().ok()?;
    let month: u8 = match MONTHS.iter().position(|name| name == month) {
        Some(index) => u8::try_from(index + 1).ok()?,
        None => month.parse().ok()?,
    };
    let year: i32 = match (year.len(), year.parse::<i32>().ok()?) {
        (4, year) => year,
        (2, year @ 0..=49) => 2000 + year,
        (2, year) => 1900 + year,
        _ => return None,
    };
    let date =
        time::Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()?;
    Some(format!("{:02}.{:02}.{:04}", date.day(), u8::from(date.month()), date.year()))
}
