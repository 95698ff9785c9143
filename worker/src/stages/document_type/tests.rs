use super::*;
use extractor::model::{Block, BlockKind, Page};

fn document(lines: &[&str]) -> Extracted {
    let blocks = lines.iter().map(|line| Block::new(BlockKind::Paragraph, *line)).collect();
    Extracted {
        format: Format::Docx,
        pages: vec![Page { number: 1, blocks, ..Page::default() }],
        page_count: 1,
        properties: BTreeMap::new(),
        warnings: Vec::new(),
    }
}

#[track_caller]
fn check(lines: &[&str], file_name: &str, family: &str, subtype: &str) {
    let decided = document_type(Rules::shipped(), &document(lines), file_name);
    let got = (decided.family.as_str(), decided.subtype.as_str());
    assert_eq!(got, (family, subtype), "{:#?}", decided.reasons);
    assert!((0.0..=1.0).contains(&decided.confidence));
    assert_eq!(
        family == "unknown",
        decided.confidence == 0.0 || decided.reasons.iter().any(|r| r.starts_with("unknown"))
    );
}

#[test]
fn families_from_their_title_pages() {
    check(
        &["СВОД ПРАВИЛ", "СП 999.13330.2031", "КРОВЛИ", "1 Область применения"],
        "a.docx",
        "norms",
        "sp",
    );
    check(
        &["ТЕХНОЛОГИЧЕСКАЯ КАРТА", "Кладка стен", "Состав звена: 2 каменщика"],
        "a.docx",
        "ppr",
        "ttk",
    );
    check(
        &["ЛОКАЛЬНЫЙ СМЕТНЫЙ РАСЧЕТ (СМЕТА) № 02-01-07", "Сметная стоимость"],
        "a.xlsx",
        "smeta",
        "local",
    );
    check(&["Учебное пособие", "Кафедра геодезии"], "a.pdf", "educational", "textbook");
    check(
        &["Общие данные", "Ведомость рабочих чертежей основного комплекта"],
        "a.pdf",
        "rd",
        "drawing",
    );
    check(&["Инструкция по охране труда для каменщика"], "a.pdf", "safety", "");
}

#[test]
fn citing_norms_does_not_make_a_norm() {
    let mut lines = vec!["ПРОЕКТ ПРОИЗВОДСТВА РАБОТ", "Кирпичная кладка", "1 Общие сведения"];
    lines.extend(["Кладку вести по СП 70.13330.2012, СП 15.13330.2020 и ГОСТ 530-2012."; 40]);
    check(&lines, "кладка.docx", "ppr", "ppr");
}

#[test]
fn a_lesson_card_is_no_process_chart() {
    check(
        &["Технологическая карта урока № 4", "Тема урока: углы", "Преподаватель: Кузнецов"],
        "a.docx",
        "educational",
        "manual",
    );
}

#[test]
fn nothing_known_is_unknown() {
    check(&["Привет!", "Встреча переносится на вторник."], "письмецо.txt", "unknown", "");
    check(&[], "scan0001.pdf", "unknown", "");
    check(
        &["СТРОИТЕЛЬНЫЕ НОРМЫ И ПРАВИЛА", "На главную", "Искать все виды документов", "Скачать"],
        "list.html",
        "unknown",
        "",
    );
}

#[test]
fn the_file_name_helps_when_the_text_is_silent() {
    let decided =
        document_type(Rules::shipped(), &document(&["(без текста)"]), "Локальная смета 7.pdf");
    assert_eq!(decided.family, "smeta");
}

#[test]
fn rubern_tags_raise_or_turn_the_decision() {
    let tagged = "\\работа{Кладка стен}\n\\работа{Перемычки}\n\\работа{Перегородки}\n\\работа{Швы}";
    check(&["Заметки", tagged], "a.txt", "ppr", "");
}

#[test]
fn categories_of_the_specification() {
    for (family, expected) in
        [("rd", "construction"), ("smeta", "finance"), ("unknown", "other"), ("hr", "hr")]
    {
        assert_eq!(category(family), expected);
    }
}
