//! Tables: which are tables, what their header is, which go on over a page.

use super::line::{Line, Role};
use crate::extracted::Extracted;
use extractor::model::{BlockKind, TableCells};
use shared::structure::Table;

/// A header has at most so many rows when the format does not tell.
const MAX_HEADER_ROWS: usize = 3;

/// The cells of a table's line.
pub(super) fn cells_of<'e>(extracted: &'e Extracted, line: &Line) -> Option<&'e TableCells> {
    let (page, block) = line.block;
    match &extracted.pages.get(page)?.blocks.get(block)?.kind {
        BlockKind::Table(cells) => Some(cells),
        _ => None,
    }
}

/// A table that only places text on the page: one row, or words in one column only.
pub(super) fn is_layout(cells: &TableCells) -> bool {
    let columns = cells.rows.iter().map(Vec::len).max().unwrap_or_default();
    let used = (0..columns).filter(|&column| {
        cells.rows.iter().any(|row| row.get(column).is_some_and(|cell| !cell.trim().is_empty()))
    });
    cells.rows.len() <= 1 || used.count() <= 1
}

/// The text of a layout table, a line for each line of a cell.
pub(super) fn layout_lines(cells: &TableCells) -> Vec<String> {
    let lines = cells.rows.iter().flatten().flat_map(|cell| cell.lines());
    lines.map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The rows, each with as many cells as the longest.
pub(super) fn even_rows(cells: &TableCells) -> Vec<Vec<String>> {
    let columns = cells.rows.iter().map(Vec::len).max().unwrap_or_default();
    let even = |row: &Vec<String>| {
        let mut row: Vec<String> = row.iter().map(|cell| cell.trim().to_owned()).collect();
        row.resize(columns, String::new());
        row
    };
    let rows = cells.rows.iter().map(even);
    rows.filter(|row| row.iter().any(|cell| !cell.is_empty())).collect()
}

/// How many leading rows are the header: as the format tells, else the rows before the first one
/// with a figure; a row that numbers the columns («1 2 3») still belongs to the header.
pub(super) fn header_rows(cells: &TableCells) -> usize {
    let rows = even_rows(cells);
    if rows.len() < 2 {
        return 0;
    }
    if cells.header_rows > 0 {
        return cells.header_rows.min(rows.len() - 1);
    }
    let is_figure = |cell: &String| {
        let digits = cell.chars().filter(char::is_ascii_digit).count();
        digits > 0 && digits * 2 >= cell.chars().filter(|sign| sign.is_alphanumeric()).count()
    };
    let numbers_columns = |row: &Vec<String>| {
        row.len() > 1 && row.iter().enumerate().all(|(i, cell)| *cell == (i + 1).to_string())
    };
    let first_column_empty = |row: &Vec<String>| row.first().is_some_and(String::is_empty);
    let mut header = 1;
    while header < rows.len() - 1 && header <= MAX_HEADER_ROWS {
        let row = &rows[header];
        let goes_on = first_column_empty(row) && row.iter().skip(1).any(|cell| !cell.is_empty());
        let repeats = row.first() == rows[header - 1].first() && !first_column_empty(row);
        let words = !row.iter().any(is_figure);
        if numbers_columns(row) || ((goes_on || repeats) && (words || header == 1)) {
            header += 1;
        } else {
            break;
        }
    }
    header
}

/// Whether the table at line `next` goes on the one at line `last`: nothing but «Продолжение
/// таблицы» between them, or nothing at all and the next page.
pub(super) fn goes_on(lines: &[Line], last: usize, next: usize) -> bool {
    let between = lines.get(last + 1..next).unwrap_or_default();
    let said = between.iter().any(|line| line.role == Role::TableContinued);
    let only = between.iter().all(|line| line.role == Role::TableContinued);
    let next_page = lines[next].page == lines[last].page.saturating_add(1);
    said || (only && next_page)
}

/// Appends rows of the same width; a repeated header is left out.
pub(super) fn append(table: &mut Table, cells: &TableCells) -> bool {
    let rows = even_rows(cells);
    let width = table.rows.first().map(Vec::len);
    if rows.first().map(Vec::len) != width {
        return false;
    }
    let header = table.rows[..table.header_rows.min(table.rows.len())].to_vec();
    table.rows.extend(rows.into_iter().filter(|row| !header.contains(row)));
    true
}

#[cfg(test)]
mod tests {
    use super::{append, header_rows, is_layout};
    use extractor::model::TableCells;
    use shared::structure::Table;

    fn cells(text: &str) -> TableCells {
        let rows = text.lines().map(|line| line.split('|').map(str::to_owned).collect());
        TableCells { rows: rows.collect(), header_rows: 0 }
    }

    #[test]
    fn layout_tables_are_text() {
        assert!(is_layout(&cells("Министр|А. Иванов")));
        assert!(is_layout(&cells("|текст\n|ещё")));
        assert!(!is_layout(&cells("а|б\nв|г")));
    }

    #[test]
    fn headers() {
        assert_eq!(header_rows(&cells("Грунт|Угол\nПесок|30\nГлина|45")), 1);
        assert_eq!(header_rows(&cells("Грунт|Коэффициент|\n|I|II\nПесок|30|20")), 2);
        assert_eq!(header_rows(&cells("Грунт|Угол\n1|2\nПесок|30")), 2);
        assert_eq!(header_rows(&cells("Грунт|Угол")), 0);
    }

    #[test]
    fn a_table_goes_on_over_the_page() {
        let mut table =
            Table {
                rows: cells("Грунт|Угол\nПесок|30").rows, header_rows: 1, ..Table::default()
            };
        assert!(append(&mut table, &cells("Грунт|Угол\nГлина|45")));
        assert_eq!(table.rows.len(), 3);
        assert!(!append(&mut table, &cells("а|б|в\nг|д|е")));
    }
}
