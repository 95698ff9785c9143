//! What the columns of a table hold, told by their headers.

use crate::rules::Rules;
use shared::structure::Table;
use std::collections::BTreeMap;

/// The header is looked for in so many leading rows: forms have titles above their tables.
const HEADER_WITHIN: usize = 25;

/// Headers have at most so many rows.
const HEADER_ROWS: usize = 4;

/// The columns of a table by kind (`kind` of the rules «columns»).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Column index and the header's text by kind.
    kinds: BTreeMap<String, (usize, String)>,
    /// First row after the header.
    pub first_row: usize,
}

impl Columns {
    /// The columns of a table; `None` when no row names at least two kinds and one is a name.
    pub fn of(rules: &Rules, table: &Table) -> Option<Columns> {
        for start in 0..table.rows.len().min(HEADER_WITHIN) {
            let first = kinds(rules, &table.rows[start]);
            if first.len() < 2 || !first.contains_key("name") {
                continue;
            }
            let end = header_end(table, start);
            let kinds = kinds(rules, &joined(&table.rows[start..end]));
            return Some(Columns { kinds, first_row: end });
        }
        None
    }

    /// Whether there is a column of this kind.
    pub fn has(&self, kind: &str) -> bool {
        self.kinds.contains_key(kind)
    }

    /// The header of the column of this kind; empty when there is none.
    pub fn header(&self, kind: &str) -> &str {
        self.kinds.get(kind).map_or("", |(_, header)| header)
    }

    /// The cell of this kind in a row, on one line; empty when there is none.
    pub fn cell(&self, row: &[String], kind: &str) -> String {
        let cell = self.kinds.get(kind).and_then(|(column, _)| row.get(*column));
        cell.map_or(String::new(), |cell| cell.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// The kind of each header cell; the largest weight wins, then the first column.
fn kinds(rules: &Rules, header: &[String]) -> BTreeMap<String, (usize, String)> {
    let mut found: BTreeMap<String, (f64, usize, String)> = BTreeMap::new();
    for (column, cell) in header.iter().enumerate() {
        let text = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        let matching = rules.topic("columns").rules.iter().filter(|rule| rule.is_match(&text));
        let Some(rule) =
            matching.reduce(|best, rule| if rule.weight > best.weight { rule } else { best })
        else {
            continue;
        };
        let kind = rule.field("kind").to_owned();
        if found.get(&kind).is_none_or(|(weight, ..)| rule.weight > *weight) {
            found.insert(kind, (rule.weight, column, text));
        }
    }
    found.into_iter().map(|(kind, (_, column, text))| (kind, (column, text))).collect()
}

/// Where the header that starts at `start` ends: before the first row with data. A row that
/// numbers the columns is the last of the header.
fn header_end(table: &Table, start: usize) -> usize {
    let rows = &table.rows;
    let last = rows.len().min(start + HEADER_ROWS);
    let mut end = (start + 1).max(table.header_rows.min(last));
    while end < last {
        let row = &rows[end];
        let filled: Vec<&String> = row.iter().filter(|cell| !cell.is_empty()).collect();
        let numbers_columns = filled.len() > 2
            && filled.iter().all(|cell| {
                cell.len() <= 4 && cell.chars().all(|c| c.is_ascii_digit() || c == '.')
            })
            && filled.first().is_some_and(|cell| cell.as_str() == "1");
        // Cells under a merged cell: the first column goes on from above, no figure anywhere.
        let sub_header = row.first().is_some_and(String::is_empty)
            && filled.len() > 1
            && filled
                .iter()
                .all(|cell| !cell.chars().all(|c| c.is_ascii_digit() || ".,".contains(c)))
            && row
                .iter()
                .zip(&rows[start])
                .any(|(below, above)| !below.is_empty() && above.is_empty());
        if !numbers_columns && !sub_header {
            break;
        }
        end += 1;
        if numbers_columns {
            break;
        }
    }
    end
}

/// The header rows as one: a merged cell's text goes over the columns that a lower row divides.
fn joined(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut header = vec![String::new(); columns];
    for (index, row) in rows.iter().enumerate() {
        let mut carried = "";
        for (column, text) in header.iter_mut().enumerate() {
            let cell = row.get(column).map_or("", |cell| cell.trim());
            let divided = || {
                let lower = rows.iter().skip(index + 1);
                lower
                    .filter_map(|row| row.get(column))
                    .any(|cell| cell.chars().any(char::is_alphabetic))
            };
            if !cell.is_empty() {
                carried = cell;
            } else if !divided() {
                carried = "";
            }
            let part = if cell.is_empty() { carried } else { cell };
            if !part.is_empty() && !part.chars().all(|c| c.is_ascii_digit() || c == '.') {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(part);
            }
        }
    }
    header
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Columns;
    use crate::rules::Rules;
    use shared::structure::Table;

    /// A table from lines of cells divided by `|`.
    pub(crate) fn table(text: &str) -> Table {
        let rows: Vec<Vec<String>> = text
            .lines()
            .map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect())
            .collect();
        Table { rows, pages: [1, 1], ..Table::default() }
    }

    #[test]
    fn simple_headers() {
        let table = table(
            "№|Наименование операции|Ед. изм.|Объём|Трудозатраты, чел.-ч\n1|Сборка щитов|м2|20|8",
        );
        let columns = Columns::of(Rules::shipped(), &table).unwrap();
        assert_eq!(columns.first_row, 1);
        let row = &table.rows[1];
        assert_eq!(columns.cell(row, "name"), "Сборка щитов");
        assert_eq!(
            (columns.cell(row, "quantity"), columns.cell(row, "labour")),
            ("20".into(), "8".into())
        );
    }

    #[test]
    fn headers_of_several_rows_under_a_title() {
        let table = table(concat!(
            "Ведомость||||||\n",
            "№ п/п|Обоснование|Наименование работ|Ед. изм.|Количество||Сметная стоимость, руб.|\n",
            "||||на единицу|всего|на единицу|всего\n",
            "1|2|3|4|5|6|7|8\n",
            "1|ГЭСН01-01-001-01|Рытьё рва|м3|1|40|12,5|500"
        ));
        let columns = Columns::of(Rules::shipped(), &table).unwrap();
        let row = &table.rows[columns.first_row];
        assert_eq!(columns.cell(row, "quantity"), "40");
        assert_eq!(columns.cell(row, "unit_price"), "12,5");
        assert_eq!(columns.cell(row, "total"), "500");
    }

    #[test]
    fn tables_without_names_have_no_columns() {
        assert_eq!(Columns::of(Rules::shipped(), &table("Грунт|Угол\nПесок|30")), None);
    }
}
