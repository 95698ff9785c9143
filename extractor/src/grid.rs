//! Tables with merged cells as a plain grid: a merged cell's text stands in its first cell.

use crate::reader::ReadError;
use shared::outcome::Code;

/// Columns a row may have; the widest real sheet of the corpus has 135.
const MAX_COLUMNS: usize = 4096;

/// A table that is filled row by row, left to right.
pub(crate) struct Grid {
    rows: Vec<Vec<String>>,
    /// Rows still covered from above, by column.
    covered: Vec<usize>,
    /// Columns in which some cell begins; the others only exist inside merged cells.
    begun: Vec<bool>,
    /// Rows that merged cells of the first row reach into.
    first_row_reach: usize,
    width: usize,
    max_cells: u64,
}

impl Grid {
    /// An empty grid of at most `max_cells` cells, those included that fill rows up.
    pub(crate) fn new(max_cells: u64) -> Grid {
        Grid {
            rows: Vec::new(),
            covered: Vec::new(),
            begun: Vec::new(),
            first_row_reach: 1,
            width: 0,
            max_cells,
        }
    }

    /// Begins the next row; cells that reach down from above keep their columns.
    pub(crate) fn row(&mut self) -> Result<(), ReadError> {
        self.rows.push(Vec::new());
        self.skip_covered();
        self.check()
    }

    /// Cells of the finished table, those included that fill rows up.
    pub(crate) fn area(&self) -> u64 {
        (self.rows.len() as u64).saturating_mul(self.width as u64)
    }

    /// Few cells can make a large table: rows are as long as the longest, and cells reach down.
    fn check(&mut self) -> Result<(), ReadError> {
        self.width = self.width.max(self.rows.last().map_or(0, Vec::len));
        if self.width > MAX_COLUMNS || self.area() > self.max_cells {
            return Err(ReadError::new(Code::ArchiveLimits, "слишком большая таблица"));
        }
        Ok(())
    }

    /// Puts a cell into the next free column of the current row. `rows` counts the rows that it
    /// covers, itself included.
    pub(crate) fn cell(
        &mut self,
        text: String,
        columns: usize,
        rows: usize,
    ) -> Result<(), ReadError> {
        let number = self.rows.len();
        let Some(row) = self.rows.last_mut() else { return Ok(()) };
        let columns = columns.clamp(1, MAX_COLUMNS);
        let rows = rows.clamp(1, 65_535);
        let start = row.len();
        let end = start.saturating_add(columns);
        row.push(text);
        row.resize(end, String::new());
        if self.begun.len() < end {
            self.begun.resize(end, false);
            self.covered.resize(end, 0);
        }
        if let Some(begun) = self.begun.get_mut(start) {
            *begun = true;
        }
        if rows > 1 {
            self.covered.iter_mut().skip(start).take(columns).for_each(|left| *left = rows);
            if number == 1 {
                self.first_row_reach = self.first_row_reach.max(rows);
            }
        }
        self.skip_covered();
        self.check()
    }

    /// Moves past columns that a cell above goes on through (DOCX says so in every row).
    pub(crate) fn merged_from_above(&mut self, columns: usize) {
        if self.rows.len() == self.first_row_reach.saturating_add(1) {
            self.first_row_reach = self.rows.len();
        }
        self.gap(columns);
    }

    /// Moves past columns without a cell (a row that begins late).
    pub(crate) fn gap(&mut self, columns: usize) {
        if let Some(row) = self.rows.last_mut() {
            let end = row.len().saturating_add(columns).min(MAX_COLUMNS);
            row.resize(end, String::new());
        }
    }

    fn skip_covered(&mut self) {
        let Some(row) = self.rows.last_mut() else { return };
        while let Some(left) = self.covered.get_mut(row.len()).filter(|left| **left > 1) {
            *left = left.saturating_sub(1);
            row.push(String::new());
        }
    }

    /// The rows, all of one length, without empty rows and without columns that only exist inside
    /// merged cells; and how many leading rows look like the header.
    pub(crate) fn finish(mut self) -> (Vec<Vec<String>>, usize) {
        let width = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        self.begun.resize(width, false);
        let begun = &self.begun;
        let rows: Vec<Vec<String>> = std::mem::take(&mut self.rows)
            .into_iter()
            .map(|mut row| {
                row.resize(width, String::new());
                row.into_iter()
                    .zip(begun)
                    .filter(|(_, begun)| **begun)
                    .map(|(text, _)| text)
                    .collect()
            })
            .filter(|row: &Vec<String>| row.iter().any(|cell| !cell.is_empty()))
            .collect();
        let header_rows = guess_header_rows(&rows, self.first_row_reach);
        (rows, header_rows)
    }
}

/// Keeps tables of rows of different lengths in proportion to the cells that the file has: to fill
/// all rows up to the longest may cost the square of that.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    /// Cells of the file.
    cells: usize,
    /// Cells of finished tables.
    finished: usize,
    rows: usize,
    width: usize,
}

impl Filling {
    /// Filled cells that are allowed for each of the file, and besides.
    const RATIO: usize = 16;
    const BESIDES: usize = 1_000_000;

    /// Whether a row of so many cells may join the table; if not, the table is to end first.
    pub(crate) fn takes(&mut self, length: usize) -> bool {
        self.takes_of(length, length)
    }

    /// The same for a row that makes the table at least so wide, whatever cells it has itself.
    pub(crate) fn takes_of(&mut self, length: usize, width: usize) -> bool {
        let (rows, width) = (self.rows.saturating_add(1), self.width.max(width));
        let filled = self.finished.saturating_add(rows.saturating_mul(width));
        let cells = self.cells.saturating_add(length);
        if self.rows > 0
            && filled > cells.saturating_mul(Filling::RATIO).saturating_add(Filling::BESIDES)
        {
            return false;
        }
        (self.cells, self.rows, self.width) = (cells, rows, width);
        true
    }

    /// The table is finished.
    pub(crate) fn end(&mut self) {
        self.finished = self.finished.saturating_add(self.rows.saturating_mul(self.width));
        (self.rows, self.width) = (0, 0);
    }
}

/// How many leading rows are the header: the first, when it has no measured values and is not
/// alone, the rows its merged cells reach into, and a row of column numbers after them.
pub(crate) fn guess_header_rows(rows: &[Vec<String>], first_row_reach: usize) -> usize {
    let Some(first) = rows.first() else { return 0 };
    let filled = first.iter().filter(|cell| !cell.is_empty()).count();
    let numbers = first.iter().filter(|cell| is_number(cell)).count();
    if rows.len() < 2 || filled < 2 || numbers.saturating_mul(2) > filled {
        return 0;
    }
    let mut header = first_row_reach.min(rows.len().saturating_sub(1)).min(6);
    if rows.get(header).is_some_and(|row| is_column_numbers(row)) {
        header = header.saturating_add(1);
    }
    header
}

/// Whether a row reads «1 2 3 4 …», as under the header of a Russian form; some forms skip
/// numbers or divide a column into «6.1» and «6.2».
fn is_column_numbers(row: &[String]) -> bool {
    let numbers: Option<Vec<f64>> = row
        .iter()
        .filter(|cell| !cell.is_empty())
        .map(|cell| cell.trim().replace(',', ".").parse().ok())
        .collect();
    let Some(numbers) = numbers else { return false };
    numbers.len() >= 2
        && numbers.first() == Some(&1.0)
        && numbers.is_sorted_by(|left, right| left < right && right - left <= 3.0)
}

/// Whether a cell holds a number, in Russian or English notation.
pub(crate) fn is_number(cell: &str) -> bool {
    let mut digits = false;
    for character in cell.chars() {
        match character {
            '0'..='9' => digits = true,
            ' ' | '\u{a0}' | ',' | '.' | '-' | '−' | '+' | '%' => {}
            _ => return false,
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::{Filling, Grid};

    fn build(rows: &[&[(&str, usize, usize)]]) -> (Vec<Vec<String>>, usize) {
        let mut grid = Grid::new(1000);
        for row in rows {
            grid.row().unwrap();
            for (text, columns, down) in *row {
                grid.cell((*text).to_owned(), *columns, *down).unwrap();
            }
        }
        grid.finish()
    }

    #[test]
    fn merged_cells_keep_their_text_once() {
        let (rows, header) = build(&[
            &[("Наименование", 1, 2), ("Расход", 2, 1)],
            &[("летом", 1, 1), ("зимой", 1, 1)],
            &[("1", 1, 1), ("2", 1, 1), ("3", 1, 1)],
            &[("Песок", 1, 1), ("1,5", 1, 1), ("2,5", 1, 1)],
        ]);
        assert_eq!(rows[0], ["Наименование", "Расход", ""]);
        assert_eq!(rows[1], ["", "летом", "зимой"]);
        assert_eq!(header, 3);
    }

    #[test]
    fn columns_inside_merged_cells_only_are_dropped() {
        let (rows, _) = build(&[&[("а", 3, 1), ("б", 1, 1)], &[("в", 3, 1), ("", 1, 1)]]);
        assert_eq!(rows, [["а", "б"], ["в", ""]]);
    }

    #[test]
    fn values_are_no_header_and_size_is_capped() {
        let (_, header) = build(&[&[("1", 1, 1), ("2,5", 1, 1)], &[("3", 1, 1), ("4", 1, 1)]]);
        assert_eq!(header, 0);
        let mut grid = Grid::new(10);
        grid.row().unwrap();
        assert!(grid.cell(String::new(), 11, 1).is_err());
    }

    #[test]
    fn cells_that_only_fill_rows_up_count() {
        let mut wide = Grid::new(1000);
        wide.row().unwrap();
        wide.cell(String::new(), 100, 1).unwrap();
        let rows = (0..20).take_while(|_| wide.row().is_ok()).count();
        assert_eq!(rows, 9, "every row is as long as the longest");
        let mut deep = Grid::new(1000);
        deep.row().unwrap();
        deep.cell(String::new(), 100, 60_000).unwrap();
        assert!((0..20).any(|_| deep.row().is_err()));
    }

    #[test]
    fn a_table_is_filled_up_within_what_its_cells_allow() {
        let mut filling = Filling::default();
        assert!((0..1_000_000).all(|_| filling.takes(5)));
        filling.end();
        assert!(filling.takes(1_000_000));
        let short = (0..1_000_000).take_while(|_| filling.takes(1)).count();
        assert!(short < 200, "{short}");
        filling.end();
        assert!(filling.takes(1), "the next table may begin");
    }
}
