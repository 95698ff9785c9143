//! How large the sheets of an old workbook (XLS) are, looked at before the library reads it: it lays
//! each sheet out as a full grid, and two cells far from each other make a grid of gigabytes.

use super::too_many_cells;
use crate::reader::{Limits, ReadError};
use cfb::CompoundFile;
use std::io::{Cursor, Read};

/// Cells in the grids of all sheets together: those of one whole sheet (MS-XLS 2.2.1). At 24 bytes,
/// held twice, this is 0.8 GB.
const MOST_CELLS: u64 = 65_536 * 256;

/// Begin of a part of the stream, and the size that a sheet says it has.
const BOF: u16 = 0x0809;
const DIMENSIONS: u16 = 0x0200;
/// Records that put a value into a cell, each beginning with row and column: FORMULA, MULRK, RSTRING,
/// LABELSST, NUMBER, LABEL, BOOLERR, RK (MS-XLS 2.3).
const CELLS: [u16; 8] = [0x0006, 0x00BD, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E];
const MULRK: u16 = 0x00BD;

/// Refuses a workbook whose grids would be too large. What is no workbook is left to the library.
pub(super) fn check(bytes: &[u8], limits: &Limits) -> Result<(), ReadError> {
    let Ok(mut container) = CompoundFile::open(Cursor::new(bytes)) else { return Ok(()) };
    let stream = ["/Workbook", "/Book"].iter().find_map(|name| container.open_stream(name).ok());
    let Some(stream) = stream else { return Ok(()) };
    let mut records = Vec::new();
    let most = (bytes.len() as u64).min(limits.unpacked_bytes);
    if stream.take(most).read_to_end(&mut records).is_err() {
        return Ok(());
    }
    if area(&records) > MOST_CELLS { Err(too_many_cells()) } else { Ok(()) }
}

/// Cells of the grids of all sheets of a stream of records.
fn area(records: &[u8]) -> u64 {
    let (mut whole, mut sheet) = (0_u64, Extent::default());
    let mut rest = records;
    while let Some((record, after)) = record(rest) {
        let (kind, data) = record;
        match kind {
            BOF => {
                whole = whole.saturating_add(sheet.area());
                sheet = Extent::default();
            }
            DIMENSIONS => sheet.announced = announced(data),
            kind if CELLS.contains(&kind) => {
                if let (Some(row), Some(column)) = (short(data, 0), short(data, 2)) {
                    // A row of numbers ends with its last column.
                    let last = (kind == MULRK).then(|| short(data, data.len().checked_sub(2)?));
                    sheet.add(row, column);
                    sheet.add(row, last.flatten().unwrap_or(column));
                }
            }
            _ => {}
        }
        rest = after;
    }
    whole.saturating_add(sheet.area())
}

/// The first record: its kind and its data; and what follows.
fn record(bytes: &[u8]) -> Option<((u16, &[u8]), &[u8])> {
    let (kind, length) = (short(bytes, 0)?, usize::from(short(bytes, 2)?));
    let (data, after) = bytes.get(4..)?.split_at_checked(length)?;
    Some(((kind, data), after))
}

fn short(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

/// Rows by columns; the library reserves as much. Both forms name the row and column behind the last.
fn announced(data: &[u8]) -> u64 {
    let long = |at: usize| {
        let bytes = data.get(at..).and_then(<[u8]>::first_chunk).copied();
        u64::from(u32::from_le_bytes(bytes.unwrap_or_default()))
    };
    let brief = |at: usize| u64::from(short(data, at).unwrap_or_default());
    let [first_row, last_row, first_column, last_column] = match data.len() {
        10 => [brief(0), brief(2), brief(4), brief(6)],
        _ => [long(0), long(4), brief(8), brief(10)],
    };
    let rows = last_row.saturating_sub(first_row).saturating_add(1);
    rows.saturating_mul(last_column.saturating_sub(first_column).saturating_add(1))
}

/// The smallest box around the cells of a sheet.
#[derive(Default)]
struct Extent {
    announced: u64,
    cells: Option<[u16; 4]>,
}

impl Extent {
    fn add(&mut self, row: u16, column: u16) {
        let [top, left, bottom, right] = self.cells.unwrap_or([row, column, row, column]);
        self.cells = Some([top.min(row), left.min(column), bottom.max(row), right.max(column)]);
    }

    fn area(&self) -> u64 {
        let grid = self.cells.map_or(0, |[top, left, bottom, right]| {
            (u64::from(bottom - top) + 1) * (u64::from(right - left) + 1)
        });
        grid.max(self.announced)
    }
}

#[cfg(test)]
mod tests {
    use super::{area, check};
    use crate::reader::Limits;
    use shared::outcome::Code;
    use std::io::{Cursor, Write};

    fn records(all: &[(u16, &[u16])]) -> Vec<u8> {
        let words =
            all.iter().flat_map(|(kind, data)| [&[*kind, data.len() as u16 * 2], *data].concat());
        words.flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn the_box_around_the_cells_of_each_sheet_counts() {
        let bof = (0x0809, &[0_u16][..]);
        let one = records(&[bof, (0x0203, &[3, 2, 0]), (0x00FD, &[7, 1, 0])]);
        assert_eq!(area(&one), 5 * 2);
        let two = records(&[bof, (0x0203, &[3, 2, 0]), bof, (0x00BD, &[0, 1, 0, 0, 0, 4])]);
        assert_eq!(area(&two), 1 + 4);
        let announced = records(&[bof, (0x0200, &[0, 0, 9, 0, 0, 9, 0])]);
        assert_eq!(area(&announced), 100);
        assert_eq!(area(&one[..one.len() - 1]), 1, "a cut record is none");
        assert_eq!(area(&[]), 0);
    }

    #[test]
    fn a_workbook_with_two_cells_too_far_apart_is_refused() {
        let checked = |last: &[u16]| {
            let stream = records(&[(0x0809, &[0]), (0x0203, &[0, 0]), (0x0203, last)]);
            let mut container = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
            container.create_stream("/Workbook").unwrap().write_all(&stream).unwrap();
            container.flush().unwrap();
            check(&container.into_inner().into_inner(), &Limits::default())
        };
        checked(&[65_535, 255]).expect("a whole sheet of the format");
        assert_eq!(checked(&[65_535, 65_535]).unwrap_err().code, Code::ArchiveLimits);
        check(b"no container", &Limits::default()).expect("the library says what it is");
    }
}
