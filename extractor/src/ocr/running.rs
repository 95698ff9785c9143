//! Running headers and footers of recognised pages. The layout compares lines letter by letter,
//! which is too strict where each page was misread in its own way.

use super::compose::Recognised;
use super::tsv::Word;
use crate::pdf::patterns;
use shared::reading::Bounds;

/// Lines from the top and from the bottom that may be running lines.
const EDGE_LINES: usize = 5;
/// They stand in this share of the page height at its top or bottom.
const ZONE: f32 = 0.15;
/// How far the same line may move between scans, as a share of the page height.
const DRIFT: f32 = 0.03;
/// Shorter lines (letters) are too easily alike.
const MIN_LETTERS: usize = 12;
/// Share of equal letters.
const ALIKE: f32 = 0.8;
/// Pages before and after that are compared.
const REACH: u32 = 3;

/// A line near an edge of a page.
struct Edge {
    line: (u32, u32, u32),
    text: String,
    letters: Vec<char>,
    /// In pixels.
    bounds: Bounds,
    /// Share of the page height from its top.
    place: f32,
}

/// Takes the lines out that neighbouring pages repeat at the same place; returns their texts by
/// page, each with its place in pixels.
pub(super) fn take_out(pages: &mut [Recognised]) -> Vec<Vec<(String, Bounds)>> {
    let edges: Vec<[Vec<Edge>; 2]> = pages.iter().map(edges).collect();
    let mut taken = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        let near =
            |other: &usize| *other != index && pages[*other].number.abs_diff(page.number) <= REACH;
        let neighbours: Vec<usize> = (0..pages.len()).filter(near).collect();
        let mut lines: Vec<&Edge> = Vec::new();
        for side in 0..2 {
            // From the edge inwards, as long as the lines repeat.
            let repeats = |edge: &Edge| {
                let repeated = |other: &usize| {
                    edges[*other][side].iter().any(|candidate| is_same(edge, candidate))
                };
                neighbours.iter().any(repeated)
            };
            // A speck or a page number between two running lines does not part them.
            let mut specks = Vec::new();
            for edge in &edges[index][side] {
                if edge.letters.len() <= 1 {
                    specks.push(edge);
                } else if repeats(edge) {
                    lines.append(&mut specks);
                    lines.push(edge);
                } else {
                    break;
                }
            }
        }
        let found = lines.iter().map(|edge| (edge.line, (edge.text.clone(), edge.bounds)));
        taken.push(found.collect::<Vec<_>>());
    }
    pages
        .iter_mut()
        .zip(taken)
        .map(|(page, lines)| {
            page.words.retain(|word| !lines.iter().any(|(line, _)| *line == word.line));
            lines.into_iter().map(|(_, found)| found).collect()
        })
        .collect()
}

fn is_same(a: &Edge, b: &Edge) -> bool {
    (a.place - b.place).abs() <= DRIFT
        && a.letters.len() >= MIN_LETTERS
        && !patterns::starts_caption(&a.text)
        && !patterns::starts_clause(&a.text)
        && likeness(&a.letters, &b.letters) >= ALIKE
}

/// The lines at the top, from the top; the lines at the bottom, from the bottom.
fn edges(page: &Recognised) -> [Vec<Edge>; 2] {
    let height = (page.head.height as f32).max(1.0);
    let mut lines: Vec<Edge> = Vec::new();
    for words in page.words.chunk_by(|a, b| a.line == b.line) {
        let Some(first) = words.first() else { continue };
        let text = words.iter().map(|word: &Word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let letters: Vec<char> =
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let middle = (first.bounds[1] + first.bounds[3]) / 2.0;
        let bounds = words.iter().fold(first.bounds, |[x0, y0, x1, y1], word| {
            let [left, top, right, bottom] = word.bounds;
            [x0.min(left), y0.min(top), x1.max(right), y1.max(bottom)]
        });
        lines.push(Edge { line: first.line, text, letters, bounds, place: middle / height });
    }
    lines.sort_by(|a, b| a.place.total_cmp(&b.place));
    let bottom = lines.iter().rposition(|line| line.place < 1.0 - ZONE).map_or(0, |last| last + 1);
    let mut foot = lines.split_off(bottom);
    foot.reverse();
    foot.truncate(EDGE_LINES);
    lines.retain(|line| line.place < ZONE);
    lines.truncate(EDGE_LINES);
    [lines, foot]
}

/// One less the share of letters to change, 0..1.
fn likeness(a: &[char], b: &[char]) -> f32 {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    // Very different lengths need no closer look; very long lines are no running lines.
    if short.len() * 10 < long.len() * 7 || long.len() > 400 {
        return 0.0;
    }
    let mut before: Vec<usize> = (0..=short.len()).collect();
    for (row, letter) in long.iter().enumerate() {
        let mut here = vec![row + 1];
        for (column, other) in short.iter().enumerate() {
            let changed = before[column] + usize::from(letter != other);
            here.push(changed.min(before[column + 1] + 1).min(here[column] + 1));
        }
        before = here;
    }
    1.0 - before[short.len()] as f32 / long.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::take_out;
    use crate::ocr::{Boxes, Head, Recognised, Word};

    fn page(number: u32, lines: &[(&str, f32)]) -> Recognised {
        let head = Head { width: 2480, height: 3508, dpi: 300.0, ..Head::default() };
        let word = |(index, (text, top)): (usize, &(&str, f32))| Word {
            line: (1, 1, index as u32),
            bounds: [200.0, *top, 1500.0, top + 40.0],
            confidence: 0.9,
            text: (*text).to_owned(),
        };
        let words = lines.iter().enumerate().map(word).collect();
        Recognised { number, head, words, boxes: Boxes::Ink, quarter_turns: 0 }
    }

    #[test]
    fn misread_running_lines_are_taken_out() {
        let mut pages = [
            page(
                1,
                &[
                    ("СН РК 2.03-01 -2014 «Здания и сооружения»", 150.0),
                    ("Первое требование страницы", 400.0),
                ],
            ),
            page(
                2,
                &[
                    ("CH РК 2 03-01-2011 «Здания и сооруження»", 190.0),
                    ("Продолжение таблицы номер 5", 250.0),
                    ("Другое начало", 420.0),
                ],
            ),
            page(
                3,
                &[("Совсем другой заголовок листа", 150.0), ("Продолжение таблицы номер 6", 260.0)],
            ),
        ];
        let taken = take_out(&mut pages);
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 0]);
        assert_eq!(pages[0].words.len(), 1);
        assert_eq!(pages[1].words.len(), 2);
        assert_eq!(pages[2].words.len(), 2);
    }

    #[test]
    fn a_speck_does_not_part_running_lines() {
        let (first, second) = ("Источник: система «Параграф»", "Статус документа: действующий");
        let mut pages = [
            page(
                1,
                &[(first, 150.0), ("i", 190.0), (second, 230.0), ("I", 300.0), ("Текст", 400.0)],
            ),
            page(2, &[(first, 150.0), (second, 230.0), ("Другой текст", 400.0)]),
        ];
        let taken = take_out(&mut pages);
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
        let left: Vec<_> = pages[0].words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(left, ["I", "Текст"], "only a speck between running lines goes with them");
    }
}
