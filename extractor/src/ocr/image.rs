//! Page images for recognition: decoded, grey, large enough, turned, without ruling lines.

use super::ink::Ink;
use super::letters;
use super::rules::{self, Rule};
use super::skew::{self, Straightened};
use crate::model::Format;
use crate::reader::ReadError;
use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageFormat, ImageReader, Limits, RgbImage};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::{self, Cursor, Write};

/// Resolution at which pages are painted; tesseract was trained for it.
pub const DPI: f32 = 300.0;
/// The long side of an A4 page at [`DPI`].
const LONG_SIDE: f32 = 3508.0;
/// Letters lower than this, in pixels, are enlarged to it. Usual type at 300 dpi has 26; a photo
/// with 21 was read without a fault, enlarged to 36 with four.
const LETTER_HEIGHT: f32 = 22.0;
/// Enlarging more adds nothing to read.
const MAX_ENLARGEMENT: f32 = 2.5;
/// Memory for decoding one image, in bytes.
const DECODE_BYTES: u64 = 1 << 30;

/// A page image as decoded or painted.
#[derive(Clone, Debug)]
pub struct Drawn {
    image: GrayImage,
    /// Pixels per inch of the page; a guess for images.
    dpi: f32,
}

/// A page image ready for recognition.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// What the layout needs to know.
    pub head: Head,
    /// Grey levels, row by row, after `start` other bytes: images are large, and not copied.
    bytes: Vec<u8>,
    start: usize,
}

/// What the layout needs to know of an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pixels per inch.
    pub dpi: f32,
    /// Ruling lines, taken out of the image.
    pub rules: Vec<Rule>,
    /// Nothing but paper.
    pub blank: bool,
    /// How it was set straight, when it lay aslant.
    #[serde(default)]
    pub straightened: Option<Straightened>,
}

impl Rendered {
    /// Writes the head as a line of JSON, then the image as PGM.
    pub fn write(&self, output: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *output, &self.head)?;
        output.write_all(b"\n")?;
        output.write_all(self.grey())
    }

    /// Reads what [`Rendered::write`] wrote.
    pub fn read(bytes: Vec<u8>) -> io::Result<Rendered> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        let end = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or_else(|| invalid("image without a head"))?;
        let head: Head = serde_json::from_slice(&bytes[..end])?;
        let start = end + 1;
        let pixels = bytes.len() as u64 - start as u64;
        if pixels != u64::from(head.width) * u64::from(head.height) {
            return Err(invalid("image of a wrong size"));
        }
        Ok(Rendered { head, bytes, start })
    }

    /// Grey levels, row by row.
    pub fn grey(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// What makes the grey levels a PGM image when it stands before them.
    pub fn pgm_head(&self) -> Vec<u8> {
        format!("P5\n{} {}\n255\n", self.head.width, self.head.height).into_bytes()
    }
}

/// The sizes in points of the images of a file (TIFF may hold several), without decoding them.
pub fn frame_sizes(bytes: &[u8], format: Format, most: u32) -> Result<Vec<[f32; 2]>, ReadError> {
    let mut sizes = Vec::new();
    let mut frame = bytes.to_vec();
    for place in frame_places(bytes, format, most) {
        begin_with(&mut frame, place);
        let (width, height) = reader(&frame, format)?.into_dimensions().map_err(damaged)?;
        let dpi = guessed_dpi(width, height);
        sizes.push([width as f32 * 72.0 / dpi, height as f32 * 72.0 / dpi]);
    }
    if sizes.is_empty() {
        Err(ReadError::damaged("в файле нет изображения"))
    } else {
        Ok(sizes)
    }
}

/// Decodes one image of a file; the index counts from 0.
pub fn frame(
    bytes: &[u8],
    format: Format,
    index: u32,
    max_pixels: u64,
) -> Result<Drawn, ReadError> {
    let image = decoded(bytes, format, index)?;
    let dpi = guessed_dpi(image.width(), image.height());
    Ok(readable(Drawn { image: on_paper(image), dpi }, max_pixels))
}

/// Decodes one image of a file as it is, for people; the index counts from 0. Also answers its
/// dots per inch, a guess.
pub fn coloured_frame(
    bytes: &[u8],
    format: Format,
    index: u32,
) -> Result<(RgbImage, f32), ReadError> {
    let image = decoded(bytes, format, index)?;
    let dpi = guessed_dpi(image.width(), image.height());
    if !image.color().has_alpha() {
        return Ok((image.into_rgb8(), dpi));
    }
    let pixels = image.into_rgba8();
    let image = RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0;
        image::Rgb([red, green, blue].map(|light| over_paper(light, alpha)))
    });
    Ok((image, dpi))
}

/// A painted page of a PDF.
pub fn painted(png: &[u8], dpi: f32, max_pixels: u64) -> Result<Drawn, ReadError> {
    let image = reader(png, Format::Png)?.decode().map_err(damaged)?;
    Ok(readable(Drawn { image: image.into_luma8(), dpi }, max_pixels))
}

/// Turns the image, sets it straight and takes the ruling lines out.
pub fn prepare(drawn: Drawn, quarter_turns: u8) -> Rendered {
    let mut image = match quarter_turns % 4 {
        1 => imageops::rotate90(&drawn.image),
        2 => imageops::rotate180(&drawn.image),
        3 => imageops::rotate270(&drawn.image),
        _ => drawn.image,
    };
    let blank = is_blank(&image);
    let mut straightened = None;
    if !blank && let Some(degrees) = skew::slant(&Ink::of(&image)) {
        let (straight, how) = skew::straighten(&image, degrees);
        (image, straightened) = (straight, Some(how));
    }
    let rules = if blank { Vec::new() } else { rules::take_out(&mut image, drawn.dpi) };
    let (width, height) = image.dimensions();
    let head = Head { width, height, dpi: drawn.dpi, rules, blank, straightened };
    Rendered { head, bytes: image.into_raw(), start: 0 }
}

fn reader(bytes: &[u8], format: Format) -> Result<ImageReader<Cursor<&[u8]>>, ReadError> {
    let format = match format {
        Format::Png => ImageFormat::Png,
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Tiff => ImageFormat::Tiff,
        Format::Bmp => ImageFormat::Bmp,
        other => return Err(ReadError::damaged(format!("не изображение: {other:?}"))),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES);
    reader.limits(limits);
    Ok(reader)
}

fn damaged(error: image::ImageError) -> ReadError {
    ReadError::damaged(format!("изображение не читается ({error})"))
}

fn decoded(bytes: &[u8], format: Format, index: u32) -> Result<DynamicImage, ReadError> {
    let frame = tiff_frame(bytes, format, index)
        .ok_or_else(|| ReadError::damaged("в файле нет такого изображения"))?;
    reader(&frame, format)?.decode().map_err(damaged)
}

/// Transparent parts of an image are paper.
fn on_paper(image: DynamicImage) -> GrayImage {
    if !image.color().has_alpha() {
        return image.into_luma8();
    }
    let pixels = image.into_luma_alpha8();
    GrayImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [light, alpha] = pixels.get_pixel(x, y).0;
        image::Luma([over_paper(light, alpha)])
    })
}

/// Light that shines through onto white.
fn over_paper(light: u8, alpha: u8) -> u8 {
    let (light, alpha) = (u32::from(light), u32::from(alpha));
    u8::try_from((light * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255)
}

/// Enlarges an image of small letters.
fn readable(drawn: Drawn, max_pixels: u64) -> Drawn {
    let drawn = scaled(drawn, 1.0, max_pixels);
    let letters = letters::usual_height(&drawn.image);
    let wanted = letters.map_or(1.0, |height| LETTER_HEIGHT / height);
    // A little more is not worth the blur.
    let wanted = if wanted < 1.2 { 1.0 } else { wanted.min(MAX_ENLARGEMENT) };
    scaled(drawn, wanted, max_pixels)
}

/// Enlarges or, over the limit, reduces the image.
fn scaled(drawn: Drawn, wanted: f32, max_pixels: u64) -> Drawn {
    let (width, height) = drawn.image.dimensions();
    let pixels = (u64::from(width) * u64::from(height)).max(1);
    let scale = wanted.min((max_pixels as f32 / pixels as f32).sqrt());
    if (scale - 1.0).abs() < 0.05 && pixels <= max_pixels {
        return drawn;
    }
    let side = |length: u32| ((length as f32 * scale) as u32).max(1);
    let filter = if scale > 1.0 { FilterType::CatmullRom } else { FilterType::Triangle };
    let image = imageops::resize(&drawn.image, side(width), side(height), filter);
    Drawn { image, dpi: drawn.dpi * scale }
}

/// Images seldom tell the truth about their resolution: up to A4 at 300 dpi they are taken for an
/// A4 page, larger ones for 300 dpi.
fn guessed_dpi(width: u32, height: u32) -> f32 {
    (DPI * width.max(height).max(1) as f32 / LONG_SIDE).min(DPI)
}

/// The darkest thousandth of the pixels is hardly darker than the paper.
fn is_blank(image: &GrayImage) -> bool {
    let mut counts = [0_u64; 256];
    for pixel in image.pixels() {
        counts[usize::from(pixel.0[0])] += 1;
    }
    let total: u64 = counts.iter().sum();
    let at = |share: f64| {
        let mut seen = 0;
        counts.iter().position(|count| {
            seen += count;
            seen as f64 >= share * total as f64
        })
    };
    let (dark, paper) = (at(0.0003).unwrap_or(0), at(0.5).unwrap_or(0));
    paper.saturating_sub(dark) < 48
}

/// The file with its n-th image made the first.
fn tiff_frame(bytes: &[u8], format: Format, index: u32) -> Option<Vec<u8>> {
    let place = frame_places(bytes, format, index.saturating_add(1)).nth(index as usize)?;
    let mut frame = bytes.to_vec();
    begin_with(&mut frame, place);
    Some(frame)
}

/// What a file's header must say for each of its images to be the first. A TIFF's points to the
/// first directory, and each directory to the next; other formats have one image.
fn frame_places(bytes: &[u8], format: Format, most: u32) -> impl Iterator<Item = Option<[u8; 4]>> {
    let places = match format {
        Format::Tiff => tiff_directories(bytes, most).into_iter().map(Some).collect(),
        _ => vec![None],
    };
    places.into_iter()
}

fn begin_with(file: &mut [u8], place: Option<[u8; 4]>) {
    if let (Some(place), Some(field)) = (place, file.get_mut(4..8)) {
        field.copy_from_slice(&place);
    }
}

/// The places of the directories, as the file writes numbers. A chain that comes back to one of
/// them ends there.
fn tiff_directories(bytes: &[u8], most: u32) -> Vec<[u8; 4]> {
    let little = bytes.starts_with(b"II");
    let number = |field: &[u8]| {
        let join = |value: usize, byte: &u8| value << 8 | usize::from(*byte);
        if little { field.iter().rev().fold(0, join) } else { field.iter().fold(0, join) }
    };
    let field = |at: usize, length: usize| bytes.get(at..at.checked_add(length)?);
    let place = |at: usize| -> Option<[u8; 4]> { field(at, 4)?.try_into().ok() };
    let mut directories: Vec<[u8; 4]> = Vec::new();
    let mut known = HashSet::new();
    let mut next = place(4);
    while let Some(directory) = next.filter(|_| directories.len() < most as usize) {
        let start = number(&directory);
        let entries = field(start, 2).map_or(0, number);
        if entries == 0 || !known.insert(directory) {
            break;
        }
        directories.push(directory);
        next = start.checked_add(2 + 12 * entries).and_then(place).filter(|next| *next != [0; 4]);
    }
    directories
}

#[cfg(test)]
mod tests;
