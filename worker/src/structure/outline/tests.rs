use super::outline;
use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::structure::body::{Body, body};
use extractor::model::{Block, BlockKind, Format, Page};
use shared::structure::DocumentType;

/// A line a block: `*` in front sets it bold, `^` centred, `&` makes a line of the block above.
fn read(text: &str) -> Body {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let (Some(rest), Some(last)) = (line.strip_prefix('&'), blocks.last_mut()) {
            last.text = format!("{}\n{rest}", last.text);
            continue;
        }
        let plain = line.trim_start_matches(['*', '^']);
        let marks = &line[..line.len() - plain.len()];
        blocks.push(Block {
            bold: marks.contains('*'),
            centered: marks.contains('^'),
            ..Block::new(BlockKind::Paragraph, plain)
        });
    }
    let extracted = Extracted {
        format: Format::Text,
        pages: vec![Page { number: 1, blocks, ..Page::default() }],
        page_count: 1,
        properties: Default::default(),
        warnings: Vec::new(),
    };
    let kind = DocumentType { family: "norms".to_owned(), ..DocumentType::default() };
    body(&extracted, &outline(Rules::shipped(), &extracted, &kind, true))
}

fn check(text: &str, sections: &[&str], clauses: &[&str]) {
    let body = read(text);
    let found: Vec<&str> = body.sections.iter().map(|section| section.number.as_str()).collect();
    assert_eq!(found, sections, "sections of {text}");
    let found: Vec<&str> = body.clauses.iter().map(|clause| clause.number.as_str()).collect();
    assert_eq!(found, clauses, "clauses of {text}");
}

#[test]
fn a_code_of_rules() {
    check(
        "*Предисловие
         1 ИСПОЛНИТЕЛЬ - институт
         2 УТВЕРЖДЕН приказом
         *1 Область применения
         1.1 Нормы касаются рвов.
         *2 Нормативные ссылки
         ГОСТ 1 Правила
         *3 Рвы
         *3.1 Общие требования
         3.1.1 Рвы роют так:
         - вручную;
         1) лопатой;
         3.1.2 Грунт вывозят.
         ^Приложение А
         ^(обязательное)
         *Нагрузки
         А.1 Нагрузка на бровку.
         *Библиография",
        &["", "1", "2", "3", "3.1", "А", ""],
        &["1.1", "3.1", "3.1.1", "3.1.2", "А.1"],
    );
}

#[test]
fn numbers_that_are_no_clauses() {
    check(
        "1 Область применения
         1.1 Глубина рва по таблице
         &1.5 м от бровки, а также по
         &5.10 настоящего свода правил.
         01.07.2017 введён в действие
         2.3 2.5 2.7
         1.2 Ширина рва.
         п. 5.1 настоящего свода",
        &["1"],
        &["1.1", "1.2"],
    );
}

#[test]
fn contents_open_nothing() {
    check(
        "Содержание
         1 Область применения 3
         1.1 Общее 3
         2 Рвы 4
         1 Область применения
         1.1 Нормы касаются рвов.
         2 Рвы
         2.1 Рвы роют.",
        &["1", "2"],
        &["1.1", "2.1"],
    );
}

#[test]
fn misprints_and_repetitions_are_told() {
    let text = "*1 Рвы\n1.1 Один.\n1.1.1 Два.\n1.1.2 Три.\n7.1.3 Опечатка.\n1.1.4 Пять.\n\
                *1.1 Откосы\nОткосы крепят.\n*1.2 Валы\nВалы трамбуют.";
    check(
        text,
        &["1", "1.1", "1.2"],
        &["1.1", "1.1.1", "1.1.2", "7.1.3", "1.1.4", "1.1 (повтор)", "1.2"],
    );
    assert_eq!(
        read(text).issues,
        ["номер 7.1.3 стоит на месте 1.1.3", "номер 1.1 встречается не один раз"]
    );
}

#[test]
fn an_order_and_the_rules_it_approves() {
    check(
        "^ПРИКАЗ
         1. Утвердить прилагаемые Правила.
         2. Контроль оставить за собой.
         Министр
         И. Иванов
         Утверждены
         приказом министерства
         ^ПРАВИЛА
         ^РЫТЬЯ РВОВ
         ^I. Общие положения
         1. Правила касаются рвов.
         2. Рвы бывают:
         а) сухие;
         ^II. Порядок работ
         3. Работы начинают утром.
         3.1. Работы кончают вечером.
         4. Рвы засыпают.",
        &["", "I", "II"],
        &["приказ, пункт 1", "приказ, пункт 2", "1", "2", "3", "3.1", "4"],
    );
}

#[test]
fn a_law_has_articles_and_parts() {
    check(
        "^Глава 1. ОБЩИЕ ПОЛОЖЕНИЯ
         Статья 1. Предмет закона
         1. Закон касается рвов.
         2. Цель закона ясна.
         Статья 2. Понятия
         1) ров - выемка;
         2) вал - насыпь.
         ^Глава 2. ПОЛНОМОЧИЯ
         ^ОРГАНОВ ВЛАСТИ
         Статья 2.1. Полномочия
         1. Органы следят за рвами.",
        &["Глава 1", "Статья 1", "Статья 2", "Глава 2", "Статья 2.1"],
        &[
            "статья 1",
            "статья 1, часть 1",
            "статья 1, часть 2",
            "статья 2",
            "статья 2.1",
            "статья 2.1, часть 1",
        ],
    );
}

#[test]
fn the_words_of_a_clause() {
    let body = read("*1 Рвы\n1.1 Рвы роют:\n- вручную;\n- машиной.\nГрунт вывозят.\n1.2 Конец.");
    assert_eq!(body.clauses[0].text, "Рвы роют:\n- вручную;\n- машиной.\nГрунт вывозят.");
    let body = read("1 Рвы\n1.1 Рвы роют\n&вручную.\n1.2 Конец.");
    assert_eq!(body.clauses[0].text, "Рвы роют вручную.");
}
