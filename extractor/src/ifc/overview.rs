//! The first page of a building model, the order of the others, and their titles.

use super::model::Model;
use super::records::Records;
use super::split;
use crate::model::{Block, BlockKind};
use crate::tidy::tidy_line;
use std::collections::{BTreeMap, BTreeSet};

/// The longest part of an address, in characters.
const MAX_PART: usize = 200;
/// Classifications, and documents, that are listed.
const MAX_REFERENCES: usize = 10_000;

/// The place that a page tells of, and the objects on it.
pub(super) type Page = (Option<u32>, Vec<u32>);

/// The objects of each page: places in the order of the building, what has no place at the end.
pub(super) fn pages(records: &Records<'_>, model: &Model) -> Vec<Page> {
    let mut by_place: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
    for place in model.places.iter().filter(|place| !model.is_room(**place)) {
        // A place is told of on its own page, whether something stands in it or not.
        by_place.insert(Some(*place), Vec::new());
    }
    let rooms = model.places.iter().filter(|place| model.is_room(**place));
    for object in rooms.chain(&model.elements) {
        by_place.entry(model.page_of(*object)).or_default().push(*object);
    }
    let mut pages: Vec<Page> = by_place.into_iter().collect();
    pages.sort_by(|(left, _), (right, _)| match (left, right) {
        (Some(left), Some(right)) => in_building(records, model, *left, *right),
        (left, right) => left.is_none().cmp(&right.is_none()),
    });
    pages
}

/// Buildings as in the file; in each its storeys from below, those without a height last.
fn in_building(records: &Records<'_>, model: &Model, left: u32, right: u32) -> std::cmp::Ordering {
    let key = |place: u32| {
        let whole = if model.is_storey(place) { model.building_of(place) } else { Some(place) };
        (whole.and_then(|whole| model.order(whole)), model.is_storey(place))
    };
    let height = |place| records.number(place, 9).unwrap_or(f64::INFINITY);
    let heights = || match model.is_storey(left) && model.is_storey(right) {
        true => height(left).total_cmp(&height(right)),
        false => std::cmp::Ordering::Equal,
    };
    let in_file = || model.order(left).cmp(&model.order(right));
    key(left).cmp(&key(right)).then_with(heights).then_with(in_file)
}

/// «Этаж: Этаж 2 (Типовой), отметка 3000 мм», behind its building where there are several.
pub(super) fn title(records: &Records<'_>, model: &Model, place: u32) -> String {
    let mut title = records.names.class(&records.class(place));
    if let Some(name) = records.string(place, 2) {
        title = format!("{title}: {name}");
    }
    if let Some(long) = records.string(place, 7).filter(|long| !title.contains(long.as_str())) {
        title = format!("{title} ({long})");
    }
    if model.is_storey(place) {
        if let Some(height) = records.value(place, 9, "IFCLENGTHMEASURE") {
            title = format!("{title}, отметка {height}");
        }
        if let Some(building) = building_name(records, model, place) {
            title = format!("{building}. {title}");
        }
    }
    tidy_line(&title)
}

/// The building of a storey, where the model has several.
fn building_name(records: &Records<'_>, model: &Model, storey: u32) -> Option<String> {
    let own = model.building_of(storey).filter(|_| model.has_several_buildings)?;
    Some(title(records, model, own))
}

/// The first page: the project, its places, classifications and documents.
pub(super) fn blocks(records: &Records<'_>, model: &Model, pages: &[Page]) -> Vec<Block> {
    let paragraph = |text: String| Block::new(BlockKind::Paragraph, tidy_line(&text));
    let mut blocks = Vec::new();
    if let Some(project) = model.project {
        let names = [records.string(project, 5), records.string(project, 2)];
        let name = names.into_iter().flatten().next();
        if let Some(name) = &name {
            blocks.push(Block::new(BlockKind::Heading { level: 1 }, tidy_line(name)));
        }
        for (label, attribute) in [("Обозначение", 2), ("Описание", 3), ("Стадия", 6)]
        {
            let value =
                records.string(project, attribute).filter(|value| Some(value) != name.as_ref());
            blocks.extend(value.map(|value| paragraph(format!("{label}: {value}"))));
        }
    }
    let mut storeys = Vec::new();
    for place in pages.iter().filter_map(|(place, _)| *place) {
        if model.is_storey(place) {
            let building = building_name(records, model, place);
            let name = records.string(place, 2).unwrap_or_default();
            let name =
                building.map_or_else(|| name.clone(), |building| format!("{building}. {name}"));
            let height = records.value(place, 9, "IFCLENGTHMEASURE").unwrap_or_default();
            storeys.push(vec![tidy_line(&name), height]);
            continue;
        }
        blocks.push(paragraph(title(records, model, place)));
        blocks
            .extend(address(records, place).map(|address| paragraph(format!("Адрес: {address}"))));
    }
    blocks.extend(split(&["Этаж", "Отметка"], storeys));
    blocks.extend(references(records, &model.classifications, "Классификация", [1, 2]));
    blocks.extend(references(records, &model.documents, "Документ", [0, 1]));
    blocks
}

fn address(records: &Records<'_>, place: u32) -> Option<String> {
    // Of a building, and of a site.
    let address = [11, 13].into_iter().find_map(|attribute| {
        let address = records.reference(place, attribute)?;
        records.is_class(address, "IFCPOSTALADDRESS").then_some(address)
    })?;
    // Postal code, country, region, town, lines.
    let parts = [8, 9, 7, 6, 4].iter().filter_map(|at| records.value(address, *at, ""));
    let parts: Vec<String> = parts.map(|part| part.chars().take(MAX_PART).collect()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// «Классификация: 21.41 Стены наружные», each once.
fn references(
    records: &Records<'_>,
    found: &BTreeSet<u32>,
    label: &str,
    attributes: [usize; 2],
) -> Vec<Block> {
    let texts: BTreeSet<String> = found
        .iter()
        .take(MAX_REFERENCES)
        .map(|id| {
            // A document that is only referred to has its place before its number.
            let shift = usize::from(records.is_class(*id, "IFCDOCUMENTREFERENCE"));
            let parts = attributes.iter().filter_map(|at| records.string(*id, at + shift));
            tidy_line(&parts.collect::<Vec<_>>().join(" "))
        })
        .filter(|text| !text.is_empty())
        .collect();
    let block = |text| Block::new(BlockKind::Paragraph, format!("{label}: {text}"));
    texts.into_iter().map(block).collect()
}
