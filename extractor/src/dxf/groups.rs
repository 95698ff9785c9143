//! The pairs of code and value that a DXF file consists of, in its two forms.

use crate::encoding;
use crate::reader::ReadError;

/// One pair; numbers of the binary form are written out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) code: i32,
    pub(super) value: String,
}

const BINARY: &[u8] = b"AutoCAD Binary DXF\r\n\x1a\0";

/// All pairs of a file; a last half pair is left out.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Group>, ReadError> {
    match bytes.strip_prefix(BINARY) {
        Some(rest) => Ok(binary(rest, code_page(bytes))),
        None => ascii(bytes),
    }
}

fn ascii(bytes: &[u8]) -> Result<Vec<Group>, ReadError> {
    of_text(&encoding::decode(bytes, code_page(bytes)).text)
}

/// All pairs of a decoded file of the text form.
pub(super) fn of_text(text: &str) -> Result<Vec<Group>, ReadError> {
    let mut groups = Vec::new();
    let mut lines = text.lines();
    while let (Some(code), Some(value)) = (lines.next(), lines.next()) {
        let Ok(code) = code.trim().parse() else {
            if groups.is_empty() {
                return Err(ReadError::damaged("файл не похож на чертёж DXF"));
            }
            break;
        };
        groups.push(Group { code, value: value.to_owned() });
    }
    Ok(groups)
}

/// The encoding that `$DWGCODEPAGE` names. `ANSI_1252` is what programs write when they know
/// nothing better, so it does not count.
fn code_page(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..20_000).unwrap_or(bytes);
    let name = b"$DWGCODEPAGE";
    let at = head.windows(name.len()).position(|window| window == name)?;
    let after: String = head
        .iter()
        .skip(at.saturating_add(name.len()))
        .take(40)
        .map(|byte| char::from(*byte).to_ascii_uppercase())
        .collect();
    if after.contains("1251") {
        Some("windows-1251")
    } else if after.contains("866") {
        Some("ibm866")
    } else {
        None
    }
}

fn binary(mut bytes: &[u8], code_page: Option<&str>) -> Vec<Group> {
    // Until release 12 a code took one byte: «0, "SECTION"» then begins with a zero and a letter.
    let short_codes = bytes.get(1).is_some_and(|second| *second != 0);
    let mut groups = Vec::new();
    while let Some(group) = binary_group(&mut bytes, short_codes, code_page) {
        groups.push(group);
    }
    groups
}

fn binary_group(bytes: &mut &[u8], short_codes: bool, code_page: Option<&str>) -> Option<Group> {
    let mut code = if short_codes { i32::from(take::<1>(bytes)?[0]) } else { -1 };
    if code == 255 || code == -1 {
        code = i32::from(i16::from_le_bytes(take::<2>(bytes)?));
    }
    let value = match code {
        10..=59 | 110..=149 | 210..=239 | 460..=469 | 1010..=1059 => {
            f64::from_le_bytes(take::<8>(bytes)?).to_string()
        }
        60..=79 | 170..=179 | 270..=289 | 370..=389 | 400..=409 | 1060..=1070 => {
            i16::from_le_bytes(take::<2>(bytes)?).to_string()
        }
        90..=99 | 420..=429 | 440..=459 | 1071 => i32::from_le_bytes(take::<4>(bytes)?).to_string(),
        160..=169 => i64::from_le_bytes(take::<8>(bytes)?).to_string(),
        290..=299 => take::<1>(bytes)?[0].to_string(),
        310..=319 | 1004 => {
            let length = usize::from(take::<1>(bytes)?[0]);
            *bytes = bytes.get(length..)?;
            String::new()
        }
        _ => {
            let length = bytes.iter().position(|byte| *byte == 0)?;
            let (text, rest) = bytes.split_at(length);
            *bytes = rest.get(1..).unwrap_or_default();
            encoding::decode(text, code_page).text
        }
    };
    Some(Group { code, value })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}
