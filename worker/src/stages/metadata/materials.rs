//! Materials: only from table cells.

use super::values::address;
use super::{Found, Place, Provenance, evidence};
use crate::norms::fold::fold;
use crate::rules::{Rules, Topic};
use serde::Serialize;
use shared::structure::Table;
use std::collections::BTreeSet;

/// A material that a table names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Material {
    /// The cell as written.
    pub name: String,
    /// Grades in it, in Cyrillic spelling («В25», «М400», «А500С», «F150», «W6»).
    pub grades: Vec<String>,
    /// The unit of measure in the same row, as written.
    pub unit: Option<String>,
    /// The number next to the unit, as written.
    pub quantity: Option<String>,
}

/// Longest name of a material, in characters; a longer cell is a text.
const NAME_CHARS: usize = 250;
/// How many words of a cell are looked at for the name of a material.
const HEAD_WORDS: usize = 3;
const MOST: usize = 5000;

/// Materials in the cells of tables, each name once per table.
pub(super) fn materials(rules: &Rules, tables: &[Table]) -> Vec<Found<Material>> {
    let topic = rules.topic("metadata");
    let grades = rules.topic("grades");
    let mut found = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for (row_index, row) in table.rows.iter().enumerate().skip(table.header_rows) {
            for (column, cell) in row.iter().enumerate() {
                let name = cell.split_whitespace().collect::<Vec<_>>().join(" ");
                if !is_material(topic, &name) || !seen.insert(name.clone()) || found.len() >= MOST {
                    continue;
                }
                let (unit, quantity) = measured(topic, row, column);
                let value = Material { grades: grades_in(grades, &name), name, unit, quantity };
                let provenance = Provenance {
                    place: Place::TableCell,
                    page: Some(table.pages[0]),
                    address: address(index, row_index, column),
                    evidence: evidence(&row.join(" | ")),
                };
                found.push(Found { value, provenance });
            }
        }
    }
    found
}

fn is_material(topic: &Topic, name: &str) -> bool {
    let numbered = name.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    if name.is_empty() || name.chars().count() > NAME_CHARS || name.ends_with(':') || numbered {
        return false;
    }
    let folded = fold(name).to_lowercase();
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter(|word| word.chars().any(char::is_alphabetic))
        .take(HEAD_WORDS)
        .collect();
    let list = |name: &str| topic.words.get(name).map_or(&[][..], Vec::as_slice);
    let is_noun = |word: &&str| list("materials").iter().any(|stem| is_form_of(stem, word));
    let is_work =
        |word: &str| list("not_materials").iter().any(|stem| word.starts_with(stem.as_str()));
    // «Укрупнительная сборка ферм» is a work, «Блок контроля» is none.
    let adjective = words.first().is_some_and(|word| !is_noun(word));
    let work = words.iter().take(if adjective { 2 } else { 1 }).any(|word| is_work(word));
    let prepositions = list("prepositions");
    let condition = words.first().is_none_or(|word| prepositions.iter().any(|one| one == word));
    !work && !condition && words.iter().any(is_noun)
}

/// Whether a word is the stem with at most one more letter.
fn is_form_of(stem: &str, word: &str) -> bool {
    word.strip_prefix(stem).is_some_and(|ending| ending.chars().count() <= 1)
}

/// Grades in a text, each once, in the order of the rules and then of the text.
pub(super) fn grades_in(topic: &Topic, text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut grades: Vec<String> = Vec::new();
    for rule in &topic.rules {
        for captures in rule.patterns.iter().flat_map(|pattern| pattern.captures_iter(&folded)) {
            let Some(grade) = captures.name("grade") else { continue };
            let grade: String = grade.as_str().chars().filter(|c| !c.is_whitespace()).collect();
            if !grades.contains(&grade) {
                grades.push(grade);
            }
        }
    }
    grades
}

/// The unit in the row and the number right of it (or else left of it).
fn measured(topic: &Topic, row: &[String], name_column: usize) -> (Option<String>, Option<String>) {
    let units = topic.words.get("units").map_or(&[][..], Vec::as_slice);
    let is_unit = |cell: &str| {
        let folded = fold(cell).to_lowercase();
        units.iter().any(|unit| fold(unit).to_lowercase() == folded)
    };
    let is_number = |cell: &str| {
        let plain = cell.trim().replace([' ', '\u{a0}'], "").replace(',', ".");
        plain.parse::<f64>().is_ok_and(f64::is_finite)
    };
    let cells = row.iter().enumerate().filter(|(column, _)| *column != name_column);
    let Some((at, unit)) = cells.clone().find(|(_, cell)| is_unit(cell)) else {
        return (None, None);
    };
    let right = row.iter().skip(at + 1).find(|cell| !cell.trim().is_empty());
    let left = row.iter().take(at).rev().find(|cell| !cell.trim().is_empty());
    let number = right.filter(|cell| is_number(cell)).or(left.filter(|cell| is_number(cell)));
    (Some(unit.trim().to_owned()), number.map(|cell| cell.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> Table {
        let rows = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect());
        Table { rows: rows.collect(), header_rows: 1, pages: [3, 3], ..Table::default() }
    }

    #[test]
    fn materials_with_grades_units_and_quantities() {
        let table = table(&[
            &["№", "Наименование", "Ед. изм.", "Кол-во"],
            &["1", "Бетон тяжёлый класса B25 F150 W6", "м³", "12,5"],
            &["2", "Арматура А500C", "т", "1,2"],
            &["3", "Укладка бетонной смеси", "м3", "12,5"],
            &["4", "Цемент М400", "", ""],
        ]);
        let found = materials(Rules::shipped(), &[table]);
        let check: Vec<_> = found
            .iter()
            .map(|found| {
                let material = &found.value;
                (material.grades.join(" "), material.unit.as_deref(), material.quantity.as_deref())
            })
            .collect();
        assert_eq!(
            check,
            [
                ("В25 F150 W6".to_owned(), Some("м³"), Some("12,5")),
                ("А500С".to_owned(), Some("т"), Some("1,2")),
                ("М400".to_owned(), None, None),
            ]
        );
        assert_eq!(found[0].provenance.address, "1/2/2");
        assert_eq!(found[0].provenance.page, Some(3));
    }
}
