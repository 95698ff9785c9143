//! The head of a letter and of its parts: where it begins, and its values as text.

use crate::encoding;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{Header, HeaderName, HeaderValue};
use std::fmt::Write;

/// The longest encoded word that is looked at, in bytes; the standard allows 75.
const MAX_WORD: usize = 1000;

/// A letter from its first header on. Programs that save letters put a byte order mark, blank
/// lines or the «From » line of a mailbox file before it.
pub(crate) fn without_preamble(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    if !bytes.starts_with(b"From ") {
        return bytes;
    }
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    bytes[end..].trim_ascii_start()
}

/// The values of all headers of this name, read by one of the library's parsers.
pub(super) fn values(
    letter: &[u8],
    headers: &[Header<'_>],
    name: &HeaderName<'_>,
    parse: for<'x> fn(&mut MessageStream<'x>) -> HeaderValue<'x>,
) -> Vec<HeaderValue<'static>> {
    let headers = headers.iter().filter(|header| header.name == *name);
    let values = headers.map(|header| {
        let range = header.offset_start as usize..header.offset_end as usize;
        let line = readable(letter.get(range).unwrap_or_default());
        parse(&mut MessageStream::new(line.as_bytes())).into_owned()
    });
    values.collect()
}

/// A raw header value in UTF-8. The library takes letters outside of encoded words for UTF-8, and
/// knows not all names of charsets: what it cannot read is decoded by its looks.
fn readable(raw: &[u8]) -> String {
    let text = encoding::decode(raw, None).text;
    // The library's parsers need the end of the line.
    let line = format!("{}\n", text.trim_end());
    let read = MessageStream::new(line.as_bytes()).parse_unstructured();
    match read.as_text() {
        Some(read) if read.contains('\u{fffd}') => with_readable_words(&line),
        _ => line,
    }
}

/// Turns the encoded words («=?cp-1251?B?xOA=?=») of a line into such in UTF-8. They stay encoded
/// so that a comma or a quote within them is not taken for a part of the header.
fn with_readable_words(line: &str) -> String {
    let mut readable = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("=?") {
        readable.push_str(&rest[..start]);
        rest = &rest[start..];
        // Words that follow each other are one text: some programs cut it within a letter.
        let (mut bytes, mut charset, mut next) = (Vec::new(), None, rest);
        while let Some(word) = Word::first_of(next) {
            bytes.extend(word.bytes);
            charset = Some(word.charset);
            rest = &next[word.length..];
            next = rest.trim_start();
        }
        if charset.is_none() {
            readable.push_str("=?");
            rest = &rest[2..];
            continue;
        }
        readable.push_str("=?utf-8?Q?");
        for byte in encoding::decode(&bytes, charset).text.bytes() {
            let _ = write!(readable, "={byte:02X}");
        }
        readable.push_str("?=");
    }
    readable + rest
}

/// An encoded word.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    /// Of the whole word.
    length: usize,
}

impl Word<'_> {
    /// The word that the text begins with.
    fn first_of(text: &str) -> Option<Word<'_>> {
        // Words hold no spaces and only ASCII; the limit keeps lines with many openings cheap.
        let length = text.bytes().take(MAX_WORD).take_while(u8::is_ascii_graphic).count();
        let text = &text[..length];
        let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
        let (kind, rest) = rest.split_once('?')?;
        let (data, rest) = rest.split_once("?=")?;
        let bytes = match kind {
            "b" | "B" => super::contents::base64(data.as_bytes()),
            "q" | "Q" => quoted_printable_decode(data.replace('_', " ").as_bytes())?,
            _ => return None,
        };
        Some(Word { charset, bytes, length: length - rest.len() })
    }
}
