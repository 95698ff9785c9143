//! The picture of a page for people, with the places of what was read from it. The child paints
//! the page ([`Picture::of_image`], [`Picture::write`]), the parent reads the pixels and outlines
//! the places: pixels cannot harm it.

use crate::reader::ReadError;
use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use serde::{Deserialize, Serialize};
use shared::outcome::Code;
use shared::reading::Bounds;
use std::io::{self, Cursor, Write};

/// The most pixels of a picture; a larger page is painted coarser. An A3 sheet at 200 dots per
/// inch has 7.7 million.
pub const MAX_PIXELS: u64 = 12_000_000;
/// The most bytes that a child may send for one picture.
pub(crate) const MAX_BYTES: u64 = 3 * MAX_PIXELS + (64 << 10);
/// An outline has a pixel for so many pixels of the longer side.
const SIDE_PER_PIXEL: u32 = 1000;

/// A painted page.
#[derive(Clone, Debug)]
pub struct Picture {
    image: RgbImage,
}

/// The first line of what a child answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Head {
    /// Three bytes for each pixel follow, row by row.
    Painted { width: u32, height: u32 },
    /// Nothing follows.
    Failed { code: Code, message: String },
}

impl Picture {
    /// A picture of a page that was painted with `painted_dpi`: made smaller to `dpi` and to
    /// [`MAX_PIXELS`], never larger, and turned clockwise.
    pub fn of_image(image: RgbImage, painted_dpi: f32, dpi: f32, quarter_turns: u8) -> Picture {
        let (width, height) = image.dimensions();
        let pixels = (u64::from(width) * u64::from(height)).max(1);
        let scale = (dpi / painted_dpi).min((MAX_PIXELS as f32 / pixels as f32).sqrt());
        let side = |length: u32| ((length as f32 * scale) as u32).max(1);
        let image = if scale < 0.98 || pixels > MAX_PIXELS {
            imageops::resize(&image, side(width), side(height), FilterType::Triangle)
        } else {
            image
        };
        let image = match quarter_turns % 4 {
            1 => imageops::rotate90(&image),
            2 => imageops::rotate180(&image),
            3 => imageops::rotate270(&image),
            _ => image,
        };
        Picture { image }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.image.dimensions()
    }

    /// Writes what [`Picture::read`] reads.
    pub fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let (width, height) = self.image.dimensions();
        write_head(output, &Head::Painted { width, height })?;
        output.write_all(self.image.as_raw())
    }

    /// Writes why there is no picture.
    pub fn write_failure(error: &ReadError, output: &mut impl Write) -> io::Result<()> {
        let message = error.message.clone();
        write_head(output, &Head::Failed { code: error.code, message })
    }

    /// Reads the answer of a child; a failure that it tells is the inner error.
    pub fn read(mut bytes: Vec<u8>) -> io::Result<Result<Picture, ReadError>> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or_else(|| invalid("a picture without a head"))?;
        let head: Head = serde_json::from_slice(&bytes[..end])?;
        let (width, height) = match head {
            Head::Painted { width, height } => (width, height),
            Head::Failed { code, message } => return Ok(Err(ReadError::new(code, message))),
        };
        bytes.drain(..=end);
        let wanted = u64::from(width) * u64::from(height) * 3;
        if wanted != bytes.len() as u64 {
            return Err(invalid("a picture of a wrong size"));
        }
        let image = RgbImage::from_raw(width, height, bytes);
        Ok(Ok(Picture { image: image.ok_or_else(|| invalid("a picture of a wrong size"))? }))
    }

    /// Draws a thin outline around a place on a page of this size in points, just outside it so
    /// that it hides no letter. What has ruling lines itself needs one `weight` times as thick.
    pub fn outline(&mut self, page: [f32; 2], bounds: Bounds, colour: [u8; 3], weight: u32) {
        let (width, height) = self.image.dimensions();
        let thickness = i64::from(weight * (width.max(height) / SIDE_PER_PIXEL).clamp(1, 4));
        let across = width as f32 / page[0].max(1.0);
        let down = height as f32 / page[1].max(1.0);
        let [left, top, right, bottom] = bounds;
        // A place of no number becomes 0 here, and what lies off the page is cut below.
        let (left, right) = ((left * across).floor() as i64, (right * across).ceil() as i64);
        let (top, bottom) = ((top * down).floor() as i64, (bottom * down).ceil() as i64);
        for step in 0..thickness {
            let (left, right) = (left.saturating_sub(1 + step), right.saturating_add(step));
            let (top, bottom) = (top.saturating_sub(1 + step), bottom.saturating_add(step));
            let columns = left.max(0)..=right.min(i64::from(width) - 1);
            let rows = top.max(0)..=bottom.min(i64::from(height) - 1);
            for x in columns {
                self.dot(x, top, colour);
                self.dot(x, bottom, colour);
            }
            for y in rows {
                self.dot(left, y, colour);
                self.dot(right, y, colour);
            }
        }
    }

    fn dot(&mut self, x: i64, y: i64, colour: [u8; 3]) {
        let place = u32::try_from(x).ok().zip(u32::try_from(y).ok());
        if let Some(pixel) = place.and_then(|(x, y)| self.image.get_pixel_mut_checked(x, y)) {
            *pixel = Rgb(colour);
        }
    }

    /// The picture as PNG.
    pub fn png(&self) -> io::Result<Vec<u8>> {
        let mut png = Vec::new();
        self.image
            .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .map_err(io::Error::other)?;
        Ok(png)
    }
}

fn write_head(output: &mut impl Write, head: &Head) -> io::Result<()> {
    serde_json::to_writer(&mut *output, head)?;
    output.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::{MAX_PIXELS, Picture};
    use crate::reader::ReadError;
    use image::{Rgb, RgbImage};

    fn white(width: u32, height: u32) -> RgbImage {
        RgbImage::from_pixel(width, height, Rgb([255; 3]))
    }

    #[test]
    fn what_a_child_writes_the_parent_reads() {
        let picture = Picture::of_image(white(30, 40), 100.0, 100.0, 1);
        let mut sent = Vec::new();
        picture.write(&mut sent).unwrap();
        assert_eq!(Picture::read(sent.clone()).unwrap().unwrap().size(), (40, 30));
        sent.pop();
        assert!(Picture::read(sent).is_err());
        assert!(Picture::read(b"no line".to_vec()).is_err());
        let mut sent = Vec::new();
        Picture::write_failure(&ReadError::damaged("нет страницы"), &mut sent).unwrap();
        let refused = Picture::read(sent).unwrap().unwrap_err();
        assert_eq!(refused, ReadError::damaged("нет страницы"));
    }

    #[test]
    fn pictures_are_made_smaller_only() {
        assert_eq!(Picture::of_image(white(300, 600), 300.0, 100.0, 0).size(), (100, 200));
        assert_eq!(Picture::of_image(white(300, 600), 100.0, 200.0, 0).size(), (300, 600));
        let (width, height) = Picture::of_image(white(8000, 4000), 100.0, 100.0, 0).size();
        assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS);
    }

    #[test]
    fn outlines_stand_around_their_place_and_are_cut_at_the_edges() {
        let red = [255, 0, 0];
        let mut picture = Picture::of_image(white(200, 100), 72.0, 72.0, 0);
        picture.outline([100.0, 50.0], [10.0, 10.0, 20.0, 20.0], red, 1);
        for (x, y) in [(19, 19), (40, 19), (19, 40), (40, 40), (30, 19), (40, 30)] {
            assert_eq!(picture.image.get_pixel(x, y).0, red, "{x} {y}");
        }
        assert_eq!(picture.image.get_pixel(30, 30).0, [255; 3]);
        picture.outline([100.0, 50.0], [f32::NAN, -1e30, 1e30, f32::INFINITY], red, 3);
        picture.outline([0.0, 0.0], [0.0, 0.0, 1e9, 1e9], red, 1);
        assert!(picture.png().unwrap().starts_with(b"\x89PNG"));
    }
}
