//! Tables drawn with line characters («│ а │ б │»), as old norms in text files have them.

use crate::grid::{Filling, guess_header_rows};
use crate::model::Block;
use crate::tidy::tidy_line;

/// Lines that are looked at to tell whether a table begins.
const LOOK: usize = 64;

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
pub(super) fn table(lines: &[&str], filling: &mut Filling) -> Option<(Block, usize)> {
    // Every line is asked, so a look at the next ones must tell that there is no table.
    let (first, _) = rows(lines.get(..LOOK).unwrap_or(lines), &mut Filling::default());
    if first.len() < 2 || first.iter().all(|row| row.len() < 2) {
        return None;
    }
    let (mut rows, length) = rows(lines, filling);
    filling.end();
    let width = rows.iter().map(Vec::len).max()?;
    rows.iter_mut().for_each(|row| row.resize(width, String::new()));
    let header_rows = guess_header_rows(&rows, 1);
    Some((Block::table(rows, header_rows), length))
}

/// The rows that begin with these lines, and how many lines they take.
fn rows(lines: &[&str], filling: &mut Filling) -> (Vec<Vec<String>>, usize) {
    let drawn = lines.first().is_some_and(|line| is_rule(line));
    // Without rules every line is a row: «| а | б», as programs write tables into plain text.
    let belongs = |line: &str| if drawn { is_box_line(line) } else { is_barred(line) };
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut open = false;
    for (number, line) in lines.iter().enumerate() {
        if !belongs(line) {
            return (rows, number);
        }
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
            None if filling.takes(cells.len()) => rows.push(cells),
            None => return (rows, number),
        }
        open = true;
    }
    (rows, lines.len())
}

/// «| а | б»: begins with a bar and has another.
fn is_barred(line: &str) -> bool {
    line.trim().strip_prefix('|').is_some_and(|rest| rest.trim_end_matches('|').contains('|'))
}

fn is_row_with_text(line: &str) -> bool {
    line.chars().any(char::is_alphanumeric)
}
