//! Collections of estimate norms (ГЭСН and its kin): tables of norms with the content of the works
//! and the resources.

use super::Content;
use crate::model::{Block, BlockKind};
use crate::tidy::tidy_line;
use crate::xml::Element;

/// Reads the root element `base`.
pub(super) fn content(root: &Element) -> Content {
    let mut content = Content::default();
    for (attribute, key) in [
        ("BaseType", "base_type"),
        ("BaseName", "title"),
        ("PriceLevel", "price_level"),
        ("ProgramName", "software"),
    ] {
        if let Some(value) = root.attribute(attribute).filter(|value| !value.is_empty()) {
            content.properties.insert(key.to_owned(), tidy_line(value));
        }
    }
    let decrees = root.child("Decrees").into_iter().flat_map(Element::elements);
    for decree in decrees.filter_map(|decree| decree.attribute("Name")) {
        content.blocks.push(Block::new(BlockKind::Heading { level: 1 }, tidy_line(decree)));
    }
    for category in root.all("ResourcesDirectory").flat_map(|list| list.all("ResourceCategory")) {
        let prefix = category.attribute("CodePrefix").unwrap_or_default();
        let kind = category.attribute("Type").unwrap_or_default();
        let title = tidy_line(&format!("{prefix} {kind}"));
        heading(2, title, &mut content.blocks);
        section_parts(category, prefix, 3, &mut content.blocks);
    }
    content
}

fn section_parts(parent: &Element, prefix: &str, level: u8, blocks: &mut Vec<Block>) {
    for part in parent.elements() {
        match &*part.name {
            "Section" => {
                let attribute = |name| part.attribute(name).unwrap_or_default();
                let (kind, code) = (attribute("Type"), attribute("Code"));
                let prefix_here = if kind == "Таблица" { prefix } else { "" };
                let title = format!("{kind} {prefix_here} {code}. {}", attribute("Name"));
                heading(level, tidy_line(&title), blocks);
                section_parts(part, prefix, level.saturating_add(1).min(9), blocks);
            }
            "NameGroup" => {
                let begin = part.attribute("BeginName").unwrap_or_default();
                part.all("Work").for_each(|work| norm(work, begin, prefix, level, blocks));
            }
            "Work" => norm(part, "", prefix, level, blocks),
            _ => section_parts(part, prefix, level, blocks),
        }
    }
}

/// One norm: its name, unit, works in order, resources, and the norms of overhead and profit.
fn norm(work: &Element, begin: &str, prefix: &str, level: u8, blocks: &mut Vec<Block>) {
    let attribute =
        |element: &Element, name: &str| tidy_line(element.attribute(name).unwrap_or_default());
    let name = tidy_line(&format!("{begin} {}", attribute(work, "EndName")));
    heading(level, format!("{prefix}{} {name}", attribute(work, "Code")), blocks);
    let unit = attribute(work, "MeasureUnit");
    if !unit.is_empty() {
        blocks.push(Block::new(BlockKind::Paragraph, format!("Измеритель: {unit}")));
    }
    let steps: Vec<String> = work
        .all("Content")
        .flat_map(Element::elements)
        .map(|item| attribute(item, "Text"))
        .filter(|text| !text.is_empty())
        .collect();
    if !steps.is_empty() {
        blocks.push(Block::new(BlockKind::Paragraph, "Состав работ:"));
        let items = (1u32..).zip(steps);
        blocks
            .extend(items.map(|(n, step)| Block::new(BlockKind::ListItem, format!("{n}. {step}"))));
    }
    let mut resources: Vec<Vec<String>> = work
        .all("Resources")
        .flat_map(Element::elements)
        .map(|resource| {
            ["Code", "EndName", "MeasureUnit", "Quantity"]
                .iter()
                .map(|name| attribute(resource, name))
                .collect()
        })
        .collect();
    if !resources.is_empty() {
        let header = ["Код ресурса", "Наименование", "Ед. изм.", "Количество"];
        resources.insert(0, header.map(str::to_owned).to_vec());
        blocks.push(Block::table(resources, 1));
    }
    for reason in work.all("NrSp").flat_map(Element::elements) {
        let (overhead, profit) = (attribute(reason, "Nr"), attribute(reason, "Sp"));
        if !overhead.is_empty() || !profit.is_empty() {
            let text = format!("Накладные расходы: {overhead}; сметная прибыль: {profit}");
            blocks.push(Block::new(BlockKind::Paragraph, text));
        }
    }
}

fn heading(level: u8, title: String, blocks: &mut Vec<Block>) {
    if !title.is_empty() {
        blocks.push(Block::new(BlockKind::Heading { level }, title));
    }
}
