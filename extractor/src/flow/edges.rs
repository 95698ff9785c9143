//! Tables whose rows say where their cells end (DOC, RTF): the grid comes from the edges of all rows.

use super::Piece;
use super::table::{self, Cell, Row};
use crate::reader::{Limits, ReadError};

/// Edges that are closer than this are one (twips, 1/20 point).
const SAME_EDGE: i32 = 40;

/// How a cell is drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CellShape {
    right: i32,
    /// Goes on from the cell before it.
    pub(crate) joins_left: bool,
    /// Goes on from the cell above it.
    pub(crate) joins_above: bool,
}

/// How a row is drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowShape {
    /// Where its first cell begins (twips, 1/20 point).
    pub(crate) left: i32,
    /// The format marks it as part of the header.
    pub(crate) is_header: bool,
    /// The cell whose end comes next.
    pub(crate) next: CellShape,
    cells: Vec<CellShape>,
}

impl RowShape {
    /// A cell ends here.
    pub(crate) fn cell_to(&mut self, right: i32) {
        let cell = std::mem::take(&mut self.next);
        self.cells.push(CellShape { right, ..cell });
    }
}

/// A table that is being read.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<(RowShape, Vec<Vec<Piece>>)>,
    cells: Vec<Vec<Piece>>,
    cell: Vec<Piece>,
}

impl Table {
    /// Nothing stands in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.cells.is_empty() && self.cell.is_empty()
    }

    /// Adds to the cell that is open.
    pub(crate) fn add(&mut self, pieces: Vec<Piece>) {
        self.cell.extend(pieces);
    }

    /// The open cell ends.
    pub(crate) fn end_cell(&mut self) {
        self.cells.push(std::mem::take(&mut self.cell));
    }

    /// The row ends, and this is how it is drawn. One drawing may serve any number of rows: what it
    /// says beyond their cells is left out.
    pub(crate) fn end_row(&mut self, shape: &RowShape) {
        if !self.cell.is_empty() {
            self.end_cell();
        }
        let contents = std::mem::take(&mut self.cells);
        let cells = shape.cells.iter().take(contents.len()).copied().collect();
        self.rows.push((RowShape { cells, ..*shape }, contents));
    }

    /// The whole table, and an empty one in its place.
    pub(crate) fn take(
        &mut self,
        cells: &mut u64,
        limits: &Limits,
    ) -> Result<Vec<Piece>, ReadError> {
        if !self.cells.is_empty() || !self.cell.is_empty() {
            self.end_row(&RowShape::default());
        }
        let rows = std::mem::take(&mut self.rows);
        let edges = edges(&rows);
        let column = |edge: i32| edges.partition_point(|known| *known < edge - SAME_EDGE);
        let rows = rows.into_iter().map(|(shape, contents)| {
            let mut from = column(shape.left);
            let before = from;
            let mut row = Vec::new();
            for (number, pieces) in contents.into_iter().enumerate() {
                // A cell that the row does not describe is one column wide.
                let cell = shape.cells.get(number).copied();
                let to = cell.map_or(from.saturating_add(1), |cell| column(cell.right));
                let columns = to.saturating_sub(from).max(1);
                from = from.saturating_add(columns);
                let merged = cell.is_some_and(|cell| cell.joins_above || cell.joins_left);
                row.push(Cell { pieces, columns, rows: 1, merged });
            }
            Row { cells: row, before, is_header: shape.is_header }
        });
        table::pieces(rows.collect(), cells, limits)
    }
}

/// The edges of all rows, from left to right, each once.
fn edges(rows: &[(RowShape, Vec<Vec<Piece>>)]) -> Vec<i32> {
    let mut all: Vec<i32> = rows
        .iter()
        .flat_map(|(shape, _)| {
            std::iter::once(shape.left).chain(shape.cells.iter().map(|cell| cell.right))
        })
        .collect();
    all.sort_unstable();
    all.dedup_by(|right, left| right.saturating_sub(*left) <= SAME_EDGE);
    all
}
