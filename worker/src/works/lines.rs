//! The text of a document line by line, with the place of each line.

use crate::rules::Rule;
use crate::structure::body::{List, Part};
use shared::structure::{Clause, PageRange, Section};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A heading.
    Heading,
    /// The first line of a clause.
    Clause,
    /// An item of a list.
    Item,
    /// Running text.
    Text,
}

/// A line of the body.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// As written, without the number of a clause.
    pub text: &'a str,
    /// Number of the clause or of the heading; empty for other text.
    pub number: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Index into the sections.
    pub section: Option<usize>,
    /// First and last page.
    pub pages: PageRange,
    /// Index into the parts of the body.
    pub part: usize,
}

/// The lists of stage 7 that hold the text of a document.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are those of stage 7")]
pub struct Texts<'a> {
    pub sections: &'a [Section],
    pub clauses: &'a [Clause],
    pub lists: &'a [List],
    pub parts: &'a [Part],
}

impl<'a> Texts<'a> {
    /// All lines in reading order, without tables. `marker` tells items inside clauses.
    pub fn lines(&self, marker: &Rule) -> Vec<Line<'a>> {
        let mut lines: Vec<Line<'a>> = Vec::new();
        let rest = |text: &str| if marker.is_match(text) { Kind::Item } else { Kind::Text };
        for (part, content) in self.parts.iter().enumerate() {
            match content {
                Part::Section(index) => {
                    let Some(section) = self.sections.get(*index) else { continue };
                    lines.push(Line {
                        text: &section.title,
                        number: &section.number,
                        kind: Kind::Heading,
                        section: Some(*index),
                        pages: [section.pages[0], section.pages[0]],
                        part,
                    });
                }
                Part::Clause(index) => {
                    let Some(clause) = self.clauses.get(*index) else { continue };
                    let heading = lines
                        .last()
                        .is_some_and(|line| line.kind == Kind::Heading && line.text == clause.text);
                    if heading {
                        continue;
                    }
                    for (place, text) in clause.text.lines().enumerate() {
                        let first = place == 0;
                        let kind = if first { Kind::Clause } else { rest(text) };
                        let number = if first { clause.number.as_str() } else { "" };
                        lines.push(Line {
                            text,
                            number,
                            kind,
                            section: clause.section,
                            pages: clause.pages,
                            part,
                        });
                    }
                }
                Part::List(index) => {
                    let Some(list) = self.lists.get(*index) else { continue };
                    let line = |text, kind| Line {
                        text,
                        number: "",
                        kind,
                        section: list.section,
                        pages: list.pages,
                        part,
                    };
                    if !list.lead.is_empty() {
                        lines.push(line(&list.lead, Kind::Text));
                    }
                    lines.extend(list.items.iter().map(|item| line(item, Kind::Item)));
                }
                Part::Passage(passage) => {
                    lines.extend(passage.text.lines().map(|text| Line {
                        text,
                        number: "",
                        kind: rest(text),
                        section: passage.section,
                        pages: passage.pages,
                        part,
                    }));
                }
                Part::Table(_) => {}
            }
        }
        lines
    }
}

/// The sentences of a line. A stop ends one only before a capital letter and after a word longer
/// than an abbreviation.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    for (place, &(offset, character)) in letters.iter().enumerate() {
        if !matches!(character, '.' | '!' | '?') {
            continue;
        }
        let after: Vec<char> = letters.iter().skip(place + 1).take(2).map(|&(_, c)| c).collect();
        let capital = matches!(after.as_slice(), [space, next] if space.is_whitespace() && (next.is_uppercase() || *next == '«'));
        let word = letters[..place].iter().rev().take_while(|(_, c)| c.is_alphanumeric()).count();
        let digits = letters[..place].last().is_some_and(|(_, c)| c.is_ascii_digit());
        if capital && (word > 2 || digits || word == 0) {
            let end = offset + character.len_utf8();
            sentences.push(text[start..end].trim());
            start = end;
        }
    }
    sentences.push(text[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[test]
    fn sentences_end_at_stops_before_capitals() {
        assert_eq!(
            sentences("Этап 1. Рытьё рва. Продолжительность 5 дней."),
            ["Этап 1.", "Рытьё рва.", "Продолжительность 5 дней."]
        );
        assert_eq!(
            sentences("Согласно рис. А и т. Б глубина 1.5 м"),
            ["Согласно рис.", "А и т. Б глубина 1.5 м"]
        );
        assert_eq!(sentences(""), Vec::<&str>::new());
    }
}
