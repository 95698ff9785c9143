//! Tables: real ones as cells, layout tables as the text or the contents they arrange.

use super::Piece;
use crate::grid::{Grid, guess_header_rows};
use crate::model::{Block, BlockKind};
use crate::reader::{Limits, ReadError};
use crate::tidy::tidy_line;

/// A cell with what stands in it.
pub(crate) struct Cell {
    /// What stands in it.
    pub(crate) pieces: Vec<Piece>,
    /// Columns that it covers.
    pub(crate) columns: usize,
    /// Rows that it covers, where the format says so in the first of them.
    pub(crate) rows: usize,
    /// Goes on from the cell above, where the format says so in every row.
    pub(crate) merged: bool,
}

/// A row of a table.
pub(crate) struct Row {
    /// Its cells from left to right.
    pub(crate) cells: Vec<Cell>,
    /// Columns without a cell before the first one.
    pub(crate) before: usize,
    /// The format marks it as part of the header.
    pub(crate) is_header: bool,
}

/// What a table is to a reader. `cells` counts those of all tables of the document so far.
pub(crate) fn pieces(
    rows: Vec<Row>,
    cells: &mut u64,
    limits: &Limits,
) -> Result<Vec<Piece>, ReadError> {
    if is_contents(&rows) {
        return Ok(flow(rows).into_iter().map(as_contents).collect());
    }
    let wide = rows.iter().any(|row| {
        row.cells.iter().filter(|cell| cell.merged || !cell.pieces.is_empty()).count() > 1
    });
    if !wide {
        return Ok(flow(rows));
    }
    grid(rows, cells, limits)
}

fn grid(rows: Vec<Row>, cells: &mut u64, limits: &Limits) -> Result<Vec<Piece>, ReadError> {
    let left = limits.cells.saturating_sub(*cells);
    let mut grid = Grid::new(left);
    let mut pages = 0u32;
    let mut before = false;
    let mut notes = Vec::new();
    let marked = rows.iter().take_while(|row| row.is_header).count();
    for (number, row) in rows.into_iter().enumerate() {
        grid.row()?;
        grid.gap(row.before);
        let mut row_breaks = 0u32;
        for cell in row.cells {
            if number == 0 && matches!(cell.pieces.first(), Some(Piece::Pages(_))) {
                before = true;
            } else if cell.pieces.iter().any(|piece| matches!(piece, Piece::Pages(_))) {
                row_breaks = 1;
            }
            if cell.merged {
                grid.merged_from_above(cell.columns);
            } else {
                let (text, cell_notes) = cell_text(cell.pieces);
                notes.extend(cell_notes);
                grid.cell(text, cell.columns, cell.rows)?;
            }
        }
        pages = pages.saturating_add(row_breaks);
    }
    *cells = cells.saturating_add(grid.area());
    let (rows, guessed) = grid.finish();
    let mut pieces = Vec::new();
    if before {
        pieces.push(Piece::Pages(1));
    }
    if !rows.is_empty() {
        let header_rows = if marked > 0 && marked < rows.len() { marked } else { guessed };
        let header_rows = header_rows.max(guess_header_rows(&rows, header_rows.max(1)));
        pieces.push(Piece::Block(Block::table(rows, header_rows)));
    }
    pieces.extend(notes);
    if pages > 0 {
        pieces.push(Piece::Pages(pages));
    }
    Ok(pieces)
}

/// A cell's text on one line, and the notes that must stand below the table.
fn cell_text(pieces: Vec<Piece>) -> (String, Vec<Piece>) {
    let mut text = String::new();
    let mut notes = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Block(block) if block.kind == BlockKind::Footnote => {
                notes.push(Piece::Block(block));
            }
            Piece::Block(block) => {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(&tidy_line(&block.text));
            }
            Piece::Pages(_) => {}
        }
    }
    (text, notes)
}

/// The contents of a layout table in reading order.
fn flow(rows: Vec<Row>) -> Vec<Piece> {
    rows.into_iter().flat_map(|row| row.cells).flat_map(|cell| cell.pieces).collect()
}

/// Most rows are links to places of the document: a table of contents set as a table.
fn is_contents(rows: &[Row]) -> bool {
    let filled = |row: &&Row| row.cells.iter().any(|cell| !cell.pieces.is_empty());
    let is_entry = |row: &&Row| {
        let pieces = row.cells.iter().flat_map(|cell| &cell.pieces);
        let mut blocks = pieces.filter_map(|piece| match piece {
            Piece::Block(block) => Some(block),
            Piece::Pages(_) => None,
        });
        blocks.any(|block| block.kind == BlockKind::Contents)
    };
    let filled_rows = rows.iter().filter(filled).count();
    let entries = rows.iter().filter(is_entry).count();
    entries >= 2 && entries.saturating_mul(10) >= filled_rows.saturating_mul(6)
}

fn as_contents(piece: Piece) -> Piece {
    match piece {
        Piece::Block(block) => Piece::Block(Block { kind: BlockKind::Contents, ..block }),
        pages => pages,
    }
}
