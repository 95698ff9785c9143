//! Paints a page for optical recognition.

use super::PdfError;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;
use hayro_syntax::page::Page;
use image::{GrayImage, ImageFormat};

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

pub(crate) fn render(page: &Page<'_>, dpi: f32) -> Result<PageImage, PdfError> {
    let (width, height) = page.render_dimensions();
    let surface = width * height;
    if !(surface.is_finite() && width >= 1.0 && height >= 1.0) {
        return Err(PdfError::Damaged("page without a size"));
    }
    let most = (MAX_PIXELS / surface).sqrt().min(MAX_SIDE / width.max(height));
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
    Ok(PageImage { png, width, height, dpi: scale * 72.0 })
}
