//! The year in the number of a norm.

/// Splits a number without white space into its base and its edition with marks.
///
/// `style` is the field `edition` of the rule: `plain`, `parts`, `year4`, `none`
/// (see `rules/designations.toml`).
pub(super) fn split<'n>(number: &'n str, style: &str) -> (&'n str, Option<String>) {
    let bare = number.trim_end_matches('*');
    let marks = number.get(bare.len()..).unwrap_or("");
    // «58-88(р)»: a mark of the branch after the year.
    let bare = bare.split('(').next().unwrap_or(bare);
    let Some(at) = bare.rfind(['-', '.']) else { return (bare, None) };
    let (base, tail) = (&bare[..at], &bare[at + 1..]);
    let dash = bare.as_bytes().get(at) == Some(&b'-');
    let year = match tail.parse::<u16>() {
        Ok(year @ 1900..=2099) if tail.len() == 4 => Some(year),
        Ok(year) if tail.len() == 2 && dash && two_digits(base, style, year) => Some(year),
        _ => None,
    };
    match year {
        Some(_) if style != "none" => (base, Some(format!("{tail}{marks}"))),
        _ => (bare, None),
    }
}

/// Whether two digits after a dash are a year.
fn two_digits(base: &str, style: &str, year: u16) -> bool {
    match style {
        "plain" => true,
        "parts" => base.contains('-') || base.matches('.').count() >= 2,
        "year4" => year >= 88,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_told_from_parts_of_the_number() {
        let check = |number, style, base, edition: Option<&str>| {
            assert_eq!(split(number, style), (base, edition.map(str::to_owned)), "{number}");
        };
        check("45.13330.2017", "parts", "45.13330", Some("2017"));
        check("2.01.07-85*", "parts", "2.01.07", Some("85*"));
        check("5.01-02", "parts", "5.01-02", None);
        check("II-22-81*", "parts", "II-22", Some("81*"));
        check("12-03-2001", "parts", "12-03", Some("2001"));
        check("52-101", "parts", "52-101", None);
        check("5781-82", "plain", "5781", Some("82"));
        check("58-88(р)", "plain", "58", Some("88"));
        check("60598-1", "year4", "60598-1", None);
        check("62305-1-2010", "year4", "62305-1", Some("2010"));
        check("06-01-001-01", "none", "06-01-001-01", None);
    }
}
