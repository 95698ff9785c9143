//! The elements of a page, like ones together, and what is said of them.

use super::model::Model;
use super::properties::{Property, Quantity, Sets, Value};
use super::records::Records;
use crate::tidy::tidy_line;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

/// Different values of one property shown for like elements.
const MAX_VALUES: usize = 20;

/// Rows of the two tables of a page, without their headers.
#[derive(Default)]
pub(super) struct Rows {
    /// Class, name, type, material, number.
    pub(super) elements: Vec<Vec<String>>,
    /// Class, name (empty for all of the type), type, set, property, value.
    pub(super) properties: Vec<Vec<String>>,
}

/// What like elements have in common besides their name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    is_built: bool,
    class: String,
    type_name: Rc<str>,
    material: Rc<str>,
}

/// Set and name of a property.
type Place = (Rc<str>, Rc<str>);

/// The rows of these elements, rooms, places or groups.
pub(super) fn rows(
    records: &Records<'_>,
    model: &Model,
    sets: &mut Sets<'_, '_>,
    objects: &[u32],
) -> Rows {
    let mut kinds: BTreeMap<Kind, BTreeMap<String, Vec<u32>>> = BTreeMap::new();
    for object in objects {
        let kind = kind(records, model, sets, *object);
        let name = name(records, model, *object);
        kinds.entry(kind).or_default().entry(name).or_default().push(*object);
    }
    let mut rows = Rows::default();
    for (kind, names) in &kinds {
        for (name, members) in names {
            let number = members.len().to_string();
            let cells = [&kind.class, name, &*kind.type_name, &*kind.material, &number];
            if !sets.write(cells.iter().map(|cell| cell.len()).sum()) {
                return rows;
            }
            rows.elements.push(cells.map(str::to_owned).to_vec());
        }
        rows.properties.extend(properties(records, model, sets, kind, names));
    }
    rows
}

/// «Плита (перекрытие)»: the class as people call it, of vague classes that of the type.
pub(super) fn class(records: &Records<'_>, model: &Model, object: u32) -> String {
    let names = &records.names;
    let mut class = records.class(object);
    if names.is_generic(&class)
        && let Some(better) = model.type_of(object).map(|kind| records.class(kind))
        && let Some(better) = better.strip_suffix("TYPE").filter(|class| names.is_known(class))
    {
        class = better.to_owned();
    }
    let predefined = names.predefined(&class).and_then(|at| records.enumeration(object, at));
    let predefined = predefined.as_deref().and_then(|kind| names.kind(kind));
    let russian = names.class(&class);
    predefined.map_or_else(|| russian.clone(), |kind| format!("{russian} ({kind})"))
}

fn kind(records: &Records<'_>, model: &Model, sets: &mut Sets<'_, '_>, object: u32) -> Kind {
    let of_type = model.type_of(object);
    let class = class(records, model, object);
    let is_built = model.elements.contains(&object);
    let type_name = match of_type {
        Some(kind) => sets.type_name(kind),
        None if is_built => tidy_line(&records.string(object, 4).unwrap_or_default()).into(),
        None => "".into(),
    };
    let material = model.material(object).map(|material| sets.material(material));
    Kind { is_built, class, type_name, material: material.unwrap_or_else(|| "".into()) }
}

fn name(records: &Records<'_>, model: &Model, object: u32) -> String {
    let text = |attribute| records.string(object, attribute).unwrap_or_default();
    let name = text(2);
    if !model.elements.contains(&object) {
        // Rooms have a number and a name.
        let long = if model.is_room(object) { text(7) } else { String::new() };
        return tidy_line(&format!("{name} {long}"));
    }
    // Revit ends a name with the number of the one element, which is its tag.
    let tag = text(7);
    let own = name.strip_suffix(&tag).and_then(|name| name.strip_suffix(':'));
    tidy_line(own.filter(|own| !own.is_empty() && !tag.is_empty()).unwrap_or(&name))
}

/// What is said of the elements of a kind: in one row where it is the same of all, else by name.
fn properties(
    records: &Records<'_>,
    model: &Model,
    sets: &mut Sets<'_, '_>,
    kind: &Kind,
    names: &BTreeMap<String, Vec<u32>>,
) -> Vec<Vec<String>> {
    let mut found: BTreeMap<Place, Vec<Said>> = BTreeMap::new();
    let all: HashSet<u32> = names.values().flatten().copied().collect();
    for (at, members) in names.values().enumerate() {
        for member in members {
            // What a whole and its parts both say is summed once.
            let is_part = model.ancestors(*member).any(|whole| all.contains(&whole));
            for (place, value) in said_of(records, model, sets, *member) {
                found.entry(place).or_default().push(Said { name: at, is_part, value });
            }
        }
    }
    let names: Vec<(&String, usize)> =
        names.iter().map(|(name, members)| (name, members.len())).collect();
    let mut rows = Vec::new();
    for ((set, property), said) in &found {
        let first = said.first().map(|said| &said.value);
        let is_same = said.iter().all(|said| Some(&said.value) == first);
        let is_folded = is_same
            && said.len() == all.len()
            && names.len() > 1
            && !kind.type_name.is_empty()
            && matches!(first, Some(Value::Text(_)));
        for part in said.chunk_by(|one, other| is_folded || one.name == other.name) {
            let Some((name, members)) = part.first().map(|said| names[said.name]) else { continue };
            let mut value = shown(part);
            if !is_folded && part.len() < members {
                value = format!("{value} (у {} из {members} шт.)", part.len());
            }
            let name = if is_folded { "" } else { name };
            let cells = [&kind.class, name, &*kind.type_name, set, property, &value];
            if !sets.write(cells.iter().map(|cell| cell.len()).sum()) {
                return rows;
            }
            rows.push(cells.map(str::to_owned).to_vec());
        }
    }
    rows
}

/// What a file says of an object: its attributes, its own sets, and of those of its type what its own
/// do not say otherwise.
fn said_of(
    records: &Records<'_>,
    model: &Model,
    sets: &mut Sets<'_, '_>,
    object: u32,
) -> BTreeMap<Place, Value> {
    let mut said: BTreeMap<Place, Value> = BTreeMap::new();
    let class = records.class(object);
    let is_segment = class.ends_with("SEGMENT");
    for (at, name, measure) in records.names.attributes(&class) {
        if let Some(value) = records.value(object, *at, &measure.to_uppercase()) {
            said.insert(("".into(), name.as_str().into()), Value::Text(tidy_line(&value).into()));
        }
    }
    let of_type = model.type_of(object).map(|kind| sets.of_type(kind)).unwrap_or_default();
    for definition in model.definitions(object).iter().chain(&*of_type) {
        let set = sets.get(*definition);
        if !sets.spend(set.properties.len()) {
            break;
        }
        for Property { name, value } in &set.properties {
            let place = (Rc::clone(&set.name), Rc::clone(name));
            said.entry(place).or_insert_with(|| match value {
                // Lengths of pipes and cables are ordered by the metre.
                Value::Quantity(length) if is_segment && name.starts_with("Length") => {
                    Value::Quantity(Quantity { adds_up: true, ..length.clone() })
                }
                other => other.clone(),
            });
        }
    }
    said
}

/// What is said of one element.
struct Said {
    /// Which of the names of its kind it has.
    name: usize,
    /// Whether it is a part of another element of its kind.
    is_part: bool,
    value: Value,
}

/// The values of one property of like elements.
fn shown(said: &[Said]) -> String {
    if let Some(summary) = summary(said) {
        return summary;
    }
    let texts: BTreeSet<Cow<'_, str>> = said
        .iter()
        .map(|said| match &said.value {
            Value::Text(text) => Cow::Borrowed(&**text),
            Value::Quantity(quantity) => Cow::Owned(quantity.shown(quantity.amount)),
        })
        .collect();
    let mut texts: Vec<Cow<'_, str>> = texts.into_iter().collect();
    let number = |text: &str| text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    if texts.iter().all(|text| number(text).is_some()) {
        let key = |text: &str| number(text).unwrap_or_default();
        texts.sort_by(|left, right| key(left).total_cmp(&key(right)));
    }
    let more = texts.len().saturating_sub(MAX_VALUES);
    texts.truncate(MAX_VALUES);
    if more > 0 {
        texts.push(format!("ещё {more}").into());
    }
    texts.join("; ")
}

/// «от 4.56 м³ до 6.56 м³, всего 16.68 м³ (3 шт.)»; `None` for texts and for quantities in different
/// units.
fn summary(said: &[Said]) -> Option<String> {
    let quantities: Option<Vec<(&Quantity, bool)>> = said
        .iter()
        .map(|said| match &said.value {
            Value::Quantity(quantity) => Some((quantity, said.is_part)),
            Value::Text(_) => None,
        })
        .collect();
    let quantities = quantities?;
    let (first, _) = *quantities.first()?;
    if quantities.iter().any(|(other, _)| other.unit != first.unit) {
        return None;
    }
    let (mut least, mut most, mut sum, mut wholes) = (first.amount, first.amount, 0.0, 0);
    for (quantity, is_part) in quantities {
        (least, most) = (least.min(quantity.amount), most.max(quantity.amount));
        if !is_part {
            sum += quantity.amount;
            wholes += 1;
        }
    }
    let (least, most) = (first.shown(least), first.shown(most));
    let range = if least == most { least } else { format!("от {least} до {most}") };
    if wholes < 2 || !first.adds_up {
        return Some(range);
    }
    Some(format!("{range}, всего {} ({wholes} шт.)", first.shown(sum)))
}
