//! Designations of norms and acts: found in running text, taken apart, given a canonical id.
//!
//! The shapes are data (`rules/designations.toml`, `rules/acts.toml`, `rules/organs.toml`); what
//! has state — lists without a repeated prefix, the year in a number, clauses nearby — is code.

pub mod fold;
mod acts;
mod clause;
mod edition;
pub mod own;

use crate::rules::{Rule, Rules, Topic};
use fold::Folded;

pub use acts::{letterhead, numeric_date, organ};

/// A norm or act by its designation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Designation {
    /// Canonical, upper-case, without edition year and marks of amendment («СП 45.13330»,
    /// «ГОСТ Р 54257», «261-ФЗ»). Acts whose number is only unique with its date keep the date.
    pub id: String,
    /// With the edition as written («`СНиП` 2.01.07-85*»), the prefix in its usual spelling.
    pub text: String,
    /// The year with its marks («2017», «85*»); for a federal law its date.
    pub edition: Option<String>,
    /// Subtype of the norm (`sp`, `gost`, `snip`, `fz`, `order`, …).
    pub kind: String,
}

/// A designation found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// What is named.
    pub designation: Designation,
    /// The clause of the named norm, when the words around say one («5.10», «табл. 3»).
    pub clause: Option<String>,
    /// Bytes of the text from the first to past the last character of the designation.
    pub span: std::ops::Range<usize>,
}

/// All designations in a text, in order, without overlaps.
pub fn find(rules: &Rules, text: &str) -> Vec<Mention> {
    let folded = Folded::new(text);
    let mut found = standards(rules.topic("designations"), &folded.text);
    found.extend(acts::find(rules, &folded.text));
    // The earliest and then the longest wins: «Федеральный закон от … № 261-ФЗ» before «261-ФЗ».
    found.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    let mut end = 0;
    found.retain(|hit| {
        let free = hit.start >= end;
        if free {
            end = hit.end;
        }
        free
    });
    let spans: Vec<_> = found.iter().map(|hit| hit.start..hit.end).collect();
    let clauses = clause::beside(rules.topic("clauses"), &folded.text, &spans);
    found
        .into_iter()
        .zip(clauses)
        .map(|(hit, clause)| Mention {
            designation: hit.designation,
            clause,
            span: folded.origin(hit.start)..folded.origin(hit.end),
        })
        .collect()
}

/// The designation that a text consists of or begins with.
pub fn parse(rules: &Rules, text: &str) -> Option<Designation> {
    let first = find(rules, text).into_iter().next()?;
    text.get(..first.span.start)?.trim().is_empty().then_some(first.designation)
}

/// A designation between two bytes of the folded text.
struct Hit {
    designation: Designation,
    start: usize,
    end: usize,
}

fn standards(topic: &Topic, text: &str) -> Vec<Hit> {
    let mut found = Vec::new();
    for rule in topic.rules.iter().filter(|rule| rule.field("continues").is_empty()) {
        for captures in rule.patterns.iter().flat_map(|pattern| pattern.captures_iter(text)) {
            let Some(whole) = captures.get(0) else { continue };
            let Some(designation) = standard(rule, &captures) else { continue };
            let end = captures.name("number").map_or(whole.end(), |number| number.end());
            found.push(Hit { designation, start: whole.start(), end });
            continue_list(topic, rule, text, end, &mut found);
        }
    }
    found
}

/// Follows «ГОСТ 5781-82, 10884-94 и 10922-2012»: numbers that share one prefix.
fn continue_list(topic: &Topic, rule: &Rule, text: &str, from: usize, found: &mut Vec<Hit>) {
    let Some(more) = topic.rules.iter().find(|more| more.field("continues") == rule.id) else {
        return;
    };
    let mut position = from;
    while let Some(captures) = text.get(position..).and_then(|rest| more.captures(rest)) {
        let (Some(whole), Some(number)) = (captures.get(0), captures.name("number")) else {
            return;
        };
        if let Some(designation) = standard(rule, &captures) {
            let start = position + number.start();
            found.push(Hit { designation, start, end: position + whole.end() });
        }
        position += whole.end();
    }
}

fn standard(rule: &Rule, captures: &regex::Captures<'_>) -> Option<Designation> {
    let group = |name| captures.name(name).map_or("", |found| found.as_str().trim());
    let number = closed_up(group("number"), rule.field("gap"));
    if number.is_empty() && rule.id != "pue" {
        return None;
    }
    let mut prefix = match rule.field("prefix") {
        "" => spelled(group("prefix")),
        prefix => prefix.to_owned(),
    };
    for part in [spelled(group("family")).as_str(), rule.field("tail")] {
        if !part.is_empty() {
            prefix = format!("{prefix} {part}");
        }
    }
    let number = if rule.id == "snip" { roman(&number) } else { number };
    let (base, edition) = edition::split(&number, rule.field("edition"));
    let kind = match rule.field("kind") {
        "" => "rd".to_owned(),
        kind => kind.to_owned(),
    };
    let join = |number: &str| {
        if prefix.is_empty() || number.is_empty() {
            format!("{prefix}{number}")
        } else {
            format!("{prefix} {number}")
        }
    };
    Some(Designation { id: join(base).to_uppercase(), text: join(&number), edition, kind })
}

/// The number without white space; a blank between two digits becomes `gap`.
fn closed_up(number: &str, gap: &str) -> String {
    let mut closed = String::with_capacity(number.len());
    for part in number.split_whitespace() {
        let digits = closed.ends_with(|c: char| c.is_ascii_digit())
            && part.starts_with(|c: char| c.is_ascii_digit());
        if digits {
            closed.push_str(gap);
        }
        closed.push_str(part);
    }
    closed
}

/// Gives Latin abbreviations their Latin letters back («ISО» with a Cyrillic «О» after folding).
fn spelled(prefix: &str) -> String {
    let words = prefix.split_whitespace().map(|word| {
        if word.contains(|c: char| c.is_ascii_alphabetic()) {
            word.chars().map(latin).collect()
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<String>>().join(" ")
}

fn latin(character: char) -> char {
    match character {
        'О' => 'O',
        'Е' => 'E',
        'С' => 'C',
        'Т' => 'T',
        'Н' => 'H',
        'Р' => 'P',
        other => other,
    }
}

/// «`СНиП` 1I-22-81» and «`СНиП` П-22-81» mean Roman numbers in Latin letters.
fn roman(number: &str) -> String {
    let Some((head, rest)) = number.split_once('-') else { return number.to_owned() };
    if head.is_empty() || !head.chars().all(|c| matches!(c, 'I' | 'V' | 'Х' | 'l')) {
        return number.to_owned();
    }
    let head: String = head.chars().map(|c| if c == 'Х' { 'X' } else { c }).collect();
    format!("{}-{rest}", head.replace('l', "I"))
}

#[cfg(test)]
mod tests;
