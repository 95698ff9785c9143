//! Tables drawn with line characters («│ а │ б │»), as old norms in text files have them.

use crate::grid::guess_header_rows;
use crate::model::Block;
use crate::tidy::tidy_line;

/// Whether a line belongs to a drawn table.
pub(super) fn is_box_line(line: &str) -> bool {
    is_rule(line) || is_row(line)
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    let drawn = line.chars().all(|c| matches!(c, '─'..='╿' | '-' | '+' | '=' | '|' | ' '));
    let crossings = line.chars().filter(|c| matches!(c, '─'..='╿' | '+')).count();
    line.chars().count() >= 3 && drawn && crossings >= 2
}

fn is_row(line: &str) -> bool {
    line.trim().starts_with(['│', '║', '|'])
        && line.trim().ends_with(['│', '║', '|'])
        && line.trim().chars().count() > 1
}

/// The table that begins with these lines, and how many lines it takes. The lines between two
/// rules are one row whose cells go on from line to line.
pub(super) fn table(lines: &[&str]) -> Option<(Block, usize)> {
    let drawn = is_rule(lines.first()?);
    // Without rules every line is a row: «| а | б», as programs write tables into plain text.
    let belongs = |line: &&&str| if drawn { is_box_line(line) } else { is_barred(line) };
    let length = lines.iter().take_while(belongs).count();
    if length < 2 {
        return None;
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut open = false;
    for line in lines.iter().take(length) {
        if is_rule(line) && !is_row_with_text(line) {
            open = false;
            continue;
        }
        let inside = line.trim().trim_matches(['│', '║', '|']);
        let cells: Vec<String> = inside.split(['│', '║', '|']).map(tidy_line).collect();
        match rows.last_mut().filter(|row| drawn && open && row.len() == cells.len()) {
            Some(row) => {
                for (cell, more) in row.iter_mut().zip(cells) {
                    if !cell.is_empty() && !more.is_empty() {
                        cell.push(' ');
                    }
                    cell.push_str(&more);
                }
            }
            None => rows.push(cells),
        }
        open = true;
    }
    let width = rows.iter().map(Vec::len).max()?;
    if rows.len() < 2 || width < 2 {
        return None;
    }
    rows.iter_mut().for_each(|row| row.resize(width, String::new()));
    let header_rows = guess_header_rows(&rows, 1);
    Some((Block::table(rows, header_rows), length))
}

/// «| а | б»: begins with a bar and has another.
fn is_barred(line: &str) -> bool {
    line.trim().strip_prefix('|').is_some_and(|rest| rest.trim_end_matches('|').contains('|'))
}

fn is_row_with_text(line: &str) -> bool {
    line.chars().any(char::is_alphanumeric)
}
