//! A sheet's cells as blocks: tables are bands of rows, what stands above and below is text.

use crate::grid::{guess_header_rows, is_number};
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
    let mut table: Vec<&Row> = Vec::new();
    for band in bands(rows) {
        let (head, body) = split_head(band);
        if !table.is_empty() && continues(&table, band) {
            table.extend(band);
            continue;
        }
        flush(&mut table, merged, &mut blocks);
        blocks.extend(head.iter().map(paragraph));
        if is_text(body) {
            blocks.extend(body.iter().map(paragraph));
        } else {
            table.extend(body);
        }
    }
    flush(&mut table, merged, &mut blocks);
    blocks
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
fn continues(table: &[&Row], band: &[Row]) -> bool {
    let columns = |row: &Row| row.cells.iter().map(|(column, _)| *column).collect::<Vec<_>>();
    let (Some(last), Some(first)) = (table.last(), band.first()) else { return false };
    let used: BTreeSet<u32> = table.iter().flat_map(|row| columns(row)).collect();
    let close = first.number.saturating_sub(last.number) <= GAP.saturating_add(1);
    let inside = band.iter().flat_map(columns).all(|column| used.contains(&column));
    let data = band
        .iter()
        .find(|row| row.cells.len() >= 3)
        .is_some_and(|row| row.cells.iter().skip(1).any(|(_, text)| is_number(text)));
    used.len() >= 3 && close && inside && data
}

fn flush(table: &mut Vec<&Row>, merged: &[Dimensions], blocks: &mut Vec<Block>) {
    let rows = std::mem::take(table);
    let Some(first) = rows.first() else { return };
    let columns: Vec<u32> = rows
        .iter()
        .flat_map(|row| row.cells.iter().map(|(column, _)| *column))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let reach = merged
        .iter()
        .filter(|area| area.start.0 == first.number && area.end.0 > area.start.0)
        .map(|area| area.end.0.saturating_sub(area.start.0).saturating_add(1) as usize)
        .filter(|reach| *reach <= 6)
        .max()
        .unwrap_or(1);
    let cells: Vec<Vec<String>> = rows
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
    blocks.push(Block::table(cells, header_rows));
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
