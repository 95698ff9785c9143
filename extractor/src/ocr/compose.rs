//! Recognised words become glyphs at their places, and the layout of PDF pages does the rest:
//! lines, columns, tables from ruling lines, running headers, paragraphs, hyphens.

use super::image::Head;
use super::rules::Rule;
use super::running;
use super::skew::Straightened;
use super::tsv::Word;
use crate::model::{Page, TextSource};
use crate::pdf::blocks::Composer;
use crate::pdf::collect::{RawGlyph, RawPage};
use crate::pdf::furniture::{Furniture, REACH};
use crate::pdf::geometry::{Area, Turn};
use crate::pdf::layout::{Layout, layout};
use std::collections::BTreeMap;

/// Words read with less confidence are specks and strokes of drawings more often than words.
const MIN_CONFIDENCE: f32 = 0.2;
/// Signs alone must be read with more.
const MIN_SIGN_CONFIDENCE: f32 = 0.6;
/// Letters that reach below the line.
const DESCENDING: &str = "руфцщдДЦЩgjpqy,;()[]{}|/Q";
/// Letters (small ones) that stay within the height of «о».
const LOW: &str = "авгежзиклмнопстчшъыьэюяacemnorsuvwxz.,-–—";

/// A recognised page.
#[derive(Clone, Debug)]
pub struct Recognised {
    /// From 1.
    pub number: u32,
    /// The image it was read from.
    pub head: Head,
    /// In reading order.
    pub words: Vec<Word>,
    /// What the words' boxes enclose.
    pub boxes: Boxes,
    /// Clockwise quarter turns of the page before it was recognised, 0..4.
    pub quarter_turns: u8,
}

/// What the box of a word encloses: it decides where the baseline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boxes {
    /// The ink of its letters.
    Ink,
    /// The full height of its font.
    Font,
}

impl Recognised {
    /// Mean confidence of the words, each weighted by its length; 0 without words.
    pub fn confidence(&self) -> f32 {
        let letters = |word: &Word| word.text.chars().count() as f32;
        let total: f32 = self.words.iter().map(letters).sum();
        let sum: f32 = self.words.iter().map(|word| word.confidence * letters(word)).sum();
        if total > 0.0 { sum / total } else { 0.0 }
    }

    /// Whether most words of some length are higher than wide: the tool reads pages that lie on
    /// their side, too, word for word and in no order.
    pub fn is_sideways(&self) -> bool {
        let long = self.words.iter().filter(|word| word.text.chars().count() >= 4);
        let (mut words, mut upended) = (0, 0);
        for [left, top, right, bottom] in long.map(|word| word.bounds) {
            words += 1;
            upended += usize::from(bottom - top > right - left);
        }
        words >= 5 && upended * 2 > words
    }

    /// Points of a pixel.
    fn points(&self) -> f32 {
        72.0 / self.head.dpi.max(1.0)
    }
}

/// Composes the recognised pages of one document, in order. Running headers are found by
/// comparing the pages with each other.
pub fn compose(pages: &[Recognised]) -> Vec<Page> {
    let mut pages = pages.to_vec();
    pages.iter_mut().for_each(take_margins);
    let mut running = running::take_out(&mut pages).into_iter();
    let mut layouts: Vec<Option<Layout>> =
        pages.iter().map(|page| Some(layout(&raw_page(page)))).collect();
    let mut composer = Composer::default();
    layouts.iter().flatten().for_each(|layout| composer.learn(layout));
    let mut furniture = Furniture::default();
    let mut ahead = 0;
    let indices: Vec<usize> =
        pages.iter().map(|page| page.number.saturating_sub(1) as usize).collect();
    let mut composed = Vec::new();
    for (position, page) in pages.iter().enumerate() {
        while ahead < pages.len() && indices[ahead] <= indices[position] + REACH {
            if let Some(layout) = &layouts[ahead] {
                furniture.learn(indices[ahead], layout);
            }
            ahead += 1;
        }
        let Some(layout) = layouts[position].take() else { continue };
        let mut done = composer.compose(page.number, layout, &furniture);
        let points = page.points();
        let running = running.next().unwrap_or_default();
        let places = running.iter().map(|(_, bounds)| bounds.map(|pixels| pixels * points));
        done.furniture_bounds.extend(places);
        done.furniture.splice(0..0, running.into_iter().map(|(text, _)| text));
        done.quarter_turns = (done.quarter_turns + page.quarter_turns) % 4;
        if let Some(how) = &page.head.straightened {
            put_back(&mut done, how, points);
        }
        done.source = match page.boxes {
            _ if done.blocks.is_empty() => TextSource::None,
            Boxes::Ink => TextSource::Ocr,
            Boxes::Font => TextSource::Fallback,
        };
        if page.boxes == Boxes::Ink && !page.words.is_empty() {
            done.confidence = Some(page.confidence());
        }
        composed.push(done);
    }
    composed
}

/// A page that grew when it was set straight gets its size back: running lines stand in the same
/// places of all pages, straightened or not.
fn take_margins(page: &mut Recognised) {
    let Some(how) = &page.head.straightened else { return };
    let (left, top) = how.margins(page.head.width, page.head.height);
    for word in &mut page.words {
        let [x0, y0, x1, y1] = word.bounds;
        let (left, top) = (left as f32, top as f32);
        word.bounds = [x0 - left, y0 - top, x1 - left, y1 - top];
    }
    for Rule(x0, y0, x1, y1) in &mut page.head.rules {
        *x0 = x0.saturating_sub(left);
        *x1 = x1.saturating_sub(left);
        *y0 = y0.saturating_sub(top);
        *y1 = y1.saturating_sub(top);
    }
    (page.head.width, page.head.height) = (how.width, how.height);
}

/// Gives the places on the page as it was scanned, not as it was set straight.
fn put_back(done: &mut Page, how: &Straightened, points: f32) {
    let before =
        |area: [f32; 4]| how.before(area.map(|place| place / points)).map(|pixels| pixels * points);
    for bounds in done.blocks.iter_mut().filter_map(|block| block.bounds.as_mut()) {
        *bounds = before(*bounds);
    }
    for bounds in &mut done.furniture_bounds {
        *bounds = before(*bounds);
    }
}

/// Specks and remains of ruling lines are read as signs.
fn is_credible(word: &Word) -> bool {
    let lettered = word.text.chars().any(char::is_alphanumeric);
    let speck = word.text.chars().all(|sign| "|_[]{}\\/`‘’'\"“”„°©®~^<>.,:;".contains(sign));
    let least = if lettered { MIN_CONFIDENCE } else { MIN_SIGN_CONFIDENCE };
    word.confidence >= least && !speck
}

fn raw_page(page: &Recognised) -> RawPage {
    let points = page.points();
    let size = (page.head.width as f32 * points, page.head.height as f32 * points);
    let mut lines: BTreeMap<(u32, u32, u32), Vec<&Word>> = BTreeMap::new();
    for word in page.words.iter().filter(|word| is_credible(word)) {
        lines.entry(word.line).or_default().push(word);
    }
    let measured: Vec<(Vec<&Word>, Measure)> = lines
        .into_values()
        .filter_map(|words| Some((words.clone(), measure(&words, page.boxes)?)))
        .collect();
    let usual = usual_size(&measured);
    let mut glyphs = Vec::new();
    for (words, measure) in &measured {
        // Recognised heights jitter; lines about as high as most are of the same type.
        let ratio = measure.size / usual;
        let height = if (0.75..=1.3).contains(&ratio) { usual } else { measure.size };
        for word in words {
            push(&mut glyphs, word, measure.baseline * points, height * points, points);
        }
    }
    let rules = page.head.rules.iter().map(|Rule(x0, y0, x1, y1)| {
        let at = |pixels: &u32| *pixels as f32 * points;
        Area::new(at(x0), at(y0), at(x1), at(y1))
    });
    RawPage { size, glyphs, rules: rules.collect(), ..RawPage::default() }
}

/// The letters of a word share its width equally; a space follows.
fn push(glyphs: &mut Vec<RawGlyph>, word: &Word, baseline: f32, size: f32, points: f32) {
    let [x0, _, x1, _] = word.bounds.map(|pixels| pixels * points);
    let count = word.text.chars().count().max(1) as f32;
    let advance = (x1 - x0) / count;
    let glyph = |character, x, advance| RawGlyph {
        character,
        origin: (x, baseline),
        advance,
        size,
        turn: Some(Turn::None),
        bold: false,
        hidden: false,
    };
    for (index, character) in word.text.chars().enumerate() {
        glyphs.push(glyph(character, x0 + advance * index as f32, advance));
    }
    glyphs.push(glyph(' ', x1, 0.0));
}

/// Baseline and height of type of a line, in pixels.
#[derive(Clone, Copy)]
struct Measure {
    baseline: f32,
    size: f32,
    letters: usize,
}

fn measure(words: &[&Word], boxes: Boxes) -> Option<Measure> {
    let mut sizes: Vec<f32> = Vec::new();
    let mut baselines: Vec<f32> = Vec::new();
    for word in words {
        let descends = word.text.contains(|letter| DESCENDING.contains(letter));
        let low =
            word.text.chars().all(|letter| LOW.contains(letter) || DESCENDING.contains(letter));
        let [_, top, _, bottom] = word.bounds;
        // Shares of the font size: «о» 0.5, «б» 0.72, a descender 0.2 more.
        let share = if low { 0.5 } else { 0.72 } + if descends { 0.2 } else { 0.0 };
        if boxes == Boxes::Font {
            // Ascent and descent of the usual fonts make 1.15 of the size together.
            let size = (bottom - top) / 1.15;
            sizes.push(size);
            baselines.push(bottom - 0.24 * size);
        } else if word.text.chars().any(char::is_alphanumeric) {
            let size = (bottom - top) / share;
            sizes.push(size);
            baselines.push(if descends { bottom - 0.2 * size } else { bottom });
        }
    }
    if sizes.is_empty() {
        // Signs only: their box is all there is.
        let bottom = words.iter().map(|word| word.bounds[3]).fold(0.0, f32::max);
        let top = words.iter().map(|word| word.bounds[1]).fold(f32::INFINITY, f32::min);
        return (bottom > top).then_some(Measure {
            baseline: bottom,
            size: bottom - top,
            letters: 0,
        });
    }
    let letters = words.iter().map(|word| word.text.chars().count()).sum();
    Some(Measure { baseline: median(&mut baselines), size: median(&mut sizes), letters })
}

/// The type size of most letters.
fn usual_size(lines: &[(Vec<&Word>, Measure)]) -> f32 {
    let mut sizes: Vec<(f32, usize)> =
        lines.iter().map(|(_, measure)| (measure.size, measure.letters)).collect();
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: usize = sizes.iter().map(|(_, letters)| letters).sum();
    let mut seen = 0;
    let middle = sizes.iter().find(|(_, letters)| {
        seen += letters;
        seen * 2 >= total
    });
    middle.map_or(1.0, |(size, _)| size.max(1.0))
}

fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
