//! What the relations of a building model say: what stands where, of which type and material, with
//! which properties. Attributes are counted as in ISO 16739 (IFC2X3 to IFC4X3 agree on these).

use super::records::Records;
use crate::tidy::tidy_line;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Classes that have a place in the building rather than being built.
const SPATIAL: [&str; 14] = [
    "IFCSITE",
    "IFCBUILDING",
    "IFCBUILDINGSTOREY",
    "IFCSPACE",
    "IFCFACILITY",
    "IFCFACILITYPART",
    "IFCFACILITYPARTCOMMON",
    "IFCBRIDGE",
    "IFCBRIDGEPART",
    "IFCROAD",
    "IFCROADPART",
    "IFCRAILWAY",
    "IFCRAILWAYPART",
    "IFCMARINEFACILITY",
];
/// Steps from a part to the project; real models have six.
const MAX_STEPS: usize = 32;
/// Materials within each other (usage, set, layer, material).
const MAX_MATERIALS: usize = 64;

/// A building model without its geometry.
#[derive(Default)]
pub(super) struct Model {
    pub(super) project: Option<u32>,
    /// Sites, buildings, storeys and rooms, in the order of the file.
    pub(super) places: Vec<u32>,
    /// What is built, parts of assemblies included.
    pub(super) elements: BTreeSet<u32>,
    place_set: HashSet<u32>,
    storeys: HashSet<u32>,
    rooms: HashSet<u32>,
    parents: HashMap<u32, u32>,
    types: HashMap<u32, u32>,
    definitions: HashMap<u32, Vec<u32>>,
    materials: HashMap<u32, u32>,
    /// Whether not all sets of properties were kept.
    pub(super) is_cut: bool,
    pub(super) classifications: BTreeSet<u32>,
    pub(super) documents: BTreeSet<u32>,
}

/// The numbers of the relations, found while the file is scanned.
#[derive(Default)]
struct Relations {
    aggregates: Vec<u32>,
    contained: Vec<u32>,
    by_properties: Vec<u32>,
    by_type: Vec<u32>,
    by_material: Vec<u32>,
}

impl Model {
    /// Scans a file; at most `most` sets of properties are kept, each counted for every object.
    pub(super) fn read(bytes: &[u8], most: u64) -> (Records<'_>, Model) {
        let (mut model, mut relations) = (Model::default(), Relations::default());
        let records = Records::scan(bytes, |id, class| model.meet(id, class, &mut relations));
        model.place_set = model.places.iter().copied().collect();
        model.relate(&records, &relations, most);
        (records, model)
    }

    fn meet(&mut self, id: u32, class: &str, relations: &mut Relations) {
        match class {
            "IFCPROJECT" => self.project = self.project.or(Some(id)),
            "IFCRELAGGREGATES" | "IFCRELNESTS" => relations.aggregates.push(id),
            "IFCRELCONTAINEDINSPATIALSTRUCTURE" => relations.contained.push(id),
            "IFCRELDEFINESBYPROPERTIES" => relations.by_properties.push(id),
            "IFCRELDEFINESBYTYPE" => relations.by_type.push(id),
            "IFCRELASSOCIATESMATERIAL" => relations.by_material.push(id),
            "IFCCLASSIFICATIONREFERENCE" => _ = self.classifications.insert(id),
            "IFCDOCUMENTREFERENCE" | "IFCDOCUMENTINFORMATION" => _ = self.documents.insert(id),
            place if SPATIAL.contains(&place) => {
                self.places.push(id);
                match place {
                    "IFCSPACE" => _ = self.rooms.insert(id),
                    "IFCBUILDINGSTOREY" => _ = self.storeys.insert(id),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn relate(&mut self, records: &Records<'_>, relations: &Relations, most: u64) {
        // The whole stands before its parts here, and behind them below.
        for relation in &relations.aggregates {
            let Some(whole) = records.reference(*relation, 4) else { continue };
            for part in records.references(*relation, 5) {
                self.parents.insert(part, whole);
                if !self.place_set.contains(&part) && Some(whole) != self.project {
                    self.elements.insert(part);
                }
            }
        }
        for relation in &relations.contained {
            let Some(place) = records.reference(*relation, 5) else { continue };
            for element in records.references(*relation, 4) {
                self.parents.insert(element, place);
                self.elements.insert(element);
            }
        }
        let mut kept = 0;
        for relation in &relations.by_properties {
            let definitions = records.references(*relation, 5);
            for object in records.references(*relation, 4) {
                kept += definitions.len() as u64;
                if kept > most {
                    self.is_cut = true;
                    break;
                }
                self.definitions.entry(object).or_default().extend(&definitions);
            }
        }
        for relation in &relations.by_type {
            let Some(kind) = records.reference(*relation, 5) else { continue };
            for object in records.references(*relation, 4) {
                self.types.insert(object, kind);
            }
        }
        for relation in &relations.by_material {
            let Some(material) = records.reference(*relation, 5) else { continue };
            for object in records.references(*relation, 4) {
                self.materials.insert(object, material);
            }
        }
    }

    pub(super) fn is_room(&self, id: u32) -> bool {
        self.rooms.contains(&id)
    }

    pub(super) fn is_storey(&self, id: u32) -> bool {
        self.storeys.contains(&id)
    }

    /// The place on whose page an element or a room is told: its storey, or the nearest place that
    /// is no room.
    pub(super) fn page_of(&self, id: u32) -> Option<u32> {
        let mut nearest = None;
        let mut here = id;
        for _ in 0..MAX_STEPS {
            here = *self.parents.get(&here)?;
            if self.storeys.contains(&here) {
                return Some(here);
            }
            if nearest.is_none() && self.place_set.contains(&here) && !self.rooms.contains(&here) {
                nearest = Some(here);
            }
            if !self.parents.contains_key(&here) {
                break;
            }
        }
        nearest
    }

    /// The place or project that something is part of.
    pub(super) fn parent(&self, id: u32) -> Option<u32> {
        self.parents.get(&id).copied()
    }

    pub(super) fn type_of(&self, id: u32) -> Option<u32> {
        self.types.get(&id).copied()
    }

    /// Sets of properties and quantities of an object itself.
    pub(super) fn definitions(&self, id: u32) -> &[u32] {
        self.definitions.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The material of an object, or of its type.
    pub(super) fn material(&self, id: u32) -> Option<u32> {
        let own = self.materials.get(&id);
        own.or_else(|| self.materials.get(&self.type_of(id)?)).copied()
    }
}

/// «Кирпич 250 мм; Утеплитель 100 мм».
pub(super) fn material_text(records: &Records<'_>, material: u32) -> String {
    let mut parts = Vec::new();
    collect_materials(records, material, 0, &mut parts);
    tidy_line(&parts.join("; "))
}

/// The names of a material or of those that a set, its usage or its layers refer to.
fn collect_materials(records: &Records<'_>, id: u32, nesting: u32, parts: &mut Vec<String>) {
    let keyword = records.get(id).and_then(|record| record.keyword()).unwrap_or_default();
    if nesting > 4 || parts.len() >= MAX_MATERIALS {
        return;
    }
    let inner = match keyword.to_ascii_uppercase().as_str() {
        "IFCMATERIAL" => {
            parts.extend(records.string(id, 0));
            return;
        }
        "IFCMATERIALLAYER" | "IFCMATERIALLAYERWITHOFFSETS" => {
            let name = records.reference(id, 0).and_then(|material| records.string(material, 0));
            let thickness = records.measured(id, 1, "IFCLENGTHMEASURE");
            let both = [name, thickness].into_iter().flatten().collect::<Vec<_>>().join(" ");
            parts.extend((!both.is_empty()).then_some(both));
            return;
        }
        "IFCMATERIALLIST" | "IFCMATERIALLAYERSET" => 0,
        "IFCMATERIALLAYERSETUSAGE" | "IFCMATERIALPROFILESETUSAGE" => 0,
        "IFCMATERIALPROFILESETUSAGETAPERING" => 0,
        _ => 2,
    };
    for next in records.references(id, inner) {
        collect_materials(records, next, nesting + 1, parts);
    }
}
