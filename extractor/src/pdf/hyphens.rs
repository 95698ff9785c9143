//! Words parted at the end of a line.

use super::letters::is_letter;
use std::collections::HashSet;

/// What a document shows about its hyphens.
#[derive(Debug, Default)]
pub(crate) struct Hyphens {
    /// Words with a hyphen inside a line.
    compounds: HashSet<String>,
    /// Lines seen, and how many of them end with a letter and a hyphen.
    lines: usize,
    parted: usize,
}

/// Vocabulary beyond this is not kept.
const MAX_WORDS: usize = 200_000;

impl Hyphens {
    /// Learns from a line.
    pub(crate) fn learn(&mut self, line: &str) {
        self.lines += 1;
        if ends_parted(line) {
            self.parted += 1;
        }
        let mut words = line.split(' ').peekable();
        while let Some(word) = words.next() {
            if words.peek().is_some() && word.contains('-') && self.compounds.len() < MAX_WORDS {
                self.compounds.insert(plain(word));
            }
        }
    }

    /// Whether the hyphen between two parts belongs to the word («объемно-планировочный») and is
    /// not the typesetter's.
    pub(crate) fn keeps(&self, left: &str, right: &str) -> bool {
        let left = left.rsplit(' ').next().unwrap_or(left);
        let right = right.split(' ').next().unwrap_or(right);
        if self.compounds.contains(&plain(&format!("{left}{right}"))) {
            return true;
        }
        let stem = left.trim_end_matches(['-', '\u{2010}']).to_lowercase();
        let particle = ["то", "либо", "нибудь", "таки", "ка"];
        let is_particle = particle.contains(&right.trim_end_matches(|c: char| !is_letter(c)));
        if is_particle || ["по", "из", "кое", "во", "в"].contains(&stem.as_str()) {
            return true;
        }
        // Typesetters part words on one line in ten or so. Where hardly any line ends with a
        // hyphen, words are not parted and the hyphen is the author's.
        self.lines >= 40 && self.parted * 50 < self.lines
    }
}

fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// The line ends with a letter and a hyphen.
fn ends_parted(line: &str) -> bool {
    let mut back = line.chars().rev();
    matches!(back.next(), Some('-' | '\u{2010}')) && back.next().is_some_and(is_letter)
}

/// The line ends with a hyphen that is part of a designation or number («3.02-»).
fn ends_open(line: &str) -> bool {
    let mut back = line.chars().rev();
    matches!(back.next(), Some('-' | '\u{2010}')) && back.next().is_some_and(char::is_alphanumeric)
}

/// The lines of a text made one.
pub(crate) fn joined(hyphens: &Hyphens, lines: &str) -> String {
    let mut text = String::new();
    for line in lines.split('\n') {
        let keeps = hyphens.keeps(&text, line);
        append(&mut text, line, keeps);
    }
    text
}

/// Appends a line to a text: a space between them, or a parted word made whole.
pub(crate) fn append(text: &mut String, line: &str, keeps_hyphen: bool) {
    if text.ends_with('\u{ad}') {
        text.pop();
        text.push_str(line);
        return;
    }
    let first = line.chars().next();
    if ends_parted(text) && first.is_some_and(char::is_lowercase) {
        if !keeps_hyphen {
            text.pop();
        }
    } else if ends_open(text) && first.is_some_and(char::is_alphanumeric) {
        // Designations break after their hyphens: «СП РК 3.02-» «108-2013».
    } else if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::{Hyphens, append};

    fn join(hyphens: &Hyphens, left: &str, right: &str) -> String {
        let mut text = left.to_owned();
        append(&mut text, right, hyphens.keeps(left, right));
        text
    }

    #[test]
    fn parted_words_are_joined() {
        let hyphens = Hyphens::default();
        for (left, right, joined) in [
            ("обратной засып-", "кой пазух", "обратной засыпкой пазух"),
            ("засып\u{ad}", "кой", "засыпкой"),
            ("СП 45", "и СП 70", "СП 45 и СП 70"),
            ("тире -", "слово", "тире - слово"),
            ("какой-", "либо грунт", "какой-либо грунт"),
            ("марки ЭО-", "4121", "марки ЭО-4121"),
            ("СП РК 3.02-", "108-2013", "СП РК 3.02-108-2013"),
        ] {
            assert_eq!(join(&hyphens, left, right), joined);
        }
    }

    #[test]
    fn compounds_keep_their_hyphen() {
        let mut hyphens = Hyphens::default();
        hyphens.learn("новые объемно-планировочные решения");
        assert_eq!(join(&hyphens, "объемно-", "планировочные"), "объемно-планировочные");
        assert_eq!(join(&hyphens, "произ-", "водство"), "производство");
        for _ in 0..60 {
            hyphens.learn("строка без переноса в конце");
        }
        assert_eq!(join(&hyphens, "лестнично-", "лифтовый"), "лестнично-лифтовый");
    }
}
