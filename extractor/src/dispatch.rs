//! Which reader reads which format.

use extractor::detect::detect;
use extractor::model::{Format, Message, Page, TextSource, TextVerdict};
use extractor::ocr::{self, Rendered};
use extractor::pdf::{PdfError, PdfFile, Verdict};
use extractor::picture::Picture;
use extractor::reader::{Limits, ReadError, Sink};
use extractor::request::{PageLook, ReadLimits};
use extractor::{doc, docx};
use extractor::{dwg, dxf, estimate, html, ifc, odt, rtf, spreadsheet, text};
use shared::outcome::Code;
use std::io::{self, Cursor};
use std::sync::Arc;

/// Reads a document and sends all its messages, the last one included.
pub(crate) fn read(
    bytes: Vec<u8>,
    name: &str,
    limits: &ReadLimits,
    send: &mut dyn FnMut(Message) -> io::Result<()>,
) -> io::Result<()> {
    let detected = match detect(&mut Cursor::new(&bytes), name)? {
        Ok(detected) => detected,
        Err(refusal) => {
            return send(Message::Failed { code: refusal.code, message: refusal.message });
        }
    };
    send(Message::Started { format: detected.format })?;
    if let Some(message) = detected.mismatch {
        send(Message::Warning { code: Some(Code::ExtensionMismatch), message })?;
    }
    let limits = Limits { pages: limits.pages, ..Limits::default() };
    let mut sink = Sink::new(send);
    let read = read_format(detected.format, bytes, &limits, &mut sink);
    send(match read {
        Ok(pages) => Message::Finished { pages },
        Err(error) => Message::Failed { code: error.code, message: error.message },
    })
}

fn read_format(
    format: Format,
    bytes: Vec<u8>,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> Result<u32, ReadError> {
    match format {
        Format::Pdf => return read_pdf(bytes, limits, sink),
        Format::Docx => docx::read(&bytes, limits, sink)?,
        Format::Doc => doc::read(&bytes, limits, sink)?,
        Format::Rtf => rtf::read(&bytes, limits, sink)?,
        Format::Odt => odt::read(&bytes, limits, sink)?,
        Format::Xlsx | Format::Xls => spreadsheet::read(&bytes, limits, sink)?,
        Format::Ods => spreadsheet::read_ods(&bytes, limits, sink)?,
        Format::Text => text::read(&bytes, limits, sink)?,
        Format::Markdown => text::markdown::read(&bytes, limits, sink)?,
        Format::Csv => text::csv::read(&bytes, limits, sink)?,
        Format::Json => text::json::read(&bytes, limits, sink)?,
        Format::Html => html::read(&bytes, limits, sink)?,
        Format::Xml | Format::Gge => estimate::read(&bytes, limits, sink)?,
        Format::Dwg => dwg::read(&bytes, limits, sink)?,
        Format::Dxf => dxf::read(&bytes, limits, sink)?,
        Format::Png | Format::Jpeg | Format::Tiff | Format::Bmp => {
            let frames = ocr::frame_sizes(&bytes, format, limits.pages)?;
            for (number, size) in (1..).zip(frames) {
                let verdict = TextVerdict::Scanned;
                let source = TextSource::None;
                sink.page(Page { number, size: Some(size), verdict, source, ..Page::default() })?;
            }
        }
        Format::Ifc => ifc::read(&bytes, limits, sink)?,
        Format::Zip | Format::Eml => {
            let message = "архив не читается как документ: его файлы становятся документами";
            return Err(ReadError::new(Code::UnsupportedFormat, message));
        }
    }
    Ok(sink.pages())
}

fn read_pdf(bytes: Vec<u8>, limits: &Limits, sink: &mut Sink<'_>) -> Result<u32, ReadError> {
    let file = PdfFile::open(Arc::new(bytes)).map_err(pdf_error)?;
    if file.page_count() > limits.pages {
        let message = format!("в файле {} страниц, допустимо {}", file.page_count(), limits.pages);
        return Err(ReadError::new(Code::FileTooLarge, message));
    }
    let mut sent = Ok(());
    let summary = file.read(&mut |read| {
        let mut page = read.page;
        page.verdict = match read.layer.verdict {
            Verdict::Good => TextVerdict::Good,
            Verdict::Blank => TextVerdict::Blank,
            Verdict::Image => TextVerdict::Scanned,
            Verdict::Broken => TextVerdict::Broken,
        };
        if sent.is_ok() {
            sent = sink.page(page);
        }
    });
    sent?;
    if summary.damaged {
        sink.warning(
            Some(Code::DamagedFile),
            "файл повреждён или обрезан: прочитано то, что удалось восстановить",
        )?;
    }
    sink.properties(summary.properties)?;
    Ok(summary.pages)
}

fn pdf_error(error: PdfError) -> ReadError {
    match error {
        PdfError::Empty => ReadError::new(Code::EmptyFile, "файл пуст (0 байт)"),
        PdfError::PasswordProtected => {
            ReadError::new(Code::PasswordProtected, "PDF закрыт паролем на открытие")
        }
        PdfError::Damaged(why) => ReadError::damaged(format!("PDF повреждён ({why})")),
    }
}

/// Draws one page for recognition.
pub(crate) fn render(
    bytes: Vec<u8>,
    name: &str,
    page: u32,
    quarter_turns: u8,
    max_pixels: u64,
) -> Result<Rendered, ReadError> {
    let format = detected(&bytes, name)?;
    let index = page.saturating_sub(1);
    let drawn = match format {
        Format::Pdf => {
            let file = PdfFile::open(Arc::new(bytes)).map_err(pdf_error)?;
            let image = file.render_page(index as usize, ocr::DPI).map_err(pdf_error)?;
            ocr::painted(&image.png, image.dpi, max_pixels)?
        }
        format => ocr::frame(&bytes, format, index, max_pixels)?,
    };
    Ok(ocr::prepare(drawn, quarter_turns))
}

/// Paints one page for people.
pub(crate) fn picture(bytes: Vec<u8>, look: &PageLook) -> Result<Picture, ReadError> {
    let format = detected(&bytes, &look.name)?;
    let index = look.page.saturating_sub(1);
    let (image, dpi) = match format {
        Format::Pdf => {
            let file = PdfFile::open(Arc::new(bytes)).map_err(pdf_error)?;
            file.paint_page(index as usize, look.dpi).map_err(pdf_error)?
        }
        format => ocr::coloured_frame(&bytes, format, index)?,
    };
    Ok(Picture::of_image(image, dpi, look.dpi, look.quarter_turns))
}

fn detected(bytes: &[u8], name: &str) -> Result<Format, ReadError> {
    let detected = detect(&mut Cursor::new(bytes), name)
        .map_err(|error| ReadError::damaged(error.to_string()))?
        .map_err(|refusal| ReadError::new(refusal.code, refusal.message))?;
    Ok(detected.format)
}
