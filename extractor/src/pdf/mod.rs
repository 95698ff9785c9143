//! PDF: glyphs become words, lines, columns, tables and blocks, page by page.

pub(crate) mod geometry;
mod symbols;
pub(crate) mod collect;
mod lines;
mod tables;
mod open_tables;
pub(crate) mod layout;
mod verdict;
pub(crate) mod letters;
pub(crate) mod patterns;
pub(crate) mod furniture;
mod columns;
mod hyphens;
mod paragraphs;
pub(crate) mod blocks;
mod render;
#[cfg(test)]
mod tests;

pub use render::{MAX_PIXELS, PageImage};
pub(crate) use verdict::plausible_share;
pub use verdict::{TextLayer, Verdict};

use crate::model::{Page, TextSource, TextVerdict};
use blocks::Composer;
use furniture::{Furniture, REACH};
use hayro_interpret::{InterpreterCache, InterpreterSettings};
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use image::RgbImage;
use layout::Layout;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Why a PDF file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// No bytes.
    #[error("empty file")]
    Empty,
    /// A password is needed to open it.
    #[error("password needed")]
    PasswordProtected,
    /// Not a PDF, or too damaged to find a page in it.
    #[error("damaged file: {0}")]
    Damaged(&'static str),
}

/// A page with the verdict on its text layer.
#[derive(Clone, Debug)]
pub struct PdfPage {
    /// The page; its blocks are there even when the layer is broken.
    pub page: Page,
    /// What the text layer is worth.
    pub layer: TextLayer,
}

/// What was found in the file as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PdfSummary {
    /// How many pages the file has.
    pub pages: u32,
    /// The file is cut off or repaired by guessing: some pages may be missing.
    pub damaged: bool,
    /// Title, author and the like, as far as the file tells.
    pub properties: BTreeMap<String, String>,
}

/// An opened PDF file.
pub struct PdfFile {
    pdf: Pdf,
    damaged: bool,
}

impl PdfFile {
    /// Opens a file. Files with an owner's password only are opened; a user's password is an
    /// error.
    pub fn open(bytes: Arc<Vec<u8>>) -> Result<PdfFile, PdfError> {
        if bytes.is_empty() {
            return Err(PdfError::Empty);
        }
        let damaged = is_cut_off(&bytes);
        let pdf = Pdf::new(bytes).map_err(|error| match error {
            LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
                PdfError::PasswordProtected
            }
            LoadPdfError::Decryption(_) => PdfError::Damaged("unknown encryption"),
            LoadPdfError::Invalid => PdfError::Damaged("no readable structure"),
        })?;
        if pdf.pages().is_empty() {
            return Err(PdfError::Damaged("no pages"));
        }
        Ok(PdfFile { pdf, damaged })
    }

    /// How many pages the file has.
    pub fn page_count(&self) -> u32 {
        u32::try_from(self.pdf.pages().len()).unwrap_or(u32::MAX)
    }

    /// Reads the pages in order and hands each to `on_page` as soon as the few pages after it,
    /// which tell its running headers, are read too.
    pub fn read(&self, on_page: &mut dyn FnMut(PdfPage)) -> PdfSummary {
        let settings = InterpreterSettings::default();
        let cache = InterpreterCache::new();
        let mut furniture = Furniture::default();
        let mut composer = Composer::default();
        let mut waiting: VecDeque<(u32, Layout, TextLayer)> = VecDeque::new();
        let mut emit = |composer: &mut Composer,
                        furniture: &Furniture,
                        (number, layout, layer): (u32, Layout, TextLayer)| {
            let mut page = PdfPage { page: Page::default(), layer };
            page.page = composer.compose(number, layout, furniture);
            page.page.verdict = match layer.verdict {
                Verdict::Good => TextVerdict::Good,
                Verdict::Broken => TextVerdict::Broken,
                Verdict::Image => TextVerdict::Scanned,
                Verdict::Blank => TextVerdict::Blank,
            };
            if page.page.blocks.is_empty() {
                page.page.source = TextSource::None;
            }
            on_page(page);
        };
        for (index, page) in self.pdf.pages().iter().enumerate() {
            let layout = layout::layout(&collect::collect(page, &cache, &settings));
            let layer = verdict::judge(&layout);
            furniture.learn(index, &layout);
            composer.learn(&layout);
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            waiting.push_back((number, layout, layer));
            if waiting.len() > REACH
                && let Some(ready) = waiting.pop_front()
            {
                emit(&mut composer, &furniture, ready);
            }
        }
        for ready in waiting {
            emit(&mut composer, &furniture, ready);
        }
        PdfSummary {
            pages: self.page_count(),
            damaged: self.damaged,
            properties: self.properties(),
        }
    }

    /// Paints a page (its index counts from 0) for optical recognition. 300 dots per inch are
    /// usual; huge pages are painted smaller, see [`MAX_PIXELS`].
    pub fn render_page(&self, index: usize, dpi: f32) -> Result<PageImage, PdfError> {
        let page = self.pdf.pages().get(index).ok_or(PdfError::Damaged("no such page"))?;
        render::render(page, dpi)
    }

    /// Paints a page in colour (its index counts from 0); also answers its dots per inch, fewer
    /// than asked for when the page is huge.
    pub fn paint_page(&self, index: usize, dpi: f32) -> Result<(RgbImage, f32), PdfError> {
        let page = self.pdf.pages().get(index).ok_or(PdfError::Damaged("no such page"))?;
        render::coloured(page, dpi)
    }

    fn properties(&self) -> BTreeMap<String, String> {
        let metadata = self.pdf.metadata();
        [
            ("title", &metadata.title),
            ("author", &metadata.author),
            ("subject", &metadata.subject),
            ("keywords", &metadata.keywords),
            ("creator", &metadata.creator),
            ("producer", &metadata.producer),
        ]
        .into_iter()
        .filter_map(|(name, value)| {
            let text = text_string(value.as_deref()?);
            (!text.trim().is_empty()).then(|| (name.to_owned(), text.trim().to_owned()))
        })
        .collect()
    }
}

/// Opens a file and reads its pages; see [`PdfFile::read`].
pub fn read(bytes: Arc<Vec<u8>>, on_page: &mut dyn FnMut(PdfPage)) -> Result<PdfSummary, PdfError> {
    Ok(PdfFile::open(bytes)?.read(on_page))
}

/// A text string of the document information: UTF-16 with a mark, UTF-8 with a mark, or the PDF
/// encoding. Russian programs write Windows-1251 there, against the standard.
fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        other => match std::str::from_utf8(other) {
            Ok(text) => text.to_owned(),
            Err(_) => encoding_rs::WINDOWS_1251.decode(other).0.into_owned(),
        },
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> =
        bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(unit).collect();
    String::from_utf16_lossy(&units)
}

/// A whole file ends with an end mark; readers accept it within the last kilobyte.
fn is_cut_off(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(2048)..).unwrap_or(bytes);
    !tail.windows(5).any(|window| window == b"%%EOF")
}
