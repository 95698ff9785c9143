//! The clause of a norm that the words beside its designation name.

use crate::rules::Topic;
use std::ops::Range;

/// How many bytes before and after a designation are looked at.
const REACH: usize = 120;

/// For every designation (its span in the folded text, in order) the clause beside it.
pub(super) fn beside(topic: &Topic, text: &str, spans: &[Range<usize>]) -> Vec<Option<String>> {
    let mut clauses = Vec::with_capacity(spans.len());
    let mut taken = 0;
    for (index, span) in spans.iter().enumerate() {
        let next = spans.get(index + 1).map_or(text.len(), |next| next.start);
        let before = window(text, span.start.saturating_sub(REACH).max(taken), span.start);
        let after = window(text, span.end, next.min(span.end + REACH));
        taken = span.end;
        let mut clause = named(topic, "before", before);
        if clause.is_none()
            && let Some(captures) = topic.rule("after").captures(after)
        {
            // «СП 1, п. 5 СП 2»: the clause belongs to the designation that follows it.
            let end = captures.get(0).map_or(0, |found| found.end());
            let rest = after.get(end..).unwrap_or("");
            if !(rest.trim().is_empty() && span.end + after.len() == next && next < text.len()) {
                clause = captures.name("clause").map(|found| tidy(found.as_str()));
                taken = span.end + end;
            }
        }
        clauses.push(clause);
    }
    clauses
}

fn named(topic: &Topic, rule: &str, text: &str) -> Option<String> {
    let captures = topic.rule(rule).captures(text)?;
    Some(tidy(captures.name("clause")?.as_str()))
}

/// «таблицей 7.3» → «табл. 7.3», «приложения А» → «прил. А».
fn tidy(clause: &str) -> String {
    let clause = clause.trim().trim_end_matches(['.', ',']);
    let lower = clause.to_lowercase();
    let short = [("табл", "табл."), ("прил", "прил.")];
    let Some((_, short)) = short.iter().find(|(stem, _)| lower.starts_with(stem)) else {
        return clause.to_owned();
    };
    let letter = |c: char| c.is_lowercase() || c == '.' || c.is_whitespace();
    let number = clause.char_indices().skip(1).find(|(_, c)| !letter(*c));
    let number = number.and_then(|(at, _)| clause.get(at..)).unwrap_or("");
    format!("{short} {number}")
}

/// The part of a text between two offsets, moved inward to character borders.
fn window(text: &str, start: usize, end: usize) -> &str {
    let end = text.floor_char_boundary(end);
    let start = text.ceil_char_boundary(start).min(end);
    text.get(start..end).unwrap_or("")
}
