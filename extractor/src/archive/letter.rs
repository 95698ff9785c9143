//! Letters (EML) and web pages saved as one file (MHT): the text and each attachment become files,
//! as the entries of an archive do. Runs in the child.

mod contents;
mod files;
mod head;
mod page;
mod parts;
mod uuencode;

pub(crate) use head::without_preamble;

use super::ArchiveLimits;
use crate::model::Message;
use crate::reader::ReadError;
use files::Files;
use mail_parser::{MessageParser, MessagePart, MimeHeaders};
use parts::Parts;
use shared::outcome::Code;
use std::collections::HashSet;
use std::io;
use std::path::Path;

/// An image of the text that is smaller is a logo of a signature, no document.
const LOGO_BYTES: usize = 30_000;
/// The most compound parts. The library reads the rest of the letter for each whose end is missing.
const MAX_COMPOUND: usize = 1_000;

/// Unpacks a letter into `folder` and announces each file; a letter within it stays packed.
pub(super) fn unpack(
    bytes: &[u8],
    folder: &Path,
    limits: &ArchiveLimits,
    send: &mut dyn FnMut(Message) -> io::Result<()>,
) -> Result<(), ReadError> {
    let bytes = without_preamble(bytes);
    if has_too_many_boundaries(bytes) {
        return Err(ReadError::new(Code::ArchiveLimits, "в письме слишком много составных частей"));
    }
    let letter = MessageParser::default()
        .parse(bytes)
        .ok_or_else(|| ReadError::damaged("письмо не читается"))?;
    let mut files = Files::new(folder, limits, send);
    let subject = page::subject(bytes, &letter);
    let parts = Parts::of(bytes, &letter);
    let mut coded = Vec::new();
    let page = page::page(bytes, &letter, &parts, subject.as_deref(), &mut coded);
    if !page.is_empty() {
        let name = format!("{}.html", subject.as_deref().unwrap_or("письмо"));
        files.add(&name, page.as_bytes())?;
    }
    let shown = shown_images(&page);
    let names: HashSet<String> = parts.files.iter().map(|(name, _)| name.to_lowercase()).collect();
    for (name, part) in &parts.files {
        let contents = contents::file(bytes, part);
        let is_logo = contents.len() < LOGO_BYTES && is_shown(part, &shown);
        if is_logo || is_signature(part, name, &names) || is_of_web_page(part) {
            continue;
        }
        let (_, subtype) = type_of(part);
        add(&mut files, subtype, name, &contents, contents::is_spoilt(part))?;
    }
    for file in coded {
        add(&mut files, "", parts::end_of_path(&file.name), &file.bytes, !file.whole)?;
    }
    Ok(())
}

/// Writes an attachment, or what there is of it.
fn add(
    files: &mut Files<'_>,
    subtype: &str,
    name: &str,
    contents: &[u8],
    is_spoilt: bool,
) -> Result<(), ReadError> {
    if let Some(why) = why_sealed(subtype, name) {
        return files.warn(Code::UnsupportedFormat, name, why);
    }
    if !contents.is_empty() {
        files.add(name, contents)?;
    }
    if is_spoilt {
        let why = "пришло не целиком или испорчено: прочитано то, что удалось";
        files.warn(Code::DamagedFile, name, why)?;
    }
    Ok(())
}

/// Looks for «boundary=», which every compound part has in its head.
fn has_too_many_boundaries(bytes: &[u8]) -> bool {
    let is_boundary = |before: &&[u8]| {
        let name = before.rsplit(|byte| b";\n".contains(byte)).next().unwrap_or_default();
        name.windows(8).any(|word| word.eq_ignore_ascii_case(b"boundary"))
    };
    bytes.split(|byte| *byte == b'=').filter(is_boundary).nth(MAX_COMPOUND).is_some()
}

fn ends_with(name: &str, end: &str) -> bool {
    name.to_lowercase().ends_with(end)
}

/// The images that the page shows, by their Content-ID.
fn shown_images(page: &str) -> HashSet<&str> {
    let after = page.split("cid:").skip(1);
    let end = |sign: char| sign.is_whitespace() || "\"'<>()&".contains(sign);
    after.map(|rest| rest.split(end).next().unwrap_or_default()).collect()
}

/// Whether a part is an image within the text, such as the logo of a signature.
fn is_shown(part: &MessagePart<'_>, shown: &HashSet<&str>) -> bool {
    type_of(part).0 == "image"
        && !is_attached(part)
        && part.content_id().is_some_and(|id| shown.contains(id))
}

/// Whether a part is an image, a style or a frame of a web page saved as one file: those have an
/// address. Only the text of the page is a document.
fn is_of_web_page(part: &MessagePart<'_>) -> bool {
    let (kind, subtype) = type_of(part);
    let is_of_page =
        matches!(kind, "image" | "text" | "font" | "audio" | "video") || subtype.contains("script");
    part.content_location().is_some() && !is_attached(part) && is_of_page
}

/// Signatures beside the text or a file hold nothing to read. A signature that stands alone may
/// have the file within it.
fn is_signature(part: &MessagePart<'_>, name: &str, names: &HashSet<String>) -> bool {
    let (_, subtype) = type_of(part);
    let name = name.to_lowercase();
    matches!(subtype, "pkcs7-signature" | "x-pkcs7-signature" | "pgp-signature")
        || name.ends_with(".p7s")
        || name.strip_suffix(".sig").is_some_and(|signed| names.contains(signed))
}

/// Why the files within a part cannot be read.
fn why_sealed(subtype: &str, name: &str) -> Option<&'static str> {
    if matches!(subtype, "pkcs7-mime" | "x-pkcs7-mime") || ends_with(name, ".p7m") {
        return Some(
            "подписано или зашифровано (S/MIME) и не читается: откройте письмо в почтовой \
             программе и сохраните файлы отдельно",
        );
    }
    if matches!(subtype, "ms-tnef" | "vnd.ms-tnef") || ends_with(name, "winmail.dat") {
        return Some(
            "файлы упакованы программой Outlook (TNEF) и не читаются: попросите отправителя \
             послать письмо в формате HTML",
        );
    }
    None
}

fn is_attached(part: &MessagePart<'_>) -> bool {
    part.content_disposition().is_some_and(|disposition| disposition.is_attachment())
}

/// «image», «png»; the library makes them lower case.
fn type_of<'a>(part: &'a MessagePart<'_>) -> (&'a str, &'a str) {
    part.content_type().map_or(("", ""), |kind| (kind.ctype(), kind.subtype().unwrap_or_default()))
}

#[cfg(test)]
mod tests;
