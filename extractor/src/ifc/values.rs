//! Values of attributes as people read them: «200 мм», «да», «REI 60».

use super::records::Records;
use ifc_lite_core::parser::StepRecord;
use ifc_lite_core::{StepListItems, parse_step_real};

/// Values within each other («IFCLABEL('…')» in a list in a list).
const MAX_NESTING: u32 = 8;
/// Values of a list that are shown.
const MAX_ITEMS: usize = 200;
/// The longest literal that is read, in bytes.
const MAX_LITERAL: usize = 8192;
/// Digits of a number that are shown: programs compute in binary, and 3300 mm come out of them as
/// 3299.9999999999995.
const DIGITS: usize = 10;
/// Numbers from here on are shown as the file writes them.
const LARGE: f64 = 1e15;

/// The unit of a number.
pub(super) enum Unit<'a> {
    /// That of a measure of the file, unless the value names its own measure; empty for none.
    Measure(&'a str),
    /// One that belongs to this value; `None` when it could not be read.
    Own(Option<String>),
}

/// A value with its unit; several are parted by «; ».
pub(super) fn value(records: &Records<'_>, raw: &[u8], unit: &Unit<'_>) -> Option<String> {
    nested(records, raw, unit, 0)
}

fn nested(records: &Records<'_>, raw: &[u8], unit: &Unit<'_>, nesting: u32) -> Option<String> {
    if nesting > MAX_NESTING {
        return None;
    }
    match raw.first()? {
        b'\'' => text_of(raw).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        b'.' => match raw {
            b".T." => Some("да".to_owned()),
            b".F." => Some("нет".to_owned()),
            b".U." => None,
            other => Some(String::from_utf8_lossy(other).trim_matches('.').to_owned()),
        },
        b'(' => {
            let items = StepListItems::of_list(raw)?;
            let values = items.take(MAX_ITEMS);
            let values = values.filter_map(|item| nested(records, item, unit, nesting + 1));
            let values: Vec<String> = values.collect();
            (!values.is_empty()).then(|| values.join("; "))
        }
        first if first.is_ascii_alphabetic() => {
            let open = raw.iter().position(|byte| *byte == b'(')?;
            let own = Unit::Measure(std::str::from_utf8(&raw[..open]).ok()?.trim());
            let unit = if matches!(unit, Unit::Own(_)) { unit } else { &own };
            nested(records, StepListItems::of_list(&raw[open..])?.next()?, unit, nesting + 1)
        }
        _ => {
            let number = number(raw)?;
            let unit = match unit {
                Unit::Own(unit) => unit.clone(),
                Unit::Measure(measure) => records.unit_of(measure),
            };
            Some(with_unit(&number, unit.as_deref()))
        }
    }
}

/// «200 мм».
pub(super) fn with_unit(number: &str, unit: Option<&str>) -> String {
    match unit {
        None => number.to_owned(),
        Some("°") => format!("{number}°"),
        Some(unit) => format!("{number} {unit}"),
    }
}

/// A literal as text, its escapes resolved.
pub(super) fn text_of(raw: &[u8]) -> Option<String> {
    // The library reads literals as attributes of a record.
    let record = match raw.get(..MAX_LITERAL) {
        Some(cut) => [b"#1=A(", cut, b"')"].concat(),
        None => [b"#1=A(", raw, b")"].concat(),
    };
    Some(StepRecord::parse(&record)?.string_at(0)?.into_owned())
}

/// A number of the file as people write it.
fn number(raw: &[u8]) -> Option<String> {
    let value = parse_step_real(raw)?;
    let written = std::str::from_utf8(raw).ok()?.trim_start_matches('+');
    let is_real = written.contains(['.', 'E', 'e']);
    Some(if is_real && value.abs() < LARGE { rounded(value) } else { written.to_owned() })
}

/// A number with as many digits as mean something.
pub(super) fn rounded(value: f64) -> String {
    let short: f64 = format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value);
    // No «-0».
    (short + 0.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::{number, rounded, text_of};

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        for (raw, shown) in [
            ("3299.9999999999995", "3300"),
            ("0.30000000000000004", "0.3"),
            ("33.123456789012345", "33.12345679"),
            ("-0.", "0"),
            ("200.", "200"),
            ("1.E-3", "0.001"),
            ("123456789012345678", "123456789012345678"),
            ("1.E300", "1.E300"),
            ("+7", "7"),
        ] {
            assert_eq!(number(raw.as_bytes()).as_deref(), Some(shown), "{raw}");
        }
        assert_eq!(number(b"#5"), None);
        assert_eq!(rounded(0.1 + 0.2), "0.3");
    }

    #[test]
    fn escapes_of_literals_are_resolved() {
        assert_eq!(text_of(br"'\X2\0410\X0\''1'''").as_deref(), Some("А'1'"));
        assert_eq!(text_of(b"$"), None);
    }
}
