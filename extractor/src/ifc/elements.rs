//! The elements of a page, like ones together, and what is said of them.

use super::model::Model;
use super::properties::{Property, Quantity, Sets, Value};
use super::records::Records;
use crate::tidy::tidy_line;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Different values of one property shown for like elements.
const MAX_VALUES: usize = 20;

/// Rows of the two tables of a page, without their headers.
#[derive(Default)]
pub(super) struct Rows {
    /// Class, name, type, material, number.
    pub(super) elements: Vec<Vec<String>>,
    /// Class, name, set, property, value.
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
    let mut found: BTreeMap<Place, BTreeMap<&str, Values>> = BTreeMap::new();
    for (name, members) in names {
        for member in members {
            for (place, value) in said_of(records, model, sets, *member) {
                found.entry(place).or_default().entry(name).or_default().add(value);
            }
        }
    }
    let mut rows = Vec::new();
    let mut row = |name: &str, (set, property): &Place, value: String| {
        let cells = [&kind.class, name, set, property, &value];
        rows.push(cells.map(str::to_owned).to_vec());
    };
    for (place, by_name) in &found {
        let texts: BTreeSet<String> =
            by_name.values().flat_map(|values| values.texts.iter().cloned()).collect();
        let is_text = by_name.values().all(|values| values.quantities.is_empty());
        let is_same = is_text && texts.len() == 1 && by_name.len() == names.len();
        if is_same && names.len() > 1 {
            row("", place, texts.into_iter().collect());
            continue;
        }
        for (name, values) in by_name {
            row(name, place, values.shown());
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
    for (at, name, measure) in records.names.attributes(&records.class(object)) {
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
            said.entry(place).or_insert_with(|| value.clone());
        }
    }
    said
}

/// The values of one property of like elements.
#[derive(Default)]
struct Values {
    texts: BTreeSet<String>,
    quantities: Vec<Quantity>,
}

impl Values {
    fn add(&mut self, value: Value) {
        match value {
            Value::Text(text) => _ = self.texts.insert((*text).to_owned()),
            Value::Quantity(quantity) => self.quantities.push(quantity),
        }
    }

    fn shown(&self) -> String {
        if let Some(summary) = summary(&self.quantities)
            && self.texts.is_empty()
        {
            return summary;
        }
        let quantities = self.quantities.iter().map(|quantity| quantity.shown(quantity.amount));
        let texts: BTreeSet<String> = quantities.chain(self.texts.iter().cloned()).collect();
        let mut texts: Vec<String> = texts.into_iter().collect();
        let number =
            |text: &String| text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
        if texts.iter().all(|text| number(text).is_some()) {
            let key = |text: &String| number(text).unwrap_or_default();
            texts.sort_by(|left, right| key(left).total_cmp(&key(right)));
        }
        let more = texts.len().saturating_sub(MAX_VALUES);
        texts.truncate(MAX_VALUES);
        if more > 0 {
            texts.push(format!("ещё {more}"));
        }
        texts.join("; ")
    }
}

/// «от 4.56 м³ до 6.56 м³, всего 16.68 м³ (3 шт.)»; `None` for quantities in different units.
fn summary(quantities: &[Quantity]) -> Option<String> {
    let first = quantities.first()?;
    if quantities.iter().any(|other| other.unit != first.unit) {
        return None;
    }
    let amounts = quantities.iter().map(|quantity| quantity.amount);
    let (least, most) =
        amounts.clone().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), amount| {
            (least.min(amount), most.max(amount))
        });
    let (least, most) = (first.shown(least), first.shown(most));
    let range = if least == most { least } else { format!("от {least} до {most}") };
    if quantities.len() == 1 || !first.adds_up {
        return Some(range);
    }
    let sum = first.shown(amounts.sum());
    Some(format!("{range}, всего {sum} ({} шт.)", quantities.len()))
}
