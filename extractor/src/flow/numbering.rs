//! Automatic numbering of Word: what it prints before a paragraph («5.10», «а)», «•»), computed
//! while the paragraphs are read in order.

use super::numerals::{Label, RUSSIAN, bullet, letter, roman};
use std::collections::{HashMap, HashSet};

/// Levels of a list.
pub(crate) const LEVELS: usize = 9;

/// How one level of a list is numbered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    /// Of the first item.
    pub(crate) start: i64,
    /// As `WordprocessingML` names it: `decimal`, `russianLower`, `bullet`, …
    pub(crate) format: String,
    /// Like `%1.%2.`.
    pub(crate) text: String,
    /// The level (from 1) whose use restarts this one; 0 never, `None` any higher level.
    pub(crate) restart: Option<usize>,
    /// All places in decimal («legal» numbering).
    pub(crate) legal: bool,
    /// The style whose paragraphs belong to this level.
    pub(crate) paragraph_style: Option<String>,
}

/// A list: levels of its own over those that it shares with its kind.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// Its kind; lists of one kind count on together.
    pub(crate) abstract_id: i32,
    /// Levels that begin anew in this list, and where.
    pub(crate) start_overrides: HashMap<usize, i64>,
    /// Levels from 0.
    pub(crate) levels: HashMap<usize, Level>,
}

/// The lists of a document and how far each has counted.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    lists: HashMap<i32, List>,
    abstracts: HashMap<i32, HashMap<usize, Level>>,
    counters: HashMap<i32, [Option<i64>; LEVELS]>,
    /// Lists whose start overrides were already applied, by level.
    restarted: HashSet<(i32, usize)>,
}

impl Numbering {
    /// Lists by number, and the kinds that they belong to.
    pub(crate) fn new(
        lists: HashMap<i32, List>,
        abstracts: HashMap<i32, HashMap<usize, Level>>,
    ) -> Numbering {
        Numbering { lists, abstracts, ..Numbering::default() }
    }

    /// The level of a list that belongs to a style (`w:pStyle` of the level).
    pub(crate) fn level_of_style(&self, list: i32, style: &str) -> Option<u8> {
        let levels = self.abstracts.get(&self.lists.get(&list)?.abstract_id)?;
        let found = levels.iter().find(|(_, l)| l.paragraph_style.as_deref() == Some(style));
        found.and_then(|(number, _)| u8::try_from(*number).ok())
    }

    /// Counts one paragraph of a list on and gives its number.
    pub(crate) fn next(&mut self, list_id: i32, level: u8) -> Option<Label> {
        let index = usize::from(level).min(LEVELS - 1);
        let list = self.lists.get(&list_id)?;
        let levels = self.abstracts.get(&list.abstract_id);
        let level_at = |index: usize| {
            list.levels.get(&index).or_else(|| levels.and_then(|levels| levels.get(&index)))
        };
        let definition = level_at(index)?;

        let counters = self.counters.entry(list.abstract_id).or_insert([None; LEVELS]);
        let override_start = list.start_overrides.get(&index);
        let restarts = override_start.is_some() && self.restarted.insert((list_id, index));
        for (number, counter) in counters.iter_mut().enumerate() {
            if number == index {
                let first = override_start.copied().unwrap_or(definition.start);
                *counter = Some(match *counter {
                    Some(value) if !restarts => value.saturating_add(1),
                    _ => first,
                });
            } else if number > index {
                let restart = level_at(number).and_then(|level| level.restart);
                if restart.is_none_or(|restart| restart > index) {
                    *counter = None;
                }
            }
        }
        let value_at = |place: usize| {
            let start = level_at(place).map_or(1, |level| level.start);
            let format = level_at(place).map_or("decimal", |level| level.format.as_str());
            let value = counters.get(place).copied().flatten().unwrap_or(start);
            let decimal = definition.legal && format != "none";
            format_number(value, if decimal { "decimal" } else { format })
        };
        Some(Label { text: print(definition, value_at), is_item: is_item(definition) })
    }
}

/// Letters, bullets and «1)» mark items of a list; «1», «5.10» and «1.» number clauses.
fn is_item(level: &Level) -> bool {
    !matches!(level.format.as_str(), "decimal" | "decimalZero" | "upperRoman" | "none")
        || level.text.trim_end().ends_with(')')
}

fn print(level: &Level, value_at: impl Fn(usize) -> String) -> String {
    if level.format == "bullet" {
        return bullet(&level.text);
    }
    let mut text = String::new();
    let mut characters = level.text.chars().peekable();
    while let Some(character) = characters.next() {
        let place = characters.peek().and_then(|next| next.to_digit(10)).filter(|digit| *digit > 0);
        match place {
            Some(digit) if character == '%' => {
                characters.next();
                text.push_str(&value_at((digit as usize).saturating_sub(1)));
            }
            _ => text.push(character),
        }
    }
    text.trim().to_owned()
}

fn format_number(value: i64, format: &str) -> String {
    match format {
        "none" => String::new(),
        "decimalZero" => format!("{value:02}"),
        "upperRoman" => roman(value),
        "lowerRoman" => roman(value).to_lowercase(),
        "upperLetter" => letter(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        "lowerLetter" => letter(value, "abcdefghijklmnopqrstuvwxyz"),
        "russianUpper" => letter(value, &RUSSIAN.to_uppercase()),
        "russianLower" => letter(value, RUSSIAN),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::format_number;

    #[test]
    fn formats() {
        assert_eq!(format_number(14, "upperRoman"), "XIV");
        assert_eq!(format_number(10, "russianLower"), "к");
        assert_eq!(format_number(28, "lowerLetter"), "bb");
        assert_eq!(format_number(-3, "lowerRoman"), "-3");
    }
}
