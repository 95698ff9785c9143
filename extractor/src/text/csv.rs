//! CSV: one table; the delimiter is the one that cuts the first lines most evenly.

use super::send_encoding;
use crate::encoding;
use crate::grid::guess_header_rows;
use crate::model::{Block, Page};
use crate::reader::{Limits, ReadError, Sink};
use crate::tidy::tidy_line;
use shared::outcome::Code;

/// Reads a CSV file as one page with one table.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let decoded = encoding::decode(bytes, None);
    send_encoding(&decoded, sink)?;
    let text = decoded.text;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut cells = 0u64;
    for record in reader(&text, delimiter(&text)).into_records() {
        let record = record.map_err(|error| ReadError::damaged(format!("ошибка CSV: {error}")))?;
        cells = cells.saturating_add(record.len() as u64);
        if cells > limits.cells {
            return Err(ReadError::new(Code::ArchiveLimits, "в таблице слишком много ячеек"));
        }
        let row: Vec<String> = record.iter().map(tidy_line).collect();
        if row.iter().any(|cell| !cell.is_empty()) {
            rows.push(row);
        }
    }
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    // One long line among short ones must not make the rest as long.
    if (rows.len() as u64).saturating_mul(width as u64) > limits.cells.saturating_mul(4) {
        return Err(ReadError::new(Code::ArchiveLimits, "в таблице слишком много ячеек"));
    }
    rows.iter_mut().for_each(|row| row.resize(width, String::new()));
    let header_rows = guess_header_rows(&rows, 1);
    let blocks = if rows.is_empty() { Vec::new() } else { vec![Block::table(rows, header_rows)] };
    sink.page(Page { number: 1, blocks, ..Page::default() })
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// Semicolon, comma or tab; Russian programs write semicolons, as the comma is in the numbers.
fn delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let widths: Vec<usize> = reader(text, delimiter)
            .into_records()
            .take(50)
            .filter_map(Result::ok)
            .map(|record| record.len())
            .collect();
        let most = widths.iter().copied().max().unwrap_or(0);
        let even = widths.iter().filter(|width| **width == most && most > 1).count();
        (even.saturating_mul(100) / widths.len().max(1), most)
    };
    let mut best = (b';', score(b';'));
    for delimiter in [b'\t', b','] {
        let found = score(delimiter);
        if found > best.1 {
            best = (delimiter, found);
        }
    }
    best.0
}
