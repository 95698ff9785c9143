//! Text as it is compared and searched: one kind of space, no invisible characters.

/// Cleans running text: special spaces become plain, runs of them one; line breaks stay, but
/// empty lines and spaces around breaks go; soft hyphens and zero-width characters are dropped.
pub(crate) fn tidy(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for line in text.split(['\n', '\r', '\u{b}', '\u{2028}', '\u{85}']) {
        let before = clean.len();
        if !clean.is_empty() {
            clean.push('\n');
        }
        let line_start = clean.len();
        push_line(&mut clean, line);
        if clean.len() == line_start {
            clean.truncate(before);
        }
    }
    clean
}

/// Cleans text that must stay on one line, such as a cell.
pub(crate) fn tidy_line(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    push_line(&mut clean, text);
    clean
}

fn push_line(clean: &mut String, line: &str) {
    let mut first = true;
    for word in line.split(|character: char| character.is_whitespace() || character.is_control()) {
        let start = clean.len();
        if !first {
            clean.push(' ');
        }
        let word_start = clean.len();
        clean.extend(word.chars().filter_map(visible));
        if clean.len() == word_start {
            clean.truncate(start);
        } else {
            first = false;
        }
    }
}

fn visible(character: char) -> Option<char> {
    match character {
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => None,
        '\u{2011}' => Some('-'),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{tidy, tidy_line};

    #[test]
    fn spaces_and_invisible_characters() {
        assert_eq!(
            tidy("  5.10\u{a0}\u{a0}Кот\u{ad}лованы \t и\r\n\r\n  траншеи \n"),
            "5.10 Котлованы и\nтраншеи"
        );
        assert_eq!(tidy_line(" а\n\u{200b}\tб\u{2011}в "), "а б-в");
        assert_eq!(tidy(" \n \u{feff} "), "");
    }
}
