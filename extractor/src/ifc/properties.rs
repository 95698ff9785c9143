//! The sets of properties and quantities of a building model.

use super::materials;
use super::records::Records;
use super::values::{rounded, with_unit};
use crate::tidy::tidy_line;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Properties of one set, those within others included.
const MAX_PROPERTIES: usize = 5000;
/// A property that is longer than this is read once, whoever has it.
const LONG: usize = 4096;
/// Properties within properties.
const MAX_NESTING: u32 = 4;
/// The longest name of a property with those above it, in characters.
const MAX_NAME: usize = 200;
/// Bytes of different names and values.
const MAX_READ: usize = 128 << 20;
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
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    Text(Rc<str>),
    Quantity(Quantity),
}

/// A measured quantity.
#[derive(Clone, PartialEq)]
pub(super) struct Quantity {
    pub(super) amount: f64,
    pub(super) unit: Option<Rc<str>>,
    /// Whether the sum over several elements means something: that of areas does, of widths not.
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
    long_values: HashMap<u32, Option<Value>>,
    /// Names and values, each kept once.
    texts: HashSet<Rc<str>>,
    /// How many more properties may be looked at.
    left: u64,
    /// How many more bytes may be read into texts.
    to_read: usize,
    /// How many more bytes may be written into rows.
    to_write: usize,
}

impl<'r, 'a> Sets<'r, 'a> {
    pub(super) fn new(records: &'r Records<'a>, most: u64, to_write: usize) -> Sets<'r, 'a> {
        Sets {
            records,
            read: HashMap::new(),
            of_types: HashMap::new(),
            names: HashMap::new(),
            materials: HashMap::new(),
            long_values: HashMap::new(),
            texts: HashSet::new(),
            left: most,
            to_read: MAX_READ,
            to_write,
        }
    }

    /// Whether more was there than may be read.
    pub(super) fn is_exhausted(&self) -> bool {
        self.left == 0 || self.to_read == 0 || self.to_write == 0
    }

    /// Counts bytes of a row; false when no more may be written.
    pub(super) fn write(&mut self, bytes: usize) -> bool {
        self.to_write = self.to_write.saturating_sub(bytes);
        self.to_write > 0
    }

    fn text(&mut self, text: String) -> Rc<str> {
        if let Some(known) = self.texts.get(text.as_str()) {
            return Rc::clone(known);
        }
        self.to_read = self.to_read.saturating_sub(text.len());
        let text: Rc<str> = text.into();
        self.texts.insert(Rc::clone(&text));
        text
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
        let name = tidy_line(&self.records.string(definition, 2).unwrap_or_default());
        let name = self.text(name);
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
            if properties.len() >= MAX_PROPERTIES || self.to_read == 0 || !self.spend(0) {
                return;
            }
            let records = self.records;
            let Some(name) = records.string(*member, 0) else { continue };
            let name = records.names.property(&tidy_line(&name));
            let name = if above.is_empty() { name } else { format!("{above}. {name}") };
            let name: String = name.chars().take(MAX_NAME).collect();
            let class = records.class(*member);
            if matches!(class.as_str(), "IFCCOMPLEXPROPERTY" | "IFCPHYSICALCOMPLEXQUANTITY") {
                if nesting < MAX_NESTING {
                    let at = if class == "IFCCOMPLEXPROPERTY" { 3 } else { 2 };
                    self.collect(&records.references(*member, at), &name, nesting + 1, properties);
                }
                continue;
            }
            if let Some(value) = self.known_value(*member, &class) {
                properties.push(Property { name: self.text(name), value });
            }
        }
    }

    fn known_value(&mut self, id: u32, class: &str) -> Option<Value> {
        if self.records.length(id) <= LONG {
            return self.value(id, class);
        }
        if let Some(known) = self.long_values.get(&id) {
            return known.clone();
        }
        let value = self.value(id, class);
        self.long_values.insert(id, value.clone());
        value
    }

    fn value(&mut self, id: u32, class: &str) -> Option<Value> {
        let records = self.records;
        let text = match class {
            "IFCPROPERTYSINGLEVALUE" | "IFCPROPERTYLISTVALUE" => {
                records.value_with_unit(id, 2, 3)?
            }
            "IFCPROPERTYENUMERATEDVALUE" => records.value(id, 2, "")?,
            "IFCPROPERTYBOUNDEDVALUE" => {
                let lower = records.value_with_unit(id, 3, 4);
                match (lower, records.value_with_unit(id, 2, 4)) {
                    (Some(lower), Some(upper)) => format!("от {lower} до {upper}"),
                    (Some(lower), None) => format!("от {lower}"),
                    (None, Some(upper)) => format!("до {upper}"),
                    (None, None) => return None,
                }
            }
            // What is given, and what belongs to it.
            "IFCPROPERTYTABLEVALUE" => {
                let (given, found) = (records.value(id, 2, ""), records.value(id, 3, ""));
                format!("{} → {}", given?, found?)
            }
            _ => return quantity(records, id, class).map(Value::Quantity),
        };
        let text: String = tidy_line(&text).chars().take(MAX_VALUE).collect();
        Some(Value::Text(self.text(text)))
    }
}

fn quantity(records: &Records<'_>, id: u32, class: &str) -> Option<Quantity> {
    let (measure, adds_up) = match class {
        "IFCQUANTITYLENGTH" => ("IFCLENGTHMEASURE", false),
        // That of a section is the same all along.
        "IFCQUANTITYAREA" => {
            let is_section =
                records.string(id, 0).is_some_and(|name| name.contains("CrossSection"));
            ("IFCAREAMEASURE", !is_section)
        }
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
