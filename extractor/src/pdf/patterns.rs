//! How lines of documents begin and look: the few patterns that layout needs.

use regex::Regex;
use std::sync::LazyLock;

#[expect(clippy::disallowed_methods, reason = "patterns of layout, built once, tested below")]
fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns of this file are constants, and a test builds them all")
}

/// A clause number, «4.2.1», «4.2.1.» or «А.1.2», and the text after it.
static CLAUSE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:[А-ЯA-Z]\.)?\d{1,3}(?:\.\d{1,3}){1,6}\.?\*?\s+\S"));
/// A section number: «4 Общие положения», «2. НОРМАТИВНЫЕ ССЫЛКИ», «IV. Требования».
static SECTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\d{1,2}|[IVX]{1,5})\.?\s+[«\(]?[А-ЯЁӘІҢҒҮҰҚӨҺA-Z][А-ЯЁӘІҢҒҮҰҚӨҺA-Zа-яёәіңғүұқөһa-z]",
    )
});
/// «Раздел 1», «Глава IV», «Приложение А».
static PART: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:(?i:раздел|глава|часть|подраздел|статья|appendix|annex|chapter|section|қосымша|бөлім|тарау)\s+(?:[А-ЯЁA-Z]|[IVXLC]+|\d{1,3})\b|(?i:приложение)\s+(?:[А-ЯЁA-Z]|\d{1,3})(?:\s|$|\.|,|\())",
    )
});
static LIST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-–—−•·∙‣⁃*\x{25a0}-\x{25ff}\x{2700}-\x{27bf}]\s*\S|[а-яёa-z]\)\s*\S|\d{1,3}\)\s*\S|[а-я]\.\s+\S)",
    )
});
static CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?i:таблица|рисунок|рис\.|табл\.|table|figure|fig\.|кесте|сурет|схема|чертеж|чертёж|форма)\s*№?\s*(?:[А-ЯA-Z]\.?\s?)?\d{1,3}(?:[.\-]\d{1,3})*\s*(?:[-–—.:]|$|\(|(?:\s[А-ЯЁ]))",
    )
});
static CONTINUED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?i:продолжение|окончание|конец)\s+(?i:таблиц|табл\.|приложени|рисунк)")
});
static LEADER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(.*?\S)\s*(?:\.\s?){4,}\s*(\d{1,4}|[IVXLC]{1,6})?\s*$|^(.*?\S)\s*…{2,}\s*(\d{1,4})?\s*$",
    )
});
static CONTENTS_TITLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?i:содержание|оглавление|мазмұны|contents|table of contents)$"));
static PAGE_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-–—]\s?)?(?:(?i:стр\.?|страница|лист|с\.|page|p\.)\s?)?(\d{1,4})(?:\s?[-–—])?(?:\s?(?:из|of|/)\s?\d{1,4})?$",
    )
});
static ROMAN_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[IVXLivxl]{1,6}$"));
static NOTE_MARK: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\*{1,3}\)?|\d{1,2}\)?|[¹²³⁴⁵⁶⁷⁸⁹]+\)?)\s*[А-ЯЁA-Zа-яё«]"));
/// Titles of parts that carry no number.
static NAMED_PART: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?i:введение|предисловие|содержание|оглавление|библиография|заключение|аннотация|список литературы|термины и определения|нормативные ссылки|область применения|кіріспе|мазмұны)\.?$",
    )
});

/// Starts with a clause number of at least two levels.
pub(crate) fn starts_clause(text: &str) -> bool {
    CLAUSE.is_match(text)
}

/// Starts with the number of a section or clause, or names a part.
pub(crate) fn starts_section(text: &str) -> bool {
    starts_clause(text) || SECTION.is_match(text) || PART.is_match(text)
}

/// «Раздел 1», «Приложение А».
pub(crate) fn starts_part(text: &str) -> bool {
    PART.is_match(text)
}

/// Starts with a list marker.
pub(crate) fn starts_item(text: &str) -> bool {
    LIST.is_match(text)
}

/// Is the caption of a table or figure, or says that one is continued.
pub(crate) fn starts_caption(text: &str) -> bool {
    CAPTION.is_match(text) || CONTINUED.is_match(text)
}

/// The entry of a table of contents with leader dots: its text and page number.
pub(crate) fn leader(text: &str) -> Option<(&str, Option<&str>)> {
    let found = LEADER.captures(text)?;
    let entry = found.get(1).or(found.get(3))?.as_str();
    let page = found.get(2).or(found.get(4)).map(|page| page.as_str());
    Some((entry.trim_end_matches(['.', ' ', '…']), page))
}

/// The title of a table of contents.
pub(crate) fn is_contents_title(text: &str) -> bool {
    CONTENTS_TITLE.is_match(text.trim_end_matches(['.', ':']))
}

/// A title of a part without a number.
pub(crate) fn is_named_part(text: &str) -> bool {
    NAMED_PART.is_match(text)
}

/// A line that is a page number: the number, or `None` inside for Roman ones.
pub(crate) fn page_number(text: &str) -> Option<Option<u32>> {
    if let Some(found) = PAGE_NUMBER.captures(text) {
        return Some(found.get(1).and_then(|number| number.as_str().parse().ok()));
    }
    ROMAN_NUMBER.is_match(text).then_some(None)
}

/// Starts like a footnote: an asterisk or a small number.
pub(crate) fn starts_note(text: &str) -> bool {
    NOTE_MARK.is_match(text)
}

/// The number of levels of the number a heading starts with: 2 for «4.2 Цели».
pub(crate) fn depth(text: &str) -> Option<u8> {
    let number = text.split(' ').next()?.trim_end_matches(['.', '*']);
    if number.is_empty() {
        return None;
    }
    let mut levels = 0_u8;
    for (index, part) in number.split('.').enumerate() {
        let digits =
            !part.is_empty() && part.len() <= 3 && part.chars().all(|c| c.is_ascii_digit());
        let letter =
            index == 0 && part.chars().count() == 1 && part.chars().all(char::is_uppercase);
        let roman = index == 0 && part.chars().all(|c| matches!(c, 'I' | 'V' | 'X'));
        if !(digits || letter || roman) {
            return None;
        }
        levels = levels.saturating_add(1);
    }
    Some(levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_clauses_and_sections() {
        for text in ["4.2.1 Основание", "1.2. Лист", "А.1.2 Методика", "3.10 Забой (working face)"]
        {
            assert!(starts_clause(text), "{text}");
        }
        for text in
            ["4 ЦЕЛИ", "2. Нормативные ссылки", "Приложение А", "Раздел 1. Основы", "IV. Общее"]
        {
            assert!(starts_section(text) && !starts_clause(text), "{text}");
        }
        for text in ["12 кПа", "СП 45.13330", "4.2.1", "0,25 м", "Приложением А", "3 м × 8 м"]
        {
            assert!(!starts_section(text), "{text}");
        }
    }

    #[test]
    fn captions_are_told_from_sentences() {
        for text in [
            "Таблица 3 – Допустимое",
            "Рисунок А.1 - Схема",
            "Таблица 5",
            "Рис. 1.1. Методы",
            "Продолжение таблицы 7",
        ] {
            assert!(starts_caption(text), "{text}");
        }
        for text in ["Таблица 3 показывает", "Рисунок показан", "Таблицы 3 и 4"]
        {
            assert!(!starts_caption(text), "{text}");
        }
    }

    #[test]
    fn lists_notes_leaders_and_page_numbers() {
        for text in ["- песок", "• щебень", "а) глина", "1) уплотнение"]
        {
            assert!(starts_item(text), "{text}");
        }
        assert!(!starts_item("-5 градусов ниже".trim_start_matches('-')));
        assert_eq!(leader("4.1 Цели ........ 12"), Some(("4.1 Цели", Some("12"))));
        assert_eq!(leader("Введение. . . . . . 3"), Some(("Введение", Some("3"))));
        assert_eq!(leader("и т.д."), None);
        assert_eq!(page_number("- 12 -"), Some(Some(12)));
        assert_eq!(page_number("Страница 3 из 40"), Some(Some(3)));
        assert_eq!(page_number("IV"), Some(None));
        assert_eq!(page_number("12 м"), None);
        assert!(starts_note("* заряд") && starts_note("1 Здесь") && !starts_note("10 %"));
        assert!(is_contents_title("СОДЕРЖАНИЕ") && is_named_part("Введение"));
        assert!(starts_caption("Окончание таблицы 2"));
        assert!(starts_part("ПРИЛОЖЕНИЕ Б"));
    }

    #[test]
    fn depth_counts_levels() {
        for (text, levels) in [
            ("4 Цели", Some(1)),
            ("4.2.1 Основание", Some(3)),
            ("А.1 Методика", Some(2)),
            ("2. Ссылки", Some(1)),
            ("IV. Общее", Some(1)),
            ("Введение", None),
            ("СП 45", None),
        ] {
            assert_eq!(depth(text), levels, "{text}");
        }
    }
}
