//! Headings: how they look and where they stand in the tree.

use super::StructureRules;
use super::line::{ClauseStart, Line, Shape, is_capitals};
use super::number::{leading_number, roman};
use super::rules::is_one_of;

/// A heading as read from its lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heading {
    /// «5», «4.2», «А», «I», «Глава 2», «Статья 1»; empty when it has no number.
    pub number: String,
    /// Without the number; lines of a long heading joined by spaces.
    pub title: String,
    /// As written, lines joined by spaces.
    pub written: String,
    /// The smaller, the higher in the tree.
    pub rank: i32,
    /// It ends every section above it, whatever its rank («Библиография», an appendix).
    pub top: bool,
    /// The clause that it opens, for a dotted number or an article.
    pub clause: Option<ClauseStart>,
    /// What kind of heading it is.
    pub form: Form,
}

/// The kinds of headings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// «5 Водопонижение», «4.2 Общие требования».
    #[default]
    Numbered,
    /// «Приложение А».
    Appendix,
    /// «Глава 2», «Раздел 3», «Часть 1», «§ 4».
    Chapter,
    /// «Статья 12».
    Article,
    /// «II. Оформление».
    Roman,
    /// Words only.
    Titled,
}

/// Rank of headings with arabic numbers: plus the depth of the number.
pub(super) const NUMBERED: i32 = 10;
/// Rank of headings without number among numbered ones.
pub(super) const SUBHEADING: i32 = 30;
/// Headings are no longer than this, in characters.
pub(super) const MAX_TITLE: usize = 400;

/// «Приложение А (обязательное)».
pub(super) fn appendix(rules: &StructureRules, line: &Line) -> Option<Heading> {
    let found = rules.appendix.captures(&line.text)?;
    let number = found.name("number").map_or("", |part| part.as_str());
    let titled = ["title", "title2", "title3"].iter().find_map(|name| found.name(name));
    if found.name("title3").is_some() && !line.looks_like_heading() {
        return None;
    }
    let number = match number.chars().next() {
        Some(letter) if letter.is_alphabetic() => cyrillic(letter).to_string(),
        Some(_) => format!("Приложение {number}"),
        None => "Приложение".to_owned(),
    };
    Some(Heading {
        number,
        title: titled.map_or("", |part| part.as_str()).trim().to_owned(),
        written: line.text.clone(),
        rank: 0,
        top: true,
        form: Form::Appendix,
        ..Heading::default()
    })
}

/// «Глава 2. …», «Раздел 3», «Статья 12. …».
pub(super) fn chapter(rules: &StructureRules, line: &Line) -> Option<Heading> {
    if !line.first {
        return None;
    }
    if let Some(found) = rules.article.captures(&line.text) {
        let title = found.name("title").or(found.name("title2"));
        return Some(Heading {
            number: format!("Статья {}", &found["number"]),
            title: title.map_or("", |part| part.as_str()).trim().to_owned(),
            written: line.text.clone(),
            rank: 5,
            form: Form::Article,
            ..Heading::default()
        });
    }
    let found = rules.chapter.captures(&line.text)?;
    let title = found.name("title").or(found.name("title2")).map_or("", |part| part.as_str());
    if !(title.is_empty() || is_title(title.trim_end_matches(','))) {
        return None;
    }
    let word = found["word"].to_lowercase();
    let rank = match word.as_str() {
        "часть" => 1,
        "раздел" => 2,
        "глава" => 3,
        _ => 4,
    };
    let mut letters = word.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    Some(Heading {
        number: format!("{capital}{} {}", letters.as_str(), &found["number"]),
        title: title.trim().to_owned(),
        written: line.text.clone(),
        rank,
        form: Form::Chapter,
        ..Heading::default()
    })
}

/// «II. Оформление»: the numeral must continue those before it.
pub(super) fn roman_section(
    rules: &StructureRules,
    line: &Line,
    last: Option<u32>,
) -> Option<(Heading, u32)> {
    let found = rules.roman.captures(&line.text)?;
    let value = roman(&found["number"])?;
    let expected = last.map_or(1, |last| last.saturating_add(1));
    let marked = line.looks_like_heading() || found.name("dot").is_some();
    if !(line.first && marked && is_title(&found["title"]) && (value == expected || value == 1)) {
        return None;
    }
    let number = found["number"].replace('І', "I").replace('Х', "X").replace('С', "C");
    let heading = Heading {
        number,
        title: found["title"].trim().to_owned(),
        written: line.text.clone(),
        rank: 6,
        form: Form::Roman,
        ..Heading::default()
    };
    Some((heading, value))
}

/// A heading of words only. `numbered` tells that the document numbers its sections, `started`
/// that the title page is over.
pub(super) fn titled(
    rules: &StructureRules,
    line: &Line,
    numbered: bool,
    started: bool,
) -> Option<Heading> {
    let capital = line.first && line.text.starts_with(char::is_uppercase);
    let top = capital && is_one_of(rules.top_titles, &line.text);
    let known = capital && is_one_of(rules.titles, &line.text) && line.looks_like_heading();
    let by_format = match line.shape {
        Shape::Heading(level) => is_title(&line.text) && (started || level > 0),
        _ => false,
    };
    let by_look = (started || !numbered) && line.first && is_set_as_heading(line);
    if !(top || known || by_format || by_look) {
        return None;
    }
    let rank = match line.shape {
        _ if top => NUMBERED + 1,
        Shape::Heading(level) if level > 0 => NUMBERED + i32::from(level),
        _ if numbered => SUBHEADING,
        _ => NUMBERED + 1,
    };
    Some(Heading {
        title: line.text.trim_end_matches([':', '.']).to_owned(),
        written: line.text.clone(),
        rank,
        top,
        form: Form::Titled,
        ..Heading::default()
    })
}

/// Bold, or centred capitals, and worded like a title.
fn is_set_as_heading(line: &Line) -> bool {
    let text = line.text.as_str();
    let letters = text.chars().filter(|sign| sign.is_alphabetic()).count();
    let starts_well = text.starts_with(|sign: char| sign.is_uppercase() || "«\"".contains(sign));
    let formula = text.contains(['=', '_', '@', '[', ']', '\t']);
    let set = line.bold || (line.centered && is_capitals(text));
    let note = text.to_lowercase().starts_with("примечани");
    set && letters >= 4
        && starts_well
        && !formula
        && !note
        && text.chars().count() <= 150
        && is_title(text)
        && leading_number(text).is_none()
}

/// Whether the words can be a title: not too long, not the start or the end of a sentence.
pub(super) fn is_title(text: &str) -> bool {
    let text = text.trim();
    let length = text.chars().count();
    let letters = text.chars().filter(|sign| sign.is_alphabetic()).count();
    let sentence = text.ends_with([';', ':', ',']) || (length > 120 && text.ends_with('.'));
    letters >= 2 && length <= MAX_TITLE && !sentence && !(length > 80 && has_two_sentences(text))
}

/// A full stop after a word of four letters or more and a capital after it («ред. От» is none).
fn has_two_sentences(text: &str) -> bool {
    text.match_indices(". ").any(|(place, _)| {
        let before = text.get(..place).unwrap_or_default();
        let after = text.get(place + 2..).unwrap_or_default();
        let word = before.chars().rev().take_while(|sign| sign.is_lowercase()).count();
        word >= 4 && after.starts_with(char::is_uppercase)
    })
}

/// The Cyrillic letter for a Latin one that looks like it: «A.1» is typed for «А.1».
pub(super) fn cyrillic(letter: char) -> char {
    match letter {
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
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{appendix, chapter, is_title, roman_section, titled};
    use crate::rules::Rules;
    use crate::structure::StructureRules;
    use crate::structure::line::Line;

    fn line(text: &str) -> Line {
        Line { text: text.to_owned(), first: true, ..Line::default() }
    }

    #[test]
    fn numbers_of_headings() {
        let rules = StructureRules::of(Rules::shipped());
        let number = |text: &str| chapter(&rules, &line(text)).map(|heading| heading.number);
        assert_eq!(number("ГЛАВА 2. ОБЩИЕ ПОЛОЖЕНИЯ").as_deref(), Some("Глава 2"));
        assert_eq!(number("Раздел II").as_deref(), Some("Раздел II"));
        assert_eq!(number("Статья 6.1. Передача полномочий").as_deref(), Some("Статья 6.1"));
        assert_eq!(number("раздел 1 «Пояснительная записка»;"), None);
        let number = |text: &str| appendix(&rules, &line(text)).map(|heading| heading.number);
        assert_eq!(number("Приложение A (справочное)").as_deref(), Some("А"));
        assert_eq!(number("Приложение № 2").as_deref(), Some("Приложение 2"));
        assert_eq!(number("Приложение А содержит нагрузки"), None);
    }

    #[test]
    fn roman_numbers_run_on() {
        let rules = StructureRules::of(Rules::shipped());
        assert!(roman_section(&rules, &line("II. Состав разделов"), Some(1)).is_some());
        assert!(roman_section(&rules, &line("V. Состав разделов"), Some(1)).is_none());
        assert!(roman_section(&rules, &line("II степени огнестойкости"), Some(1)).is_none());
    }

    #[test]
    fn titles_and_sentences() {
        assert!(is_title("Область применения"));
        assert!(!is_title("Работы выполняют в следующей последовательности:"));
        let dated = "Состав разделов проектной документации на линейные объекты и требования к их \
                     содержанию (в ред. Постановления Правительства РФ от 27.05.2022 N 963)";
        assert!(is_title(dated));
        let sentences = "Первая сторона выполняет работы в срок. Вторая сторона принимает и \
                         оплачивает работы по акту";
        assert!(!is_title(sentences));
        let rules = StructureRules::of(Rules::shipped());
        assert!(titled(&rules, &line("Введение"), true, false).is_some());
        assert!(titled(&rules, &line("введение;"), true, true).is_none(), "an item of a list");
        assert!(titled(&rules, &line("Обычный абзац"), true, true).is_none());
        let bold = Line { bold: true, ..line("Порядок работ") };
        assert!(titled(&rules, &bold, true, true).is_some());
        assert!(titled(&rules, &bold, true, false).is_none(), "the title page");
    }
}
