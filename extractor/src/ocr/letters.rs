//! How high the letters of a page image are.

use super::ink::Ink;
use image::GrayImage;

/// Specks are lower, in pixels.
const LOWEST: u32 = 5;
/// Pictures and joined lines are higher, in pixels.
const HIGHEST: u32 = 160;
/// Fewer shapes tell nothing.
const MIN_SHAPES: usize = 60;

/// The median height in pixels of shapes of ink that can be letters; `None` when there are few.
pub(super) fn usual_height(image: &GrayImage) -> Option<f32> {
    let ink = Ink::of(image);
    let mut seen = vec![false; ink.width as usize * ink.height as usize];
    let mut heights: Vec<u32> = Vec::new();
    let mut open: Vec<(u32, u32)> = Vec::new();
    for y in 0..ink.height {
        for x in 0..ink.width {
            let index = y as usize * ink.width as usize + x as usize;
            if seen[index] || !ink.is_ink(x, y) {
                continue;
            }
            seen[index] = true;
            open.push((x, y));
            let (mut x0, mut x1, mut y1) = (x, x, y);
            while let Some((x, y)) = open.pop() {
                (x0, x1, y1) = (x0.min(x), x1.max(x), y1.max(y));
                let around =
                    [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
                for (x, y) in around {
                    if ink.is_ink(x, y) {
                        let index = y as usize * ink.width as usize + x as usize;
                        if !seen[index] {
                            seen[index] = true;
                            open.push((x, y));
                        }
                    }
                }
            }
            let (width, height) = (x1 - x0 + 1, y1 - y + 1);
            if (LOWEST..=HIGHEST).contains(&height) && width <= 2 * height && height <= 4 * width {
                heights.push(height);
            }
        }
    }
    heights.sort_unstable();
    (heights.len() >= MIN_SHAPES).then(|| heights[heights.len() / 2] as f32)
}

#[cfg(test)]
mod tests {
    use super::usual_height;
    use image::{GrayImage, Luma};

    #[test]
    fn specks_and_pictures_do_not_count() {
        let mut image = GrayImage::from_pixel(1200, 600, Luma([245]));
        let mut fill = |x0: u32, y0: u32, width: u32, height: u32| {
            for y in y0..y0 + height {
                for x in x0..x0 + width {
                    image.put_pixel(x, y, Luma([30]));
                }
            }
        };
        for index in 0..80 {
            fill(10 + (index % 40) * 25, 50 + index / 40 * 60, 12, 18);
            fill(10 + (index % 40) * 25, 210, 2, 2);
        }
        fill(100, 300, 700, 250);
        assert_eq!(usual_height(&image), Some(18.0));
        assert_eq!(usual_height(&GrayImage::from_pixel(100, 100, Luma([245]))), None);
    }
}
