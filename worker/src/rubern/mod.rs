//! Rubern: a plain-text markup of documents, one tag a line (spec: pipeline.md, stage 7).
//!
//! ```text
//! \раздел{5 Водопонижение}
//! \норма{5.10 Котлованы осушают …}
//! \работа{Монтаж колонн}
//! \зависимость{Монтаж колонн -> Монтаж ферм}
//! ```
//! The writer and the parser are inverse. In an argument `}` is written `\}`, a backslash `\\`, a
//! line break `\n` and, in the name of a work, `->` is written `-\>`. Other lines are text; a text
//! that starts with a backslash is written with two.

mod parse;
mod write;
mod document;

pub use document::tags;
pub use parse::parse;
pub use write::write;

/// A line of Rubern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// A heading with its number.
    Section(String),
    /// A work.
    Work(String),
    /// The first comes before the second.
    Dependency(String, String),
    /// A clause of this document, or a cited norm.
    Norm(String),
    /// An example or a task.
    Example(String),
    /// A line without a tag; never empty, without line breaks.
    Text(String),
}

/// The language of the tags' names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// `\раздел`, `\работа`, …
    #[default]
    Russian,
    /// `\section`, `\work`, …
    English,
}

/// The names of a tag in Russian and English.
const SECTION: [&str; 2] = ["раздел", "section"];
const WORK: [&str; 2] = ["работа", "work"];
const DEPENDENCY: [&str; 2] = ["зависимость", "dependency"];
const NORM: [&str; 2] = ["норма", "norm"];
const EXAMPLE: [&str; 2] = ["пример", "example"];

#[cfg(test)]
mod tests {
    use super::{Language, Tag, parse, write};
    use proptest::prelude::*;

    #[test]
    fn reads_both_languages() {
        let text = "\\раздел{1 Область}\n\\work{Монтаж}\n\\зависимость{А -> Б}\nПросто текст";
        let tags = [
            Tag::Section("1 Область".to_owned()),
            Tag::Work("Монтаж".to_owned()),
            Tag::Dependency("А".to_owned(), "Б".to_owned()),
            Tag::Text("Просто текст".to_owned()),
        ];
        assert_eq!(parse(text), tags);
    }

    #[test]
    fn what_is_no_tag_is_text() {
        for text in ["\\раздел{без конца", "\\неизвестно{а}", "\\зависимость{А Б}", "a\\раздел{1}"]
        {
            assert_eq!(parse(text), [Tag::Text(text.to_owned())], "{text}");
        }
    }

    #[test]
    fn brackets_and_arrows_are_escaped() {
        let tags = [
            Tag::Norm("5.1 Множество {x} и \\ знак\nвторая строка".to_owned()),
            Tag::Dependency("А -> Б".to_owned(), "В".to_owned()),
            Tag::Text("\\раздел{1}".to_owned()),
        ];
        let text = write(&tags, Language::Russian);
        assert_eq!(text.lines().count(), 3);
        assert!(text.contains("{x\\}"));
        assert_eq!(parse(&text), tags);
    }

    fn tag() -> impl Strategy<Value = Tag> {
        let words = || "[ -~а-я\\\\{}>\n\r\t-]{0,20}";
        prop_oneof![
            words().prop_map(Tag::Section),
            words().prop_map(Tag::Work),
            (words(), words()).prop_map(|(from, to)| Tag::Dependency(from, to)),
            words().prop_map(Tag::Norm),
            words().prop_map(Tag::Example),
            "[ -~а-я\\\\{}]{1,20}".prop_map(Tag::Text),
        ]
    }

    proptest! {
        #[test]
        fn writer_and_parser_are_inverse(
            tags in prop::collection::vec(tag(), 0..8),
            english in any::<bool>(),
        ) {
            let language = if english { Language::English } else { Language::Russian };
            prop_assert_eq!(parse(&write(&tags, language)), tags);
        }

        #[test]
        fn any_text_is_read(text in "\\PC{0,60}") {
            let _ = parse(&text);
        }
    }
}
