//! The reading order of a page: columns of running text are read one after the other.

use super::geometry::Area;
use super::lines::Line;

/// A gap this wide inside a line may part columns, as a share of the font size.
const COLUMN_GAP: f32 = 1.1;
/// A column has at least this many lines.
const MIN_LINES: usize = 4;
/// Running text fills its column; the cells of a table without rulings do not.
const MIN_FILL: f32 = 0.6;
/// More lines are not searched for columns: the page is a drawing.
const MAX_LINES: usize = 3000;

/// Lines that are read together, from top to bottom.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) lines: Vec<Line>,
    /// How many of the tables, sorted by their tops, stand before it.
    pub(crate) band: usize,
    /// One of several columns: it has margins of its own.
    pub(crate) is_column: bool,
}

/// Cuts lines, sorted from top to bottom, into regions in reading order. A table parts the lines
/// above its top from those below.
pub(crate) fn regions(lines: Vec<Line>, tables: &[Area]) -> Vec<Region> {
    let mut bands: Vec<Vec<Line>> = vec![Vec::new()];
    let mut tops: Vec<f32> = tables.iter().map(|table| table.y0).collect();
    tops.sort_by(f32::total_cmp);
    let mut next = 0;
    for line in lines {
        while tops.get(next).is_some_and(|top| line.baseline > *top) {
            bands.push(Vec::new());
            next += 1;
        }
        if let Some(band) = bands.last_mut() {
            band.push(line);
        }
    }
    let mut regions = Vec::new();
    for (band, lines) in bands.into_iter().enumerate().filter(|(_, lines)| !lines.is_empty()) {
        let parts = columns(lines, 3);
        let is_column = parts.len() > 1;
        regions.extend(parts.into_iter().map(|lines| Region { lines, band, is_column }));
    }
    regions
}

/// Splits a band of lines at gutters, at most `depth` times.
fn columns(lines: Vec<Line>, depth: usize) -> Vec<Vec<Line>> {
    if depth == 0 || lines.len() < MIN_LINES || lines.len() > MAX_LINES {
        return vec![lines];
    }
    let Some((from, to, gutter)) = gutter(&lines) else { return vec![lines] };
    let mut before = lines;
    let mut band = before.split_off(from);
    let after = band.split_off(to - from);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for line in band {
        let (mut a, mut b) = (line.bare(), line.bare());
        for word in line.words {
            if (word.x0 + word.x1) / 2.0 < gutter { a.words.push(word) } else { b.words.push(word) }
        }
        left.extend((!a.words.is_empty()).then_some(a));
        right.extend((!b.words.is_empty()).then_some(b));
    }
    let mut regions = Vec::new();
    if !before.is_empty() {
        regions.push(before);
    }
    regions.extend(columns(left, depth - 1));
    regions.extend(columns(right, depth - 1));
    if !after.is_empty() {
        regions.extend(columns(after, depth - 1));
    }
    regions
}

/// A gutter with running text on both sides: the lines beside it and its place.
fn gutter(lines: &[Line]) -> Option<(usize, usize, f32)> {
    let parts: Vec<Vec<Area>> = lines
        .iter()
        .map(|line| line.split(COLUMN_GAP * line.size).iter().map(Line::area).collect())
        .collect();
    let x0 = lines.iter().map(Line::x0).fold(f32::INFINITY, f32::min);
    let x1 = lines.iter().map(Line::x1).fold(f32::NEG_INFINITY, f32::max);
    let width = x1 - x0;
    if !width.is_finite() || width < 100.0 {
        return None;
    }
    let mut best: Option<(usize, usize, f32, usize)> = None;
    let steps = 60;
    for step in 0..=steps {
        let at = x0 + width * (0.2 + 0.6 * step as f32 / steps as f32);
        let mut start = 0;
        for end in 0..=parts.len() {
            let crossed = parts
                .get(end)
                .is_none_or(|parts| parts.iter().any(|part| part.x0 < at && part.x1 > at));
            if !crossed {
                continue;
            }
            let size = end - start;
            if size >= MIN_LINES
                && best.is_none_or(|(.., known)| size > known)
                && is_running(parts.get(start..end)?, at)
            {
                best = Some((start, end, at, size));
            }
            start = end + 1;
        }
    }
    best.map(|(start, end, at, _)| (start, end, at))
}

/// Whether both sides of a gutter hold running text that fills its column.
fn is_running(parts: &[Vec<Area>], at: f32) -> bool {
    let side = |is_left: bool| -> Vec<Area> {
        parts
            .iter()
            .filter_map(|parts| {
                parts
                    .iter()
                    .filter(|part| (part.x1 <= at) == is_left)
                    .copied()
                    .reduce(|a, b| a.union(&b))
            })
            .collect()
    };
    let (left, right) = (side(true), side(false));
    let whole = |side: &[Area]| side.iter().copied().reduce(|a, b| a.union(&b));
    let (Some(left_area), Some(right_area)) = (whole(&left), whole(&right)) else { return false };
    let fills = |side: &[Area], area: &Area| {
        let mean = side.iter().map(Area::width).sum::<f32>() / side.len().max(1) as f32;
        side.len() >= MIN_LINES && area.width() >= 90.0 && mean >= MIN_FILL * area.width()
    };
    let together = left_area.y1.min(right_area.y1) - left_area.y0.max(right_area.y0);
    let shorter = left_area.height().min(right_area.height());
    fills(&left, &left_area) && fills(&right, &right_area) && together >= 0.6 * shorter
}

#[cfg(test)]
mod tests {
    use super::regions;
    use crate::pdf::lines::{Line, lines, tests::typed};

    #[test]
    fn two_columns_are_read_one_after_the_other() {
        let mut glyphs =
            typed("Заголовок над обеими колонками страницы, широкий как обе", 50.0, 60.0, 10.0);
        for row in 0..6 {
            let y = 100.0 + row as f32 * 12.0;
            glyphs.extend(typed(&format!("левая колонка, строка текста {row}"), 50.0, y, 10.0));
            glyphs.extend(typed(&format!("правая колонка, строка текста {row}"), 300.0, y, 10.0));
        }
        let regions = regions(lines(glyphs), &[]);
        let texts: Vec<String> = regions
            .iter()
            .map(|region| region.lines.iter().map(Line::text).collect::<Vec<_>>().join("|"))
            .collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[1].starts_with("левая") && !texts[1].contains("правая"));
        assert!(texts[2].starts_with("правая") && !texts[2].contains("левая"));
    }

    #[test]
    fn short_cells_side_by_side_stay_rows() {
        let mut glyphs = Vec::new();
        for row in 0..8 {
            let y = 100.0 + row as f32 * 12.0;
            glyphs.extend(typed(
                ["Бетон", "Арматура", "Щебень фракции 5-20", "Песок"][row % 4],
                50.0,
                y,
                10.0,
            ));
            glyphs.extend(typed("12", 300.0, y, 10.0));
        }
        assert_eq!(regions(lines(glyphs), &[]).len(), 1);
    }
}
