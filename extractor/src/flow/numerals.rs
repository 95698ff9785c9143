//! Automatic numbers as they are printed.

/// The number of a paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    /// As printed: «5.10», «а)», «•»; may be empty.
    pub(crate) text: String,
    /// A bullet or a letter, not the number of a clause.
    pub(crate) is_item: bool,
}

/// Bullets of the symbol fonts stand in the private area; they print as a plain bullet.
pub(crate) fn bullet(text: &str) -> String {
    match text.trim().chars().next() {
        Some('-' | '\u{f02d}' | '–' | '—' | '−') => "–".to_owned(),
        _ => "•".to_owned(),
    }
}

/// The letters that Russian lists use (without ё, й, ъ, ы, ь).
pub(crate) const RUSSIAN: &str = "абвгдежзиклмнопрстуфхцчшщэюя";

/// a…z, then aa, bb, …
pub(crate) fn letter(value: i64, alphabet: &str) -> String {
    let count = alphabet.chars().count();
    let Some(index) = value.checked_sub(1).and_then(|index| usize::try_from(index).ok()) else {
        return value.to_string();
    };
    let repeat = (index / count).saturating_add(1).min(5);
    alphabet.chars().nth(index % count).map_or(String::new(), |c| c.to_string().repeat(repeat))
}

/// I, II, III, IV …
pub(crate) fn roman(value: i64) -> String {
    const SIGNS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..4000).contains(&value) {
        return value.to_string();
    }
    let mut left = value;
    let mut text = String::new();
    for (size, sign) in SIGNS {
        while left >= size {
            text.push_str(sign);
            left = left.saturating_sub(size);
        }
    }
    text
}
