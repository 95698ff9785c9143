//! Which pixels of a page image are ink.

use image::GrayImage;

/// Which pixels are ink.
pub(super) struct Ink {
    pub(super) width: u32,
    pub(super) height: u32,
    pixels: Vec<bool>,
}

impl Ink {
    /// Ink is darker than three quarters of the paper around: photos have shadows.
    pub(super) fn of(image: &GrayImage) -> Ink {
        const TILE: u32 = 64;
        let (width, height) = image.dimensions();
        let (columns, rows) = (width.div_ceil(TILE), height.div_ceil(TILE));
        let mut paper = vec![0_u8; (columns * rows) as usize];
        for row in 0..rows {
            for column in 0..columns {
                let mut counts = [0_u32; 256];
                let mut total = 0;
                for y in (row * TILE..((row + 1) * TILE).min(height)).step_by(2) {
                    for x in (column * TILE..((column + 1) * TILE).min(width)).step_by(2) {
                        counts[usize::from(image.get_pixel(x, y).0[0])] += 1;
                        total += 1;
                    }
                }
                // The lightest third of a tile is paper, even in a filled table.
                let mut seen = 0;
                let level = counts.iter().rposition(|count| {
                    seen += count;
                    seen * 3 >= total
                });
                paper[(row * columns + column) as usize] = level.unwrap_or(255) as u8;
            }
        }
        // A tile full of ink has no paper of its own; shadows of photos leave more than half.
        let mut levels = paper.clone();
        levels.sort_unstable();
        let usual = levels.get(levels.len() / 2).copied().unwrap_or(255);
        paper.iter_mut().for_each(|level| *level = (*level).max(usual / 20 * 11));
        let pixels = image
            .enumerate_pixels()
            .map(|(x, y, pixel)| {
                let paper = u32::from(paper[((y / TILE) * columns + x / TILE) as usize]);
                u32::from(pixel.0[0]) * 4 < paper * 3
            })
            .collect();
        Ink { width, height, pixels }
    }

    pub(super) fn row(&self, y: u32) -> &[bool] {
        let start = y as usize * self.width as usize;
        &self.pixels[start..start + self.width as usize]
    }

    pub(super) fn is_ink(&self, x: u32, y: u32) -> bool {
        x < self.width && y < self.height && self.row(y)[x as usize]
    }

    pub(super) fn transposed(&self) -> Ink {
        let (width, height) = (self.height, self.width);
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..height {
            pixels.extend((0..width).map(|x| self.is_ink(y, x)));
        }
        Ink { width, height, pixels }
    }
}
