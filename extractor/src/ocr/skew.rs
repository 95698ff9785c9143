//! Pages that lie aslant on the scanner: how far, and setting them straight. Recognition reads a
//! slant of three degrees as three lines at once, and ruling lines are only found when level.

use super::ink::Ink;
use image::{GrayImage, Luma};
use serde::{Deserialize, Serialize};

/// The steepest slant that is looked for, in degrees. Feeders stay far below; a photo that is
/// further off is of something else than a page.
const MOST: f32 = 6.0;
/// Recognition copes with a smaller one, and turning blurs: at two degrees it made 0.9 % wrong
/// characters of a clean scan, 0.7 % when that was set straight first.
const LEAST: f32 = 1.0;
/// Text in level lines has this many times the contrast of rows that the other slants have.
const CLEAR: f64 = 1.3;
/// Feet of letters that are looked at.
const SAMPLE: usize = 120_000;

/// How a page was set straight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Straightened {
    /// Clockwise degrees by which its lines fell before.
    pub degrees: f32,
    /// Width before, in pixels.
    pub width: u32,
    /// Height before, in pixels.
    pub height: u32,
}

/// Clockwise degrees by which the lines of the page fall; `None` when it is straight enough, or has
/// nothing that tells. The slant with the most uneven rows of feet of letters (W. Postl, «Detection
/// of linear oblique structures and skew scan in digitized documents», 1986).
pub(super) fn slant(ink: &Ink) -> Option<f32> {
    let feet = feet(ink);
    let score = |degrees: f32| unevenness(&feet, ink.height, degrees);
    let best_of = |around: f32, reach: f32, step: f32| {
        let steps = (reach / step).round() as i32;
        (-steps..=steps)
            .map(|index| around + step * index as f32)
            .map(|degrees| (degrees, score(degrees)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let mut all: Vec<f64> = (-12..=12).map(|index| score(MOST / 12.0 * index as f32)).collect();
    all.sort_by(f64::total_cmp);
    let (coarse, _) = best_of(0.0, MOST, MOST / 12.0)?;
    let (finer, _) = best_of(coarse, MOST / 12.0, 0.1)?;
    let (degrees, contrast) = best_of(finer, 0.1, 0.02)?;
    (degrees.abs() >= LEAST && contrast >= CLEAR * all[all.len() / 2]).then_some(degrees)
}

/// Ink above paper: the feet of letters stand on the line.
fn feet(ink: &Ink) -> Vec<(f32, f32)> {
    let mut found = Vec::new();
    for y in 0..ink.height.saturating_sub(1) {
        let (row, below) = (ink.row(y), ink.row(y + 1));
        let edges =
            row.iter().zip(below).enumerate().filter(|(_, (above, below))| **above && !**below);
        found.extend(edges.map(|(x, _)| (x as f32, y as f32)));
    }
    let step = found.len().div_ceil(SAMPLE).max(1);
    found.into_iter().step_by(step).collect()
}

/// The sum of the squares of how many feet stand in each row of the page turned by this much.
fn unevenness(feet: &[(f32, f32)], height: u32, degrees: f32) -> f64 {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let mut rows = vec![0_u32; 3 * height as usize + 3];
    for (x, y) in feet {
        let row = y * cosine - x * sine + height as f32;
        if let Some(count) = rows.get_mut(row.max(0.0) as usize) {
            *count += 1;
        }
    }
    rows.iter().map(|count| f64::from(*count).powi(2)).sum()
}

/// The page turned so that lines which fell by these degrees are level. It grows: no corner is cut
/// off.
pub(super) fn straighten(image: &GrayImage, degrees: f32) -> (GrayImage, Straightened) {
    let (width, height) = image.dimensions();
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let grown = |along: u32, across: u32| {
        (along as f32 * cosine + across as f32 * sine.abs()).ceil() as u32
    };
    let (wide, high) = (grown(width, height), grown(height, width));
    let old_middle = (width as f32 / 2.0, height as f32 / 2.0);
    let new_middle = (wide as f32 / 2.0, high as f32 / 2.0);
    let straight = GrayImage::from_fn(wide, high, |x, y| {
        let (x, y) = (x as f32 + 0.5 - new_middle.0, y as f32 + 0.5 - new_middle.1);
        let source = (
            x * cosine - y * sine + old_middle.0 - 0.5,
            x * sine + y * cosine + old_middle.1 - 0.5,
        );
        Luma([between(image, source)])
    });
    (straight, Straightened { degrees, width, height })
}

/// The light at a place between four pixels; beyond the page there is paper.
fn between(image: &GrayImage, (x, y): (f32, f32)) -> u8 {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, lower_share) = (x - left, y - top);
    let light = |x: f32, y: f32| {
        let is_inside = x >= 0.0 && y >= 0.0;
        let pixel = is_inside.then(|| image.get_pixel_checked(x as u32, y as u32)).flatten();
        pixel.map_or(255.0, |pixel| f32::from(pixel.0[0]))
    };
    let row = |y: f32| light(left, y) * (1.0 - right_share) + light(left + 1.0, y) * right_share;
    (row(top) * (1.0 - lower_share) + row(top + 1.0) * lower_share).round() as u8
}

impl Straightened {
    /// By how much the page grew on the left and at the top when it became this wide and high.
    pub(super) fn margins(&self, wide: u32, high: u32) -> (u32, u32) {
        (wide.saturating_sub(self.width) / 2, high.saturating_sub(self.height) / 2)
    }

    /// Where an area of the straight page (left, top, right, bottom in pixels, without the margins)
    /// was before: the smallest upright one around it.
    pub(super) fn before(&self, area: [f32; 4]) -> [f32; 4] {
        let (sine, cosine) = self.degrees.to_radians().sin_cos();
        let [left, top, right, bottom] = area;
        let mut around = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
        for (x, y) in [(left, top), (right, top), (left, bottom), (right, bottom)] {
            let middle = (self.width as f32 / 2.0, self.height as f32 / 2.0);
            let (x, y) = (x - middle.0, y - middle.1);
            let x_before = x * cosine - y * sine + middle.0;
            let y_before = x * sine + y * cosine + middle.1;
            around = [
                around[0].min(x_before),
                around[1].min(y_before),
                around[2].max(x_before),
                around[3].max(y_before),
            ];
        }
        around
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of small marks.
    fn page() -> GrayImage {
        let mut image = GrayImage::from_pixel(900, 700, Luma([240]));
        for line in 0..14 {
            for mark in 0..40_u32 {
                let (left, top) = (80 + mark * 18, 80 + line * 38);
                for (x, y) in (0..9).flat_map(|x| (0..14).map(move |y| (x, y))) {
                    image.put_pixel(left + x, top + y, Luma([20]));
                }
            }
        }
        image
    }

    #[test]
    fn a_slant_is_found_and_taken_back() {
        assert_eq!(slant(&Ink::of(&page())), None);
        for turn in [-4.5, -1.2, 1.5, 3.0_f32] {
            let (aslant, _) = straighten(&page(), -turn);
            let found = slant(&Ink::of(&aslant)).unwrap();
            assert!((found - turn).abs() < 0.15, "{turn}: {found}");
            let (straight, _) = straighten(&aslant, found);
            assert_eq!(slant(&Ink::of(&straight)), None, "{turn}");
        }
    }

    #[test]
    fn what_has_no_lines_is_left_as_it_is() {
        let mut image = GrayImage::from_pixel(600, 600, Luma([240]));
        let mut seed = 7_u32;
        for _ in 0..4000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            image.put_pixel((seed >> 8) % 600, (seed >> 20) % 600, Luma([0]));
        }
        assert_eq!(slant(&Ink::of(&image)), None);
    }

    #[test]
    fn places_come_back() {
        // A mark that is nowhere else.
        let mut aslant = GrayImage::from_pixel(900, 700, Luma([240]));
        (0..5).for_each(|x| (0..5).for_each(|y| aslant.put_pixel(100 + x, 600 + y, Luma([0]))));
        let (straight, how) = straighten(&aslant, 3.0);
        let dark = straight.enumerate_pixels().find(|(_, _, light)| light.0[0] < 60);
        let (x, y, _) = dark.expect("the mark is still there");
        let (left, top) = how.margins(straight.width(), straight.height());
        let place = [x as f32 - left as f32, y as f32 - top as f32];
        let [x, y, _, _] = how.before([place[0], place[1], place[0], place[1]]);
        assert!((x - 102.0).abs() < 4.0 && (y - 602.0).abs() < 4.0, "{x} {y}");
        let whole = how.before([0.0, 0.0, 900.0, 700.0]);
        assert!(whole[0] < 0.0 && whole[1] < 0.0 && whole[2] > 900.0 && whole[3] > 700.0);
    }
}
