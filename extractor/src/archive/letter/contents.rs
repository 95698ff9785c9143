//! What the parts of a letter carry, freed of the coding that mail needs.

use crate::{detect, encoding};
use encoding_rs::{
    Encoding, IBM866, KOI8_R, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252, X_USER_DEFINED,
};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{MessagePart, MimeHeaders, PartType};
use std::borrow::Cow;

/// The bytes of a part as its author had them. The library's own contents are text in UTF-8 for
/// every text/*: its charset is guessed there, and a PDF sent as text/plain is lost.
pub(super) fn bytes<'a>(letter: &'a [u8], part: &MessagePart<'_>) -> Cow<'a, [u8]> {
    let range = part.offset_body as usize..part.offset_end as usize;
    let raw = letter.get(range).unwrap_or_default();
    match coding(part) {
        Coding::Base64 => base64(raw).into(),
        Coding::QuotedPrintable => quoted_printable(raw),
        Coding::None => raw.into(),
    }
}

/// Charsets of files that are told by their looks, or that programs name without knowing.
const TOLD: [&Encoding; 8] =
    [UTF_8, UTF_16LE, UTF_16BE, WINDOWS_1251, IBM866, KOI8_R, WINDOWS_1252, X_USER_DEFINED];

/// The bytes of an attachment. Text in a charset that only the letter names becomes UTF-8, as a
/// file has no place for the name.
pub(super) fn file<'a>(letter: &'a [u8], part: &MessagePart<'_>) -> Cow<'a, [u8]> {
    let bytes = bytes(letter, part);
    let kind = part.content_type().filter(|kind| kind.ctype() == "text");
    let charset = kind.and_then(|kind| kind.attribute("charset"));
    let named = charset.and_then(|charset| Encoding::for_label(charset.trim().as_bytes()));
    let Some(named) = named.filter(|named| !TOLD.contains(named)) else { return bytes };
    if detect::has_magic(&bytes) {
        return bytes;
    }
    let decoded = encoding::decode(&bytes, charset);
    if decoded.encoding != named.name() || decoded.text.contains('\u{fffd}') {
        return bytes;
    }
    decoded.text.into_bytes().into()
}

/// Whether a part is cut off or holds signs that its coding does not have.
pub(super) fn is_spoilt(part: &MessagePart<'_>) -> bool {
    part.is_encoding_problem && !matches!(coding(part), Coding::None)
}

/// The text of a part that is text.
pub(super) fn text(letter: &[u8], part: &MessagePart<'_>) -> String {
    let (PartType::Html(text) | PartType::Text(text)) = &part.body else { return String::new() };
    let charset = part.content_type().and_then(|kind| kind.attribute("charset"));
    // Programs that do not know better write us-ascii whatever the text holds.
    let ascii = charset.is_some_and(|charset| charset.eq_ignore_ascii_case("us-ascii"));
    if is_spoilt(part) || text.contains('\u{fffd}') || (ascii && !text.is_ascii()) {
        let charset = charset.filter(|_| !ascii);
        return encoding::decode(&bytes(letter, part), charset).text;
    }
    text.clone().into_owned()
}

enum Coding {
    Base64,
    QuotedPrintable,
    None,
}

/// By the header: the library forgets the coding of what it could not decode.
fn coding(part: &MessagePart<'_>) -> Coding {
    match part.content_transfer_encoding() {
        Some(name) if name.eq_ignore_ascii_case("base64") => Coding::Base64,
        Some(name) if name.eq_ignore_ascii_case("quoted-printable") => Coding::QuotedPrintable,
        _ => Coding::None,
    }
}

/// Decodes what there is and passes over foreign signs.
pub(super) fn base64(coded: &[u8]) -> Vec<u8> {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let signs: Vec<u8> = coded.iter().copied().filter(is_sign).collect();
    base64_decode(&signs).unwrap_or_default()
}

/// Text that breaks the rules stays as it is: most of it is readable.
fn quoted_printable(coded: &[u8]) -> Cow<'_, [u8]> {
    match MessageStream::new(coded).decode_quoted_printable_mime(b"") {
        (usize::MAX, _) => coded.into(),
        (_, decoded) => decoded,
    }
}
