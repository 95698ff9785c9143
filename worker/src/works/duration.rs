//! Durations as documents write them. Nothing is converted without a statement of the document.

use crate::rules::{Rule, Rules};
use serde::Serialize;

/// What a duration is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Days; a week counts seven.
    Day,
    /// Shifts; how many make a day only the document can say.
    Shift,
    /// Hours.
    Hour,
}

impl Unit {
    /// The unit of «смен», «дней», «ч» and the like; `None` for other words.
    pub fn of(text: &str) -> Option<(Unit, f64)> {
        let lower = text.to_lowercase();
        let has = |part: &str| lower.contains(part);
        if has("смен") {
            Some((Unit::Shift, 1.0))
        } else if has("недел") {
            Some((Unit::Day, 7.0))
        } else if has("день") || has("дн") || has("сут") {
            Some((Unit::Day, 1.0))
        } else if has("час") || lower.split(|c: char| !c.is_alphabetic()).any(|word| word == "ч")
        {
            Some((Unit::Hour, 1.0))
        } else {
            None
        }
    }

    /// In Russian, for people.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Day => "дн.",
            Unit::Shift => "смен",
            Unit::Hour => "ч",
        }
    }
}

/// How long a work takes and where that is known from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Duration {
    /// In `unit`.
    pub value: f64,
    /// What it is counted in.
    pub unit: Unit,
    /// The words or the sum that it comes from.
    pub source: String,
}

/// A number with a decimal comma or point; spaces between thousands are allowed.
pub fn number(text: &str) -> Option<f64> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    compact.replace(',', ".").parse().ok().filter(|value: &f64| value.is_finite())
}

/// The duration that a text states.
pub fn stated(rule: &Rule, text: &str) -> Option<Duration> {
    let captures = rule.captures(text)?;
    let (unit, factor) = Unit::of(captures.name("unit")?.as_str())?;
    let value = number(captures.name("value")?.as_str())? * factor;
    Some(Duration { value, unit, source: captures.get(0)?.as_str().trim().to_owned() })
}

/// The duration in a cell, its unit in the header or in the cell («Продолжительность, смен»).
pub fn in_cell(header: &str, cell: &str) -> Option<Duration> {
    let digits: String =
        cell.chars().take_while(|c| c.is_ascii_digit() || ",. ".contains(*c)).collect();
    let value = number(digits.trim())?;
    let (unit, factor) = Unit::of(&cell[digits.len()..]).or_else(|| Unit::of(header))?;
    Some(Duration { value: value * factor, unit, source: format!("{header}: {cell}") })
}

/// Shifts in a day, where the text says so.
pub fn shifts_a_day(rules: &Rules, text: &str) -> Option<f64> {
    let topic = rules.topic("works");
    let (one, two) =
        (topic.rule("one_shift").is_match(text), topic.rule("two_shifts").is_match(text));
    match (one, two) {
        (true, false) => Some(1.0),
        (false, true) => Some(2.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Unit, in_cell, number, shifts_a_day, stated};
    use crate::rules::Rules;

    #[test]
    fn durations_of_texts_and_cells() {
        let rule = Rules::shipped().topic("works").rule("duration");
        let duration = stated(rule, "Рытьё рва. Продолжительность 2,5 дня.").unwrap();
        assert_eq!((duration.value, duration.unit), (2.5, Unit::Day));
        assert_eq!(stated(rule, "Срок выполнения: 2 недели").unwrap().value, 14.0);
        assert_eq!(stated(rule, "Продолжительность определяет проект"), None);
        let cell = in_cell("Продолжительность, смен", "3").unwrap();
        assert_eq!((cell.value, cell.unit), (3.0, Unit::Shift));
        assert_eq!(in_cell("Продолжительность", "4 ч").unwrap().unit, Unit::Hour);
        assert_eq!(in_cell("Продолжительность", "4"), None);
        assert_eq!(number("1 200,5"), Some(1200.5));
    }

    #[test]
    fn shifts_only_where_they_are_stated() {
        let rules = Rules::shipped();
        assert_eq!(shifts_a_day(rules, "Бригада работает в одну смену"), Some(1.0));
        assert_eq!(shifts_a_day(rules, "Работы ведут в две смены"), Some(2.0));
        assert_eq!(shifts_a_day(rules, "Работы ведут днём"), None);
    }
}
