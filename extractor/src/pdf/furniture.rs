//! Running headers, footers and page numbers: lines that stand at the same place of neighbouring
//! pages.

use super::layout::Layout;
use super::letters::is_letter;
use super::patterns;
use std::collections::VecDeque;

/// How many lines from the top and from the bottom may be furniture.
const EDGE_LINES: usize = 7;
/// How far the same line may move between pages, in points.
const DRIFT: f32 = 9.0;
/// Page numbers stand in this share of the page height at the top or bottom.
const NUMBER_ZONE: f32 = 0.13;
/// Running lines stand in this share of the page height at the top or bottom.
const EDGE_ZONE: f32 = 0.22;

/// The lines of one page that may be furniture, from the edge inwards.
#[derive(Clone, Debug, Default)]
struct Edges {
    page: usize,
    head: Vec<Edge>,
    foot: Vec<Edge>,
}

#[derive(Clone, Debug)]
struct Edge {
    /// The index of the line in the layout.
    line: usize,
    /// The text with every number replaced by `#`.
    key: String,
    text: String,
    /// Points from the nearer edge of the page.
    from_edge: f32,
    /// In the zone of page numbers.
    outer: bool,
}

/// Knows the edges of the pages around the one that is looked at.
#[derive(Debug, Default)]
pub(crate) struct Furniture {
    pages: VecDeque<Edges>,
}

/// Pages before and after the current one that are compared with it.
pub(crate) const REACH: usize = 6;

impl Furniture {
    /// Learns the edges of the next page.
    pub(crate) fn learn(&mut self, page: usize, layout: &Layout) {
        let height = layout.size.1;
        let edge = |line: usize, from_top: bool| -> Option<Edge> {
            let found = layout.lines.get(line)?;
            let text = found.text();
            let from_edge = if from_top { found.baseline } else { height - found.baseline };
            let outer = from_edge < NUMBER_ZONE * height;
            (from_edge < EDGE_ZONE * height).then(|| Edge {
                line,
                key: key(&text),
                text,
                from_edge,
                outer,
            })
        };
        let count = layout.lines.len();
        // A line under or over a table is inside the body.
        let top = layout.tables.iter().map(|table| table.area.y0).fold(f32::INFINITY, f32::min);
        let bottom =
            layout.tables.iter().map(|table| table.area.y1).fold(f32::NEG_INFINITY, f32::max);
        let baseline = |line: usize| layout.lines.get(line).map_or(0.0, |line| line.baseline);
        self.pages.push_back(Edges {
            page,
            head: (0..count.min(EDGE_LINES))
                .take_while(|&line| baseline(line) < top)
                .filter_map(|line| edge(line, true))
                .collect(),
            foot: (0..count)
                .rev()
                .take(EDGE_LINES)
                .take_while(|&line| baseline(line) > bottom)
                .filter_map(|line| edge(line, false))
                .collect(),
        });
        while self.pages.len() > 2 * REACH + 1 {
            self.pages.pop_front();
        }
    }

    /// The indices of the lines of a page that are furniture.
    pub(crate) fn lines(&self, page: usize) -> Vec<usize> {
        let Some(here) = self.pages.iter().find(|edges| edges.page == page) else {
            return Vec::new();
        };
        let mut found = self.side(here, |edges| &edges.head);
        found.extend(self.side(here, |edges| &edges.foot));
        found.sort_unstable();
        found.dedup();
        found
    }

    fn side(&self, here: &Edges, side: impl Fn(&Edges) -> &Vec<Edge>) -> Vec<usize> {
        let others: Vec<&Edges> = self
            .pages
            .iter()
            .filter(|edges| edges.page != here.page && edges.page.abs_diff(here.page) <= REACH)
            .collect();
        // A quarter of the neighbours: left and right pages differ, and new chapters change both.
        let needed = others.len().div_ceil(4).max(1);
        let mut furniture = Vec::new();
        for edge in side(here) {
            let alike = others
                .iter()
                .filter(|other| {
                    side(other).iter().any(|candidate| {
                        (candidate.from_edge - edge.from_edge).abs() <= DRIFT
                            && candidate.key == edge.key
                            && (candidate.text == edge.text
                                || !patterns::starts_section(&edge.text)
                                    && grows(&edge.text, here.page, &candidate.text, other.page))
                    })
                })
                .count();
            let repeated = alike >= needed
                && edge.key.chars().any(is_letter)
                && !patterns::starts_caption(&edge.text)
                && !patterns::starts_clause(&edge.text);
            if repeated || (edge.outer && self.is_page_number(here, edge, &others, &side)) {
                furniture.push(edge.line);
            } else {
                break;
            }
        }
        furniture
    }

    /// A number that grows with the pages, or that is alone in its place.
    fn is_page_number(
        &self,
        here: &Edges,
        edge: &Edge,
        others: &[&Edges],
        side: &impl Fn(&Edges) -> &Vec<Edge>,
    ) -> bool {
        let Some(number) = patterns::page_number(&edge.text) else { return false };
        let Some(number) = number else { return edge.from_edge < 60.0 };
        let offset = i64::from(number) - here.page as i64;
        let grows = others.iter().any(|other| {
            side(other).iter().any(|candidate| {
                patterns::page_number(&candidate.text).flatten().is_some_and(|other_number| {
                    i64::from(other_number) - other.page as i64 == offset
                })
            })
        });
        grows || offset == 1 || (others.is_empty() && edge.from_edge < 60.0)
    }
}

/// The numbers of two lines differ as the numbers of their pages do: «Лист 3 из 9».
fn grows(text: &str, page: usize, other: &str, other_page: usize) -> bool {
    let numbers = |text: &str| -> Vec<i64> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
    };
    let step = other_page as i64 - page as i64;
    let (here, there) = (numbers(text), numbers(other));
    here.len() == there.len()
        && here.iter().zip(&there).all(|(a, b)| a == b || b.checked_sub(*a) == Some(step))
}

fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_digit() {
            if !key.ends_with('#') {
                key.push('#');
            }
        } else {
            key.extend(character.to_lowercase());
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::{Furniture, REACH};
    use crate::pdf::layout::Layout;
    use crate::pdf::lines::{lines, tests::typed};

    fn page(texts: &[(&str, f32)]) -> Layout {
        let glyphs = texts.iter().flat_map(|(text, y)| typed(text, 60.0, *y, 10.0)).collect();
        Layout { size: (595.0, 842.0), lines: lines(glyphs), ..Layout::default() }
    }

    fn found(pages: &[Layout], page: usize) -> Vec<String> {
        let mut furniture = Furniture::default();
        for (index, layout) in pages.iter().enumerate().take(page + REACH + 1) {
            furniture.learn(index, layout);
        }
        furniture.lines(page).iter().map(|&line| pages[page].lines[line].text()).collect()
    }

    #[test]
    fn repeated_lines_and_growing_numbers_are_furniture() {
        let pages: Vec<Layout> = (0..5)
            .map(|index| {
                page(&[
                    ("СП 45.13330.2017", 30.0),
                    (&format!("{}.1 Требование номер {index}", index + 4), 80.0),
                    ("Тело страницы", 400.0),
                    (&(index + 11).to_string(), 815.0),
                ])
            })
            .collect();
        for index in 0..5 {
            assert_eq!(found(&pages, index), ["СП 45.13330.2017", &(index + 11).to_string()]);
        }
    }

    #[test]
    fn a_single_page_keeps_its_text() {
        let pages = [page(&[("СП 45.13330.2017", 30.0), ("1 Область применения", 80.0)])];
        assert!(found(&pages, 0).is_empty());
    }

    #[test]
    fn clauses_and_captions_at_the_top_stay_in_the_body() {
        let pages: Vec<Layout> = (0..4)
            .map(|index| {
                page(&[
                    ("Продолжение таблицы 3", 60.0),
                    (&format!("глава {} тела", index * index + 5), 90.0),
                ])
            })
            .collect();
        assert!(found(&pages, 1).is_empty());
    }
}
