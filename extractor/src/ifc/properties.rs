//! The sets of properties and quantities of a building model.

use super::materials;
use super::records::Records;
use super::values::{rounded, with_unit};
use crate::tidy::tidy_line;
use std::collections::HashMap;
use std::rc::Rc;

/// Properties within properties.
const MAX_NESTING: u32 = 4;
/// The longest value shown, in characters.
const MAX_VALUE: usize = 1000;

/// One set: «`Pset_WallCommon`» and what it says.
pub(super) struct Set {
    pub(super) name: Rc<str>,
    pub(super) properties: Vec<Property>,
}

/// One property.
#[derive(Clone)]
pub(super) struct Property {
    pub(super) name: Rc<str>,
    pub(super) value: Value,
}

/// What a property says.
#[derive(Clone)]
pub(super) enum Value {
    Text(Rc<str>),
    Quantity(Quantity),
}

/// A measured quantity.
#[derive(Clone)]
pub(super) struct Quantity {
    pub(super) amount: f64,
    pub(super) unit: Option<Rc<str>>,
    /// Whether the sum over several elements means something: areas do, widths do not.
    pub(super) adds_up: bool,
}

impl Quantity {
    pub(super) fn shown(&self, amount: f64) -> String {
        with_unit(&rounded(amount), self.unit.as_deref())
    }
}

/// All sets, each read once; many elements share one. So do they their types and materials.
pub(super) struct Sets<'r, 'a> {
    records: &'r Records<'a>,
    read: HashMap<u32, Rc<Set>>,
    of_types: HashMap<u32, Rc<[u32]>>,
    names: HashMap<u32, Rc<str>>,
    materials: HashMap<u32, Rc<str>>,
    /// How many more properties may be read.
    left: u64,
}

impl<'r, 'a> Sets<'r, 'a> {
    pub(super) fn new(records: &'r Records<'a>, most: u64) -> Sets<'r, 'a> {
        let (read, of_types, names, materials) = Default::default();
        Sets { records, read, of_types, names, materials, left: most }
    }

    /// Whether more was there than may be read.
    pub(super) fn is_exhausted(&self) -> bool {
        self.left == 0
    }

    /// Counts properties that are looked at again for another element.
    pub(super) fn spend(&mut self, properties: usize) -> bool {
        self.left = self.left.saturating_sub(properties as u64 + 1);
        self.left > 0
    }

    /// The sets of a type.
    pub(super) fn of_type(&mut self, kind: u32) -> Rc<[u32]> {
        let sets = || self.records.references(kind, 5).into();
        Rc::clone(self.of_types.entry(kind).or_insert_with(sets))
    }

    /// The name of a type.
    pub(super) fn type_name(&mut self, kind: u32) -> Rc<str> {
        let name = || tidy_line(&self.records.string(kind, 2).unwrap_or_default()).into();
        Rc::clone(self.names.entry(kind).or_insert_with(name))
    }

    /// The text of a material.
    pub(super) fn material(&mut self, material: u32) -> Rc<str> {
        let text = || materials::text(self.records, material).into();
        Rc::clone(self.materials.entry(material).or_insert_with(text))
    }

    pub(super) fn get(&mut self, definition: u32) -> Rc<Set> {
        if let Some(set) = self.read.get(&definition) {
            return Rc::clone(set);
        }
        let name = tidy_line(&self.records.string(definition, 2).unwrap_or_default()).into();
        let mut properties = Vec::new();
        // The fifth attribute of a set of quantities says how they were measured.
        let is_quantity = self.records.is_class(definition, "IFCELEMENTQUANTITY");
        let members = self.records.references(definition, if is_quantity { 5 } else { 4 });
        self.collect(&members, "", 0, &mut properties);
        let set = Rc::new(Set { name, properties });
        self.read.insert(definition, Rc::clone(&set));
        set
    }

    fn collect(
        &mut self,
        members: &[u32],
        above: &str,
        nesting: u32,
        properties: &mut Vec<Property>,
    ) {
        for member in members {
            if !self.spend(0) {
                return;
            }
            let records = self.records;
            let Some(name) = records.string(*member, 0) else { continue };
            let name = records.names.property(&tidy_line(&name));
            let name = if above.is_empty() { name } else { format!("{above}. {name}") };
            let class = records.class(*member);
            if matches!(class.as_str(), "IFCCOMPLEXPROPERTY" | "IFCPHYSICALCOMPLEXQUANTITY") {
                if nesting < MAX_NESTING {
                    let at = if class == "IFCCOMPLEXPROPERTY" { 3 } else { 2 };
                    self.collect(&records.references(*member, at), &name, nesting + 1, properties);
                }
                continue;
            }
            if let Some(value) = value(records, *member, &class) {
                properties.push(Property { name: name.into(), value });
            }
        }
    }
}

fn value(records: &Records<'_>, id: u32, class: &str) -> Option<Value> {
    let text = match class {
        "IFCPROPERTYSINGLEVALUE" | "IFCPROPERTYLISTVALUE" => records.value_with_unit(id, 2, 3)?,
        "IFCPROPERTYENUMERATEDVALUE" => records.value(id, 2, "")?,
        "IFCPROPERTYBOUNDEDVALUE" => {
            let (upper, lower) =
                (records.value_with_unit(id, 2, 4), records.value_with_unit(id, 3, 4));
            match (lower, upper) {
                (Some(lower), Some(upper)) => format!("от {lower} до {upper}"),
                (Some(lower), None) => format!("от {lower}"),
                (None, Some(upper)) => format!("до {upper}"),
                (None, None) => return None,
            }
        }
        _ => return quantity(records, id, class).map(Value::Quantity),
    };
    let text: String = tidy_line(&text).chars().take(MAX_VALUE).collect();
    Some(Value::Text(text.into()))
}

fn quantity(records: &Records<'_>, id: u32, class: &str) -> Option<Quantity> {
    let (measure, adds_up) = match class {
        "IFCQUANTITYLENGTH" => ("IFCLENGTHMEASURE", false),
        "IFCQUANTITYAREA" => ("IFCAREAMEASURE", true),
        "IFCQUANTITYVOLUME" => ("IFCVOLUMEMEASURE", true),
        "IFCQUANTITYWEIGHT" => ("IFCMASSMEASURE", true),
        "IFCQUANTITYTIME" => ("IFCTIMEMEASURE", false),
        "IFCQUANTITYCOUNT" | "IFCQUANTITYNUMBER" => ("IFCCOUNTMEASURE", true),
        _ => return None,
    };
    let amount = records.number(id, 3).filter(|amount| amount.is_finite())?;
    let unit = records.own_unit(id, 2).unwrap_or_else(|| records.unit_of(measure));
    Some(Quantity { amount, unit: unit.map(Into::into), adds_up })
}
