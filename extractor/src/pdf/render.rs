//! Paints a page, for optical recognition and for people.

use super::PdfError;
use crate::picture;
use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;
use hayro_syntax::page::Page;
use image::{GrayImage, ImageFormat, RgbImage};

/// A painted page.
#[derive(Clone, Debug)]
pub struct PageImage {
    /// 8 bit grey PNG.
    pub png: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Dots per inch it was painted with; less than asked for when the page is huge.
    pub dpi: f32,
}

/// An A4 page at 300 dpi has 8.7 million pixels, an A2 sheet 35 million.
pub const MAX_PIXELS: f32 = 40_000_000.0;
/// The painter counts pixels in 16 bits.
const MAX_SIDE: f32 = 32_000.0;

/// Paints a page in grey.
pub(crate) fn render(page: &Page<'_>, dpi: f32) -> Result<PageImage, PdfError> {
    let (pixmap, dpi) = painted(page, dpi, MAX_PIXELS)?;
    let (width, height) = (u32::from(pixmap.width()), u32::from(pixmap.height()));
    // The background is opaque, so the colours are not premultiplied by anything but one.
    let grey: Vec<u8> = pixmap
        .data()
        .iter()
        .map(|pixel| {
            let light =
                u32::from(pixel.r) * 299 + u32::from(pixel.g) * 587 + u32::from(pixel.b) * 114;
            u8::try_from(light / 1000).unwrap_or(u8::MAX)
        })
        .collect();
    let image = GrayImage::from_raw(width, height, grey)
        .ok_or(PdfError::Damaged("page image of a wrong size"))?;
    let mut png = Vec::new();
    image
        .write_to(&mut std::io::Cursor::new(&mut png), ImageFormat::Png)
        .map_err(|_| PdfError::Damaged("page image cannot be written"))?;
    Ok(PageImage { png, width, height, dpi })
}

/// Paints a page in colour; also answers its dots per inch.
pub(crate) fn coloured(page: &Page<'_>, dpi: f32) -> Result<(RgbImage, f32), PdfError> {
    let (pixmap, dpi) = painted(page, dpi, picture::MAX_PIXELS as f32)?;
    let (width, height) = (u32::from(pixmap.width()), u32::from(pixmap.height()));
    let colours = pixmap.data().iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
    let image = RgbImage::from_raw(width, height, colours)
        .ok_or(PdfError::Damaged("page image of a wrong size"))?;
    Ok((image, dpi))
}

/// Paints a page with at most so many pixels; also answers its dots per inch.
fn painted(page: &Page<'_>, dpi: f32, most_pixels: f32) -> Result<(Pixmap, f32), PdfError> {
    let (width, height) = page.render_dimensions();
    let surface = width * height;
    if !(surface.is_finite() && width >= 1.0 && height >= 1.0) {
        return Err(PdfError::Damaged("page without a size"));
    }
    let most = (most_pixels / surface).sqrt().min(MAX_SIDE / width.max(height));
    let scale = (dpi / 72.0).min(most);
    if width * scale < 1.0 || height * scale < 1.0 {
        return Err(PdfError::Damaged("page too narrow to paint"));
    }
    let pixmap = hayro::render(
        page,
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE },
    );
    Ok((pixmap, scale * 72.0))
}
