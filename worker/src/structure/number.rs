//! The number that a line starts with: «5», «5.10», «А.1.2», «15(1)», «3)».

/// A number as written at the start of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Number {
    /// The letter of an appendix in front («А» of «А.1.2»).
    pub letter: Option<char>,
    /// The numbers between the dots, at least one.
    pub parts: Vec<u32>,
    /// An inserted clause of an act: 1 of «15(1)».
    pub inserted: Option<u32>,
    /// What closed it.
    pub end: End,
}

/// What stands after the last digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// A space: «5.10 Котлованы».
    #[default]
    Space,
    /// A dot: «5. Котлованы».
    Dot,
    /// A bracket: «5) котлованы».
    Bracket,
}

impl Number {
    /// More than one number between dots, or a letter: «5.10», «А.1».
    pub fn is_dotted(&self) -> bool {
        self.parts.len() > 1 || self.letter.is_some()
    }

    /// The address without final dot: «А.1.2», «15(1)».
    pub fn address(&self) -> String {
        let mut address = self.letter.map(|letter| format!("{letter}.")).unwrap_or_default();
        let parts: Vec<String> = self.parts.iter().map(u32::to_string).collect();
        address.push_str(&parts.join("."));
        if let Some(inserted) = self.inserted {
            address.push_str(&format!("({inserted})"));
        }
        address
    }
}

/// The most levels a clause number has; «1.2.3.4.5.6.7» is something else.
const MAX_PARTS: usize = 6;

/// Reads the number at the start of a line and returns it with the text after it.
///
/// Not a number: leading zeros (dates), more than three digits in a part (years), a decimal comma,
/// a number that is glued to a word («5мм»), a hyphen after it («8-81»).
pub fn leading_number(line: &str) -> Option<(Number, &str)> {
    let line = line.trim_start_matches(|sign: char| sign.is_whitespace() || sign == '\u{feff}');
    let mut number = Number::default();
    let mut rest = line;
    if let Some((letter, after)) = leading_letter(line) {
        number.letter = Some(letter);
        rest = after;
    }
    loop {
        let (value, after) = leading_part(rest)?;
        number.parts.push(value);
        if number.parts.len() > MAX_PARTS {
            return None;
        }
        rest = after;
        match rest.strip_prefix('.') {
            Some(next) if next.starts_with(|sign: char| sign.is_ascii_digit()) => rest = next,
            _ => break,
        }
    }
    if let Some((inserted, after)) = insertion(rest) {
        number.inserted = Some(inserted);
        rest = after;
    }
    rest = rest.trim_start_matches('*');
    if let Some(after) = rest.strip_prefix('.') {
        number.end = End::Dot;
        rest = after.strip_prefix('*').unwrap_or(after);
    } else if let Some(after) = rest.strip_prefix(')') {
        number.end = End::Bracket;
        rest = after;
    }
    let closed = match rest.chars().next() {
        None => true,
        Some(sign) if sign.is_whitespace() => true,
        // «4.3.Перекрытия», «1)сваи», and «4.2.1Основание» of a bad text layer
        Some(sign) if sign.is_alphabetic() => match number.end {
            End::Space => sign.is_uppercase() && number.parts.len() > 1,
            End::Dot | End::Bracket => true,
        },
        Some(sign) => number.end != End::Space && "«\"(".contains(sign),
    };
    closed.then(|| (number, rest.trim_start()))
}

/// The value of a Roman numeral; Cyrillic letters that look like it are taken for it.
pub fn roman(text: &str) -> Option<u32> {
    let mut total = 0u32;
    let mut previous = 0u32;
    for sign in text.chars().rev() {
        let value = match sign {
            'I' | 'І' => 1,
            'V' => 5,
            'X' | 'Х' => 10,
            'L' => 50,
            'C' | 'С' => 100,
            _ => return None,
        };
        if value < previous {
            total = total.checked_sub(value)?;
        } else {
            total = total.checked_add(value)?;
            previous = value;
        }
    }
    (total > 0).then_some(total)
}

fn leading_letter(line: &str) -> Option<(char, &str)> {
    let letter = line.chars().next()?;
    let rest = line.get(letter.len_utf8()..)?.strip_prefix('.')?;
    let digit_follows = rest.starts_with(|sign: char| sign.is_ascii_digit());
    (letter.is_uppercase() && digit_follows).then_some((letter, rest))
}

fn leading_part(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (part, rest) = text.split_at_checked(digits)?;
    if digits == 0 || digits > 3 || (digits > 1 && part.starts_with('0')) {
        return None;
    }
    Some((part.parse().ok()?, rest))
}

fn insertion(text: &str) -> Option<(u32, &str)> {
    let (inside, rest) = text.strip_prefix('(')?.split_once(')')?;
    let short = inside.len() <= 2 && !inside.is_empty();
    (short && inside.bytes().all(|sign| sign.is_ascii_digit()))
        .then(|| inside.parse().ok().map(|value| (value, rest)))?
}

#[cfg(test)]
mod tests {
    use super::{End, leading_number, roman};
    use proptest::prelude::*;

    fn check(line: &str, expected: Option<(&str, End, &str)>) {
        let found = leading_number(line);
        let found = found.as_ref().map(|(number, rest)| (number.address(), number.end, *rest));
        let expected = expected.map(|(address, end, rest)| (address.to_owned(), end, rest));
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn numbers_of_clauses() {
        check("5.10 Котлованы", Some(("5.10", End::Space, "Котлованы")));
        check("5.10. Котлованы", Some(("5.10", End::Dot, "Котлованы")));
        check("5 Водопонижение", Some(("5", End::Space, "Водопонижение")));
        check("А.1.2 Нагрузки", Some(("А.1.2", End::Space, "Нагрузки")));
        check("15(1). Работы", Some(("15(1)", End::Dot, "Работы")));
        check("7.1) установление", Some(("7.1", End::Bracket, "установление")));
        check("14*. ОСОБЕННОСТИ", Some(("14", End::Dot, "ОСОБЕННОСТИ")));
        check("4.3.Перекрытия", Some(("4.3", End::Dot, "Перекрытия")));
        check("4.2.1Основание", Some(("4.2.1", End::Space, "Основание")));
        check("\u{a0}4.2\u{a0}Основание", Some(("4.2", End::Space, "Основание")));
        check("4.3.1", Some(("4.3.1", End::Space, "")));
    }

    #[test]
    fn other_numbers() {
        for line in
            ["01.07.2017", "2017 год", "1,5 м", "5мм", "8-81*", "1.2.3.4.5.6.7 x", "№ 5", ""]
        {
            check(line, None);
        }
    }

    #[test]
    fn roman_numerals() {
        assert_eq!(roman("IV"), Some(4));
        assert_eq!(roman("ІІІ"), Some(3));
        assert_eq!(roman("XII"), Some(12));
        assert_eq!(roman("Д"), None);
    }

    proptest! {
        #[test]
        fn never_panics_and_never_invents(line in "\\PC{0,20}") {
            if let Some((number, rest)) = leading_number(&line) {
                prop_assert!(!number.parts.is_empty());
                prop_assert!(line.ends_with(rest));
            }
            let _ = roman(&line);
        }

        #[test]
        fn address_is_read_back(parts in prop::collection::vec(1u32..200, 1..5)) {
            let address = parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            let line = format!("{address} Текст");
            let (number, rest) = leading_number(&line).unwrap();
            prop_assert_eq!(number.address(), address);
            prop_assert_eq!(rest, "Текст");
        }
    }
}
