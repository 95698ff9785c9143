//! Status, organisation, dates of approval and effect, and relations to other norms, from the
//! title page and the foreword.

use super::{Found, Metadata, Place, Provenance, evidence, named};
use crate::norms;
use crate::norms::fold::fold;
use crate::norms::own::Own;
use crate::rules::{Rules, Topic};
use crate::stages::metadata::values::{iso_date, iso_dates};
use crate::title_page::{Line, TitlePage};

/// The part of the metadata that the front matter gives.
pub(super) fn front(rules: &Rules, page: &TitlePage, own: Option<&Own>) -> Metadata {
    let topic = rules.topic("metadata");
    let mut metadata = Metadata {
        status: status(topic, page),
        organisation: organisation(topic, page),
        ..Metadata::default()
    };
    let mut previous = String::new();
    for line in foreword(page) {
        let text = &line.folded;
        if topic.rule("note").is_match(text) {
            continue;
        }
        if metadata.effective_date.is_none() {
            metadata.effective_date = dated(topic, "effective", line);
        }
        if metadata.approval_date.is_none() {
            metadata.approval_date = dated(topic, "approved", line);
        }
        for captures in topic.rule("amended_by").patterns.iter().flat_map(|p| p.captures_iter(text))
        {
            if let Some(which) = captures.name("which") {
                amendment(&mut metadata, which.as_str().to_owned(), line);
            }
        }
        if let Some(captures) = topic.rule("state_as_of").captures(text)
            && let Some(rest) = captures.name("rest")
        {
            amendment(&mut metadata, format!("по состоянию на {}", rest.as_str()), line);
        }
        replaced(rules, line, &previous, own, &mut metadata);
        previous.clone_from(text);
    }
    if let Some(own) = own
        && own.amendment.is_some()
        && let Some(line) = page.title.first()
    {
        metadata.amends.push(found(named(&own.designation), line));
    }
    // A decree or order carries the date of its approval in its own designation.
    if metadata.approval_date.is_none()
        && let Some(own) = own
        && let Some((_, rest)) = own.designation.text.split_once(" от ")
        && let Some(date) = rest.split_whitespace().next().and_then(iso_date)
        && let Some(line) = page.title.first()
    {
        metadata.approval_date = Some(found(date, line));
    }
    metadata
}

fn amendment(metadata: &mut Metadata, which: String, line: &Line) {
    if !metadata.amendments.iter().any(|known| known.value == which) {
        metadata.amendments.push(found(which, line));
    }
}

/// The title page and the lines of the foreword, up to the first line of running prose that
/// follows the contents.
fn foreword(page: &TitlePage) -> impl Iterator<Item = &Line> {
    page.lines().take(page.title.len() + 40)
}

fn found<T>(value: T, line: &Line) -> Found<T> {
    let provenance = Provenance {
        place: Place::TitlePage,
        page: Some(line.page),
        address: String::new(),
        evidence: evidence(&line.text),
    };
    Found { value, provenance }
}

fn dated(topic: &Topic, rule: &str, line: &Line) -> Option<Found<String>> {
    let captures = topic.rule(rule).captures(&line.folded)?;
    let date = iso_dates(topic, captures.name("rest")?.as_str()).into_iter().next()?.value;
    Some(found(date, line))
}

fn status(topic: &Topic, page: &TitlePage) -> Option<Found<String>> {
    let of = |text: &str| -> Option<String> {
        let captures = topic.rule("status").captures(text)?;
        let written = captures.name("status")?.as_str();
        let kinds = [
            "status_valid",
            "status_cancelled",
            "status_invalid",
            "status_replaced",
            "status_draft",
        ];
        let rule =
            kinds.map(|id| topic.rule(id)).into_iter().find(|rule| rule.is_match(written))?;
        Some(rule.field("status").to_owned())
    };
    let in_title = page.title.iter().find_map(|line| Some(found(of(&line.folded)?, line)));
    in_title.or_else(|| {
        page.furniture.iter().find_map(|(line, _)| {
            let mut status = found(of(&line.folded)?, line);
            status.provenance.place = Place::Furniture;
            Some(status)
        })
    })
}

fn organisation(topic: &Topic, page: &TitlePage) -> Option<Found<String>> {
    let name = |rule: &str, line: &Line| -> Option<Found<String>> {
        // Matching on the folded text, quoting the original: offsets differ, so the whole line is
        // quoted when folding changed its length.
        let folded = topic.rule(rule).captures(&line.folded)?.name("name")?.range();
        let name = match line.folded.len() == line.text.len() {
            true => line.text.get(folded)?.to_owned(),
            false => line.folded.get(folded)?.to_owned(),
        };
        Some(found(name.trim_matches([' ', ',', '.']).to_owned(), line))
    };
    let stated = page.lines().find_map(|line| name("developer", line));
    let mut on_title = page.title.iter().enumerate();
    stated.or_else(|| {
        on_title.find_map(|(index, line)| {
            let mut organisation = name("organisation", line)?;
            // «МИНИСТЕРСТВО …-КОММУНАЛЬНОГО» goes on with «ХОЗЯЙСТВА РОССИЙСКОЙ ФЕДЕРАЦИИ».
            if let Some(next) = page.title.get(index + 1)
                && next.folded.to_lowercase().ends_with("федерации")
                && !line.folded.to_lowercase().ends_with("федерации")
            {
                organisation.value = format!("{} {}", organisation.value, next.text);
            }
            Some(organisation)
        })
    })
}

/// «Взамен `СНиП` …», «Пересмотр СП …», «Актуализированная редакция `СНиП` …» (also on two lines).
fn replaced(
    rules: &Rules,
    line: &Line,
    previous: &str,
    own: Option<&Own>,
    metadata: &mut Metadata,
) {
    let Some(own) = own else { return };
    let topic = rules.topic("metadata");
    let (replaces, more) = (topic.rule("replaces"), topic.rule("more_replaced"));
    let mut end = None;
    for mention in norms::find(rules, &line.text) {
        let start = mention.span.start;
        let before = match end {
            Some(end) => line.text.get(end..start).unwrap_or(""),
            None => line.text.get(..start).unwrap_or(""),
        };
        let before = format!("{} ", fold(before));
        let listed = end.is_some() && more.is_match(&before);
        let carried = end.is_none() && before.trim().is_empty() && replaces.is_match(previous);
        if !(listed || carried || replaces.is_match(&before)) {
            end = None;
            continue;
        }
        end = Some(mention.span.end);
        let same = mention.designation.id == own.designation.id
            && mention.designation.edition == own.designation.edition;
        let known = metadata.replaces.iter().any(|old| old.value.text == mention.designation.text);
        if !same && !known {
            metadata.replaces.push(found(named(&mention.designation), line));
        }
    }
}
