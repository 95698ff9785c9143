//! Positions of an estimate as rows of a table, whatever the schema nests them in.

use super::is_leaf;
use super::labels::label;
use crate::model::Block;
use crate::tidy::tidy_line;
use crate::xml::Element;
use std::collections::HashMap;

/// The columns of a position, in the order of the printed forms.
const COLUMNS: [&str; 15] = [
    "№ п.п.",
    "Обоснование",
    "Вид",
    "Наименование",
    "Ед. изм.",
    "Количество",
    "Формула расчета",
    "Стоимость единицы",
    "Цена",
    "Строительные работы",
    "Монтажные работы",
    "Оборудование",
    "Прочие затраты",
    "Всего",
    "Ссылка",
];

/// Characters of the fields that have no column of their own, per position.
const MAX_NOTE: usize = 500;

/// Bytes of a number that the numbers inside its position repeat.
const MAX_NUMBER: usize = 64;

/// Names of attached files by their id, for links to drawings.
pub(super) type Files = HashMap<String, String>;

/// Positions gathered for one table.
#[derive(Debug, Default)]
pub(super) struct Records {
    rows: Vec<(Vec<String>, String)>,
}

impl Records {
    /// Adds a position and the resources inside it, which are numbered after it («1.1»).
    pub(super) fn add(&mut self, element: &Element, number: Option<&str>, files: &Files) {
        let element = unwrapped(element);
        let mut cells = vec![String::new(); COLUMNS.len()];
        let mut note = String::new();
        for field in element.elements() {
            let text = match &*field.name {
                "Links" => links(field, files),
                "Details" | "Resources" | "Works" | "Items" => continue,
                _ if is_list(field) => continue,
                _ => value(field),
            };
            if text.is_empty() {
                continue;
            }
            let name = label(&field.name);
            let place = name.and_then(|name| COLUMNS.iter().position(|column| *column == name));
            match place.and_then(|place| cells.get_mut(place)).filter(|cell| cell.is_empty()) {
                Some(cell) => *cell = text,
                None if note.chars().count() < MAX_NOTE => {
                    if !note.is_empty() {
                        note.push_str("; ");
                    }
                    if let Some(name) = name.filter(|name| *name != "Примечание") {
                        note.push_str(name);
                        note.push_str(": ");
                    }
                    note.push_str(&text);
                }
                None => {}
            }
        }
        let own = cells.first().cloned().unwrap_or_default();
        let full = match number.filter(|number| number.len() <= MAX_NUMBER) {
            Some(number) if !own.is_empty() => format!("{number}.{own}"),
            _ => own,
        };
        if let Some(cell) = cells.first_mut() {
            cell.clone_from(&full);
        }
        if cells.iter().any(|cell| !cell.is_empty()) {
            self.rows.push((cells, note));
        }
        let lists = element.elements().filter(|field| is_list(field) && &*field.name != "Links");
        for record in lists.flat_map(Element::elements) {
            self.add(
                record,
                Some(&full).filter(|full| !full.is_empty()).map(String::as_str),
                files,
            );
        }
    }

    /// The table of what was added, without columns that are empty throughout.
    pub(super) fn take(&mut self) -> Option<Block> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return None;
        }
        let header = COLUMNS.iter().map(|name| (*name).to_owned()).chain(["Примечание".to_owned()]);
        let rows: Vec<Vec<String>> = std::iter::once(header.collect())
            .chain(rows.into_iter().map(|(mut cells, note)| {
                cells.push(note);
                cells
            }))
            .collect();
        let used: Vec<bool> = (0..=COLUMNS.len())
            .map(|column| {
                let mut cells = rows.iter().skip(1).filter_map(|row| row.get(column));
                cells.any(|cell| !cell.is_empty())
            })
            .collect();
        let kept = |row: Vec<String>| {
            row.into_iter().zip(&used).filter(|(_, used)| **used).map(|(cell, _)| cell).collect()
        };
        Some(Block::table(rows.into_iter().map(kept).collect(), 1))
    }
}

/// Whether an element is a position: it has a name, and a number or a code.
pub(super) fn is_record(element: &Element) -> bool {
    let element = unwrapped(element);
    element.child("Name").is_some()
        && ["Num", "Code", "Reason", "Quantity", "Unit"].iter().any(|n| element.child(n).is_some())
}

/// Whether an element is a list of positions.
pub(super) fn is_list(element: &Element) -> bool {
    let mut records = element.elements().peekable();
    records.peek().is_some() && records.all(is_record)
}

/// `<Item><Cost>…</Cost></Item>`: the position is inside.
fn unwrapped(element: &Element) -> &Element {
    let mut inner = element.elements();
    match (inner.next(), inner.next()) {
        (Some(only), None)
            if !is_leaf(only) && only.child("Name").is_some() && !is_section(only) =>
        {
            only
        }
        _ => element,
    }
}

/// Whether something with a name and a number is a section of positions and not a position.
pub(super) fn is_section(element: &Element) -> bool {
    matches!(&*element.name, "Section" | "Chapter" | "SubSection" | "Part" | "Stage" | "Object")
}

/// The text of a field; of a group its total, else its parts.
pub(super) fn value(field: &Element) -> String {
    if is_leaf(field) {
        return tidy_line(&field.text());
    }
    for name in ["Total", "Result", "Value", "Current"] {
        if let Some(total) = field.child(name).filter(|total| is_leaf(total)) {
            return tidy_line(&total.text());
        }
    }
    let parts = field.elements().filter(|part| is_leaf(part)).map(|part| tidy_line(&part.text()));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// «38.2023/002-КР-ГЧ, файл Раздел 4.pdf, с. 114 115».
fn links(element: &Element, files: &Files) -> String {
    let links = element.elements().map(|link| {
        let file = link.child_text("FileID").and_then(|id| files.get(&id)).cloned();
        let parts = [
            link.child_text("PageDescription"),
            file.map(|file| format!("файл {file}")),
            link.child_text("PageNumber").map(|pages| format!("с. {pages}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { tidy_line(&link.text()) } else { parts.join(", ") }
    });
    links.filter(|link| !link.is_empty()).collect::<Vec<_>>().join("; ")
}
