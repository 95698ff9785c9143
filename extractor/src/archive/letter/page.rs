//! The text of a letter under its head, as a page of HTML.

use super::contents;
use super::head::values;
use super::parts::Parts;
use super::uuencode::{self, Coded};
use mail_parser::decoders::html::html_to_text;
use mail_parser::{Address, DateTime, HeaderName, Message, MessagePart, MimeHeaders, PartType};
use std::fmt::Write;
use std::ops::RangeInclusive;

/// Lines of this many characters were broken by the program, others by the author.
const BROKEN_LINE: RangeInclusive<usize> = 50..=80;

/// The subject of a letter, if it has one.
pub(super) fn subject(bytes: &[u8], letter: &Message<'_>) -> Option<String> {
    let values =
        values(bytes, letter.headers(), &HeaderName::Subject, |line| line.parse_unstructured());
    let subject = values.first()?.as_text()?.trim();
    (!subject.is_empty()).then(|| subject.to_owned())
}

/// Head and text of a letter; empty when it has neither. The files within the text are put into
/// `coded`.
pub(super) fn page(
    bytes: &[u8],
    letter: &Message<'_>,
    parts: &Parts<'_>,
    subject: Option<&str>,
    coded: &mut Vec<Coded>,
) -> String {
    let people = |name| people(bytes, letter, &name);
    let head = [
        ("Тема", subject.map(ToOwned::to_owned)),
        ("От", people(HeaderName::From)),
        ("Кому", people(HeaderName::To)),
        ("Копия", people(HeaderName::Cc)),
        ("Дата", letter.date().map(DateTime::to_rfc3339)),
    ];
    let mut page = String::from("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n");
    let bare = page.len();
    for (label, value) in head {
        if let Some(value) = value {
            let _ = writeln!(page, "<p>{label}: {}</p>", escaped(&value));
        }
    }
    page.push_str(&body(bytes, parts, coded));
    if page[bare..].trim().is_empty() { String::new() } else { page }
}

/// The text of a letter. Some programs send an HTML alternative with nothing in it.
fn body(bytes: &[u8], parts: &Parts<'_>, coded: &mut Vec<Coded>) -> String {
    let is_html = |part: &MessagePart<'_>| matches!(part.body, PartType::Html(_));
    let says_something = |part: &MessagePart<'_>| {
        html_to_text(&contents::text(bytes, part)).contains(char::is_alphanumeric)
    };
    let has_html = parts.html.iter().any(|part| is_html(part) && says_something(part));
    let shown = if has_html { &parts.html } else { &parts.plain };
    let as_html = |part: &&MessagePart<'_>| {
        let text = contents::text(bytes, part);
        if is_html(part) {
            return text;
        }
        paragraphs(&uuencode::take_files(&text, coded), is_flowed(part))
    };
    shown.iter().map(as_html).collect()
}

/// The author's program marks the lines that go on with a space at their end.
fn is_flowed(part: &MessagePart<'_>) -> bool {
    let format = part.content_type().and_then(|kind| kind.attribute("format"));
    format.is_some_and(|format| format.eq_ignore_ascii_case("flowed"))
}

/// Plain text as paragraphs: lines that a program broke are joined again.
fn paragraphs(text: &str, flowed: bool) -> String {
    let mut html = String::with_capacity(text.len());
    let mut goes_on = false;
    for line in text.lines() {
        let shown = line.trim();
        if shown.is_empty() {
            goes_on = false;
            continue;
        }
        let quoted = shown.starts_with('>');
        if goes_on && !quoted && !is_item(shown) {
            html.push(' ');
        } else {
            html.push_str(if html.is_empty() { "<p>" } else { "</p>\n<p>" });
        }
        html.push_str(&escaped(shown));
        let flows = flowed && line.ends_with(' ') && line != "-- ";
        goes_on = !quoted && (flows || BROKEN_LINE.contains(&shown.chars().count()));
    }
    if !html.is_empty() {
        html.push_str("</p>\n");
    }
    html
}

/// «- бетон», «1) бетон», «а) бетон», «1.2. Бетон».
fn is_item(line: &str) -> bool {
    let marker = line.split(char::is_whitespace).next().unwrap_or_default();
    let number = marker.trim_end_matches([')', '.']);
    let numbered = number.chars().all(|sign| sign.is_ascii_digit() || sign == '.');
    ["-", "–", "—", "•", "*", "·"].contains(&marker)
        || (numbered && marker.contains(['.', ')']))
        || (marker.ends_with(')') && number.chars().count() == 1)
}

/// «Иванов <ivanov@example.org>, Петров» of all headers of this name.
fn people(bytes: &[u8], letter: &Message<'_>, name: &HeaderName<'_>) -> Option<String> {
    let values = values(bytes, letter.headers(), name, |line| line.parse_address());
    let people = values.iter().filter_map(|value| value.as_address()).flat_map(Address::iter);
    let people = people.map(|one| match (one.name(), one.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    });
    let people = people.collect::<Vec<_>>().join(", ");
    (!people.is_empty()).then_some(people)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
