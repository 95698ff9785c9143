//! Tables from ruling lines.

use super::geometry::Area;

/// Ruling lines nearer than this are one, in points.
const SNAP: f32 = 3.0;
/// A table has at most this many columns or rows; more is a drawing or a hatch.
const MAX_EDGES: usize = 300;
/// Larger grids are not resolved: fields times ruling lines.
const MAX_WORK: usize = 50_000_000;
/// Share of an edge that a ruling line must cover to part two cells.
const COVER: f32 = 0.6;

/// A cell of a table: its place in the grid and on the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) area: Area,
}

/// The grid of one table, without text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid {
    pub(crate) area: Area,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) cells: Vec<Cell>,
    /// The ruling positions, for the look-up of a point.
    xs: Vec<f32>,
    ys: Vec<f32>,
    /// The index of the cell that owns each field between the rulings, row by row.
    owners: Vec<usize>,
}

impl Grid {
    /// The index of the cell at a point.
    pub(crate) fn cell_at(&self, x: f32, y: f32) -> Option<usize> {
        let field = |edges: &[f32], value: f32| {
            let after = edges.partition_point(|edge| *edge <= value);
            (after > 0 && after < edges.len()).then(|| after - 1)
        };
        let (column, row) = (field(&self.xs, x)?, field(&self.ys, y)?);
        self.owners.get(row * (self.xs.len() - 1) + column).copied()
    }
}

/// A horizontal or vertical line: position across, extent along.
#[derive(Clone, Copy, Debug)]
struct Edge {
    at: f32,
    from: f32,
    to: f32,
}

/// Finds the tables of a page among its ruling lines.
pub(crate) fn grids(rules: &[Area]) -> Vec<Grid> {
    let mut across = merged(
        rules
            .iter()
            .filter(|rule| rule.width() >= rule.height())
            .map(|rule| Edge { at: (rule.y0 + rule.y1) / 2.0, from: rule.x0, to: rule.x1 })
            .collect(),
    );
    let mut down = merged(
        rules
            .iter()
            .filter(|rule| rule.width() < rule.height())
            .map(|rule| Edge { at: (rule.x0 + rule.x1) / 2.0, from: rule.y0, to: rule.y1 })
            .collect(),
    );
    // Marks shorter than a line of text are hatches, arrows or underlines of single signs.
    across.retain(|edge| edge.to - edge.from >= 6.0);
    down.retain(|edge| edge.to - edge.from >= 6.0);
    if across.len().saturating_mul(down.len()) > 4_000_000 {
        return Vec::new();
    }
    let mut grids: Vec<Grid> = components(&across, &down)
        .into_iter()
        .filter_map(|(across, down)| grid(across, down))
        .collect();
    grids.sort_by(|a, b| a.area.y0.total_cmp(&b.area.y0));
    grids
}

/// Joins pieces of the same line.
fn merged(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.from.total_cmp(&b.from)));
    let mut out: Vec<Edge> = Vec::new();
    for edge in edges {
        let joined = out
            .iter_mut()
            .rev()
            .take_while(|known| edge.at - known.at <= 1.5)
            .find(|known| edge.from <= known.to + SNAP && known.from <= edge.to + SNAP);
        match joined {
            Some(known) => {
                known.from = known.from.min(edge.from);
                known.to = known.to.max(edge.to);
            }
            None => out.push(edge),
        }
    }
    out
}

/// Groups of lines that touch each other.
fn components(across: &[Edge], down: &[Edge]) -> Vec<(Vec<Edge>, Vec<Edge>)> {
    let mut parents: Vec<usize> = (0..across.len() + down.len()).collect();
    for (i, horizontal) in across.iter().enumerate() {
        for (j, vertical) in down.iter().enumerate() {
            let meet = vertical.at >= horizontal.from - SNAP
                && vertical.at <= horizontal.to + SNAP
                && horizontal.at >= vertical.from - SNAP
                && horizontal.at <= vertical.to + SNAP;
            if meet {
                unite(&mut parents, i, across.len() + j);
            }
        }
    }
    let mut groups: std::collections::BTreeMap<usize, (Vec<Edge>, Vec<Edge>)> =
        std::collections::BTreeMap::new();
    for (i, edge) in across.iter().enumerate() {
        groups.entry(root(&mut parents, i)).or_default().0.push(*edge);
    }
    for (j, edge) in down.iter().enumerate() {
        groups.entry(root(&mut parents, across.len() + j)).or_default().1.push(*edge);
    }
    groups.into_values().collect()
}

fn root(parents: &mut [usize], mut node: usize) -> usize {
    while parents[node] != node {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    node
}

fn unite(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b)] = a.min(b);
}

fn grid(mut across: Vec<Edge>, mut down: Vec<Edge>) -> Option<Grid> {
    if across.is_empty() || down.is_empty() {
        return None;
    }
    let low = |edges: &[Edge]| edges.iter().map(|edge| edge.from).fold(f32::INFINITY, f32::min);
    let high = |edges: &[Edge]| edges.iter().map(|edge| edge.to).fold(f32::NEG_INFINITY, f32::max);
    let (left, right, top, bottom) = (low(&across), high(&across), low(&down), high(&down));
    // A table without side lines, or cut by the end of the page, still has outer edges.
    close(&mut down, left, right, top, bottom);
    close(&mut across, top, bottom, left, right);
    let xs = positions(&down);
    let ys = positions(&across);
    if xs.len() < 2 || ys.len() < 2 || xs.len() > MAX_EDGES || ys.len() > MAX_EDGES {
        return None;
    }
    let (columns, rows) = (xs.len() - 1, ys.len() - 1);
    let work = (columns * rows).saturating_mul(across.len() + down.len());
    if columns * rows < 2 || work > MAX_WORK {
        return None;
    }
    let mut parents: Vec<usize> = (0..columns * rows).collect();
    for row in 0..rows {
        for column in 0..columns {
            let here = row * columns + column;
            if column + 1 < columns && !is_ruled(&down, xs[column + 1], ys[row], ys[row + 1]) {
                unite(&mut parents, here, here + 1);
            }
            if row + 1 < rows && !is_ruled(&across, ys[row + 1], xs[column], xs[column + 1]) {
                unite(&mut parents, here, here + columns);
            }
        }
    }
    let (cells, owners) = cells(&mut parents, rows, columns, &xs, &ys);
    if cells.len() < 2 {
        return None;
    }
    let area = Area::new(xs[0], ys[0], xs[columns], ys[rows]);
    Some(tidy(Grid { area, rows, columns, cells, xs, ys, owners }))
}

/// Adds the outer edges when the crossing lines reach past the outermost lines.
fn close(edges: &mut Vec<Edge>, low: f32, high: f32, from: f32, to: f32) {
    let first = edges.iter().map(|edge| edge.at).fold(f32::INFINITY, f32::min);
    let last = edges.iter().map(|edge| edge.at).fold(f32::NEG_INFINITY, f32::max);
    if first - low > 2.0 * SNAP {
        edges.push(Edge { at: low, from, to });
    }
    if high - last > 2.0 * SNAP {
        edges.push(Edge { at: high, from, to });
    }
}

fn positions(edges: &[Edge]) -> Vec<f32> {
    let mut at: Vec<f32> = edges.iter().map(|edge| edge.at).collect();
    at.sort_by(f32::total_cmp);
    let mut out: Vec<f32> = Vec::new();
    for position in at {
        if out.last().is_none_or(|last| position - last > SNAP) {
            out.push(position);
        }
    }
    out
}

fn is_ruled(edges: &[Edge], at: f32, from: f32, to: f32) -> bool {
    let covered: f32 = edges
        .iter()
        .filter(|edge| (edge.at - at).abs() <= SNAP)
        .map(|edge| (edge.to.min(to) - edge.from.max(from)).max(0.0))
        .sum();
    covered >= COVER * (to - from)
}

/// The cells, and for each field between the rulings the index of its cell.
fn cells(
    parents: &mut [usize],
    rows: usize,
    columns: usize,
    xs: &[f32],
    ys: &[f32],
) -> (Vec<Cell>, Vec<usize>) {
    let mut cells: Vec<Cell> = Vec::new();
    let mut known: std::collections::HashMap<usize, usize> = std::collections::HashMap::new();
    let mut owners = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            let index = *known.entry(root(parents, row * columns + column)).or_insert(cells.len());
            owners.push(index);
            let field = Area::new(xs[column], ys[row], xs[column + 1], ys[row + 1]);
            match cells.get_mut(index) {
                Some(cell) => {
                    cell.area = cell.area.union(&field);
                    // Fields come row by row, so only the column can be less than the first one.
                    let last = (cell.column + cell.columns).max(column + 1);
                    cell.column = cell.column.min(column);
                    cell.columns = last - cell.column;
                    cell.rows = row + 1 - cell.row;
                }
                None => cells.push(Cell { row, column, rows: 1, columns: 1, area: field }),
            }
        }
    }
    (cells, owners)
}

/// Removes rows and columns in which no cell begins: they come from lines drawn twice.
fn tidy(mut grid: Grid) -> Grid {
    let keep = |count: usize, starts: &dyn Fn(usize) -> bool| -> Vec<usize> {
        let mut place = 0;
        (0..count)
            .map(|index| {
                let here = place;
                if starts(index) {
                    place += 1;
                }
                here
            })
            .collect()
    };
    let row_starts = |row: usize| grid.cells.iter().any(|cell| cell.row == row);
    let column_starts = |column: usize| grid.cells.iter().any(|cell| cell.column == column);
    let row_places = keep(grid.rows, &row_starts);
    let column_places = keep(grid.columns, &column_starts);
    let rows = (0..grid.rows).filter(|&row| row_starts(row)).count();
    let columns = (0..grid.columns).filter(|&column| column_starts(column)).count();
    for cell in &mut grid.cells {
        let (last_row, last_column) = (cell.row + cell.rows, cell.column + cell.columns);
        cell.row = row_places[cell.row];
        cell.column = column_places[cell.column];
        let end = |places: &[usize], last: usize, count: usize, total: usize| {
            if last >= count { total } else { places[last] }
        };
        cell.rows = end(&row_places, last_row, grid.rows, rows).saturating_sub(cell.row).max(1);
        cell.columns = end(&column_places, last_column, grid.columns, columns)
            .saturating_sub(cell.column)
            .max(1);
    }
    grid.rows = rows;
    grid.columns = columns;
    grid
}

#[cfg(test)]
mod tests {
    use super::grids;
    use crate::pdf::geometry::Area;

    fn across(y: f32, x0: f32, x1: f32) -> Area {
        Area::new(x0, y - 0.25, x1, y + 0.25)
    }

    fn down(x: f32, y0: f32, y1: f32) -> Area {
        Area::new(x - 0.25, y0, x + 0.25, y1)
    }

    #[test]
    fn a_ruled_table_has_its_cells() {
        let mut rules = vec![];
        for y in [100.0, 120.0, 140.0] {
            rules.push(across(y, 50.0, 350.0));
        }
        for x in [50.0, 150.0, 250.0, 350.0] {
            rules.push(down(x, 100.0, 140.0));
        }
        let grids = grids(&rules);
        assert_eq!(grids.len(), 1);
        assert_eq!((grids[0].rows, grids[0].columns, grids[0].cells.len()), (2, 3, 6));
    }

    #[test]
    fn merged_cells_span_and_open_sides_are_closed() {
        // A header over two columns; no line at the left, right and bottom sides.
        let rules = [
            across(100.0, 50.0, 350.0),
            across(120.0, 150.0, 350.0),
            across(140.0, 50.0, 350.0),
            down(150.0, 100.0, 160.0),
            down(250.0, 120.0, 160.0),
        ];
        let grids = grids(&rules);
        assert_eq!(grids.len(), 1);
        let grid = &grids[0];
        assert_eq!((grid.rows, grid.columns), (3, 3));
        let header = grid.cells.iter().find(|cell| cell.row == 0 && cell.column == 1).unwrap();
        assert_eq!((header.rows, header.columns), (1, 2));
        let side = grid.cells.iter().find(|cell| cell.row == 0 && cell.column == 0).unwrap();
        assert_eq!((side.rows, side.columns), (2, 1));
    }

    #[test]
    fn lines_drawn_cell_by_cell_and_twice_make_one_table() {
        let mut rules = vec![];
        for (column, x) in [50.0, 150.0].into_iter().enumerate() {
            for y in [100.0, 120.0] {
                let shift = column as f32 * 0.6;
                rules.push(across(y + shift, x, x + 100.0));
                rules.push(across(y + 20.0, x, x + 100.0));
                rules.push(down(x, y, y + 20.0));
                rules.push(down(x + 100.0, y, y + 20.0));
            }
        }
        let grids = grids(&rules);
        assert_eq!(grids.len(), 1);
        assert_eq!((grids[0].rows, grids[0].columns, grids[0].cells.len()), (2, 2, 4));
    }

    #[test]
    fn a_frame_or_an_underline_is_no_table() {
        let frame = [
            across(20.0, 20.0, 500.0),
            across(800.0, 20.0, 500.0),
            down(20.0, 20.0, 800.0),
            down(500.0, 20.0, 800.0),
            across(300.0, 100.0, 200.0),
        ];
        assert!(grids(&frame).is_empty());
    }
}
