//! Addresses of chunks that are no clauses: sections and tables, each told from the others.

use crate::extracted::Extracted;
use crate::stages::rubern_markup::Markup;
use std::collections::HashMap;

/// A title in an address is no longer than this, in characters.
const MAX_TITLE: usize = 120;

/// The addresses of a document's sections and tables.
pub(super) struct Addresses {
    sections: Vec<String>,
    tables: Vec<String>,
}

impl Addresses {
    pub(super) fn new(markup: &Markup, extracted: &Extracted) -> Addresses {
        let mut sections: Vec<String> = Vec::with_capacity(markup.sections.len());
        let mut used: HashMap<String, usize> = HashMap::new();
        for section in &markup.sections {
            let name = match section.number.as_str() {
                "" => super::split::abridged(&section.title, MAX_TITLE),
                number
                    if number.chars().count() == 1 && number.chars().all(char::is_alphabetic) =>
                {
                    // one letter is an appendix, unless it is a Roman numeral
                    match number {
                        "I" | "V" | "X" => format!("раздел {number}"),
                        letter => format!("приложение {letter}"),
                    }
                }
                number if number.contains(' ') || number == "Приложение" => {
                    number.to_lowercase()
                }
                number => format!("раздел {number}"),
            };
            let above = section.parent.and_then(|parent| sections.get(parent));
            let name = match above {
                Some(above) if used.contains_key(&name) => format!("{above}, {name}"),
                _ => name,
            };
            sections.push(distinct(&mut used, name));
        }
        let mut used: HashMap<String, usize> = HashMap::new();
        let tables = markup.tables.iter().map(|table| {
            let section = table.section.and_then(|section| sections.get(section));
            let name = match (table.number.as_str(), &table.clause, section) {
                ("", Some(clause), _) => format!("таблица в п. {clause}"),
                ("", None, Some(section)) => format!("таблица ({section})"),
                ("", None, None) => match sheet(extracted, table.pages[0]) {
                    Some(sheet) => format!("лист {sheet}"),
                    None => "таблица".to_owned(),
                },
                (number, _, Some(section)) if used.contains_key(&format!("таблица {number}")) =>
                {
                    format!("таблица {number} ({section})")
                }
                (number, _, _) => format!("таблица {number}"),
            };
            distinct(&mut used, name)
        });
        let tables = tables.collect();
        Addresses { sections, tables }
    }

    pub(super) fn section(&self, section: usize) -> String {
        self.sections.get(section).cloned().unwrap_or_default()
    }

    pub(super) fn table(&self, table: usize) -> String {
        self.tables.get(table).cloned().unwrap_or_default()
    }
}

/// The name of a workbook's sheet.
fn sheet(extracted: &Extracted, page: u32) -> Option<&str> {
    extracted.pages.iter().find(|sheet| sheet.number == page)?.name.as_deref()
}

/// The name, with a count when it was used before.
fn distinct(used: &mut HashMap<String, usize>, name: String) -> String {
    let count = used.entry(name.clone()).or_insert(0);
    *count += 1;
    if *count == 1 { name } else { format!("{name} [{count}]") }
}
