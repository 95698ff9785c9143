//! A sheet's cells as blocks: tables are bands of rows, what stands above and below is text.

use crate::grid::{Filling, guess_header_rows, is_number};
use crate::model::{Block, BlockKind};
use calamine::Dimensions;
use std::collections::BTreeSet;

/// A row with its filled cells, by column from 0.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) number: u32,
    pub(super) cells: Vec<(u32, String)>,
}

/// Empty rows that may stand inside one table (before a new section of it).
const GAP: u32 = 3;

/// The blocks of a sheet, top to bottom.
pub(super) fn blocks(rows: &[Row], merged: &[Dimensions]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut table = Table::default();
    let mut filling = Filling::default();
    for band in bands(rows) {
        let (head, body) = split_head(band);
        if continues(&table, band) {
            table.extend(band);
            continue;
        }
        blocks.extend(table.take(merged, &mut filling));
        blocks.extend(head.iter().map(paragraph));
        if is_text(body) {
            blocks.extend(body.iter().map(paragraph));
        } else {
            table.extend(body);
        }
    }
    blocks.extend(table.take(merged, &mut filling));
    blocks
}

/// The rows of a table, and the columns that they use.
#[derive(Default)]
struct Table<'r> {
    rows: Vec<&'r Row>,
    columns: BTreeSet<u32>,
}

impl<'r> Table<'r> {
    fn extend(&mut self, band: &'r [Row]) {
        self.rows.extend(band);
        self.columns.extend(band.iter().flat_map(columns));
    }

    /// The table as a block, and an empty one in its place. Rows that have hardly a column in
    /// common are several tables: filled up they would be too large.
    fn take(&mut self, merged: &[Dimensions], filling: &mut Filling) -> Vec<Block> {
        let table = std::mem::take(self);
        let mut blocks = Vec::new();
        let mut part = Table::default();
        for row in table.rows {
            let used = part.columns.len();
            let more = columns(row).filter(|column| !part.columns.contains(column)).count();
            if !filling.takes_of(row.cells.len(), used.saturating_add(more)) {
                blocks.extend(block(&std::mem::take(&mut part), merged));
                filling.end();
                filling.takes(row.cells.len());
            }
            part.extend(std::slice::from_ref(row));
        }
        filling.end();
        blocks.extend(block(&part, merged));
        blocks
    }
}

fn columns(row: &Row) -> impl Iterator<Item = u32> {
    row.cells.iter().map(|(column, _)| *column)
}

/// Runs of rows without an empty row between them.
fn bands(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|above, below| above.number.saturating_add(1) == below.number)
}

/// Title lines and «label: value» lines directly above a wider table.
fn split_head(band: &[Row]) -> (&[Row], &[Row]) {
    let width = band.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let wide = band.iter().position(|row| row.cells.len() >= width.clamp(2, 4));
    match wide {
        Some(start) if band[start..].len() >= 2 => band.split_at(start),
        _ => (&[], band),
    }
}

/// Lines of text and «label: value» pairs, not a table of values.
fn is_text(rows: &[Row]) -> bool {
    let narrow = rows.iter().all(|row| row.cells.len() <= 2);
    let pairs = rows.iter().filter(|row| row.cells.len() == 2);
    let values = pairs.clone().filter(|row| {
        row.cells.last().is_some_and(|(_, text)| is_number(text) && !text.contains('.'))
    });
    narrow && (pairs.clone().count() < 2 || values.count().saturating_mul(2) < pairs.count())
}

/// Whether a band goes on with the table above it: close, inside its columns, and its first wide
/// row is data and not another header.
fn continues(table: &Table<'_>, band: &[Row]) -> bool {
    let (Some(last), Some(first)) = (table.rows.last(), band.first()) else { return false };
    let used = &table.columns;
    let close = first.number.saturating_sub(last.number) <= GAP.saturating_add(1);
    let inside = band.iter().flat_map(columns).all(|column| used.contains(&column));
    let data = band
        .iter()
        .find(|row| row.cells.len() >= 3)
        .is_some_and(|row| row.cells.iter().skip(1).any(|(_, text)| is_number(text)));
    used.len() >= 3 && close && inside && data
}

fn block(table: &Table<'_>, merged: &[Dimensions]) -> Option<Block> {
    let first = table.rows.first()?;
    let columns: Vec<u32> = table.columns.iter().copied().collect();
    let reach = merged
        .iter()
        .filter(|area| area.start.0 == first.number && area.end.0 > area.start.0)
        .map(|area| area.end.0.saturating_sub(area.start.0).saturating_add(1) as usize)
        .filter(|reach| *reach <= 6)
        .max()
        .unwrap_or(1);
    let cells: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| {
            let mut line = vec![String::new(); columns.len()];
            for (column, text) in &row.cells {
                let place = columns.binary_search(column).ok();
                if let Some(cell) = place.and_then(|place| line.get_mut(place)) {
                    cell.clone_from(text);
                }
            }
            line
        })
        .collect();
    let header_rows = guess_header_rows(&cells, reach);
    Some(Block::table(cells, header_rows))
}

/// «Ведомость объемов работ № ВОР-1», «Дата составления: 01.01.2025».
fn paragraph(row: &Row) -> Block {
    let mut text = String::new();
    for (_, cell) in &row.cells {
        let label_ends = text.ends_with([':', '№', '-', '–', ',', '(']);
        if !text.is_empty() {
            text.push_str(if label_ends || row.cells.len() > 2 { " " } else { ": " });
        }
        text.push_str(cell);
    }
    Block::new(BlockKind::Paragraph, text)
}
