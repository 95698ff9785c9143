//! Ruling lines of a page image: found, reported and painted over, because tesseract reads them as
//! letters («|», «[», «_») and because they make tables.

use super::ink::Ink;
use image::{GrayImage, Luma};
use serde::{Deserialize, Serialize};

/// The shortest ruling line, in inches: longer than any stroke of a letter.
const LENGTH: f32 = 0.3;
/// The thickest ruling line, in inches.
const THICKNESS: f32 = 0.045;
/// Gaps in a worn line that are bridged, in pixels.
const BRIDGE: u32 = 3;
/// Share of ink in a line, in hundredths. A row through bold letters is as long, but not as full.
const FULL: u32 = 97;
/// More lines are a drawing or a hatch; they are reported up to this number.
const MAX_RULES: usize = 5_000;

/// A ruling line in pixels: left, top, right, bottom (the last two exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule(pub u32, pub u32, pub u32, pub u32);

/// Finds the ruling lines and paints them over with paper.
pub(super) fn take_out(image: &mut GrayImage, dpi: f32) -> Vec<Rule> {
    let ink = Ink::of(image);
    let length = ((LENGTH * dpi) as u32).max(12);
    let thickness = ((THICKNESS * dpi) as u32).max(3);
    // Enlarging blurs edges over more pixels.
    let halo = ((dpi / 120.0) as u32).clamp(1, 4);
    let across = lines(&ink, length, thickness);
    let turned = ink.transposed();
    let down = lines(&turned, length, thickness);
    for line in &across {
        for &(y, x0, x1) in &line.runs {
            let thin = (x0..x1).filter(|x| is_thin_at(&ink, *x, y, thickness));
            thin.for_each(|x| paint(image, x, y, halo));
        }
    }
    for line in &down {
        for &(x, y0, y1) in &line.runs {
            let thin = (y0..y1).filter(|y| is_thin_at(&turned, *y, x, thickness));
            thin.for_each(|y| paint(image, x, y, halo));
        }
    }
    let mut rules: Vec<Rule> = across.iter().map(|line| line.area).collect();
    rules.extend(down.iter().map(|line| {
        let Rule(y0, x0, y1, x1) = line.area;
        Rule(x0, y0, x1, y1)
    }));
    rules.truncate(MAX_RULES);
    rules
}

/// Ruling lines are grey at their edges: pixels around are painted too.
fn paint(image: &mut GrayImage, x: u32, y: u32, halo: u32) {
    let (width, height) = image.dimensions();
    for y in y.saturating_sub(halo)..(y + halo + 1).min(height) {
        for x in x.saturating_sub(halo)..(x + halo + 1).min(width) {
            image.put_pixel(x, y, Luma([255]));
        }
    }
}

/// A letter that touches the line makes the ink higher there: it stays.
fn is_thin_at(ink: &Ink, x: u32, y: u32, thickness: u32) -> bool {
    let up = (0..=thickness).take_while(|d| *d <= y && ink.is_ink(x, y - d)).count();
    let down = (1..=thickness).take_while(|d| ink.is_ink(x, y + d)).count();
    up + down <= thickness as usize
}

/// A horizontal line: its runs of ink (row, from, to) and their common area.
struct Line {
    runs: Vec<(u32, u32, u32)>,
    area: Rule,
}

/// Horizontal runs that are long and thin, those of neighbouring rows joined.
fn lines(ink: &Ink, length: u32, thickness: u32) -> Vec<Line> {
    let mut finished: Vec<Line> = Vec::new();
    let mut open: Vec<Line> = Vec::new();
    for y in 0..ink.height {
        let mut still: Vec<Line> = Vec::new();
        for (x0, x1) in runs(ink.row(y), length) {
            // All open lines that this run touches become one with it.
            let mut line = Line { runs: Vec::new(), area: Rule(x0, y, x1, y + 1) };
            for bag in [&mut open, &mut still] {
                let mut index = 0;
                while index < bag.len() {
                    if touches(&bag[index], y, x0, x1) {
                        let other = bag.swap_remove(index);
                        line.area = union(line.area, other.area);
                        line.runs.extend(other.runs);
                    } else {
                        index += 1;
                    }
                }
            }
            line.runs.push((y, x0, x1));
            still.push(line);
        }
        // A worn line may skip a row.
        for line in open.drain(..) {
            if line.area.3 + 1 >= y && y > 0 {
                still.push(line);
            } else {
                finished.push(line);
            }
        }
        open = still;
    }
    finished.extend(open);
    finished.retain(|line| is_thin(ink, line, thickness));
    finished.sort_by_key(|line| (line.area.1, line.area.0));
    finished
}

fn touches(line: &Line, y: u32, x0: u32, x1: u32) -> bool {
    line.runs
        .iter()
        .rev()
        .take(16)
        .any(|&(row, from, to)| row + 2 >= y && from <= x1 + BRIDGE && x0 <= to + BRIDGE)
}

fn union(a: Rule, b: Rule) -> Rule {
    Rule(a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3))
}

/// Long, full runs of ink in a row, small gaps bridged.
fn runs(row: &[bool], length: u32) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    let mut start: Option<u32> = None;
    let (mut end, mut inked) = (0, 0);
    // Paper after the end closes the last run.
    let after = std::iter::repeat_n(&false, BRIDGE as usize + 1);
    for (x, ink) in (0_u32..).zip(row.iter().chain(after)) {
        if *ink {
            start.get_or_insert(x);
            end = x + 1;
            inked += 1;
        } else if let Some(from) = start
            && x >= end + BRIDGE
        {
            if end - from >= length && inked * 100 >= (end - from) * FULL {
                found.push((from, end));
            }
            (start, inked) = (None, 0);
        }
    }
    found
}

/// Measured across at several places: a line is thin at most of them, a photo or a filled field at
/// few. Letters that stand on the line make it thick here and there.
fn is_thin(ink: &Ink, line: &Line, thickness: u32) -> bool {
    let samples = 24_usize;
    let step = (line.runs.len() / samples).max(1);
    let mut thin = 0;
    let mut measured = 0;
    for (index, &(y, x0, x1)) in line.runs.iter().step_by(step).enumerate() {
        for part in 0..4_u32 {
            let x = x0 + (x1 - x0) * (2 * part + 1) / 8 + (index as u32 % 3);
            measured += 1;
            thin += usize::from(is_thin_at(ink, x, y, thickness));
        }
    }
    thin * 10 >= measured * 7
}

#[cfg(test)]
mod tests {
    use super::{Rule, take_out};
    use image::{GrayImage, Luma};

    fn filled(image: &mut GrayImage, x0: u32, y0: u32, x1: u32, y1: u32) {
        for y in y0..y1 {
            for x in x0..x1 {
                image.put_pixel(x, y, Luma([20]));
            }
        }
    }

    #[test]
    fn long_thin_lines_are_taken_out_and_reported() {
        let mut image = GrayImage::from_pixel(1000, 800, Luma([240]));
        filled(&mut image, 100, 200, 900, 204);
        filled(&mut image, 100, 500, 900, 504);
        filled(&mut image, 300, 200, 304, 504);
        // A letter's stroke, and a photo.
        filled(&mut image, 500, 300, 505, 340);
        filled(&mut image, 600, 600, 900, 780);
        let rules = take_out(&mut image, 300.0);
        assert_eq!(
            rules,
            [Rule(100, 200, 900, 204), Rule(100, 500, 900, 504), Rule(300, 200, 304, 504)]
        );
        assert_eq!(image.get_pixel(400, 202), &Luma([255]));
        assert_eq!(image.get_pixel(302, 350), &Luma([255]));
        assert_eq!(image.get_pixel(502, 320), &Luma([20]));
        assert_eq!(image.get_pixel(700, 700), &Luma([20]));
    }

    #[test]
    fn letters_close_to_each_other_are_no_line() {
        let mut image = GrayImage::from_pixel(600, 200, Luma([240]));
        // Strokes with gaps of two pixels, as in small bold type, and their bars.
        for index in 0..40 {
            filled(&mut image, 50 + index * 12, 80, 50 + index * 12 + 10, 84);
            filled(&mut image, 50 + index * 12, 80, 50 + index * 12 + 4, 100);
        }
        let before = image.clone();
        assert_eq!(take_out(&mut image, 170.0), []);
        assert_eq!(image, before);
    }

    #[test]
    fn a_letter_that_crosses_a_line_stays() {
        let mut image = GrayImage::from_pixel(600, 200, Luma([240]));
        filled(&mut image, 50, 100, 550, 103);
        filled(&mut image, 300, 80, 306, 130);
        assert_eq!(take_out(&mut image, 170.0).len(), 1);
        assert_eq!(image.get_pixel(303, 101), &Luma([20]));
        assert_eq!(image.get_pixel(200, 101), &Luma([255]));
    }

    #[test]
    fn a_slightly_turned_line_is_one_line() {
        let mut image = GrayImage::from_pixel(1200, 300, Luma([255]));
        for x in 100..1100 {
            let y = 100 + (x - 100) / 100;
            filled(&mut image, x, y, x + 1, y + 4);
        }
        let rules = take_out(&mut image, 300.0);
        assert_eq!(rules.len(), 1);
        assert!(rules[0].0 <= 101 && rules[0].2 >= 1099, "{rules:?}");
    }
}
