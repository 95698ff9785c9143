//! Rows of specifications and the title block of a drawing.

use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::stages::rubern_markup::Markup;
use crate::works::columns::Columns;
use crate::works::duration::number;
use serde::Serialize;

/// A row of a specification.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SpecificationRow {
    /// As written.
    pub position: String,
    /// Title of the group of rows.
    pub group: Option<String>,
    /// Type, mark or designation of the document.
    pub mark: Option<String>,
    /// Name; lines below it without a position are joined.
    pub name: String,
    /// Unit of measure.
    pub unit: Option<String>,
    /// Amount in that unit.
    pub quantity: Option<f64>,
    /// Mass of one, as written.
    pub mass: Option<String>,
    /// Note.
    pub note: Option<String>,
    /// Page or sheet.
    pub page: u32,
}

/// What the title block of a drawing says; absent fields were not found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TitleBlock {
    /// «12-2025-КЖ».
    pub code: Option<String>,
    /// «Р», «П», «РД».
    pub stage: Option<String>,
    /// Number of the sheet.
    pub sheet: Option<String>,
    /// How many sheets there are.
    pub sheets: Option<String>,
    /// Page on which it was found.
    pub page: u32,
}

/// The rows of all specifications, in document order.
pub(super) fn rows(rules: &Rules, markup: &Markup) -> Vec<SpecificationRow> {
    let mut found: Vec<SpecificationRow> = Vec::new();
    for table in &markup.tables {
        let Some(columns) = Columns::of(rules, table) else { continue };
        if !columns.has("quantity") && !columns.has("mark") {
            continue;
        }
        let mut group: Option<String> = None;
        let first_of_table = found.len();
        for row in table.rows.iter().skip(columns.first_row) {
            let text = |kind: &str| {
                Some(columns.cell(row, kind))
                    .filter(|cell| !matches!(cell.as_str(), "" | "-" | "–"))
            };
            let position = columns.cell(row, "number");
            let filled = row.iter().filter(|cell| !cell.is_empty()).count();
            let name = text("name");
            let quantity = text("quantity").and_then(|cell| number(&cell));
            let goes_on = position.is_empty() && quantity.is_none() && found.len() > first_of_table;
            let is_title = |name: &str| {
                filled == 1
                    && name.chars().next().is_some_and(|c| c.is_ascii_digit() || c.is_uppercase())
            };
            match name {
                Some(name) if position.is_empty() && quantity.is_none() && is_title(&name) => {
                    group = Some(name);
                }
                Some(name) if goes_on => {
                    if let Some(last) = found.last_mut() {
                        last.name = format!("{} {name}", last.name);
                    }
                }
                None if goes_on => {
                    if let (Some(last), Some(mark)) = (found.last_mut(), text("mark")) {
                        last.mark = Some(
                            last.mark
                                .take()
                                .map_or(mark.clone(), |known| format!("{known} {mark}")),
                        );
                    }
                }
                Some(name) => found.push(SpecificationRow {
                    position,
                    group: group.clone(),
                    mark: text("mark"),
                    name,
                    unit: text("unit"),
                    quantity,
                    mass: text("mass"),
                    note: text("note"),
                    page: table.pages[0],
                }),
                None => {}
            }
        }
    }
    found
}

/// The title block: the first page on which a code and a sheet or a stage stand.
pub(super) fn title_block(rules: &Rules, extracted: &Extracted) -> Option<TitleBlock> {
    let topic = rules.topic("works");
    extracted.pages.iter().find_map(|page| {
        let blocks = page.blocks.iter().map(|block| block.text.as_str());
        let text =
            blocks.chain(page.furniture.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
        let field = |id: &str| {
            let found = topic.rule(id).captures(&text)?;
            Some(found.name("value")?.as_str().trim().to_owned())
        };
        let block = TitleBlock {
            code: field("drawing_code"),
            stage: field("drawing_stage"),
            sheet: field("drawing_sheet"),
            sheets: field("drawing_sheets"),
            page: page.number,
        };
        (block.code.is_some() && (block.sheet.is_some() || block.stage.is_some())).then_some(block)
    })
}

#[cfg(test)]
mod tests {
    use super::{rows, title_block};
    use crate::extracted::Extracted;
    use crate::rules::Rules;
    use crate::stages::rubern_markup::Markup;
    use crate::works::columns::tests::table;
    use extractor::model::{Block, BlockKind, Format, Page};

    #[test]
    fn rows_with_groups_and_lines_that_go_on() {
        let specification = table(concat!(
            "Поз.|Обозначение|Наименование|Ед. изм.|Кол.|Примечание\n",
            "||1. Приборы|||\n1|ПР-1|Прибор в корпусе|шт.|4|\n||с крышкой|||\n2|ПР-2|Лампа|шт.|10|запас 2"
        ));
        let markup = Markup { tables: vec![specification], ..Markup::default() };
        let found = rows(Rules::shipped(), &markup);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].name.as_str(), found[0].quantity),
            ("Прибор в корпусе с крышкой", Some(4.0))
        );
        assert_eq!(found[1].group.as_deref(), Some("1. Приборы"));
        assert_eq!(found[1].note.as_deref(), Some("запас 2"));
    }

    #[test]
    fn a_title_block_needs_a_code() {
        let drawing = |text: &str| Extracted {
            format: Format::Dxf,
            pages: vec![Page {
                number: 1,
                blocks: vec![Block::new(BlockKind::Paragraph, text)],
                ..Page::default()
            }],
            page_count: 1,
            properties: Default::default(),
            warnings: Vec::new(),
        };
        let found =
            title_block(Rules::shipped(), &drawing("Шифр: 77-2024-КЖ\nСтадия Р\nЛист 2\nЛистов 9"))
                .unwrap();
        assert_eq!(found.code.as_deref(), Some("77-2024-КЖ"));
        assert_eq!(
            (found.stage.as_deref(), found.sheet.as_deref(), found.sheets.as_deref()),
            (Some("Р"), Some("2"), Some("9"))
        );
        assert_eq!(title_block(Rules::shipped(), &drawing("Лист 2 из отчёта")), None);
    }
}
