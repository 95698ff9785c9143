//! IFC: the words of a building model – project, storeys, rooms, elements and what is said of
//! them. Geometry is not read.

mod model;
mod names;
mod properties;
mod records;

use crate::encoding;
use crate::model::{Block, BlockKind, Page};
use crate::reader::{Limits, ReadError, Sink};
use crate::tidy::tidy_line;
use ifc_lite_core::parser::header;
use model::Model;
use properties::Sets;
use records::Records;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Different values of one property shown for a group of like elements.
const MAX_VALUES: usize = 20;
/// Bytes in which the header of a file ends.
const HEADER_BYTES: usize = 64 << 10;

/// Reads a building model (STEP form of IFC). The first page tells of the project, each storey has
/// one of its own.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    // The standard writes other letters than Latin as escapes; some programs write them as they are.
    let text = encoding::decode(bytes, None).text;
    let bytes = text.as_bytes();
    sink.properties(header_of(&text))?;
    let (records, model) = Model::read(bytes, limits.cells);
    if records.len() == 0 {
        return Err(ReadError::damaged("в файле IFC нет ни одного объекта"));
    }
    let mut sets = Sets::new(&records, limits.cells);
    let mut number = 1;
    sink.page(Page {
        number,
        name: Some("Модель".to_owned()),
        blocks: overview(&records, &model),
        ..Page::default()
    })?;
    for (place, objects) in pages(&records, &model) {
        number += 1;
        if number > limits.pages {
            break;
        }
        let title = place.map_or_else(|| "Вне этажей".to_owned(), |place| title(&records, place));
        let mut blocks = vec![Block::new(BlockKind::Heading { level: 1 }, title.clone())];
        blocks.extend(tables(&records, &model, &mut sets, &objects));
        sink.page(Page { number, name: Some(title), blocks, ..Page::default() })?;
    }
    if sets.is_exhausted() || model.is_cut {
        sink.warning(None, "в модели слишком много свойств: прочитаны не все")?;
    }
    if records.is_damaged || !text.trim_end().ends_with("END-ISO-10303-21;") {
        return Err(ReadError::damaged("файл IFC обрывается или повреждён"));
    }
    Ok(())
}

/// What the header says of the file.
fn header_of(text: &str) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    let mut end = text.len().min(HEADER_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    if let Some(schema) = header::declared_schema_bounded(head.as_bytes()) {
        properties.insert("ifc_schema".to_owned(), schema);
    }
    // FILE_NAME: name, time stamp, authors, organizations, preprocessor, program, authorization.
    let arguments = header::extract_record_args(head, "FILE_NAME").unwrap_or_default();
    let arguments = header::split_top_level(&arguments);
    let names = ["", "created", "author", "organization", "", "program"];
    for (argument, name) in arguments.iter().zip(names) {
        let one = header::decode_opt_string(argument);
        let value = one.unwrap_or_else(|| header::decode_string_list(argument).join("; "));
        let value = tidy_line(&value);
        if !name.is_empty() && !value.is_empty() {
            properties.insert(name.to_owned(), value);
        }
    }
    properties
}

/// The objects of each page: places in the order of the building, what has no place at the end.
fn pages(records: &Records<'_>, model: &Model) -> Vec<(Option<u32>, Vec<u32>)> {
    let mut by_place: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
    let rooms = model.places.iter().filter(|place| model.is_room(**place));
    for object in rooms.chain(&model.elements) {
        by_place.entry(model.page_of(*object)).or_default().push(*object);
    }
    let mut pages: Vec<(Option<u32>, Vec<u32>)> = by_place.into_iter().collect();
    let order = |place: Option<u32>| {
        let height = place.and_then(|place| records.number(place, 9));
        (place.and_then(|place| model.parent(place)), height.filter(|_| place.is_some()))
    };
    pages.sort_by(|(left, _), (right, _)| {
        let ((left_in, left_height), (right_in, right_height)) = (order(*left), order(*right));
        let heights = left_height.unwrap_or(f64::MIN).total_cmp(&right_height.unwrap_or(f64::MIN));
        (left.is_none(), left_in).cmp(&(right.is_none(), right_in)).then(heights)
    });
    pages
}

/// «Этаж: Этаж 2 (Типовой), отметка 3000 мм».
fn title(records: &Records<'_>, place: u32) -> String {
    let mut title = records.class(place);
    if let Some(name) = records.string(place, 2) {
        title = format!("{title}: {name}");
    }
    if let Some(long) = records.string(place, 7).filter(|long| !title.contains(long.as_str())) {
        title = format!("{title} ({long})");
    }
    if records.is_class(place, "IFCBUILDINGSTOREY")
        && let Some(height) = records.measured(place, 9, "IFCLENGTHMEASURE")
    {
        title = format!("{title}, отметка {height}");
    }
    tidy_line(&title)
}

/// The first page.
fn overview(records: &Records<'_>, model: &Model) -> Vec<Block> {
    let paragraph = |text: String| Block::new(BlockKind::Paragraph, tidy_line(&text));
    let mut blocks = Vec::new();
    if let Some(project) = model.project {
        let names = [records.string(project, 5), records.string(project, 2)];
        let name = names.into_iter().flatten().next().unwrap_or_default();
        blocks.push(Block::new(BlockKind::Heading { level: 1 }, tidy_line(&name)));
        for (label, attribute) in [("Обозначение", 2), ("Описание", 3), ("Стадия", 6)]
        {
            let value = records.string(project, attribute).filter(|value| *value != name);
            blocks.extend(value.map(|value| paragraph(format!("{label}: {value}"))));
        }
    }
    let mut storeys = vec![vec!["Этаж".to_owned(), "Отметка".to_owned()]];
    let mut by_height: Vec<u32> =
        model.places.iter().copied().filter(|place| model.is_storey(*place)).collect();
    by_height.sort_by(|left, right| {
        let height = |storey| records.number(storey, 9).unwrap_or(f64::MIN);
        height(*left).total_cmp(&height(*right))
    });
    for place in model.places.iter().filter(|place| !model.is_room(**place)) {
        if model.is_storey(*place) {
            continue;
        }
        blocks.push(paragraph(title(records, *place)));
        let address = [11, 13].into_iter().find_map(|attribute| {
            let address = records.reference(*place, attribute)?;
            records.is_class(address, "IFCPOSTALADDRESS").then_some(address)
        });
        if let Some(address) = address {
            // Postal code, country, region, town, lines.
            let parts: Vec<String> =
                [8, 9, 7, 6, 4].iter().filter_map(|at| records.attribute(address, *at)).collect();
            blocks.push(paragraph(format!("Адрес: {}", parts.join(", "))));
        }
    }
    for storey in by_height {
        let name = records.string(storey, 2).unwrap_or_default();
        let height = records.measured(storey, 9, "IFCLENGTHMEASURE").unwrap_or_default();
        storeys.push(vec![tidy_line(&name), height]);
    }
    if storeys.len() > 1 {
        blocks.push(Block::table(storeys, 1));
    }
    blocks.extend(references(records, &model.classifications, "Классификация", [1, 2]));
    blocks.extend(references(records, &model.documents, "Документ", [0, 1]));
    blocks
}

/// «Классификация: ЭСКР 21.41.10 Стены наружные», each once.
fn references(
    records: &Records<'_>,
    found: &BTreeSet<u32>,
    label: &str,
    attributes: [usize; 2],
) -> Vec<Block> {
    let texts: BTreeSet<String> = found
        .iter()
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

/// What tells like elements from others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    class: String,
    name: String,
    type_name: String,
    material: Option<Rc<str>>,
}

/// The elements and rooms of a page: one table of them, one of what is said of them.
fn tables(
    records: &Records<'_>,
    model: &Model,
    sets: &mut Sets<'_>,
    objects: &[u32],
) -> Vec<Block> {
    let mut kinds: BTreeMap<(bool, Kind), Vec<u32>> = BTreeMap::new();
    for object in objects {
        let kind = kind(records, model, sets, *object);
        kinds.entry((!model.is_room(*object), kind)).or_default().push(*object);
    }
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    let mut elements = vec![row(["Элемент", "Наименование", "Тип", "Материал", "Количество"])];
    let mut properties = vec![row(["Элемент", "Наименование", "Набор", "Свойство", "Значение"])];
    for ((_, kind), members) in &kinds {
        let Kind { class, name, type_name, material } = kind;
        let material = material.as_deref().unwrap_or_default();
        elements.push(row([class, name, type_name, material, &members.len().to_string()]));
        for ((set, property), values) in values(model, sets, members) {
            let mut value: Vec<&str> = values.iter().map(String::as_str).take(MAX_VALUES).collect();
            let more = format!("ещё {}", values.len().saturating_sub(MAX_VALUES));
            if values.len() > MAX_VALUES {
                value.push(&more);
            }
            properties.push(row([class, name, &set, &property, &value.join("; ")]));
        }
    }
    let filled = |rows: Vec<Vec<String>>| (rows.len() > 1).then(|| Block::table(rows, 1));
    [filled(elements), filled(properties)].into_iter().flatten().collect()
}

fn kind(records: &Records<'_>, model: &Model, sets: &mut Sets<'_>, object: u32) -> Kind {
    let text = |attribute| records.string(object, attribute).unwrap_or_default();
    let is_room = model.is_room(object);
    let mut name = text(2);
    if is_room {
        name = format!("{name} {}", text(7));
    } else if let Some((own, number)) = name.rsplit_once(':')
        && !own.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        // Revit ends a name with the number of the one element.
        name = own.to_owned();
    }
    let kind = model.type_of(object).and_then(|kind| records.string(kind, 2));
    let type_name = if is_room { String::new() } else { kind.unwrap_or_else(|| text(4)) };
    Kind {
        class: records.class(object),
        type_name: tidy_line(&type_name),
        material: model.material(object).map(|material| sets.material(material)),
        name: tidy_line(&name),
    }
}

/// The different values of every property of like elements.
fn values(
    model: &Model,
    sets: &mut Sets<'_>,
    members: &[u32],
) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut values: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for member in members {
        let of_type = model.type_of(*member).map(|kind| sets.of_type(kind)).unwrap_or_default();
        for definition in model.definitions(*member).iter().chain(&*of_type) {
            let set = sets.get(*definition);
            if !sets.spend(set.properties.len()) {
                return values;
            }
            for (property, value) in &set.properties {
                let place = (set.name.clone(), property.clone());
                values.entry(place).or_default().insert(value.clone());
            }
        }
    }
    values
}

#[cfg(test)]
mod tests;
