//! Tables ruled by horizontal lines only: a header between two lines, the rows under it, a line at
//! the end.

use super::geometry::Area;
use super::layout::Table;
use super::lines::Line;

/// Such a table is at least this wide, in points.
const MIN_WIDTH: f32 = 150.0;
/// The header is at most this high, in points; a header line and a footer line of a page are
/// further apart.
const MAX_HEADER: f32 = 90.0;
/// A gap inside a line that parts cells, as a share of the font size.
const CELL_GAP: f32 = 0.9;
/// Cells hold words, not running text: more letters on average are two columns of a page.
const MAX_LETTERS: usize = 45;

/// Takes the tables out of the lines of a page.
pub(crate) fn open_tables(lines: &mut Vec<Line>, rules: &[Area]) -> Vec<Table> {
    let mut rules: Vec<Area> =
        rules.iter().filter(|rule| rule.width() >= MIN_WIDTH).copied().collect();
    rules.sort_by(|a, b| a.y0.total_cmp(&b.y0));
    let mut tables = Vec::new();
    while let Some(first) = rules.first().copied() {
        let same =
            |rule: &Area| (rule.x0 - first.x0).abs() <= 4.0 && (rule.x1 - first.x1).abs() <= 4.0;
        let group: Vec<f32> =
            rules.iter().filter(|rule| same(rule)).map(|rule| (rule.y0 + rule.y1) / 2.0).collect();
        rules.retain(|rule| !same(rule));
        let [top, under_header, .., bottom] = group.as_slice() else { continue };
        if under_header - top > MAX_HEADER {
            continue;
        }
        let area = Area::new(first.x0, *top, first.x1, *bottom);
        let inside = |line: &Line| {
            let middle = line.baseline - 0.25 * line.size;
            middle > *top
                && middle < *bottom
                && line.x0() > first.x0 - 6.0
                && line.x1() < first.x1 + 6.0
        };
        let held: Vec<Line> = lines.iter().filter(|line| inside(line)).cloned().collect();
        if let Some(rows) = rows(&held, &group) {
            lines.retain(|line| !inside(line));
            tables.push(Table { area, rows, header_rows: 1, is_stamp: false });
        }
    }
    tables
}

/// The rows of the table, when the lines between the rules are one.
fn rows(lines: &[Line], rules: &[f32]) -> Option<Vec<Vec<String>>> {
    let header_end = *rules.get(1)?;
    let parts: Vec<(bool, Vec<Line>)> = lines
        .iter()
        .map(|line| (line.baseline < header_end, line.split(CELL_GAP * line.size)))
        .collect();
    let body: Vec<&Vec<Line>> =
        parts.iter().filter(|(header, _)| !header).map(|(_, parts)| parts).collect();
    let columns = columns(&body);
    let several = body.iter().filter(|parts| parts.len() > 1).count();
    let letters: usize =
        body.iter().flat_map(|parts| parts.iter()).map(|part| part.text().len()).sum();
    let cells: usize = body.iter().map(|parts| parts.len()).sum();
    let is_table = columns.len() > 1
        && several >= 2
        && several * 10 >= body.len() * 6
        && letters <= cells * MAX_LETTERS * 2
        && parts.iter().any(|(header, _)| *header);
    if !is_table {
        return None;
    }
    let mut rows: Vec<Vec<String>> = vec![vec![String::new(); columns.len()]];
    let mut previous: Option<&Line> = None;
    for (is_header, parts) in &parts {
        let first = parts.first()?;
        // A line without a first cell goes on with the row above; so does the header.
        let wraps = previous.is_some_and(|above: &Line| {
            first.baseline - above.baseline <= 1.4 * first.size
                && columns.first().is_some_and(|(_, end)| first.x0() > *end)
        });
        if !is_header && (rows.len() == 1 || !wraps) {
            rows.push(vec![String::new(); columns.len()]);
        }
        previous = if *is_header { None } else { Some(first) };
        let row = rows.last_mut()?;
        for part in parts {
            let middle = (part.x0() + part.x1()) / 2.0;
            let distance = |(from, to): &(f32, f32)| (from - middle).max(middle - to).max(0.0);
            let (column, _) =
                columns.iter().map(distance).enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
            let cell = row.get_mut(column)?;
            if !cell.is_empty() {
                cell.push('\n');
            }
            cell.push_str(&part.text());
        }
    }
    Some(rows)
}

/// The columns: where the cells of the body stand, overlapping ones joined.
fn columns(body: &[&Vec<Line>]) -> Vec<(f32, f32)> {
    let mut spans: Vec<(f32, f32)> =
        body.iter().flat_map(|parts| parts.iter()).map(|part| (part.x0(), part.x1())).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns: Vec<(f32, f32)> = Vec::new();
    for (from, to) in spans {
        match columns.last_mut() {
            Some((_, end)) if from < *end + 2.0 => *end = end.max(to),
            _ => columns.push((from, to)),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::open_tables;
    use crate::pdf::geometry::Area;
    use crate::pdf::lines::{Glyph, lines, tests::typed};

    fn rule(y: f32) -> Area {
        Area::new(50.0, y, 500.0, y + 0.5)
    }

    fn row(cells: [&str; 3], y: f32) -> Vec<Glyph> {
        cells
            .iter()
            .zip([55.0, 250.0, 420.0])
            .flat_map(|(cell, x)| typed(cell, x, y, 10.0))
            .collect()
    }

    #[test]
    fn rows_between_horizontal_rules_are_a_table() {
        let mut glyphs = row(["Материал", "Единица", "Расход"], 110.0);
        glyphs.extend(row(["Бетон", "м3", "102"], 130.0));
        glyphs.extend(row(["Арматура", "т, по весу", "8,1"], 145.0));
        glyphs.extend(row(["", "стержней", ""], 157.0));
        glyphs.extend(typed("Текст под таблицей", 50.0, 200.0, 10.0));
        let mut lines = lines(glyphs);
        let tables = open_tables(&mut lines, &[rule(100.0), rule(115.0), rule(165.0)]);
        assert_eq!(
            tables[0].rows,
            [
                ["Материал", "Единица", "Расход"],
                ["Бетон", "м3", "102"],
                ["Арматура", "т, по весу\nстержней", "8,1"]
            ]
        );
        assert_eq!(lines.len(), 1);
    }

    #[test]
    fn text_between_the_rules_of_a_page_stays_text() {
        let mut glyphs = Vec::new();
        for line in 0..20 {
            glyphs.extend(typed(
                "Строка обычного текста страницы",
                60.0,
                120.0 + line as f32 * 14.0,
                10.0,
            ));
        }
        let mut lines = lines(glyphs);
        assert!(open_tables(&mut lines, &[rule(100.0), rule(110.0), rule(500.0)]).is_empty());
        assert_eq!(lines.len(), 20);
    }
}
