//! Folding: the same designation however it was typed or broken over lines.

/// A text in which look-alikes and dashes are unified and white space is collapsed, with the way
/// back to the original.
#[derive(Debug)]
pub struct Folded {
    /// The folded text.
    pub text: String,
    /// For every byte of `text` the byte of the original where its character began; one more
    /// entry for the end.
    origins: Vec<usize>,
}

impl Folded {
    /// Folds a text: Latin letters that look Cyrillic become Cyrillic, «ё» becomes «е», every dash
    /// becomes «-», every run of white space one space; soft hyphens and zero-width marks vanish.
    pub fn new(original: &str) -> Folded {
        let mut text = String::with_capacity(original.len());
        let mut origins = Vec::with_capacity(original.len() + 1);
        let mut characters = original.char_indices().peekable();
        let mut line_begins = true;
        while let Some((offset, character)) = characters.next() {
            let spaced = characters.peek().is_some_and(|(_, next)| next.is_whitespace());
            let folded = match fold_char(character) {
                // A dash that opens a line is a bullet and joins nothing to the line above.
                Some('-') if line_begins && spaced => Some('•'),
                folded => folded,
            };
            if !character.is_whitespace() {
                line_begins = false;
            } else if character == '\n' {
                line_begins = true;
            }
            let folded = match folded {
                Some(' ') if text.is_empty() || text.ends_with(' ') => continue,
                Some(folded) => folded,
                None => continue,
            };
            text.push(folded);
            origins.resize(text.len(), offset);
        }
        origins.push(original.len());
        Folded { text, origins }
    }

    /// The offset in the original of an offset in the folded text.
    pub fn origin(&self, offset: usize) -> usize {
        self.origins.get(offset).or(self.origins.last()).copied().unwrap_or(0)
    }
}

/// Folds a text when the way back is not needed.
pub fn fold(original: &str) -> String {
    Folded::new(original).text.trim_end().to_owned()
}

fn fold_char(character: char) -> Option<char> {
    Some(match character {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => return None,
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        'ё' => 'е',
        'Ё' => 'Е',
        'A' => 'А',
        'B' => 'В',
        'C' => 'С',
        'E' => 'Е',
        'H' => 'Н',
        'K' => 'К',
        'M' => 'М',
        'O' => 'О',
        'P' => 'Р',
        'T' => 'Т',
        'X' => 'Х',
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'o' => 'о',
        'p' => 'р',
        'x' => 'х',
        '“' | '”' | '„' => '"',
        other if other.is_whitespace() => ' ',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn look_alikes_dashes_and_spaces_are_unified() {
        assert_eq!(fold("ГOCT\u{a0}27751\u{2013}\n2014"), "ГОСТ 27751- 2014");
        assert_eq!(fold("  CП\t45.13330 "), "СП 45.13330");
        assert_eq!(fold("тре\u{ad}бования"), "требования");
        assert_eq!(fold("ГОСТ 26633\n- 15 мм"), "ГОСТ 26633 • 15 мм");
    }

    proptest! {
        #[test]
        fn origins_are_ascending_character_borders(original in ".{0,60}") {
            let folded = Folded::new(&original);
            let mut last = 0;
            for (offset, _) in folded.text.char_indices() {
                let origin = folded.origin(offset);
                prop_assert!(original.is_char_boundary(origin) && origin >= last);
                last = origin;
            }
            prop_assert_eq!(folded.origin(folded.text.len()), original.len());
        }
    }
}
