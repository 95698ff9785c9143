//! One page: what stands in tables, what in the body, what beside it.

use super::collect::{RawGlyph, RawPage};
use super::geometry::{Area, Turn};
use super::lines::{Glyph, Line, lines};
use super::open_tables::open_tables;
use super::tables::{Grid, grids};

/// A cell that covers more of the page than this is no cell: the frame of a drawing sheet.
const FRAME_COVER: f32 = 0.45;

/// A table with its text.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) area: Area,
    /// The texts of the cells; their lines are not joined yet.
    pub(crate) rows: Vec<Vec<String>>,
    /// Leading rows that are a header by their merged cells, bold type or column numbers.
    pub(crate) header_rows: usize,
    /// Part of the frame of a drawing sheet: its title block.
    pub(crate) is_stamp: bool,
}

/// A page before running lines are taken out.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Width and height in points, as read.
    pub(crate) size: (f32, f32),
    /// Clockwise quarter turns of the page before it was read.
    pub(crate) quarter_turns: u8,
    /// The lines outside tables, from top to bottom.
    pub(crate) lines: Vec<Line>,
    pub(crate) tables: Vec<Table>,
    /// Text across the reading direction and outside tables: stamps, watermarks.
    pub(crate) strays: Vec<String>,
    /// Horizontal ruling lines outside tables: some part footnotes from the body.
    pub(crate) separators: Vec<Area>,
    pub(crate) image_cover: f32,
    pub(crate) paths: usize,
    /// Share of the letters that are painted invisibly.
    pub(crate) hidden: f32,
    pub(crate) cut: bool,
    /// The page has content that cannot be decoded.
    pub(crate) unread: bool,
}

/// Lays a page out. Pages whose text runs up or down are turned first.
pub(crate) fn layout(raw: &RawPage) -> Layout {
    let turn = reading_turn(&raw.glyphs);
    let size = turn.size(raw.size);
    let rules: Vec<Area> = raw.rules.iter().map(|rule| turn.area(raw.size, rule)).collect();
    let mut grids = grids(&rules);
    let page = Area::new(0.0, 0.0, size.0, size.1);
    let mut fills: Vec<Fill> = grids.iter().map(|grid| Fill::new(grid.cells.len())).collect();
    let mut body: Vec<Glyph> = Vec::new();
    let mut beside: Vec<RawGlyph> = Vec::new();
    let mut hidden = 0_usize;
    for raw_glyph in &raw.glyphs {
        hidden += usize::from(raw_glyph.hidden);
        let glyph = Glyph::turned(raw_glyph, turn, raw.size);
        let upright = raw_glyph.turn == Some(turn);
        let (x, y) = if upright { glyph.middle() } else { turn.point(raw.size, raw_glyph.origin) };
        let place = grids.iter().enumerate().find_map(|(index, grid)| {
            let cell = grid.cell_at(x, y)?;
            let frame = grid.cells.get(cell)?.area.surface() > FRAME_COVER * page.surface();
            (!frame).then_some((index, cell))
        });
        match (place, upright) {
            (Some((grid, cell)), true) => {
                if let Some(fill) = fills.get_mut(grid) {
                    fill.push(cell, glyph)
                }
            }
            (Some((grid, cell)), false) => {
                if let Some(fill) = fills.get_mut(grid) {
                    fill.push_turned(cell, raw_glyph.clone())
                }
            }
            (None, true) => body.push(glyph),
            (None, false) => beside.push(raw_glyph.clone()),
        }
    }
    let mut tables = Vec::new();
    for (grid, fill) in grids.drain(..).zip(fills) {
        match table(&grid, &fill, raw.size, page.surface()) {
            Some(table) => tables.push(table),
            None => {
                body.extend(fill.upright.into_iter().flatten());
                beside.extend(fill.turned.into_iter().flatten());
            }
        }
    }
    let mut lines = lines(body);
    for line in &mut lines {
        drop_marks(line, size.0);
    }
    lines.retain(|line| {
        !line.words.is_empty() && line.baseline > 0.0 && line.baseline < size.1 + line.size
    });
    let separators: Vec<Area> = rules
        .into_iter()
        .filter(|rule| rule.width() > 20.0 && rule.height() < 4.0)
        .filter(|rule| !tables.iter().any(|table| table.area.grown(4.0).contains(rule.x0, rule.y0)))
        .collect();
    tables.extend(open_tables(&mut lines, &separators));
    Layout {
        size,
        quarter_turns: turn.quarter_turns(),
        lines,
        tables,
        strays: turned_texts(beside, raw.size),
        separators,
        image_cover: raw.image_cover,
        paths: raw.paths,
        hidden: hidden as f32 / raw.glyphs.len().max(1) as f32,
        cut: raw.cut,
        unread: raw.unread,
    }
}

/// Drops words off the page, such as printer's marks. Words that a too wide table pushed over the
/// edge stay: a word on the page follows or precedes them.
fn drop_marks(line: &mut Line, width: f32) {
    let seen: Vec<bool> = line.words.iter().map(|word| word.x1 > 0.0 && word.x0 < width).collect();
    let gap = 1.5 * line.size;
    let near = |index: usize, other: usize| {
        seen.get(other) == Some(&true)
            && line
                .words
                .get(index)
                .zip(line.words.get(other))
                .is_some_and(|(a, b)| (b.x0 - a.x1).max(a.x0 - b.x1) <= gap)
    };
    let kept: Vec<bool> = (0..line.words.len())
        .map(|index| {
            seen.get(index) == Some(&true)
                || near(index, index + 1)
                || index.checked_sub(1).is_some_and(|before| near(index, before))
        })
        .collect();
    let mut kept = kept.into_iter();
    line.words.retain(|_| kept.next().unwrap_or(true));
}

/// The direction most of the text runs in.
fn reading_turn(glyphs: &[RawGlyph]) -> Turn {
    let count = |turn: Turn| {
        glyphs.iter().filter(|glyph| glyph.turn == Some(turn) && glyph.character != ' ').count()
    };
    // The first of equals wins, and an upright page stays upright.
    let mut best = (Turn::None, count(Turn::None));
    for turn in [Turn::Up, Turn::Down, Turn::Over] {
        let found = count(turn);
        if found > best.1 {
            best = (turn, found);
        }
    }
    best.0
}

/// The glyphs of each cell of a grid.
struct Fill {
    upright: Vec<Vec<Glyph>>,
    turned: Vec<Vec<RawGlyph>>,
}

impl Fill {
    fn new(cells: usize) -> Fill {
        Fill { upright: vec![Vec::new(); cells], turned: vec![Vec::new(); cells] }
    }

    fn push(&mut self, cell: usize, glyph: Glyph) {
        if let Some(glyphs) = self.upright.get_mut(cell) {
            glyphs.push(glyph);
        }
    }

    fn push_turned(&mut self, cell: usize, glyph: RawGlyph) {
        if let Some(glyphs) = self.turned.get_mut(cell) {
            glyphs.push(glyph);
        }
    }
}

fn table(grid: &Grid, fill: &Fill, size: (f32, f32), page: f32) -> Option<Table> {
    let mut rows = vec![vec![String::new(); grid.columns]; grid.rows];
    let mut bold_rows = vec![true; grid.rows];
    let mut filled = 0;
    let mut frames = 0;
    for (index, cell) in grid.cells.iter().enumerate() {
        let Some(slot) = rows.get_mut(cell.row).and_then(|row| row.get_mut(cell.column)) else {
            continue;
        };
        if cell.area.surface() > FRAME_COVER * page {
            frames += 1;
            continue;
        }
        let cell_lines = lines(fill.upright.get(index).cloned().unwrap_or_default());
        let mut text = joined(&cell_lines);
        for turned in turned_texts(fill.turned.get(index).cloned().unwrap_or_default(), size) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&turned);
        }
        let blank = !text.chars().any(char::is_alphanumeric);
        if !(blank || cell_lines.iter().all(Line::is_bold))
            && let Some(bold) = bold_rows.get_mut(cell.row)
        {
            *bold = false;
        }
        filled += usize::from(!text.is_empty());
        *slot = text;
    }
    let cells = grid.cells.len() - frames;
    // Charts and drawings have many fields and little text in them.
    let sparse = filled < 2 || (cells > 12 && filled * 8 < cells);
    if sparse || cells < 2 {
        return None;
    }
    let is_stamp = frames > 0;
    let area = if is_stamp {
        let cells = grid.cells.iter().map(|cell| cell.area);
        let small = cells.filter(|area| area.surface() <= FRAME_COVER * page);
        small.reduce(|a, b| a.union(&b)).unwrap_or(grid.area)
    } else {
        grid.area
    };
    let header_rows = if is_stamp { 0 } else { header_rows(grid, &rows, &bold_rows) };
    let mut table = Table { area, rows, header_rows, is_stamp };
    drop_empty(&mut table);
    (!table.rows.is_empty()).then_some(table)
}

/// Rows that are a header by merged cells, by bold type, or by a row of column numbers.
fn header_rows(grid: &Grid, rows: &[Vec<String>], bold_rows: &[bool]) -> usize {
    if rows.len() < 2 {
        return 0;
    }
    let mut count = grid
        .cells
        .iter()
        .filter(|cell| cell.row == 0 && cell.columns > 1 && cell.columns < grid.columns)
        .flat_map(|_| grid.cells.iter().filter(|cell| cell.row == 0).map(|cell| cell.rows))
        .max()
        .map_or(0, |deep| deep.max(2).min(rows.len() - 1));
    if count == 0 {
        count = bold_rows.iter().take_while(|bold| **bold).count();
        if count == rows.len() {
            count = 0;
        }
    }
    let numbered = |row: &Vec<String>| {
        row.len() > 1
            && row
                .iter()
                .enumerate()
                .all(|(index, text)| text.parse::<usize>().is_ok_and(|number| number == index + 1))
    };
    match rows.iter().take(4).position(numbered) {
        Some(row) if row >= 1 => row + 1,
        _ => count,
    }
}

/// Rows and columns without any text carry nothing.
fn drop_empty(table: &mut Table) {
    let empty = |row: &Vec<String>| row.iter().all(String::is_empty);
    let leading = table.rows.iter().take(table.header_rows).filter(|row| empty(row)).count();
    table.header_rows -= leading;
    table.rows.retain(|row| !empty(row));
    let columns = table.rows.first().map_or(0, Vec::len);
    let used: Vec<bool> = (0..columns)
        .map(|column| {
            table.rows.iter().any(|row| row.get(column).is_some_and(|text| !text.is_empty()))
        })
        .collect();
    for row in &mut table.rows {
        let mut flags = used.iter();
        row.retain(|_| flags.next().copied().unwrap_or(true));
    }
}

/// The texts of lines, one to a line.
fn joined(lines: &[Line]) -> String {
    let texts: Vec<String> = lines.iter().map(Line::text).collect();
    texts.join("\n")
}

/// The texts of glyphs that do not run in the reading direction of the page.
fn turned_texts(glyphs: Vec<RawGlyph>, size: (f32, f32)) -> Vec<String> {
    let mut texts = Vec::new();
    for turn in Turn::ALL {
        let turned: Vec<Glyph> = glyphs
            .iter()
            .filter(|glyph| glyph.turn == Some(turn))
            .map(|glyph| Glyph::turned(glyph, turn, size))
            .collect();
        if !turned.is_empty() {
            texts.push(joined(&lines(turned)));
        }
    }
    let slanted: String =
        glyphs.iter().filter(|glyph| glyph.turn.is_none()).map(|glyph| glyph.character).collect();
    texts.push(slanted.split_whitespace().collect::<Vec<_>>().join(" "));
    texts.retain(|text| !text.is_empty());
    texts
}
