//! Glyphs of one reading direction become words and lines.

use super::collect::RawGlyph;
use super::geometry::{Area, Turn};
use super::letters::{is_letter, is_letter_or_digit};
use foldhash::HashMap;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A gap between two glyphs that parts words, as a share of the font size. Half of the narrowest
/// usual space (0.25), because justified text squeezes spaces and kerning widens letters.
const WORD_GAP: f32 = 0.14;
/// A gap that ends a run of glyphs painted one after the other, as a share of the font size.
const RUN_GAP: f32 = 1.6;
/// Fonts up to this share of the size of their neighbour are indices.
const INDEX_SIZE: f32 = 0.85;

/// A glyph in the coordinates of the turned page.
#[derive(Clone, Debug)]
pub(crate) struct Glyph {
    pub(crate) character: char,
    pub(crate) x0: f32,
    pub(crate) x1: f32,
    pub(crate) baseline: f32,
    pub(crate) size: f32,
    pub(crate) bold: bool,
}

impl Glyph {
    /// The glyph on a page of this size, turned so that the given direction reads rightwards.
    pub(crate) fn turned(raw: &RawGlyph, turn: Turn, size: (f32, f32)) -> Glyph {
        let (x0, baseline) = turn.point(size, raw.origin);
        Glyph {
            character: raw.character,
            x0,
            x1: x0 + raw.advance,
            baseline,
            size: raw.size,
            bold: raw.bold,
        }
    }

    /// The middle of the small letters: decides in which cell a glyph stands.
    pub(crate) fn middle(&self) -> (f32, f32) {
        ((self.x0 + self.x1) / 2.0, self.baseline - 0.25 * self.size)
    }

    fn is_space(&self) -> bool {
        self.character == ' '
    }
}

/// A word, never glued from two nor cut.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) x0: f32,
    pub(crate) x1: f32,
    pub(crate) bold: bool,
}

/// Words on one baseline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) words: Vec<Word>,
    pub(crate) baseline: f32,
    /// The font size most of its letters have.
    pub(crate) size: f32,
}

impl Line {
    pub(crate) fn x0(&self) -> f32 {
        self.words.first().map_or(0.0, |word| word.x0)
    }

    pub(crate) fn x1(&self) -> f32 {
        self.words.iter().fold(self.x0(), |x1, word| x1.max(word.x1))
    }

    pub(crate) fn area(&self) -> Area {
        let top = self.baseline - 0.8 * self.size;
        Area::new(self.x0(), top, self.x1(), self.baseline + 0.25 * self.size)
    }

    pub(crate) fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }

    /// Nearly all letters are bold. Numbers count only where there are no letters: some fonts
    /// paint them from another file.
    pub(crate) fn is_bold(&self) -> bool {
        let count = |counts: fn(char) -> bool, bold_only: bool| -> usize {
            self.words
                .iter()
                .filter(|word| word.bold || !bold_only)
                .map(|word| word.text.chars().filter(|c| counts(*c)).count())
                .sum()
        };
        let kind = if count(is_letter, false) > 0 { is_letter } else { is_letter_or_digit };
        let (bold, all) = (count(kind, true), count(kind, false));
        all > 0 && bold * 10 >= all * 9
    }

    /// Parts between gaps wider than `gap` points.
    pub(crate) fn split(&self, gap: f32) -> Vec<Line> {
        let mut parts: Vec<Line> = Vec::new();
        for word in &self.words {
            match parts.last_mut() {
                Some(part) if word.x0 - part.x1() <= gap => part.words.push(word.clone()),
                _ => parts.push(Line { words: vec![word.clone()], ..self.bare() }),
            }
        }
        parts
    }

    /// The line without its words.
    pub(crate) fn bare(&self) -> Line {
        Line { words: Vec::new(), baseline: self.baseline, size: self.size }
    }
}

/// Glyphs painted one after the other without a wide gap.
struct Run {
    glyphs: Vec<Glyph>,
    x0: f32,
    x1: f32,
    baseline: f32,
    size: f32,
}

/// Builds the lines of one region, from top to bottom.
pub(crate) fn lines(mut glyphs: Vec<Glyph>) -> Vec<Line> {
    drop_overprints(&mut glyphs);
    let mut runs = runs(glyphs);
    // Large type first: indices then find the line they belong to.
    runs.sort_by(|a, b| b.size.total_cmp(&a.size).then(a.baseline.total_cmp(&b.baseline)));
    let mut rows: Vec<Vec<Run>> = Vec::new();
    let mut near: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for run in runs {
        let reach = (run.size * 1.4 / BAND).ceil().clamp(1.0, 40.0) as i32;
        let band = band(run.baseline);
        let found = near
            .range(band.saturating_sub(reach)..=band.saturating_add(reach))
            .flat_map(|(_, rows)| rows)
            .filter_map(|&row| Some((row, distance(rows.get(row)?, &run)?)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(row, _)| row);
        match found.and_then(|row| rows.get_mut(row)) {
            Some(row) => row.push(run),
            None => {
                near.entry(band).or_default().push(rows.len());
                rows.push(vec![run]);
            }
        }
    }
    let mut lines: Vec<Line> = rows.into_iter().filter_map(line).collect();
    lines.sort_by(|a, b| a.baseline.total_cmp(&b.baseline).then(a.x0().total_cmp(&b.x0())));
    lines
}

/// Height of the bands in which rows are looked up, in points.
const BAND: f32 = 4.0;

fn band(baseline: f32) -> i32 {
    (baseline / BAND).floor().clamp(-1e6, 1e6) as i32
}

/// How well a run fits a row: its distance in points from the row's baseline, `None` when it does
/// not belong there.
fn distance(row: &[Run], run: &Run) -> Option<f32> {
    let first = row.first()?;
    let shift = (run.baseline - first.baseline).abs();
    if shift <= 0.2 * run.size.min(first.size) {
        return Some(shift);
    }
    // An index stands beside a larger glyph, raised or lowered by part of its size.
    let is_index = |base: &Run| {
        let raised = base.baseline - run.baseline;
        run.size <= INDEX_SIZE * base.size
            && raised <= 0.7 * base.size
            && raised >= -0.45 * base.size
            && run.x0 - base.x1 <= 0.35 * base.size
            && run.x0 - base.x0 >= 0.2 * base.size
    };
    row.iter().any(is_index).then_some(shift + run.size)
}

fn runs(glyphs: Vec<Glyph>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for glyph in glyphs {
        let continues = runs.last().is_some_and(|run| {
            let gap = glyph.x0 - run.x1;
            (glyph.baseline - run.baseline).abs() <= 0.08 * run.size
                && (glyph.size - run.size).abs() <= 0.1 * run.size
                && gap <= RUN_GAP * run.size
                && gap >= -0.5 * run.size
        });
        match runs.last_mut() {
            Some(run) if continues => {
                run.x1 = run.x1.max(glyph.x1);
                run.glyphs.push(glyph);
            }
            _ => runs.push(Run {
                x0: glyph.x0,
                x1: glyph.x1,
                baseline: glyph.baseline,
                size: glyph.size,
                glyphs: vec![glyph],
            }),
        }
    }
    runs.retain(|run| run.glyphs.iter().any(|glyph| !glyph.is_space()));
    runs
}

/// Bold made by painting the same letter twice, slightly moved, is one letter.
fn drop_overprints(glyphs: &mut Vec<Glyph>) {
    // The last kept glyph of a letter in a cell; each tells the one before it in its cell.
    let mut seen: HashMap<(char, i32, i32), usize> = HashMap::default();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(glyphs.len());
    let mut kept: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    for glyph in glyphs.drain(..) {
        if glyph.is_space() {
            kept.push(glyph);
            before.push(None);
            continue;
        }
        let cell = |value: f32| (value / 8.0).floor().clamp(-1e6, 1e6) as i32;
        let (column, row) = (cell(glyph.x0), cell(glyph.baseline));
        // Mostly one cell; of huge letters the neighbours are enough.
        let reach = (0.12 * glyph.size).min(8.0);
        let rows = cell(glyph.baseline - reach)..=cell(glyph.baseline + reach);
        let twin = (cell(glyph.x0 - reach)..=cell(glyph.x0 + reach))
            .flat_map(|x| rows.clone().map(move |y| (x, y)))
            .filter_map(|(x, y)| seen.get(&(glyph.character, x, y)).copied())
            .flat_map(|last| std::iter::successors(Some(last), |index| *before.get(*index)?))
            .find(|&index| {
                kept.get(index).is_some_and(|other| {
                    (other.x0 - glyph.x0).abs() <= 0.12 * glyph.size
                        && (other.baseline - glyph.baseline).abs() <= 0.12 * glyph.size
                        && (other.size - glyph.size).abs() <= 0.1 * glyph.size
                })
            });
        match twin.and_then(|index| kept.get_mut(index)) {
            Some(other) => other.bold = true,
            None => {
                before.push(seen.insert((glyph.character, column, row), kept.len()));
                kept.push(glyph);
            }
        }
    }
    *glyphs = kept;
}

fn line(mut row: Vec<Run>) -> Option<Line> {
    row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let widest = row.iter().max_by(|a, b| (a.x1 - a.x0).total_cmp(&(b.x1 - b.x0)))?;
    let (baseline, size) = (widest.baseline, widest.size);
    let spacing = letter_spacing(&row);
    let mut words: Vec<Word> = Vec::new();
    let mut open: Vec<Glyph> = Vec::new();
    let mut spaced = false;
    for glyph in row.into_iter().flat_map(|run| run.glyphs) {
        if glyph.is_space() {
            spaced = true;
            continue;
        }
        if let Some(last) = open.last() {
            let gap = glyph.x0 - open.iter().fold(last.x1, |x1, other| x1.max(other.x1));
            let room = WORD_GAP * last.size.max(glyph.size) + spacing;
            // A space that is painted but takes no room (the next glyph is moved back over it)
            // still parts words, unless the glyphs overlap.
            let parted = gap > room || (spaced && gap > spacing - 0.08 * glyph.size);
            if parted && !is_combining_mark(glyph.character) {
                words.extend(word(&mut open));
            }
        }
        spaced = false;
        open.push(glyph);
    }
    words.extend(word(&mut open));
    let words = join_spread(words);
    (!words.is_empty()).then_some(Line { words, baseline, size })
}

/// «С О Д Е Р Ж А Н И Е», typed with spaces between the letters, is one word; wider gaps part
/// words. Fewer letters in a row may be single letters that are meant so.
const MIN_SPREAD: usize = 5;

fn join_spread(words: Vec<Word>) -> Vec<Word> {
    let is_letter = |word: &Word| {
        let mut letters = word.text.chars();
        letters.next().is_some_and(|c| ('А'..='Я').contains(&c) || c == 'Ё')
            && letters.next().is_none()
    };
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    let mut rest = words.into_iter().peekable();
    while rest.peek().is_some() {
        let mut letters: Vec<Word> = Vec::new();
        while let Some(letter) = rest.next_if(is_letter) {
            letters.push(letter);
        }
        if letters.len() < MIN_SPREAD {
            out.append(&mut letters);
            out.extend(rest.next());
            continue;
        }
        let mut gaps: Vec<f32> = letters
            .windows(2)
            .filter_map(|pair| if let [a, b] = pair { Some(b.x0 - a.x1) } else { None })
            .collect();
        gaps.sort_by(f32::total_cmp);
        let usual = gaps.get(gaps.len() / 2).copied().unwrap_or_default();
        let mut previous_end = f32::NEG_INFINITY;
        for letter in letters {
            let is_parted = letter.x0 - previous_end > 1.7 * usual.max(0.0) + 1.0;
            previous_end = letter.x1;
            match out.last_mut() {
                Some(word) if !is_parted => {
                    word.text.push_str(&letter.text);
                    word.x1 = letter.x1;
                }
                _ => out.push(letter),
            }
        }
    }
    out
}

/// The extra room between the letters of a line set with letter spacing («С Т А Н Д А Р Т»), in
/// points; 0 for ordinary text.
fn letter_spacing(row: &[Run]) -> f32 {
    let mut gaps: Vec<f32> = Vec::new();
    let mut letters = 0_usize;
    for run in row {
        for pair in run.glyphs.windows(2) {
            let [left, right] = pair else { continue };
            if is_letter(left.character) && is_letter(right.character) {
                gaps.push((right.x0 - left.x1) / left.size);
                letters += 1;
            }
        }
    }
    if letters < 6 {
        return 0.0;
    }
    gaps.sort_by(f32::total_cmp);
    let at = |share: f32| {
        gaps.get(((gaps.len() - 1) as f32 * share) as usize).copied().unwrap_or_default()
    };
    let (low, middle) = (at(0.15), at(0.5));
    let size = row.first().map_or(0.0, |run| run.size);
    if middle > 0.6 * WORD_GAP && middle - low < 0.1 { middle * size } else { 0.0 }
}

fn word(open: &mut Vec<Glyph>) -> Option<Word> {
    let first = open.first()?;
    let x0 = first.x0;
    let x1 = open.iter().fold(first.x1, |x1, glyph| x1.max(glyph.x1));
    let bold = open.iter().filter(|glyph| glyph.bold).count() * 2 > open.len();
    let mut text: String = open.iter().map(|glyph| glyph.character).collect();
    if text.chars().any(is_combining_mark) {
        text = text.nfc().collect();
    }
    open.clear();
    Some(Word { text, x0, x1, bold })
}

#[cfg(test)]
#[path = "lines_tests.rs"]
pub(crate) mod tests;
