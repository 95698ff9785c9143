//! Tables: real ones as cells, layout tables as the text or the contents they arrange.

use super::block::{Piece, Reading};
use super::styles::switch;
use crate::grid::{Grid, guess_header_rows};
use crate::model::{Block, BlockKind};
use crate::reader::ReadError;
use crate::tidy::tidy_line;
use crate::xml::Element;

struct Cell {
    pieces: Vec<Piece>,
    columns: usize,
    /// Goes on from the cell above.
    merged: bool,
}

struct Row {
    cells: Vec<Cell>,
    before: usize,
    is_header: bool,
}

impl Reading<'_> {
    /// Reads a table.
    pub(super) fn table(&mut self, element: &Element) -> Result<Vec<Piece>, ReadError> {
        let mut rows = Vec::new();
        self.rows(element, &mut rows)?;
        if is_contents(&rows) {
            return Ok(flow(rows).into_iter().map(as_contents).collect());
        }
        let wide = rows.iter().any(|row| {
            row.cells.iter().filter(|cell| cell.merged || !cell.pieces.is_empty()).count() > 1
        });
        if !wide {
            return Ok(flow(rows));
        }
        self.grid(rows)
    }

    fn rows(&mut self, container: &Element, rows: &mut Vec<Row>) -> Result<(), ReadError> {
        for element in container.elements() {
            match &*element.name {
                "tr" => {
                    let properties = element.child("trPr");
                    if properties.is_some_and(|properties| properties.child("del").is_some()) {
                        continue;
                    }
                    let before = properties
                        .and_then(|properties| properties.value_of("gridBefore"))
                        .and_then(|value| value.parse().ok())
                        .unwrap_or(0);
                    let is_header =
                        properties.and_then(|p| switch(p, "tblHeader")).unwrap_or(false);
                    let mut cells = Vec::new();
                    self.cells(element, &mut cells)?;
                    rows.push(Row { cells, before, is_header });
                }
                "sdt" | "sdtContent" | "ins" | "moveTo" | "customXml" => {
                    self.rows(element, rows)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn cells(&mut self, container: &Element, cells: &mut Vec<Cell>) -> Result<(), ReadError> {
        for element in container.elements() {
            match &*element.name {
                "tc" => {
                    let properties = element.child("tcPr");
                    let value = |name| properties.and_then(|p| p.value_of(name));
                    let columns = value("gridSpan").and_then(|span| span.parse().ok()).unwrap_or(1);
                    let merge = |name: &str| {
                        let merge = properties.and_then(|p| p.child(name));
                        merge.is_some_and(|merge| merge.attribute("val") != Some("restart"))
                    };
                    let merged = merge("vMerge") || merge("hMerge");
                    let pieces = self.container(element)?;
                    cells.push(Cell { pieces, columns, merged });
                }
                "sdt" | "sdtContent" | "customXml" => self.cells(element, cells)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn grid(&mut self, rows: Vec<Row>) -> Result<Vec<Piece>, ReadError> {
        let left = self.limits.cells.saturating_sub(self.cells);
        let mut grid = Grid::new(left);
        let mut pages = 0u32;
        let mut before = false;
        let mut notes = Vec::new();
        let marked = rows.iter().take_while(|row| row.is_header).count();
        for (number, row) in rows.into_iter().enumerate() {
            grid.row();
            grid.gap(row.before);
            let mut row_breaks = 0u32;
            for cell in row.cells {
                self.cells = self.cells.saturating_add(cell.columns.min(1000) as u64);
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
                    grid.cell(text, cell.columns, 1)?;
                }
            }
            pages = pages.saturating_add(row_breaks);
        }
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
