//! Automatic numbering: what stands before the items of lists and before numbered headings.

use crate::flow::numerals::{Label, RUSSIAN, bullet, letter, roman};
use crate::xml::Element;
use std::collections::HashMap;

/// Levels of a list in `OpenDocument`.
const LEVELS: usize = 10;

/// How one level of a list is numbered.
#[derive(Clone, Debug)]
struct Level {
    /// `1`, `a`, `I`, «а, б, .., аа, …»; empty prints nothing.
    format: String,
    bullet: Option<String>,
    prefix: String,
    suffix: String,
    /// Levels that are printed, this one included.
    display: usize,
    start: i64,
    /// `%1%.%2%.`, as `LibreOffice` since 7.1 also writes it: with signs between the levels.
    pattern: Option<String>,
}

type Levels = HashMap<usize, Level>;

/// A list that is being counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Thread(usize);

/// The lists of a document and how far each has counted.
#[derive(Debug, Default)]
pub(super) struct Lists {
    styles: HashMap<String, Levels>,
    outline: Levels,
    counters: Vec<[Option<i64>; LEVELS]>,
    by_id: HashMap<String, Thread>,
    last_of_style: HashMap<String, Thread>,
    headings: [Option<i64>; LEVELS],
}

impl Lists {
    /// Adds the list styles of a group of styles, and the numbering of headings.
    pub(super) fn add(&mut self, group: &Element) {
        for element in group.elements() {
            match (&*element.name, element.attribute("name")) {
                ("list-style", Some(name)) => {
                    self.styles.insert(name.to_owned(), levels(element));
                }
                ("outline-style", _) => self.outline = levels(element),
                _ => {}
            }
        }
    }

    /// The counting of a list that opens here: a new one, or one that it goes on with.
    pub(super) fn open(&mut self, list: &Element, style: &str) -> Thread {
        let continued = match list.attribute("continue-list") {
            Some(id) => self.by_id.get(id).copied(),
            None if list.attribute("continue-numbering") == Some("true") => {
                self.last_of_style.get(style).copied()
            }
            None => None,
        };
        let thread = continued.unwrap_or_else(|| {
            self.counters.push([None; LEVELS]);
            Thread(self.counters.len().saturating_sub(1))
        });
        if let Some(id) = list.attribute("id") {
            self.by_id.insert(id.to_owned(), thread);
        }
        self.last_of_style.insert(style.to_owned(), thread);
        thread
    }

    /// Counts one item on (`level` from 0) and gives its number.
    pub(super) fn next(
        &mut self,
        thread: Thread,
        style: &str,
        level: usize,
        start: Option<i64>,
    ) -> Option<Label> {
        let levels = self.styles.get(style)?;
        count(levels, self.counters.get_mut(thread.0)?, level, start)
    }

    /// Counts one heading on (`level` from 1) and gives its number.
    pub(super) fn heading(&mut self, level: u8) -> Option<Label> {
        let index = usize::from(level).saturating_sub(1);
        count(&self.outline, &mut self.headings, index, None)
    }
}

fn count(
    levels: &Levels,
    counters: &mut [Option<i64>; LEVELS],
    level: usize,
    start: Option<i64>,
) -> Option<Label> {
    let level = level.min(LEVELS - 1);
    let definition = levels.get(&level)?;
    for (number, counter) in counters.iter_mut().enumerate() {
        if number == level {
            *counter = Some(match (start, *counter) {
                (Some(start), _) => start,
                (None, Some(value)) => value.saturating_add(1),
                (None, None) => definition.start,
            });
        } else if number > level {
            *counter = None;
        }
    }
    if let Some(sign) = &definition.bullet {
        return Some(Label { text: bullet(sign), is_item: true });
    }
    let value_at = |place: usize| {
        let of_place = levels.get(&place);
        let value = counters.get(place).copied().flatten();
        let value = value.unwrap_or_else(|| of_place.map_or(1, |level| level.start));
        format_number(value, of_place.map_or("1", |level| level.format.as_str()))
    };
    Some(Label { text: print(definition, level, value_at), is_item: is_item(definition) })
}

fn levels(style: &Element) -> Levels {
    let mut levels = Levels::new();
    for element in style.elements().filter(|element| element.name.contains("level-style")) {
        let number = |name: &str| element.attribute(name).and_then(|value| value.parse().ok());
        let text = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        let Some(level) = number("level").filter(|level| (1..=LEVELS as i64).contains(level))
        else {
            continue;
        };
        let index = usize::try_from(level.saturating_sub(1)).unwrap_or_default();
        levels.insert(
            index,
            Level {
                format: text("num-format"),
                bullet: match &*element.name {
                    "list-level-style-bullet" => Some(text("bullet-char")),
                    "list-level-style-image" => Some(String::new()),
                    _ => None,
                },
                prefix: text("num-prefix"),
                suffix: text("num-suffix"),
                display: number("display-levels").and_then(|n: i64| n.try_into().ok()).unwrap_or(1),
                start: number("start-value").unwrap_or(1),
                pattern: element.attribute("num-list-format").map(str::to_owned),
            },
        );
    }
    levels
}

/// Letters, bullets and «1)» mark items of a list; «1», «5.10» and «1.» number clauses.
fn is_item(level: &Level) -> bool {
    !matches!(level.format.as_str(), "1" | "I" | "") || level.suffix.trim_end().ends_with(')')
}

fn print(level: &Level, index: usize, value_at: impl Fn(usize) -> String) -> String {
    if level.format.is_empty() {
        return String::new();
    }
    let text = match &level.pattern {
        Some(pattern) => filled(pattern, value_at),
        None => {
            let first = index.saturating_add(1).saturating_sub(level.display);
            let values: Vec<String> =
                (first..=index).map(value_at).filter(|value| !value.is_empty()).collect();
            format!("{}{}{}", level.prefix, values.join("."), level.suffix)
        }
    };
    text.trim().to_owned()
}

/// «%1%.%2%)» with its numbers.
fn filled(pattern: &str, value_at: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for (number, part) in pattern.split('%').enumerate() {
        match part.parse::<usize>() {
            Ok(place) if number % 2 == 1 && place > 0 => text.push_str(&value_at(place - 1)),
            _ => text.push_str(part),
        }
    }
    text
}

fn format_number(value: i64, format: &str) -> String {
    match format {
        "" => String::new(),
        "I" => roman(value),
        "i" => roman(value).to_lowercase(),
        "a" => letter(value, "abcdefghijklmnopqrstuvwxyz"),
        "A" => letter(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        _ if format.starts_with('а') => letter(value, RUSSIAN),
        _ if format.starts_with('А') => letter(value, &RUSSIAN.to_uppercase()),
        _ => value.to_string(),
    }
}
