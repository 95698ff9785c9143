use super::*;
use extractor::model::{Block, BlockKind, Format, Page};
use shared::structure::{Clause, Section, Table};
use std::collections::BTreeMap;

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

fn read(lines: &[&str], family: &str, file_name: &str) -> Metadata {
    let kind = DocumentType { family: family.to_owned(), ..DocumentType::default() };
    metadata(Rules::shipped(), &document(lines), &Markup::default(), &kind, file_name)
}

fn value<T: Clone>(found: &Option<Found<T>>) -> Option<T> {
    found.as_ref().map(|found| found.value.clone())
}

const NORM: [&str; 12] = [
    "СП 999.13330.2031",
    "СВОД ПРАВИЛ",
    "КРОВЛИ ЗДАНИЙ",
    "Roofs of buildings",
    "Актуализированная редакция",
    "СНиП 9.01.02-88",
    "Дата введения 2031-05-01",
    "Предисловие",
    "1 ИСПОЛНИТЕЛЬ - ООО «Кровельный институт»",
    "2 УТВЕРЖДЕН приказом Минстроя России от 7 марта 2031 г. N 12/пр и введен в действие с 1 мая 2031 г.",
    "3 ВЗАМЕН СП 999.13330.2011, СП 998.13330.2012",
    "5.1 Уклон принимают по п. 4.3 СП 20.13330.2016 и СП 999.13330.",
];

#[test]
fn a_norm_tells_what_it_is_and_what_it_replaces() {
    let metadata = read(&NORM, "norms", "кровли.docx");
    assert_eq!(value(&metadata.designation).as_deref(), Some("СП 999.13330.2031"));
    assert_eq!(metadata.norm_id.as_deref(), Some("СП 999.13330"));
    assert_eq!(metadata.edition.as_deref(), Some("2031"));
    assert_eq!(value(&metadata.title).as_deref(), Some("КРОВЛИ ЗДАНИЙ"));
    assert_eq!(value(&metadata.effective_date).as_deref(), Some("2031-05-01"));
    assert_eq!(value(&metadata.approval_date).as_deref(), Some("2031-03-07"));
    assert_eq!(value(&metadata.organisation).as_deref(), Some("ООО «Кровельный институт»"));
    let replaces: Vec<_> = metadata.replaces.iter().map(|old| old.value.text.as_str()).collect();
    assert_eq!(replaces, ["СНиП 9.01.02-88", "СП 999.13330.2011", "СП 998.13330.2012"]);
    assert!(metadata.status.is_none());
}

#[test]
fn the_own_designation_is_no_reference() {
    let metadata = read(&NORM, "norms", "кровли.docx");
    let cited: Vec<_> = metadata
        .references
        .iter()
        .map(|cited| (cited.text.as_str(), cited.clause.as_deref()))
        .collect();
    assert!(cited.contains(&("СП 20.13330.2016", Some("4.3"))), "{cited:?}");
    assert!(cited.contains(&("СП 999.13330.2011", None)));
    assert!(!cited.iter().any(|(text, _)| *text == "СП 999.13330.2031" || *text == "СП 999.13330"));
}

#[test]
fn references_are_counted_by_edition_and_page() {
    let mut document =
        document(&["Бетон по ГОСТ 26633-2015, ГОСТ 26633.", "См. табл. 2 ГОСТ 26633-2015"]);
    document.pages.push(Page {
        number: 2,
        blocks: vec![Block::new(BlockKind::Paragraph, "ГОСТ 26633\u{2014}2015")],
        ..Page::default()
    });
    let kind = DocumentType::default();
    let metadata = metadata(Rules::shipped(), &document, &Markup::default(), &kind, "а.docx");
    let [edition, bare] = metadata.references.as_slice() else { panic!("{metadata:?}") };
    assert_eq!((edition.text.as_str(), edition.count), ("ГОСТ 26633-2015", 3));
    assert_eq!(
        (edition.pages.as_slice(), edition.clause.as_deref()),
        (&[1, 2][..], Some("табл. 2"))
    );
    assert_eq!((bare.text.as_str(), bare.edition.as_deref()), ("ГОСТ 26633", None));
}

#[test]
fn an_amendment_amends_and_has_its_own_name() {
    let metadata = read(&["Изменение № 2 к СП 999.13330.2031", "КРОВЛИ"], "norms", "а.docx");
    assert_eq!(value(&metadata.designation).as_deref(), Some("Изменение № 2 к СП 999.13330.2031"));
    assert_eq!(metadata.amends[0].value.id, "СП 999.13330");
    assert_eq!(metadata.norm_id, None);
}

#[test]
fn codes_of_papers_that_are_no_norms() {
    let check = |lines: &[&str], family: &str, file_name: &str, expected: Option<&str>| {
        let metadata = read(lines, family, file_name);
        assert_eq!(value(&metadata.designation).as_deref(), expected, "{lines:?}");
    };
    check(
        &["ТЕХНОЛОГИЧЕСКАЯ КАРТА ТК-7-31", "Кладка стен по СП 70.13330.2012"],
        "ppr",
        "а.docx",
        Some("ТК-7-31"),
    );
    check(
        &["Ведомость объемов работ №\t\tВОР-7.31/002-КЖ-0001"],
        "smeta",
        "а.xlsx",
        Some("ВОР-7.31/002-КЖ-0001"),
    );
    check(&["ОБЪЕКТНЫЙ СМЕТНЫЙ РАСЧЕТ (СМЕТА) № ОС-07-31"], "smeta", "а.html", Some("ОС-07-31"));
    check(&["Смета", "07-31"], "smeta", "ОС-07-31 Дорога.gge", Some("ОС-07-31"));
    check(&["KP-P-07-10.31", "План кровли"], "rd", "а.jpg", Some("КР-Р-07-10.31"));
    check(&["Жилой дом", "7-2031-КЖ", "Стадия"], "rd", "а.dxf", Some("7-2031-КЖ"));
    check(
        &["ДОКУМЕНТ О КАЧЕСТВЕ №731/Б", "на кирпич по СТО 1-2"],
        "unknown",
        "а.jpg",
        Some("Документ о качестве № 731/Б"),
    );
    check(&["Технологическая карта урока № 25"], "educational", "урок.docx", None);
    check(&["Заметки о поездке"], "unknown", "заметки.docx", None);
}

#[test]
fn money_is_exact() {
    let metadata = read(
        &["Цена 1 200 000 руб., аванс 12,5 тыс. руб., всего 3,4 млн ₽ и 150 рублей 50 коп."],
        "ppr",
        "а.docx",
    );
    let found: Vec<_> = metadata.finances.iter().map(|money| money.value.hundredths).collect();
    assert_eq!(found, [120_000_000, 1_250_000, 340_000_000, 15_050]);
    assert_eq!(metadata.finances[1].value.text, "12,5 тыс. руб.");
}

#[test]
fn values_come_only_from_where_they_belong() {
    let rows = vec![
        vec!["Наименование".to_owned(), "Цена, руб.".to_owned()],
        vec!["Кирпич М150, поставка 01.02.2031".to_owned(), "500 руб.".to_owned()],
    ];
    let markup = Markup {
        sections: vec![Section {
            title: "Договор № 7/31 от 2 марта 2031 г.".to_owned(),
            ..Section::default()
        }],
        clauses: vec![
            Clause {
                number: "4".to_owned(),
                text: "Срок 03.03.2031".to_owned(),
                ..Clause::default()
            },
            Clause {
                number: "4.1".to_owned(),
                text: "Срок 2031-04-04".to_owned(),
                ..Clause::default()
            },
        ],
        tables: vec![Table { rows: rows.clone(), header_rows: 1, ..Table::default() }],
        ..Markup::default()
    };
    let mut document = document(&["Титул", "1 Общее", "Бетон В25 от 05.05.2031, № 55, 100 руб."]);
    document.pages[0].blocks.push(Block::table(rows, 1));
    let kind = DocumentType { family: "ppr".to_owned(), ..DocumentType::default() };
    let metadata = metadata(Rules::shipped(), &document, &markup, &kind, "а.docx");
    let values =
        |found: &[Found<String>]| found.iter().map(|one| one.value.clone()).collect::<Vec<_>>();
    assert_eq!(values(&metadata.dates), ["2031-03-02", "2031-04-04"]);
    assert_eq!(values(&metadata.numbers), ["7/31"]);
    assert_eq!(metadata.materials.len(), 1);
    assert_eq!(metadata.materials[0].value.grades, ["М150"]);
    let money: Vec<_> = metadata.finances.iter().map(|money| money.value.hundredths).collect();
    assert_eq!(money, [10_000]);
}

#[test]
fn totals_of_an_estimate_take_the_scale_of_their_column() {
    let rows = [
        ["№", "Наименование", "Стоимость, тыс. руб."],
        ["1", "Кладка", "10,5"],
        ["", "Итого по смете", "73,27"],
    ];
    let rows: Vec<Vec<String>> = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
    let markup = Markup {
        tables: vec![Table { rows, header_rows: 1, ..Table::default() }],
        ..Markup::default()
    };
    let kind = DocumentType { family: "smeta".to_owned(), ..DocumentType::default() };
    let metadata = metadata(Rules::shipped(), &document(&["Смета"]), &markup, &kind, "а.xlsx");
    let [total] = metadata.finances.as_slice() else { panic!("{:?}", metadata.finances) };
    assert_eq!((total.value.hundredths, total.value.label.as_str()), (7_327_000, "Итого по смете"));
}

#[test]
fn status_and_relations_when_the_text_says_so() {
    let metadata = read(
        &[
            "Документ: СП 999.13330.2031 «Кровли зданий и сооружений»",
            "Статус документа: действующий. Дата: 01.07.2031 г.",
        ],
        "norms",
        "а.pdf",
    );
    assert_eq!(value(&metadata.status).as_deref(), Some("действующий"));
    assert_eq!(value(&metadata.title).as_deref(), Some("Кровли зданий и сооружений"));
    let metadata = read(
        &[
            "Отчёт",
            "1 Общее",
            "ГОСТ 5781-82 заменён на ГОСТ 34028-2016. СНиП 2.01.07-85 утратил силу. СП 63.13330.2018 (взамен СП 63.13330.2012)",
        ],
        "ppr",
        "а.docx",
    );
    let told: Vec<_> = metadata
        .relations
        .iter()
        .map(|relation| {
            (relation.norm.as_str(), relation.status.as_deref(), relation.replaced_by.as_deref())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ГОСТ 5781", Some("заменён"), Some("ГОСТ 34028")),
            ("СНИП 2.01.07", Some("утратил силу"), None),
        ]
    );
}
