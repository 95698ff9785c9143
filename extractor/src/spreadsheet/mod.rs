//! XLSX, XLS and ODS: every sheet a page, its regions as tables and paragraphs.

mod extent;
mod regions;

use crate::model::Page;
use crate::package::{Package, has_utf16, is_ole};
use crate::reader::{Limits, ReadError, Sink};
use crate::tidy::tidy_line;
use calamine::{
    Data, Dimensions, ExcelDateTime, Ods, OdsError, Range, Reader, SheetType, Xls, XlsError, Xlsx,
    XlsxError,
};
use regions::{Row, blocks};
use shared::outcome::Code;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads a workbook of the new (XLSX, XLSM) or the old (XLS) format.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    if !is_ole(bytes) {
        // The library unpacks without limits of its own.
        Package::open(bytes, limits)?.check_sizes()?;
        return each_sheet(Xlsx::<Cursor<&[u8]>>::new(Cursor::new(bytes)), limits, sink);
    }
    if has_utf16(bytes, "EncryptedPackage") {
        return Err(ReadError::new(Code::PasswordProtected, "файл защищён паролем"));
    }
    extent::check(bytes, limits)?;
    // The old format's reader takes lengths from the file on trust.
    let workbook = catch_unwind(|| Xls::<Cursor<&[u8]>>::new(Cursor::new(bytes)))
        .map_err(|_| ReadError::damaged("книга повреждена"))?;
    each_sheet(workbook, limits, sink)
}

/// Reads a workbook of `OpenDocument`.
pub fn read_ods(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    Package::open(bytes, limits)?.check_sizes()?;
    // Here, too, the reader takes positions from the file on trust.
    let workbook = catch_unwind(|| Ods::<Cursor<&[u8]>>::new(Cursor::new(bytes)))
        .map_err(|_| ReadError::damaged("книга повреждена"))?;
    each_sheet(workbook, limits, sink)
}

fn each_sheet<B: Sheets>(
    workbook: Result<B, B::Failure>,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut workbook = workbook.map_err(B::error)?;
    let names = workbook.names();
    sink.properties(BTreeMap::from([("sheets".to_owned(), names.join("; "))]))?;
    let mut cells_left = limits.cells;
    for (number, name) in (1u32..).zip(names).take_while(|(number, _)| *number <= limits.pages) {
        let sheet = catch_unwind(AssertUnwindSafe(|| {
            let rows = workbook.rows(&name, cells_left)?;
            Ok::<_, ReadError>((rows, workbook.merged(&name)))
        }))
        .map_err(|_| ReadError::damaged(format!("лист «{name}» повреждён")))?;
        let (rows, merged) = sheet?;
        let cells: u64 = rows.iter().map(|row| row.cells.len() as u64).sum();
        cells_left = cells_left.saturating_sub(cells);
        let blocks = blocks(&rows, &merged);
        sink.page(Page { number, name: Some(name), blocks, ..Page::default() })?;
    }
    Ok(())
}

/// Access to the sheets of each format.
trait Sheets: Sized {
    type Failure;
    fn error(failure: Self::Failure) -> ReadError;
    fn names(&self) -> Vec<String>;
    fn rows(&mut self, name: &str, max_cells: u64) -> Result<Vec<Row>, ReadError>;
    fn merged(&mut self, name: &str) -> Vec<Dimensions>;
}

impl Sheets for Xlsx<Cursor<&[u8]>> {
    type Failure = XlsxError;

    fn error(failure: XlsxError) -> ReadError {
        match failure {
            XlsxError::Password => ReadError::new(Code::PasswordProtected, "файл защищён паролем"),
            other => ReadError::damaged(format!("книга повреждена: {other}")),
        }
    }

    fn names(&self) -> Vec<String> {
        worksheets(self.sheets_metadata())
    }

    /// Cell by cell: a range would be as large as its farthest cell says.
    fn rows(&mut self, name: &str, max_cells: u64) -> Result<Vec<Row>, ReadError> {
        let mut reader = self.worksheet_cells_reader(name).map_err(Self::error)?;
        let mut rows = Rows::new(max_cells);
        while let Some(cell) = reader.next_cell().map_err(Self::error)? {
            let (row, column) = cell.get_position();
            rows.put(row, column, cell_text(&Data::from(cell.get_value().clone())))?;
        }
        Ok(rows.finish())
    }

    fn merged(&mut self, name: &str) -> Vec<Dimensions> {
        self.merge_cells_by_sheet_name(name).unwrap_or_default()
    }
}

impl Sheets for Xls<Cursor<&[u8]>> {
    type Failure = XlsError;

    fn error(failure: XlsError) -> ReadError {
        match failure {
            XlsError::Password => ReadError::new(Code::PasswordProtected, "файл защищён паролем"),
            other => ReadError::damaged(format!("книга повреждена: {other}")),
        }
    }

    fn names(&self) -> Vec<String> {
        worksheets(self.sheets_metadata())
    }

    fn rows(&mut self, name: &str, max_cells: u64) -> Result<Vec<Row>, ReadError> {
        rows_of(&self.worksheet_range(name).map_err(Self::error)?, max_cells)
    }

    fn merged(&mut self, name: &str) -> Vec<Dimensions> {
        self.merge_cells_by_sheet_name(name).unwrap_or_default()
    }
}

impl Sheets for Ods<Cursor<&[u8]>> {
    type Failure = OdsError;

    fn error(failure: OdsError) -> ReadError {
        match failure {
            OdsError::Password => ReadError::new(Code::PasswordProtected, "файл защищён паролем"),
            OdsError::CellLimitExceeded { .. } => too_many_cells(),
            other => ReadError::damaged(format!("книга повреждена: {other}")),
        }
    }

    fn names(&self) -> Vec<String> {
        worksheets(self.sheets_metadata())
    }

    fn rows(&mut self, name: &str, max_cells: u64) -> Result<Vec<Row>, ReadError> {
        rows_of(&self.worksheet_range(name).map_err(Self::error)?, max_cells)
    }

    /// The library does not tell; only the height of a table's header is guessed from them.
    fn merged(&mut self, _: &str) -> Vec<Dimensions> {
        Vec::new()
    }
}

fn rows_of(range: &Range<Data>, max_cells: u64) -> Result<Vec<Row>, ReadError> {
    let (first_row, first_column) = range.start().unwrap_or_default();
    let mut rows = Rows::new(max_cells);
    for (row, column, value) in range.used_cells() {
        let row = u32::try_from(row).unwrap_or(u32::MAX).saturating_add(first_row);
        let column = u32::try_from(column).unwrap_or(u32::MAX).saturating_add(first_column);
        rows.put(row, column, cell_text(value))?;
    }
    Ok(rows.finish())
}

fn too_many_cells() -> ReadError {
    ReadError::new(Code::ArchiveLimits, "в книге слишком много ячеек")
}

fn worksheets(sheets: &[calamine::Sheet]) -> Vec<String> {
    let with_cells = |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet;
    sheets.iter().filter(with_cells).map(|sheet| sheet.name.clone()).collect()
}

/// Filled cells by row, in order.
struct Rows {
    rows: BTreeMap<u32, BTreeMap<u32, String>>,
    left: u64,
}

impl Rows {
    fn new(max_cells: u64) -> Rows {
        Rows { rows: BTreeMap::new(), left: max_cells }
    }

    fn put(&mut self, row: u32, column: u32, text: String) -> Result<(), ReadError> {
        if text.is_empty() {
            return Ok(());
        }
        self.left = self.left.checked_sub(1).ok_or_else(too_many_cells)?;
        self.rows.entry(row).or_default().insert(column, text);
        Ok(())
    }

    fn finish(self) -> Vec<Row> {
        let row = |(number, cells): (u32, BTreeMap<u32, String>)| Row {
            number,
            cells: cells.into_iter().collect(),
        };
        self.rows.into_iter().map(row).collect()
    }
}

/// A value as a person reads it on the sheet.
fn cell_text(value: &Data) -> String {
    match value {
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number_text(*number),
        Data::String(text) => tidy_line(text),
        Data::DateTimeIso(text) => iso_moment(text).unwrap_or_else(|| tidy_line(text)),
        Data::DurationIso(text) => iso_duration(text).unwrap_or_else(|| tidy_line(text)),
        Data::Bool(true) => "ИСТИНА".to_owned(),
        Data::Bool(false) => "ЛОЖЬ".to_owned(),
        Data::DateTime(moment) => moment_text(moment),
        Data::Error(error) => error.to_string(),
        Data::Empty => String::new(),
    }
}

/// At most 15 significant digits, as the program that stores the cell keeps them: 8.415 and not
/// 8.415000000000001. Whole numbers have no point.
fn number_text(number: f64) -> String {
    if !number.is_finite() {
        return String::new();
    }
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    // Adding zero turns «-0» into «0».
    (rounded + 0.0).to_string()
}

/// «01.07.2017», «01.07.2017 14:30», «14:30» for a time of day, «37:05» for a duration.
fn moment_text(moment: &ExcelDateTime) -> String {
    let value = moment.as_f64();
    if moment.is_duration() {
        let minutes = (value * 24.0 * 60.0).round();
        if minutes.is_finite() && minutes.abs() < 1e9 {
            let (hours, rest) = ((minutes / 60.0).trunc(), (minutes % 60.0).abs());
            return format!("{hours:.0}:{rest:02.0}");
        }
        return number_text(value);
    }
    let (year, month, day, hour, minute, _, _) = moment.to_ymd_hms_milli();
    let time = format!("{hour:02}:{minute:02}");
    let date = format!("{day:02}.{month:02}.{year:04}");
    match (value < 1.0, time.as_str()) {
        (true, _) => time,
        (false, "00:00") => date,
        (false, _) => format!("{date} {time}"),
    }
}

/// «2017-07-01T14:30:00» as «01.07.2017 14:30».
fn iso_moment(text: &str) -> Option<String> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || ![year, month, day].into_iter().all(digits) {
        return None;
    }
    let date = format!("{day}.{month}.{year}");
    Some(match time.get(..5) {
        None | Some("00:00") => date,
        Some(time) => format!("{date} {time}"),
    })
}

/// «PT37H05M00S» as «37:05».
fn iso_duration(text: &str) -> Option<String> {
    let (hours, rest) = text.strip_prefix("PT")?.split_once('H')?;
    let (minutes, _) = rest.split_once('M')?;
    Some(format!("{}:{:02}", hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?))
}

#[cfg(test)]
mod tests;
