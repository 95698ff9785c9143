//! State estimates (`.gge`): bills of quantities, local, object and summary estimates, laid out
//! like their printed forms.

use super::labels::{document, label};
use super::records::{Files, Records, is_list, is_record, is_section, value};
use super::{Content, is_leaf};
use crate::model::{Block, BlockKind};
use crate::tidy::tidy_line;
use crate::xml::Element;

/// Reads the root element `Construction`.
pub(super) fn content(root: &Element) -> Content {
    let mut content = Content::default();
    let object = root.child("Object").unwrap_or(root);
    let meta = root.child("Meta");
    let of_meta = |part: &str, name: &str| meta.and_then(|m| m.child(part))?.child_text(name);
    let stated = of_meta("File", "Type").unwrap_or_default();
    let schema = root.attribute("noNamespaceSchemaLocation").unwrap_or_default();
    let (title, letters) = document(schema, &stated);
    let number = object.child_text("Num").or_else(|| root.child_text("Num")).map(|number| {
        let bare = number.starts_with(|first: char| first.is_ascii_digit());
        if bare { format!("{letters}{number}") } else { number }
    });

    let site = root.child_text("ConstructionSite").or_else(|| root.child_text("Name"));
    let object_name = root.child_text("ObjectName").or_else(|| object.child_text("Name"));
    let in_thousands = matches!(letters, "ОС-" | "ССРСС-");
    let total = object.child("Summary").and_then(|summary| summary.child_text("Total"));
    let total = total.map(|total| if in_thousands { format!("{total} тыс. руб.") } else { total });
    let software = [of_meta("Soft", "Name"), of_meta("Soft", "Version")];
    let software: Vec<String> = software.into_iter().flatten().collect();
    let heading = match &number {
        Some(number) => format!("{title} № {number}"),
        None => title.clone(),
    };
    content.blocks.push(Block::new(BlockKind::Heading { level: 1 }, heading));
    let fields = [
        ("document_type", "", Some(title)),
        ("estimate_number", "", number),
        ("construction", "Наименование стройки", site),
        ("object", "Наименование объекта капитального строительства", object_name),
        ("reason", "Основание", object.child_text("Reason")),
        ("date", "Дата составления", date(object).or_else(|| date(root))),
        ("approved", "Дата утверждения", object.child_text("Approved")),
        ("price_level", "Составлен в ценах по состоянию на", price_level(object)),
        ("total", "Сметная стоимость", total),
        ("region", "Регион", object.child_text("Region")),
        ("software", "", Some(software.join(" ")).filter(|text| !text.is_empty())),
    ];
    for (key, label, value) in fields {
        let Some(value) = value else { continue };
        if !label.is_empty() {
            content.blocks.push(line(label, &value));
        }
        content.properties.insert(key.to_owned(), value);
    }

    let files = files(root);
    let mut records = Records::default();
    walk(root, 2, &files, &mut records, &mut content.blocks);
    content.blocks.extend(records.take());
    content.blocks.extend(totals(object));
    content
        .blocks
        .extend(signatures(root.child("Signatures").or_else(|| object.child("Signatures"))));
    let names = files.into_values().collect::<std::collections::BTreeSet<_>>();
    content.blocks.extend(names.iter().map(|name| line("Файл", name)));
    content
}

/// Characters of the name of an attached file; systems allow 255.
const MAX_NAME: usize = 255;

/// Header fields that were read already, and parts with readers of their own.
const KNOWN: [&str; 22] = [
    "Meta",
    "Signatures",
    "Files",
    "Summary",
    "Details",
    "Num",
    "Name",
    "ConstructionSite",
    "ObjectName",
    "Reason",
    "ReasonLink",
    "Date",
    "ExportDateTime",
    "PriceLevel",
    "Created",
    "Approved",
    "Region",
    "AccessLevel",
    "PricePerUnit",
    "QuantityUnit",
    "Link",
    "Total",
];

/// Goes through sections in order; positions between headings gather into one table.
fn walk(
    element: &Element,
    level: u8,
    files: &Files,
    records: &mut Records,
    blocks: &mut Vec<Block>,
) {
    for child in element.elements() {
        let name = &*child.name;
        if KNOWN.contains(&name) || name.starts_with("SubSummary") {
            continue;
        }
        if is_section(child) && name != "Object" {
            blocks.extend(records.take());
            let title = match (
                child.child_text("Num").or_else(|| child.child_text("Code")),
                child.child_text("Name"),
            ) {
                (Some(number), Some(title)) => format!("Раздел {number}. {title}"),
                (Some(number), None) => format!("Раздел {number}"),
                (None, title) => title.unwrap_or_else(|| "Раздел".to_owned()),
            };
            blocks.push(Block::new(BlockKind::Heading { level }, title));
            walk(child, level.saturating_add(1).min(9), files, records, blocks);
            blocks.extend(records.take());
            if let Some(total) = child.child("Summary").and_then(|s| s.child_text("Total")) {
                blocks.push(line("Итого по разделу", &total));
            }
        } else if is_leaf(child) {
            let text = tidy_line(&child.text());
            // A bare zero is a field that the program filled in for nobody.
            if !text.is_empty() && text.parse() != Ok(0.0) {
                blocks.extend(records.take());
                blocks.push(line(label(name).unwrap_or(name), &text));
            }
        } else if is_record(child) && name != "Object" && name != "Estimate" {
            records.add(child, None, files);
        } else if is_list(child) && !child.elements().any(is_section) {
            child.elements().for_each(|record| records.add(record, None, files));
        } else {
            walk(child, level, files, records, blocks);
        }
    }
}

fn line(label: &str, value: &str) -> Block {
    Block::new(BlockKind::Paragraph, format!("{label}: {value}"))
}

/// «01.02.2025» from year, month and day, or the date as the file writes it.
fn date(element: &Element) -> Option<String> {
    if let Some(date) = element.child("Date") {
        let part = |name| date.child_text(name);
        return match (part("Day"), part("Month"), part("Year")) {
            (Some(day), Some(month), Some(year)) => Some(format!("{day:0>2}.{month:0>2}.{year}")),
            _ => Some(value(date)).filter(|date| !date.is_empty()),
        };
    }
    let created = element.child_text("Created")?;
    let parts: Vec<&str> = created.split('-').collect();
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => Some(format!("{day}.{month}.{year}")),
        _ => Some(created),
    }
}

/// «I квартал 2000».
fn price_level(element: &Element) -> Option<String> {
    let level = element.child("PriceLevel")?;
    let year = level.child_text("Year")?;
    Some(match level.child_text("Quarter").as_deref() {
        Some("1") => format!("I квартал {year}"),
        Some("2") => format!("II квартал {year}"),
        Some("3") => format!("III квартал {year}"),
        Some("4") => format!("IV квартал {year}"),
        _ => year,
    })
}

fn files(root: &Element) -> Files {
    let files = root.child("Files").into_iter().flat_map(Element::elements);
    // Every link repeats the name.
    let name = |file: &Element| Some(file.child_text("FileName")?.chars().take(MAX_NAME).collect());
    files.filter_map(|file| Some((file.child_text("ID")?, name(file)?))).collect()
}

/// The totals of the whole estimate, by kind of cost.
fn totals(object: &Element) -> Option<Block> {
    let summary = object.child("Summary");
    let details = object.child("Details").and_then(|details| details.child("Summary"));
    let of = |part: Option<&Element>, names: &[&'static str]| -> Vec<Vec<String>> {
        let fields = names.iter().filter_map(|name| {
            let value = part?.child_text(name).filter(|value| value.parse() != Ok(0.0))?;
            Some(vec![label(name).unwrap_or(name).to_owned(), value])
        });
        fields.collect()
    };
    let mut rows = of(summary, &["Building", "Mounting", "Equipment", "Other", "Total"]);
    rows.extend(of(
        details,
        &[
            "Direct",
            "WorkersSalary",
            "Machines",
            "MachinistSalary",
            "Materials",
            "Salary",
            "Overhead",
            "Profit",
            "Transport",
            "TotalLaborCosts",
            "LaborCosts",
            "MachinistLaborCosts",
        ],
    ));
    if rows.is_empty() {
        return None;
    }
    rows.insert(0, vec!["Итого по смете".to_owned(), "Значение".to_owned()]);
    Some(Block::table(rows, 1))
}

/// «Составил: Иванов И.И., Инженер».
fn signatures(element: Option<&Element>) -> Vec<Block> {
    let signers = element.into_iter().flat_map(Element::elements);
    let lines = signers.filter_map(|signer| {
        let name = signer.child_text("Name")?;
        let post = signer.child_text("Position").or_else(|| signer.child_text("Department"));
        let text = std::iter::once(name).chain(post).collect::<Vec<_>>().join(", ");
        Some(line(label(&signer.name).unwrap_or(&signer.name), &text))
    });
    lines.collect()
}
