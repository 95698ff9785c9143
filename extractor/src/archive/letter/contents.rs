//! What the parts of a letter carry, freed of the coding that mail needs.

use crate::encoding;
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
