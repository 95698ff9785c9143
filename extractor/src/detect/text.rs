//! Tells the formats that are text apart: markup by its first tag, building models and drawings by their
//! first words, letters by their head, the rest by the extension.

use super::Refusal;
use crate::archive::without_preamble;
use crate::model::Format;
use shared::outcome::Code;
use std::collections::HashSet;

/// The format of a file without magic bytes.
pub(super) fn detect(head: &[u8], extension: &str) -> Result<Format, Refusal> {
    let Some(text) = readable(head) else {
        return Err(Refusal::new(Code::UnsupportedFormat, "двоичный файл неизвестного формата"));
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<')
        && let Some(format) = markup(text)
    {
        return Ok(format);
    }
    if text.starts_with("ISO-10303-21") {
        return Ok(Format::Ifc);
    }
    if is_dxf(text) {
        return Ok(Format::Dxf);
    }
    if is_letter(head, extension) {
        return Ok(Format::Eml);
    }
    let json = text.starts_with(['{', '[']);
    Ok(match extension {
        "json" | "geojson" if json => Format::Json,
        "csv" | "tsv" => Format::Csv,
        "md" | "markdown" => Format::Markdown,
        // Saved by a program under no or a strange name.
        _ if text.starts_with("{\"") || text.starts_with("[{\"") => Format::Json,
        _ => Format::Text,
    })
}

/// The head as text where every ASCII sign is itself (other letters may be anything); `None` for
/// binary data. UTF-16 is recognised by its mark or by its many zero bytes.
fn readable(head: &[u8]) -> Option<String> {
    let wide = |big_endian: bool| {
        let (text, _, _) =
            if big_endian { encoding_rs::UTF_16BE } else { encoding_rs::UTF_16LE }.decode(head);
        Some(text.into_owned())
    };
    match head {
        [0xFF, 0xFE, ..] => return wide(false),
        [0xFE, 0xFF, ..] => return wide(true),
        _ => {}
    }
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let zeros = head.iter().filter(|byte| **byte == 0).count();
    if zeros > 0 {
        // Russian text in UTF-16 has the byte 4 in every second place, spaces and digits have 0.
        let high = |parity: usize| {
            let half = head.iter().skip(parity).step_by(2);
            let total = half.clone().count().max(1);
            half.filter(|byte| matches!(byte, 0 | 4 | 0x20 | 0x21)).count() * 100 / total
        };
        return match (high(0), high(1)) {
            (even, odd) if odd >= 95 && even < 50 => wide(false),
            (even, odd) if even >= 95 && odd < 50 => wide(true),
            _ => None,
        };
    }
    // Old drawings and DOS texts contain some control characters, binary data many. 0x1A is the
    // old end of file.
    let control = head
        .iter()
        .filter(|byte| matches!(byte, 0x01..=0x08 | 0x0E..=0x19 | 0x1C..=0x1F | 0x7F))
        .count();
    (control * 100 <= head.len()).then(|| {
        head.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { 'я' }).collect()
    })
}

/// HTML, XML or an estimate, by the root element.
fn markup(text: &str) -> Option<Format> {
    let mut rest = text;
    // Declarations, comments and document types before the root, of which there are few.
    for _ in 0..32 {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment.find("-->")? + 3..];
        } else if rest.starts_with("<?") {
            rest = &rest[rest.find("?>")? + 2..];
        } else if let Some(declaration) = rest.strip_prefix("<!") {
            if declaration.get(..12).is_some_and(|d| d.eq_ignore_ascii_case("DOCTYPE html")) {
                return Some(Format::Html);
            }
            // An internal subset is in brackets and has its own «>».
            let bracket = declaration.find('[').unwrap_or(usize::MAX);
            let end = match declaration.find('>')? {
                end if end < bracket => end + 1,
                _ => {
                    declaration
                        .find("]>")
                        .map_or_else(|| declaration.find('>'), |at| Some(at + 1))?
                        + 1
                }
            };
            rest = &declaration[end..];
        } else {
            break;
        }
    }
    let name: String = rest
        .strip_prefix('<')?
        .chars()
        .take_while(|sign| !sign.is_whitespace() && !matches!(sign, '>' | '/'))
        .collect();
    if name.is_empty() || name.len() > 200 {
        return None;
    }
    let local = name.rsplit(':').next().unwrap_or(&name).to_lowercase();
    let opening = rest.get(..rest.len().min(4096)).unwrap_or(rest).to_lowercase();
    const HTML: [&str; 14] = [
        "html", "head", "body", "title", "meta", "table", "div", "p", "span", "center", "font",
        "h1", "br", "pre",
    ];
    if HTML.contains(&local.as_str()) {
        return Some(Format::Html);
    }
    if local == "construction" {
        return Some(Format::Gge);
    }
    // Whatever else begins with a tag: XML when it says so or closes like it.
    (text.starts_with("<?xml") || opening.contains("xmlns") || opening.contains("</"))
        .then_some(Format::Xml)
}

/// A DXF begins with the group «0 SECTION», perhaps after comments (group 999).
fn is_dxf(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    for _ in 0..64 {
        match (lines.next(), lines.next()) {
            (Some("999"), Some(_)) => {}
            (Some("0"), Some("SECTION")) => return true,
            _ => return false,
        }
    }
    false
}

/// A letter begins with its head: lines like «Subject: …», of which mail programs always write some.
/// Under another extension it has to be one that a mail program wrote.
fn is_letter(head: &[u8], extension: &str) -> bool {
    const KNOWN: [&str; 12] = [
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "reply-to",
        "content-type",
        "x-mailer",
        "received",
        "return-path",
        "message-id",
        "mime-version",
    ];
    let head = String::from_utf8_lossy(without_preamble(head));
    let mut hits: HashSet<&str> = HashSet::new();
    let mut written = false;
    let mut first = true;
    for line in head.lines().take(200) {
        // A long line goes on in the next one.
        if line.starts_with([' ', '\t']) && !first {
            continue;
        }
        first = false;
        let Some((name, value)) = line.split_once(':') else { break };
        let is_name = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
        if name.is_empty() || !name.chars().all(is_name) {
            break;
        }
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        written |= match name.as_str() {
            "mime-version" => value.starts_with("1.0"),
            "message-id" => value.starts_with('<') && value.ends_with('>') && value.contains('@'),
            _ => false,
        };
        hits.extend(KNOWN.iter().find(|known| **known == name));
    }
    hits.len() >= 2 && (written || matches!(extension, "eml" | "mht" | "mhtml"))
}
