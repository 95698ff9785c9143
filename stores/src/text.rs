//! Words of a text as the index sees them, and keys under which addresses and designations meet.
//!
//! Documents write one thing in many ways: «В25» with a Cyrillic or a Latin letter, «ё» or «е»,
//! «1,5» or «1.5», «м²» or «м2». The same folding is applied to documents and queries.

use rust_stemmers::{Algorithm, Stemmer};
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

static RUSSIAN: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::Russian));
static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// Words that occur in nearly every clause; a query is searched without them when it has others.
const COMMON: &[&str] = &[
    "а",
    "без",
    "бы",
    "в",
    "во",
    "где",
    "да",
    "для",
    "до",
    "же",
    "за",
    "и",
    "из",
    "или",
    "их",
    "к",
    "как",
    "какая",
    "какие",
    "каким",
    "какими",
    "каких",
    "какова",
    "каковы",
    "какого",
    "какое",
    "какой",
    "какую",
    "когда",
    "ко",
    "кто",
    "ли",
    "на",
    "над",
    "не",
    "него",
    "ней",
    "ни",
    "них",
    "но",
    "о",
    "об",
    "от",
    "по",
    "под",
    "при",
    "с",
    "сколько",
    "со",
    "та",
    "так",
    "такие",
    "такой",
    "то",
    "того",
    "тоже",
    "тот",
    "у",
    "чего",
    "чем",
    "что",
    "чтобы",
    "эта",
    "эти",
    "это",
    "этого",
    "этой",
    "этом",
    "этот",
    "of",
    "the",
    "a",
    "an",
    "in",
    "is",
    "to",
    "and",
    "what",
    "how",
    "for",
];

/// Letters that look alike, Cyrillic first.
const LOOKALIKES: &[(char, char)] = &[
    ('а', 'a'),
    ('в', 'b'),
    ('с', 'c'),
    ('е', 'e'),
    ('н', 'h'),
    ('к', 'k'),
    ('м', 'm'),
    ('о', 'o'),
    ('р', 'p'),
    ('т', 't'),
    ('у', 'y'),
    ('х', 'x'),
];

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    /// Folded, not stemmed.
    word: String,
    /// As in the index.
    stem: String,
}

/// The stems of a text, divided by blanks, for the word index.
pub(crate) fn index_words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for token in tokens(text) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&token.stem);
        // «45.13330.2017» is also found as «45.13330».
        for (position, _) in token.stem.match_indices(['.', '-', '/']) {
            let head = token.stem.split_at(position).0;
            if token.stem.starts_with(|c: char| c.is_ascii_digit()) && head.len() > 3 {
                words.push(' ');
                words.push_str(head);
            }
        }
    }
    words
}

/// The stems of a query, each once, without common words unless there is nothing else.
pub(crate) fn query_words(text: &str) -> Vec<String> {
    let all: Vec<Token> = tokens(text).collect();
    let telling = |token: &&Token| !COMMON.contains(&token.word.as_str());
    let mut kept: Vec<&Token> = all.iter().filter(telling).collect();
    if kept.is_empty() {
        kept = all.iter().collect();
    }
    let mut stems: Vec<String> = Vec::new();
    for token in kept {
        if !stems.contains(&token.stem) {
            stems.push(token.stem.clone());
        }
    }
    stems
}

/// The key of a designation: «СП 45.13330.2017» and «сп  45.13330.2017*» have the same.
pub(crate) fn designation_key(designation: &str) -> String {
    let folded: String = designation
        .nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| *c != '*' && *c != '№')
        .map(|c| match c {
            'ё' => 'е',
            '–' | '—' | '‑' | '−' => '-',
            other => LOOKALIKES
                .iter()
                .find(|(_, latin)| *latin == other)
                .map_or(other, |(cyrillic, _)| *cyrillic),
        })
        .collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The key of an address: «5.10», «5.10.» and «п. 5.10» have the same, and so have «Таблица А.1»
/// and «табл. А.1».
pub(crate) fn address_key(address: &str) -> String {
    let folded = designation_key(address);
    let mut rest = folded.as_str();
    let mut table = "";
    for (prefix, mark) in [
        ("таблица", "т "),
        ("табл.", "т "),
        ("табл", "т "),
        ("пункт", ""),
        ("п.", ""),
        ("п ", ""),
        ("раздел", ""),
        ("разд.", ""),
        ("приложение", ""),
        ("прил.", ""),
    ] {
        if let Some(tail) = rest.strip_prefix(prefix)
            && tail.starts_with(|c: char| {
                c.is_whitespace() || c.is_ascii_digit() || prefix.ends_with('.')
            })
        {
            (rest, table) = (tail, mark);
            break;
        }
    }
    let number = rest.trim().trim_end_matches(['.', ':', ')']);
    format!("{table}{number}")
}

fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let folded: Vec<char> = text
        .nfkc()
        .flat_map(char::to_lowercase)
        // Stress marks and soft hyphens stand inside words.
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}' | '\u{ad}'))
        .map(|c| if c == 'ё' { 'е' } else { c })
        .collect();
    let mut words = Vec::new();
    let mut at = 0;
    while at < folded.len() {
        if !folded[at].is_alphanumeric() {
            at += 1;
            continue;
        }
        let start = at;
        while at < folded.len() && (folded[at].is_alphanumeric() || joins(&folded, start, at)) {
            at += 1;
        }
        words.push(token(&folded[start..at]));
    }
    words.into_iter()
}

/// Whether a sign holds a number together: «45.13330.2017», «1,5», «26633-2015», «01-02/3».
fn joins(text: &[char], start: usize, at: usize) -> bool {
    let digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
    matches!(text[at], '.' | ',' | '-' | '/' | '–')
        && at > start
        && digit(start)
        && digit(at - 1)
        && digit(at + 1)
}

fn token(letters: &[char]) -> Token {
    let cyrillic = |c: &char| ('а'..='я').contains(c);
    let digits = letters.iter().any(char::is_ascii_digit);
    let lookalike = |c: &char| LOOKALIKES.iter().any(|(a, b)| a == c || b == c);
    let word: String = if digits && letters.iter().filter(|c| c.is_alphabetic()).all(lookalike) {
        // A grade («В25», «А500С»): always Latin.
        letters.iter().map(|c| latin(*c)).map(|c| if c == ',' { '.' } else { c }).collect()
    } else if letters.iter().any(cyrillic) {
        letters.iter().map(|c| from_latin(*c)).collect()
    } else {
        letters.iter().map(|c| if *c == ',' { '.' } else { *c }).collect()
    };
    let word = word.replace('–', "-");
    let stem = match word.chars().next() {
        Some(_) if digits => word.clone(),
        Some(first) if first.is_ascii_alphabetic() => ENGLISH.stem(&word).into_owned(),
        _ => RUSSIAN.stem(&word).into_owned(),
    };
    Token { word, stem }
}

fn latin(letter: char) -> char {
    LOOKALIKES.iter().find(|(cyrillic, _)| *cyrillic == letter).map_or(letter, |pair| pair.1)
}

fn from_latin(letter: char) -> char {
    LOOKALIKES.iter().find(|(_, latin)| *latin == letter).map_or(letter, |pair| pair.0)
}

#[cfg(test)]
mod tests {
    use super::{address_key, designation_key, index_words, query_words};

    #[test]
    fn one_thing_has_one_word() {
        for (a, b) in [
            ("В25", "B25"),
            ("арматура А500С", "арматуры A500C"),
            ("водопонижение", "Водопонижения"),
            ("объём", "объем"),
            ("1,5 м²", "1.5 м2"),
            ("бетонных", "Бeтонный"),
            ("М400", "M400"),
            ("котлова\u{301}н", "котло\u{ad}ван"),
        ] {
            assert_eq!(index_words(a), index_words(b), "{a} / {b}");
        }
        assert_ne!(index_words("В25"), index_words("В30"));
        assert_eq!(index_words("СП 45.13330.2017"), "сп 45.13330.2017 45.13330");
        assert_eq!(index_words("п. 5.10, табл. 3"), "п 5.10 табл 3");
        assert_eq!(index_words("ГОСТ 26633-2015"), "гост 26633-2015 26633");
    }

    #[test]
    fn queries_lose_common_words_only_when_others_are_left() {
        assert_eq!(query_words("Какой бетон и какой бетон?"), ["бетон"]);
        assert_eq!(query_words("как и что"), ["как", "и", "что"]);
        assert!(query_words("?!").is_empty());
    }

    #[test]
    fn keys() {
        assert_eq!(designation_key("СП 45.13330.2017"), designation_key("cп  45.13330.2017*"));
        assert_eq!(address_key("п. 5.10"), address_key("5.10."));
        assert_eq!(address_key("Таблица А.1"), address_key("табл. A.1"));
        assert_eq!(address_key("таблица 3"), "т 3");
        assert_ne!(address_key("таблица 3"), address_key("3"));
        assert_eq!(address_key("Приложение А"), "а");
        assert_eq!(address_key("Перекрытия"), "перекрытия");
    }
}
