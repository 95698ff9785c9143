//! The table of contents: its lines repeat the headings and are no part of the body.

use super::StructureRules;
use super::line::{Line, Role, Shape};
use super::number::leading_number;
use super::rules::{is_one_of, title_form};
use std::collections::HashSet;

/// The longest table of contents, in lines.
const MAX_LINES: usize = 1000;
/// A line of this many characters without a page number is text, not an entry.
const LONG_ENTRY: usize = 250;
/// A line of this many characters that ends with a full stop is a sentence, not an entry.
const SENTENCE: usize = 100;

/// Gives the lines of tables of contents their role. `cells` are the texts of a table's cells.
pub(super) fn mark<'t>(
    rules: &StructureRules,
    lines: &mut [Line],
    cells: impl Fn(&Line) -> Vec<&'t str>,
) {
    for line in lines.iter_mut() {
        if line.shape == Shape::Contents {
            line.role = Role::Contents;
        }
    }
    let mut index = 0;
    while index < lines.len() {
        let title = lines[index].shape != Shape::Table
            && is_one_of(rules.contents_titles, &lines[index].text);
        let end = if title { end_of_contents(rules, lines, index + 1, &cells) } else { index };
        if end > index + 1 {
            lines[index..end].iter_mut().for_each(|line| line.role = Role::Contents);
            index = end;
        } else {
            index += 1;
        }
    }
    mark_leaders(rules, lines);
}

/// The line after the last entry; `start` when no contents follow.
fn end_of_contents<'t>(
    rules: &StructureRules,
    lines: &[Line],
    start: usize,
    cells: &impl Fn(&Line) -> Vec<&'t str>,
) -> usize {
    let mut seen: HashSet<String> = HashSet::new();
    let mut after_last_page_number = start;
    let limit = lines.len().min(start + MAX_LINES);
    for (index, line) in lines.iter().enumerate().take(limit).skip(start) {
        if line.shape == Shape::Table {
            if index > start + 2 {
                return after_last_page_number;
            }
            let entries = cells(line);
            seen.extend(entries.iter().flat_map(|cell| cell.lines()).map(entry_form));
            after_last_page_number = index + 1;
            continue;
        }
        if line.shape == Shape::Contents || rules.contents_entry.is_match(&line.text) {
            seen.insert(entry_form(&line.text));
            after_last_page_number = index + 1;
            continue;
        }
        if seen.contains(&heading_form(&line.text)) {
            return index;
        }
        let length = line.text.chars().count();
        if length > LONG_ENTRY || (length > SENTENCE && line.text.ends_with('.')) {
            return if after_last_page_number > start {
                after_last_page_number
            } else {
                where_numbers_restart(lines, start, index)
            };
        }
        if entry_form(&line.text) != heading_form(&line.text) {
            after_last_page_number = index + 1;
        }
        seen.insert(entry_form(&line.text));
    }
    after_last_page_number
}

/// Contents without page numbers whose first entry is worded otherwise in the body: the body
/// starts where «1» comes again.
fn where_numbers_restart(lines: &[Line], start: usize, end: usize) -> usize {
    let mut highest = 0;
    for (index, line) in lines.iter().enumerate().take(end).skip(start) {
        let Some((number, _)) = leading_number(&line.text) else { continue };
        let first = number.parts.first().copied().unwrap_or_default();
        if first == 1 && highest > 1 {
            return index;
        }
        highest = highest.max(first);
    }
    start
}

/// Lines with leader dots and a page number, three or more together, outside a titled contents.
fn mark_leaders(rules: &StructureRules, lines: &mut [Line]) {
    let leads = |line: &Line| {
        line.role == Role::Text
            && line.text.contains("...")
            && line.text.ends_with(|sign: char| sign.is_ascii_digit())
            && rules.contents_entry.is_match(&line.text)
    };
    let hits: Vec<usize> = (0..lines.len()).filter(|&index| leads(&lines[index])).collect();
    for trio in hits.windows(3) {
        if trio[2] - trio[0] <= 6 {
            lines[trio[0]..=trio[2]].iter_mut().for_each(|line| {
                if line.role == Role::Text {
                    line.role = Role::Contents;
                }
            });
        }
    }
}

/// The form of an entry without its page number.
fn entry_form(text: &str) -> String {
    let without_page = text.trim_end_matches(|sign: char| {
        sign.is_ascii_digit() || sign.is_whitespace() || ".…_·-–—".contains(sign)
    });
    heading_form(without_page)
}

/// The form of a heading: «1. ОБЛАСТЬ» and «1 Область» are the same.
fn heading_form(text: &str) -> String {
    match leading_number(text) {
        Some((number, rest)) => format!("{} {}", number.address(), title_form(rest)),
        None => title_form(text),
    }
}

#[cfg(test)]
mod tests {
    use super::mark;
    use crate::rules::Rules;
    use crate::structure::StructureRules;
    use crate::structure::line::{Line, Role};

    /// Lines marked `=` in front are expected to be contents.
    fn check(text: &str) {
        let expected: Vec<bool> = text.lines().map(|line| line.starts_with('=')).collect();
        let mut lines: Vec<Line> = text
            .lines()
            .map(|line| Line {
                text: line.trim_start_matches('=').to_owned(),
                first: true,
                ..Line::default()
            })
            .collect();
        mark(&StructureRules::of(Rules::shipped()), &mut lines, |_| Vec::new());
        let found: Vec<bool> = lines.iter().map(|line| line.role == Role::Contents).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn contents_end_where_the_first_heading_comes_again() {
        check(
            "=СОДЕРЖАНИЕ\n=ВВЕДЕНИЕ\n=1. ОБЛАСТЬ\n=2. ССЫЛКИ\n=БИБЛИОГРАФИЯ\nВведение\n1 Область\nТекст",
        );
        check("=Содержание\n=1 Область применения 1\n=2 Ссылки 2\n1 Область применения\n1.1 Текст");
    }

    #[test]
    fn contents_end_at_the_text() {
        let text = "Длинный текст, который явно не может быть строкой содержания, потому что он \
                    говорит целыми предложениями и кончается точкой.";
        check(&format!("=Содержание\n=Общие сведения ........ 3\n=Материалы\t4\n{text}"));
        check(&format!("=Содержание\n=1 Область\n=2 Ссылки\n1 Сфера\n{text}"));
        check(&format!("Содержание\n{text}"));
    }

    #[test]
    fn leader_dots_without_a_title() {
        check("=Глава 1 ........ 3\n=Глава 2 ........ 9\n=Глава 3 ..... 12\nГлава 1\nТекст");
        check("Подпись ........\nДата ..........\nМесто .........");
    }
}
