use super::{Composer, Furniture, Layout, Margins};
use crate::model::BlockKind;
use crate::pdf::geometry::Area;
use crate::pdf::layout::Table;
use crate::pdf::lines::{Glyph, lines, tests::typed};

fn centered(text: &str, y: f32) -> Vec<Glyph> {
    typed(text, 297.0 - text.chars().count() as f32 * 2.5, y, 10.0)
}

fn kinds(glyphs: Vec<Glyph>, tables: Vec<Table>) -> Vec<(BlockKind, String)> {
    let layout = Layout { size: (595.0, 842.0), lines: lines(glyphs), tables, ..Layout::default() };
    let mut composer = Composer {
        margins: Some(Margins { left: 50.0, right: 545.0, starts: vec![] }),
        ..Composer::default()
    };
    composer.learn(&layout);
    let page = composer.compose(1, layout, &Furniture::default());
    page.blocks.into_iter().map(|block| (block.kind, block.text)).collect()
}

#[test]
fn contents_end_where_the_body_begins() {
    let mut glyphs = centered("СОДЕРЖАНИЕ", 60.0);
    glyphs.extend(typed("Введение", 50.0, 80.0, 10.0));
    glyphs.extend(typed("1 Область применения ............ 3", 50.0, 92.0, 10.0));
    glyphs.extend(typed("2 Нормативные ссылки", 50.0, 104.0, 10.0));
    glyphs.extend(centered("ВВЕДЕНИЕ", 140.0));
    glyphs.extend(typed("Настоящие нормы введены впервые.", 80.0, 160.0, 10.0));
    let blocks = kinds(glyphs, vec![]);
    let names: Vec<String> = blocks.iter().map(|(kind, _)| format!("{kind:?}")).collect();
    assert_eq!(
        names,
        [
            "Heading { level: 1 }",
            "Contents",
            "Contents",
            "Contents",
            "Heading { level: 1 }",
            "Paragraph"
        ]
    );
    assert_eq!(blocks[2].1, "1 Область применения\t3");
}

#[test]
fn a_table_follows_its_caption() {
    let mut glyphs = typed("4.2.3 Расстояния следует принимать по таблице 3.", 75.0, 100.0, 10.0);
    glyphs.extend(centered("Таблица 3 – Допустимое расстояние", 130.0));
    glyphs.extend(typed("4.2.4 Лестницы следует размещать внутри.", 75.0, 260.0, 10.0));
    let rows = vec![
        vec!["Степень".to_owned(), "Расстоя-\nние".to_owned()],
        vec!["IV".to_owned(), "12".to_owned()],
    ];
    let table =
        Table { area: Area::new(50.0, 150.0, 400.0, 220.0), rows, header_rows: 0, is_stamp: false };
    let blocks = kinds(glyphs, vec![table]);
    assert_eq!(blocks[1].0, BlockKind::Caption);
    let BlockKind::Table(cells) = &blocks[2].0 else { panic!("{blocks:?}") };
    assert_eq!((cells.header_rows, cells.rows[0][1].as_str()), (1, "Расстояние"));
    assert!(blocks[3].1.starts_with("4.2.4"));
}

#[test]
fn small_marked_lines_at_the_bottom_are_footnotes() {
    let mut glyphs = Vec::new();
    for row in 0..10 {
        glyphs.extend(typed(
            "Строка основного текста, достаточно длинная",
            50.0,
            400.0 + row as f32 * 14.0,
            12.0,
        ));
    }
    glyphs.extend(typed("1 Здесь и далее.", 50.0, 780.0, 9.0));
    let blocks = kinds(glyphs, vec![]);
    assert_eq!(blocks.last().unwrap().0, BlockKind::Footnote);
}
