//! Automatic numbering: what Word prints before a paragraph («5.10», «а)», «•»), computed from
//! `word/numbering.xml` while the paragraphs are read in order.

use super::styles::Styles;
use crate::xml::Element;
use std::collections::{HashMap, HashSet};

/// Levels of a list in `WordprocessingML`.
const LEVELS: usize = 9;

/// The number of a paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    /// As printed: «5.10», «а)», «•»; may be empty.
    pub(crate) text: String,
    /// A bullet or a letter, not the number of a clause.
    pub(crate) is_item: bool,
}

#[derive(Clone, Debug)]
struct Level {
    start: i64,
    format: String,
    /// Like `%1.%2.`.
    text: String,
    /// The level (from 1) whose use restarts this one; 0 never, `None` any higher level.
    restart: Option<usize>,
    /// All places in decimal («legal» numbering).
    legal: bool,
    paragraph_style: Option<String>,
}

#[derive(Debug, Default)]
struct List {
    abstract_id: i32,
    start_overrides: HashMap<usize, i64>,
    levels: HashMap<usize, Level>,
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
    /// Reads `word/numbering.xml`; `styles` resolve lists that are only a link to a style.
    pub(crate) fn read(root: &Element, styles: &Styles) -> Numbering {
        let mut abstracts = HashMap::new();
        let mut links = Vec::new();
        for element in root.all("abstractNum") {
            let Some(id) = number(element.attribute("abstractNumId")) else { continue };
            if let Some(style) = element.value_of("numStyleLink") {
                links.push((id, style));
            }
            abstracts.insert(id, read_levels(element));
        }
        let mut lists = HashMap::new();
        for element in root.all("num") {
            let Some(id) = number(element.attribute("numId")) else { continue };
            let mut list = List {
                abstract_id: number(element.value_of("abstractNumId")).unwrap_or(-1),
                ..List::default()
            };
            for change in element.all("lvlOverride") {
                let Some(level) = number(change.attribute("ilvl")) else { continue };
                if let Some(start) = number(change.value_of("startOverride")) {
                    list.start_overrides.insert(level, start);
                }
                list.levels.extend(read_levels(change));
            }
            lists.insert(id, list);
        }
        for (id, style) in links {
            let list = styles.paragraph(Some(style)).properties.number_list;
            let target =
                list.and_then(|list: i32| lists.get(&list)).map(|list: &List| list.abstract_id);
            if let Some(levels) = target.and_then(|target| abstracts.get(&target)).cloned() {
                abstracts.insert(id, levels);
            }
        }
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

fn read_levels(parent: &Element) -> HashMap<usize, Level> {
    parent
        .all("lvl")
        .filter_map(|element| {
            let level = Level {
                start: number(element.value_of("start")).unwrap_or(1),
                format: element.value_of("numFmt").unwrap_or("decimal").to_owned(),
                text: element.value_of("lvlText").unwrap_or_default().to_owned(),
                restart: number(element.value_of("lvlRestart")),
                legal: super::styles::switch(element, "isLgl").unwrap_or(false),
                paragraph_style: element.value_of("pStyle").map(str::to_owned),
            };
            Some((number(element.attribute("ilvl"))?, level))
        })
        .collect()
}

fn number<T: std::str::FromStr>(value: Option<&str>) -> Option<T> {
    value?.trim().parse().ok()
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

/// Bullets of the symbol fonts stand in the private area; they print as a plain bullet.
fn bullet(text: &str) -> String {
    match text.trim().chars().next() {
        Some('-' | '\u{f02d}' | '–' | '—' | '−') => "–".to_owned(),
        _ => "•".to_owned(),
    }
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

/// The letters that Russian lists use (without ё, й, ъ, ы, ь).
const RUSSIAN: &str = "абвгдежзиклмнопрстуфхцчшщэюя";

/// a…z, then aa, bb, …
fn letter(value: i64, alphabet: &str) -> String {
    let count = alphabet.chars().count();
    let Some(index) = value.checked_sub(1).and_then(|index| usize::try_from(index).ok()) else {
        return value.to_string();
    };
    let repeat = (index / count).saturating_add(1).min(5);
    alphabet.chars().nth(index % count).map_or(String::new(), |c| c.to_string().repeat(repeat))
}

fn roman(value: i64) -> String {
    const SIGNS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..4000).contains(&value) {
        return value.to_string();
    }
    let mut left = value;
    let mut text = String::new();
    for (size, sign) in SIGNS {
        while left >= size {
            text.push_str(sign);
            left = left.saturating_sub(size);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Numbering, format_number};
    use crate::docx::styles::Styles;
    use crate::reader::Limits;
    use crate::xml::parse;

    fn numbering(xml: &str) -> Numbering {
        Numbering::read(&parse(xml, &Limits::default()).unwrap(), &Styles::default())
    }

    fn run(numbering: &mut Numbering, steps: &[(i32, u8)]) -> Vec<String> {
        steps.iter().map(|(list, level)| numbering.next(*list, *level).unwrap().text).collect()
    }

    const CLAUSES: &str = r#"<numbering><abstractNum abstractNumId="0">
        <lvl ilvl="0"><start val="5"/><numFmt val="decimal"/><lvlText val="%1"/><pStyle val="H1"/></lvl>
        <lvl ilvl="1"><start val="1"/><numFmt val="decimal"/><lvlText val="%1.%2"/></lvl>
        <lvl ilvl="2"><start val="1"/><numFmt val="russianLower"/><lvlText val="%3)"/></lvl>
        </abstractNum>
        <num numId="1"><abstractNumId val="0"/></num>
        <num numId="2"><abstractNumId val="0"/><lvlOverride ilvl="1"><startOverride val="10"/></lvlOverride></num>
        </numbering>"#;

    #[test]
    fn clauses_count_and_lower_levels_restart() {
        let steps = [(1, 0), (1, 1), (1, 2), (1, 2), (1, 1), (1, 2), (1, 0), (1, 1)];
        let labels = run(&mut numbering(CLAUSES), &steps);
        assert_eq!(labels, ["5", "5.1", "а)", "б)", "5.2", "а)", "6", "6.1"]);
    }

    #[test]
    fn an_override_restarts_once_and_lists_of_one_kind_count_on() {
        let labels = run(&mut numbering(CLAUSES), &[(1, 0), (1, 1), (2, 1), (2, 1), (1, 1)]);
        assert_eq!(labels, ["5", "5.1", "5.10", "5.11", "5.12"]);
    }

    #[test]
    fn a_level_without_its_parent_shows_the_parents_start() {
        assert_eq!(run(&mut numbering(CLAUSES), &[(1, 1)]), ["5.1"]);
        assert_eq!(numbering(CLAUSES).level_of_style(1, "H1"), Some(0));
        assert!(numbering(CLAUSES).next(99, 0).is_none());
    }

    #[test]
    fn formats() {
        assert_eq!(format_number(14, "upperRoman"), "XIV");
        assert_eq!(format_number(10, "russianLower"), "к");
        assert_eq!(format_number(28, "lowerLetter"), "bb");
        assert_eq!(format_number(-3, "lowerRoman"), "-3");
    }
}
