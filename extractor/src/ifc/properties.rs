//! The sets of properties and quantities of a building model.

use super::model::material_text;
use super::records::Records;
use crate::tidy::tidy_line;
use std::collections::HashMap;
use std::rc::Rc;

/// Properties within properties.
const MAX_NESTING: u32 = 4;
/// The longest value shown, in characters.
const MAX_VALUE: usize = 1000;

/// One set: «`Pset_WallCommon`» and what it says.
pub(super) struct Set {
    pub(super) name: String,
    pub(super) properties: Vec<(String, String)>,
}

/// All sets, each read once; many elements share one. So do they their types and materials.
pub(super) struct Sets<'a> {
    records: &'a Records<'a>,
    read: HashMap<u32, Rc<Set>>,
    of_types: HashMap<u32, Rc<[u32]>>,
    materials: HashMap<u32, Rc<str>>,
    /// How many more properties may be read.
    left: u64,
}

impl<'a> Sets<'a> {
    pub(super) fn new(records: &'a Records<'a>, most: u64) -> Sets<'a> {
        let (read, of_types, materials) = Default::default();
        Sets { records, read, of_types, materials, left: most }
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

    /// The text of a material.
    pub(super) fn material(&mut self, material: u32) -> Rc<str> {
        let text = || material_text(self.records, material).into();
        Rc::clone(self.materials.entry(material).or_insert_with(text))
    }

    pub(super) fn get(&mut self, definition: u32) -> Rc<Set> {
        if let Some(set) = self.read.get(&definition) {
            return Rc::clone(set);
        }
        let name = self.records.string(definition, 2).unwrap_or_default();
        let mut properties = Vec::new();
        // The fifth attribute of a set of quantities says how they were measured.
        let is_quantity = self.records.is_class(definition, "IFCELEMENTQUANTITY");
        let members = self.records.references(definition, if is_quantity { 5 } else { 4 });
        self.collect(&members, "", 0, &mut properties);
        let set = Rc::new(Set { name: tidy_line(&name), properties });
        self.read.insert(definition, Rc::clone(&set));
        set
    }

    fn collect(
        &mut self,
        members: &[u32],
        above: &str,
        nesting: u32,
        properties: &mut Vec<(String, String)>,
    ) {
        for member in members {
            if !self.spend(0) {
                return;
            }
            let Some(name) = self.records.property_name(*member) else { continue };
            let name = if above.is_empty() { name } else { format!("{above}. {name}") };
            if self.records.is_class(*member, "IFCCOMPLEXPROPERTY") {
                if nesting < MAX_NESTING {
                    let inner = self.records.references(*member, 3);
                    self.collect(&inner, &name, nesting + 1, properties);
                }
                continue;
            }
            if let Some(value) = value(self.records, *member) {
                let value: String = tidy_line(&value).chars().take(MAX_VALUE).collect();
                properties.push((tidy_line(&name), value));
            }
        }
    }
}

/// The value of a property or quantity, with its unit.
fn value(records: &Records<'_>, id: u32) -> Option<String> {
    let class = records.get(id)?.keyword()?.to_ascii_uppercase();
    let measure = match class.as_str() {
        "IFCPROPERTYSINGLEVALUE" | "IFCPROPERTYENUMERATEDVALUE" | "IFCPROPERTYLISTVALUE" => {
            return records.attribute(id, 2);
        }
        "IFCPROPERTYBOUNDEDVALUE" => {
            let (upper, lower) = (records.attribute(id, 2), records.attribute(id, 3));
            return match (lower, upper) {
                (Some(lower), Some(upper)) => Some(format!("от {lower} до {upper}")),
                (Some(lower), None) => Some(format!("от {lower}")),
                (None, Some(upper)) => Some(format!("до {upper}")),
                (None, None) => None,
            };
        }
        "IFCQUANTITYLENGTH" => "IFCLENGTHMEASURE",
        "IFCQUANTITYAREA" => "IFCAREAMEASURE",
        "IFCQUANTITYVOLUME" => "IFCVOLUMEMEASURE",
        "IFCQUANTITYWEIGHT" => "IFCMASSMEASURE",
        "IFCQUANTITYTIME" => "IFCTIMEMEASURE",
        "IFCQUANTITYCOUNT" | "IFCQUANTITYNUMBER" => "IFCCOUNTMEASURE",
        _ => return None,
    };
    records.measured(id, 3, measure)
}
