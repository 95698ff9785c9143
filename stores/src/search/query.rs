//! What a query names: a norm, a clause, a table.

use crate::text::{address_key, designation_key};
use regex::Regex;
use std::sync::LazyLock;

/// What was understood of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Understood {
    /// Keys of the designations that the query names («сп 45.13330»).
    pub(crate) norms: Vec<String>,
    /// Keys of the addresses that it names («5.10», «т 3»).
    pub(crate) addresses: Vec<String>,
    /// What it says besides designations and addresses; empty when that is nothing.
    pub(crate) rest: String,
}

static NORM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?xi)
        (?: ^ | [^\p{L}\d] )
        ( (?: (?:СП|СНиП|СН|ВСН|ТСН) (?:\s+РК)?
            | ГОСТ (?:\s+(?:Р|РВ|ISO|EN|IEC|ИСО|МЭК|РК)){0,3}
            | СанПиН | МДС | ПНСТ | СТО | ТУ | РД | ТР | ВСП | РМД | МГСН | ТТК | ПУЭ
            | ППРк? | ПОС | ТК )
          \s* (?:[№\-–]\s*)? \d+ (?: [.\-–/] \d+ )* )",
    )
});

static TABLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?:таблиц\p{L}*|табл\.?)\s*(?:№\s*)?((?:[А-ЯA-Z]\.)?\d+(?:\.\d+)*)")
});

static CLAUSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?xi)
        (?: ^ | [^\p{L}\d] )
        (?: подпункт\p{L}* | пункт\p{L}* | п{1,2}\.? | раздел\p{L}* | разд\.? | глав\p{L}* | стать\p{L}* | ст\.)
        \s* (?:№\s*)? ( (?:[А-ЯA-Z]\.)? \d+ (?: \.\d+ )* )",
    )
});

static APPENDIX: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:приложени\p{L}*|прил\.?)\s+([А-ЯA-Z])(?:[^\p{L}\d.]|$)"));

/// A number with dots that stands alone; an address only when the query names a norm.
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:^|[\s(,;])((?:[А-ЯA-Z]\.\d+|\d+\.\d+)(?:\.\d+)*)\.?(?:[\s),;?]|$)")
});

#[expect(clippy::disallowed_methods, reason = "the rules of the worker are not known here")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern, compiled by the tests")
}

/// Reads a query.
pub(crate) fn understand(query: &str) -> Understood {
    let mut found = Understood::default();
    let mut rest = query.to_owned();
    take(&NORM, &mut rest, |text| found.norms.push(designation_key(text)));
    take(&TABLE, &mut rest, |text| found.addresses.push(format!("т {}", address_key(text))));
    take(&APPENDIX, &mut rest, |text| found.addresses.push(address_key(text)));
    take(&CLAUSE, &mut rest, |text| found.addresses.push(address_key(text)));
    if !found.norms.is_empty() {
        take(&BARE, &mut rest, |text| found.addresses.push(address_key(text)));
    }
    if crate::text::query_words(&rest).iter().any(|word| word.chars().count() > 2) {
        found.rest = rest;
    }
    found
}

/// Hands over every match and blanks it out.
fn take(pattern: &Regex, text: &mut String, mut each: impl FnMut(&str)) {
    let mut rest = String::new();
    let mut at = 0;
    for captures in pattern.captures_iter(text) {
        let (Some(whole), Some(group)) = (captures.get(0), captures.get(1)) else { continue };
        each(group.as_str());
        rest.push_str(text.get(at..whole.start()).unwrap_or_default());
        rest.push(' ');
        at = group.end();
    }
    rest.push_str(text.get(at..).unwrap_or_default());
    *text = rest;
}

#[cfg(test)]
mod tests {
    use super::understand;

    #[test]
    fn norms_and_addresses_are_found() {
        for (query, norms, addresses, more) in [
            ("п. 5.10 СП 45.13330", vec!["сп 45.13330"], vec!["5.10"], false),
            ("СП 45.13330.2017 п.5.10", vec!["сп 45.13330.2017"], vec!["5.10"], false),
            ("5.10 СП 45.13330", vec!["сп 45.13330"], vec!["5.10"], false),
            ("пункт 7.2.3 ГОСТ Р 54257-2010", vec!["гост р 54257-2010"], vec!["7.2.3"], false),
            ("таблица 3 СП РК 3.02-108-2013", vec!["сп рк 3.02-108-2013"], vec!["т 3"], false),
            ("приложение А к СП 22.13330", vec!["сп 22.13330"], vec!["а"], false),
            ("п. А.1 СП 22.13330", vec!["сп 22.13330"], vec!["а.1"], false),
            ("п. 4.1 ППР-01-2026", vec!["ппр-01-2026"], vec!["4.1"], false),
            ("глубина водопонижения", vec![], vec![], true),
            ("что говорит СП 45.13330 о водопонижении", vec!["сп 45.13330"], vec![], true),
            ("высота 2.5 м", vec![], vec![], true),
            ("температура 5 градусов", vec![], vec![], true),
        ] {
            let found = understand(query);
            let keys = |names: Vec<&str>| names.into_iter().map(super::designation_key).collect();
            let expected: (Vec<String>, Vec<String>) = (keys(norms), keys(addresses));
            assert_eq!((found.norms, found.addresses), expected, "{query}");
            assert_eq!(!found.rest.is_empty(), more, "{query}");
        }
    }
}
