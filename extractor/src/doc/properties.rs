//! Properties of paragraphs and runs: lists of small changes (Prls), by place in the main stream.

use super::file::{Table, WordFile, positions, u16_at, u32_at};
use crate::flow::edges::RowShape;
use std::collections::HashSet;

/// Size of a page of properties (an FKP).
const PAGE: usize = 512;

/// What this reader needs of a paragraph's properties; what is open is its style's.
#[derive(Clone, Debug, Default)]
pub(super) struct ParagraphProperties {
    pub(super) style: u16,
    pub(super) list: Option<i32>,
    pub(super) list_level: Option<u8>,
    pub(super) centered: Option<bool>,
    pub(super) outline: Option<u8>,
    pub(super) page_before: Option<bool>,
    pub(super) in_table: bool,
    /// The mark that ends a row, and how the row is drawn.
    pub(super) ends_row: bool,
    pub(super) row: RowShape,
}

/// What this reader needs of a run's properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RunProperties {
    pub(super) bold: Option<bool>,
    pub(super) hidden: bool,
    pub(super) deleted: bool,
    /// A sign of a font of signs.
    pub(super) is_sign: bool,
}

/// Properties by where the text stands, in order.
pub(super) struct Runs<P> {
    runs: Vec<(u32, u32, P)>,
}

impl<P> Runs<P> {
    /// Those of the character at this place.
    pub(super) fn at(&self, offset: u32) -> Option<&P> {
        let index = self.runs.partition_point(|(_, end, _)| *end <= offset);
        self.runs.get(index).filter(|(start, _, _)| *start <= offset).map(|(_, _, found)| found)
    }
}

/// The paragraphs' properties.
pub(super) fn paragraphs(file: &WordFile) -> Runs<ParagraphProperties> {
    runs(file, Table::ParagraphProperties, 13, |page, entry| {
        let offset = usize::from(*page.get(entry)?) * 2;
        let length = usize::from(*page.get(offset)?);
        let (start, length) = match length {
            0 => (offset + 2, usize::from(*page.get(offset + 1)?) * 2),
            words => (offset + 1, words * 2 - 1),
        };
        let bytes = page.get(start..start + length).or_else(|| page.get(start..))?;
        let mut found =
            ParagraphProperties { style: u16_at(bytes, 0)?, ..ParagraphProperties::default() };
        found.apply(bytes.get(2..)?);
        Some(found)
    })
}

/// The runs' properties.
pub(super) fn characters(file: &WordFile) -> Runs<RunProperties> {
    runs(file, Table::RunProperties, 1, |page, entry| {
        let offset = usize::from(*page.get(entry)?) * 2;
        let mut found = RunProperties::default();
        if offset > 0 {
            let length = usize::from(*page.get(offset)?);
            for change in Changes(page.get(offset + 1..offset + 1 + length)?) {
                found.apply(&change);
            }
        }
        Some(found)
    })
}

fn runs<P>(
    file: &WordFile,
    table: Table,
    entry_size: usize,
    read: impl Fn(&[u8], usize) -> Option<P>,
) -> Runs<P> {
    let table = file.table(table);
    let count = positions(table, 4).len().saturating_sub(1);
    let mut runs = Vec::new();
    let mut known = HashSet::new();
    for index in 0..count {
        let number = u32_at(table, 4 * (count + 1) + 4 * index).unwrap_or_default() & 0x3F_FFFF;
        let start = (number as usize).saturating_mul(PAGE);
        let Some(page) = file.main.get(start..start.saturating_add(PAGE)) else { continue };
        // A page has its own stretch of the text; named twice it would only cost memory.
        if !known.insert(number) {
            continue;
        }
        let entries = usize::from(page.last().copied().unwrap_or_default());
        for entry in 0..entries {
            let bounds = (u32_at(page, 4 * entry), u32_at(page, 4 * entry + 4));
            let at = 4 * (entries + 1) + entry_size * entry;
            if let ((Some(from), Some(to)), Some(found)) = (bounds, read(page, at)) {
                runs.push((from, to, found));
            }
        }
    }
    runs.sort_by_key(|(from, _, _)| *from);
    Runs { runs }
}

impl ParagraphProperties {
    /// Takes in a list of changes.
    pub(super) fn apply(&mut self, changes: &[u8]) {
        for Change { code, value } in Changes(changes) {
            let byte = value.first().copied().unwrap_or_default();
            match code {
                0x2403 | 0x2461 => self.centered = Some(byte == 1),
                0x2407 => self.page_before = Some(byte != 0),
                0x2416 => self.in_table = byte != 0,
                0x2417 => self.ends_row = byte != 0,
                0x2640 => self.outline = Some(byte),
                0x260A => self.list_level = Some(byte),
                0x460B => self.list = u16_at(value, 0).map(i32::from),
                0x6649 => self.in_table = u32_at(value, 0).unwrap_or_default() > 0,
                0x3404 => self.row.is_header = byte != 0,
                0xD608 => self.row = row_shape(value, self.row.is_header),
                _ => {}
            }
        }
    }
}

impl RunProperties {
    fn apply(&mut self, change: &Change<'_>) {
        let on = change.value.first().is_some_and(|byte| *byte != 0);
        match change.code {
            0x0835 => self.bold = Some(on),
            0x083C => self.hidden = on,
            0x0800 => self.deleted = on,
            0x6A09 => self.is_sign = true,
            _ => {}
        }
    }
}

/// Edges and merges of the cells of a row ([MS-DOC] 2.9.326, `TDefTableOperand`).
fn row_shape(value: &[u8], is_header: bool) -> RowShape {
    let cells = usize::from(value.first().copied().unwrap_or_default());
    let edge =
        |index: usize| u16_at(value, 1 + 2 * index).map(|edge| i32::from(edge.cast_signed()));
    let mut shape = RowShape::default();
    shape.left = edge(0).unwrap_or_default();
    shape.is_header = is_header;
    for cell in 0..cells {
        let Some(right) = edge(cell + 1) else { break };
        let flags = u16_at(value, 1 + 2 * (cells + 1) + 20 * cell).unwrap_or_default();
        shape.next.joins_left = flags & 0b11 == 1;
        shape.next.joins_above = (flags >> 5) & 0b11 == 1;
        shape.cell_to(right);
    }
    shape
}

/// One change of a property (a Prl).
struct Change<'a> {
    code: u16,
    value: &'a [u8],
}

struct Changes<'a>(&'a [u8]);

impl<'a> Iterator for Changes<'a> {
    type Item = Change<'a>;

    fn next(&mut self) -> Option<Change<'a>> {
        let code = u16_at(self.0, 0)?;
        // The size of the operand by the top three bits of the code ([MS-DOC] 2.2.5.1).
        let (skip, length) = match (code, code >> 13) {
            // The definition of a table has its length plus one, in two bytes.
            (0xD608, _) => (4, usize::from(u16_at(self.0, 2)?).saturating_sub(1)),
            (_, 0 | 1) => (2, 1),
            (_, 2 | 4 | 5) => (2, 2),
            (_, 3) => (2, 4),
            (_, 7) => (2, 3),
            _ => (3, usize::from(*self.0.get(2)?)),
        };
        let value = self.0.get(skip..skip + length)?;
        self.0 = self.0.get(skip + length..)?;
        Some(Change { code, value })
    }
}
