//! The format of a file by its content; the name only breaks ties.
//!
//! Reads at most [`HEAD`] bytes, and the directory of a container (zip, OLE). Used by the worker's
//! first stage on the file itself, so nothing here decompresses or parses a document.

mod ole;
mod text;

use crate::archive::{self, ArchiveLimits, DirectoryError};
use crate::model::Format;
use shared::outcome::Code;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// How much of the beginning is looked at.
pub const HEAD: usize = 64 << 10;

/// A format that can be read, and what is odd about the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    /// By content.
    pub format: Format,
    /// In Russian: the extension says something else (`extension_mismatch`).
    pub mismatch: Option<String>,
}

/// Why a file is not worth reading.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct Refusal {
    /// Stable code.
    pub code: Code,
    /// In Russian, for people.
    pub message: String,
}

impl Refusal {
    fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }

    fn unsupported(what: &str) -> Refusal {
        Refusal::new(Code::UnsupportedFormat, format!("формат пока не читается: {what}"))
    }
}

/// Detects the format of an open file (or of bytes in a cursor). The outer error is that of
/// reading, the inner one the document's own fault.
pub fn detect<R: Read + Seek>(source: &mut R, name: &str) -> io::Result<Result<Detected, Refusal>> {
    let size = source.seek(SeekFrom::End(0))?;
    source.rewind()?;
    let mut head = Vec::new();
    source.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Err(Refusal::new(Code::EmptyFile, "файл пуст (0 байт)")));
    }
    let extension = extension_of(name);
    let found = match magic(&head) {
        Some(Magic::Format(format)) => Ok(format),
        Some(Magic::Unsupported(what)) => Err(Refusal::unsupported(what)),
        Some(Magic::Zip) => in_zip(source, size, &head, &extension)?,
        Some(Magic::Ole) => in_ole(source, &head)?,
        None => text::detect(&head, &extension),
    };
    Ok(found.map(|format| Detected { format, mismatch: mismatch(format, &extension) }))
}

/// The extension in lower case, without the dot.
fn extension_of(name: &str) -> String {
    Path::new(name).extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default()
}

enum Magic {
    Format(Format),
    /// A family of containers, told apart by what they hold.
    Zip,
    Ole,
    /// A known kind of file that is no document for us.
    Unsupported(&'static str),
}

/// Whether a file is told by its first bytes, and is no text.
pub(crate) fn has_magic(bytes: &[u8]) -> bool {
    magic(bytes).is_some()
}

/// What the first bytes say; `None` for text and for the unknown.
fn magic(head: &[u8]) -> Option<Magic> {
    let starts = |sign: &[u8]| head.starts_with(sign);
    let at =
        |offset: usize, sign: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(sign));
    Some(match head {
        _ if archive::is_zip(head) => Magic::Zip,
        _ if starts(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) => Magic::Ole,
        _ if starts(b"\x89PNG\r\n\x1a\n") => Magic::Format(Format::Png),
        _ if starts(&[0xFF, 0xD8, 0xFF]) => Magic::Format(Format::Jpeg),
        _ if starts(b"II*\0") || starts(b"MM\0*") => Magic::Format(Format::Tiff),
        // The two bytes «BM» also begin words: the reserved bytes and the header size decide.
        _ if starts(b"BM") && at(6, &[0; 4]) && at(15, &[0; 3]) => Magic::Format(Format::Bmp),
        _ if starts(b"{\\rtf") => Magic::Format(Format::Rtf),
        _ if starts(b"AutoCAD Binary DXF") => Magic::Format(Format::Dxf),
        _ if starts(b"AC10")
            && head.get(4..6).is_some_and(|v| v.iter().all(u8::is_ascii_digit)) =>
        {
            Magic::Format(Format::Dwg)
        }
        _ if starts(b"Rar!") => Magic::Unsupported("архив RAR"),
        _ if starts(b"7z\xBC\xAF\x27\x1C") => Magic::Unsupported("архив 7-Zip"),
        _ if starts(&[0x1F, 0x8B]) => Magic::Unsupported("архив gzip"),
        _ if starts(b"AT&TFORM") => Magic::Unsupported("DjVu"),
        _ if starts(b"GIF8") => Magic::Unsupported("GIF"),
        _ if starts(b"RIFF") && at(8, b"WEBP") => Magic::Unsupported("WebP"),
        _ if at(4, b"ftyp") => Magic::Unsupported("видео или снимок HEIC"),
        _ if starts(b"\x7fELF") || starts(b"MZ\x90") => Magic::Unsupported("программа"),
        _ if starts(b"SQLite format 3\0") => Magic::Unsupported("база данных"),
        // Readers look for the header in the first kilobyte, and mail gateways put things there;
        // a text that starts like markup is no PDF, whatever it quotes.
        _ if is_pdf(head) => Magic::Format(Format::Pdf),
        _ => return None,
    })
}

fn is_pdf(head: &[u8]) -> bool {
    let start = head.get(..1024).unwrap_or(head);
    let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
    start.starts_with(b"%PDF-")
        || (first != Some(&b'<') && start.windows(5).any(|window| window == b"%PDF-"))
}

fn in_zip<R: Read + Seek>(
    source: &mut R,
    size: u64,
    head: &[u8],
    extension: &str,
) -> io::Result<Result<Format, Refusal>> {
    if let Some(format) = open_document(head) {
        return Ok(format);
    }
    let limits = ArchiveLimits::default();
    let directory = match archive::directory(source, size, &limits)? {
        Ok(directory) => directory,
        Err(DirectoryError::Damaged(why)) => {
            return Ok(Err(Refusal::new(Code::DamagedFile, format!("архив повреждён: {why}"))));
        }
        Err(DirectoryError::Limits(why)) => {
            return Ok(Err(Refusal::new(Code::ArchiveLimits, why)));
        }
    };
    let has = |name: &str| directory.iter().any(|entry| entry.raw_name == name.as_bytes());
    let under =
        |folder: &str| directory.iter().any(|entry| entry.raw_name.starts_with(folder.as_bytes()));
    let office = has("[Content_Types].xml");
    let format = match () {
        () if office && (has("word/document.xml") || under("word/document")) => Format::Docx,
        () if office && has("xl/workbook.bin") => {
            return Ok(Err(Refusal::unsupported("двоичная книга Excel (XLSB)")));
        }
        () if office && under("xl/") => Format::Xlsx,
        () if office && under("ppt/") => {
            return Ok(Err(Refusal::unsupported("презентация PowerPoint")));
        }
        // An office file whose parts stand elsewhere; its readers follow the relations.
        () if office && extension == "docx" => Format::Docx,
        () if office && extension == "xlsx" => Format::Xlsx,
        () => return Ok(Ok(Format::Zip)),
    };
    if let Err(why) = archive::check_sizes(&directory, &limits) {
        return Ok(Err(Refusal::new(Code::ArchiveLimits, why)));
    }
    Ok(Ok(format))
}

/// An `OpenDocument` names its type in a first, stored entry.
fn open_document(head: &[u8]) -> Option<Result<Format, Refusal>> {
    let name = head.get(30..38)?;
    if name != b"mimetype" {
        return None;
    }
    let kind = head.get(38..38 + 64)?;
    let is = |sign: &[u8]| kind.windows(sign.len()).any(|window| window == sign);
    if is(b"opendocument.text") {
        Some(Ok(Format::Odt))
    } else if is(b"opendocument.spreadsheet") {
        Some(Ok(Format::Ods))
    } else if is(b"opendocument") {
        Some(Err(Refusal::unsupported("OpenDocument")))
    } else if is(b"epub") {
        Some(Err(Refusal::unsupported("EPUB")))
    } else {
        None
    }
}

fn in_ole<R: Read + Seek>(source: &mut R, head: &[u8]) -> io::Result<Result<Format, Refusal>> {
    let names = ole::entry_names(source, head)?;
    let has = |name: &str| names.iter().any(|entry| entry == name);
    Ok(if has("EncryptedPackage") {
        Err(Refusal::new(Code::PasswordProtected, "документ Office закрыт паролем"))
    } else if has("WordDocument") {
        Ok(Format::Doc)
    } else if has("Workbook") || has("Book") {
        Ok(Format::Xls)
    } else if names.is_empty() {
        Err(Refusal::new(Code::DamagedFile, "повреждено оглавление составного файла (OLE)"))
    } else {
        Err(Refusal::unsupported("составной файл (OLE) без документа Word или Excel"))
    })
}

/// The usual extensions of a format, the first for messages.
fn extensions(format: Format) -> &'static [&'static str] {
    match format {
        Format::Pdf => &["pdf"],
        Format::Docx => &["docx", "docm", "dotx"],
        Format::Xlsx => &["xlsx", "xlsm", "xltx"],
        Format::Xls => &["xls", "xlt"],
        Format::Text => &["txt", "text", "log"],
        Format::Markdown => &["md", "markdown"],
        Format::Csv => &["csv", "tsv"],
        Format::Html => &["html", "htm", "xhtml"],
        Format::Xml => &["xml", "xsd", "xsl", "gge"],
        Format::Gge => &["gge", "xml"],
        Format::Json => &["json", "geojson"],
        Format::Png => &["png"],
        Format::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
        Format::Tiff => &["tiff", "tif"],
        Format::Bmp => &["bmp", "dib"],
        Format::Dxf => &["dxf"],
        Format::Zip => &["zip"],
        Format::Eml => &["eml", "mht", "mhtml"],
        Format::Doc => &["doc", "dot"],
        Format::Rtf => &["rtf"],
        Format::Odt => &["odt"],
        Format::Ods => &["ods"],
        Format::Dwg => &["dwg"],
        Format::Ifc => &["ifc"],
    }
}

const ALL: [Format; 24] = [
    Format::Pdf,
    Format::Docx,
    Format::Xlsx,
    Format::Xls,
    Format::Text,
    Format::Markdown,
    Format::Csv,
    Format::Html,
    Format::Xml,
    Format::Gge,
    Format::Json,
    Format::Png,
    Format::Jpeg,
    Format::Tiff,
    Format::Bmp,
    Format::Dxf,
    Format::Zip,
    Format::Eml,
    Format::Doc,
    Format::Rtf,
    Format::Odt,
    Format::Ods,
    Format::Dwg,
    Format::Ifc,
];

/// A warning when the extension promises another format. An extension that promises nothing we
/// know («.tmp», «.2017») is no lie.
fn mismatch(format: Format, extension: &str) -> Option<String> {
    let promised = ALL.into_iter().any(|other| extensions(other).contains(&extension));
    (promised && !extensions(format).contains(&extension)).then(|| {
        format!(
            "расширение «.{extension}» не соответствует содержимому: прочитано как {}",
            extensions(format)[0].to_uppercase()
        )
    })
}

#[cfg(test)]
mod tests;
