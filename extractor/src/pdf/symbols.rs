//! Single characters as PDF producers write them, made into the characters that are meant.

/// The letters of the Symbol font, which Word maps into the private use area by adding U+F000
/// to their code (source: Adobe Symbol encoding).
const SYMBOL_GREEK: [(char, char); 37] = [
    ('A', 'Α'),
    ('B', 'Β'),
    ('C', 'Χ'),
    ('D', 'Δ'),
    ('F', 'Φ'),
    ('G', 'Γ'),
    ('L', 'Λ'),
    ('P', 'Π'),
    ('Q', 'Θ'),
    ('S', 'Σ'),
    ('W', 'Ω'),
    ('X', 'Ξ'),
    ('Y', 'Ψ'),
    ('a', 'α'),
    ('b', 'β'),
    ('c', 'χ'),
    ('d', 'δ'),
    ('e', 'ε'),
    ('f', 'φ'),
    ('g', 'γ'),
    ('h', 'η'),
    ('i', 'ι'),
    ('j', 'ϕ'),
    ('k', 'κ'),
    ('l', 'λ'),
    ('m', 'μ'),
    ('n', 'ν'),
    ('p', 'π'),
    ('q', 'θ'),
    ('r', 'ρ'),
    ('s', 'σ'),
    ('t', 'τ'),
    ('u', 'υ'),
    ('w', 'ω'),
    ('x', 'ξ'),
    ('y', 'ψ'),
    ('z', 'ζ'),
];

/// The signs of the Symbol and Wingdings fonts that appear in norms (Symbol wins where both use
/// a code: bullets are the only Wingdings signs listed).
const SYMBOL_SIGNS: [(u32, char); 47] = [
    (0x22, '∀'),
    (0x24, '∃'),
    (0x40, '≅'),
    (0x5E, '⊥'),
    (0x7E, '∼'),
    (0xA2, '′'),
    (0xA3, '≤'),
    (0xA5, '∞'),
    (0xA7, '•'),
    (0xA8, '•'),
    (0xAB, '↔'),
    (0xAC, '←'),
    (0xAD, '↑'),
    (0xAE, '→'),
    (0xAF, '↓'),
    (0xB0, '°'),
    (0xB1, '±'),
    (0xB2, '″'),
    (0xB3, '≥'),
    (0xB4, '×'),
    (0xB5, '∝'),
    (0xB6, '∂'),
    (0xB7, '•'),
    (0xB8, '÷'),
    (0xB9, '≠'),
    (0xBA, '≡'),
    (0xBB, '≈'),
    (0xBC, '…'),
    (0xC6, '∅'),
    (0xC7, '∩'),
    (0xC8, '∪'),
    (0xC9, '⊃'),
    (0xCA, '⊇'),
    (0xCC, '⊂'),
    (0xCD, '⊆'),
    (0xCE, '∈'),
    (0xCF, '∉'),
    (0xD0, '∠'),
    (0xD1, '∇'),
    (0xD6, '√'),
    (0xD7, '·'),
    (0xD8, '•'),
    (0xDB, '⇔'),
    (0xDE, '⇒'),
    (0xE5, '∑'),
    (0xF2, '∫'),
    (0xFC, '•'),
];

/// Calls `emit` for every character that is meant by one extracted character.
///
/// White space becomes a plain space, ligatures are spelled out, the private use codes of Symbol
/// become Greek letters and signs. Codes that mean nothing become U+FFFD, so that the verdict on
/// the page can count them.
pub(crate) fn meant(character: char, mut emit: impl FnMut(char)) {
    match character {
        ' ' | '\t' | '\n' | '\r' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => {
            emit(' ');
        }
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
        '\u{fb00}' => "ff".chars().for_each(emit),
        '\u{fb01}' => "fi".chars().for_each(emit),
        '\u{fb02}' => "fl".chars().for_each(emit),
        '\u{fb03}' => "ffi".chars().for_each(emit),
        '\u{fb04}' => "ffl".chars().for_each(emit),
        '\u{f020}'..='\u{f0ff}' => emit(symbol(u32::from(character) - 0xF000)),
        '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{fffd}' | '\u{f0000}'..='\u{10ffff}' => {
            emit(char::REPLACEMENT_CHARACTER);
        }
        '\u{ad}' => emit('\u{ad}'),
        control if control.is_control() => emit(char::REPLACEMENT_CHARACTER),
        other => emit(other),
    }
}

fn symbol(code: u32) -> char {
    if let Some((_, sign)) = SYMBOL_SIGNS.iter().find(|(known, _)| *known == code) {
        return *sign;
    }
    match char::from_u32(code) {
        Some(letter) if letter.is_ascii_alphabetic() => SYMBOL_GREEK
            .iter()
            .find(|(latin, _)| *latin == letter)
            .map_or(letter, |(_, greek)| *greek),
        Some(ascii) if ascii.is_ascii_graphic() || ascii == ' ' => ascii,
        _ => char::REPLACEMENT_CHARACTER,
    }
}

#[cfg(test)]
mod tests {
    fn all(character: char) -> String {
        let mut out = String::new();
        super::meant(character, |meant| out.push(meant));
        out
    }

    #[test]
    fn characters_become_what_is_meant() {
        for (written, meant) in [
            ('ж', "ж"),
            ('\u{a0}', " "),
            ('\u{200b}', ""),
            ('\u{fb01}', "fi"),
            ('\u{f0b7}', "•"),
            ('\u{f061}', "α"),
            ('\u{f02b}', "+"),
            ('\u{e123}', "\u{fffd}"),
            ('\u{3}', "\u{fffd}"),
        ] {
            assert_eq!(all(written), meant, "{written:?}");
        }
    }
}
