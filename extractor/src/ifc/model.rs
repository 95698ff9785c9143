//! What the relations of a building model say: what stands where, of which type and material, with
//! which properties. Attributes are counted as in ISO 16739 (IFC2X3 to IFC4X3 agree on these).

use super::names::Names;
use super::records::Records;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Classes that have a place in the building rather than being built.
const PLACES: [&str; 17] = [
    "IFCSITE",
    "IFCBUILDING",
    "IFCBUILDINGSTOREY",
    "IFCSPACE",
    "IFCSPATIALZONE",
    "IFCEXTERNALSPATIALELEMENT",
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
    "IFCMARINEPART",
];
/// Zones of rooms and systems of equipment.
const GROUPS: [&str; 7] = [
    "IFCZONE",
    "IFCSYSTEM",
    "IFCDISTRIBUTIONSYSTEM",
    "IFCDISTRIBUTIONCIRCUIT",
    "IFCBUILDINGSYSTEM",
    "IFCGROUP",
    "IFCELECTRICALCIRCUIT",
];
/// Steps from a part to the project; real models have six.
const MAX_STEPS: usize = 32;

/// A building model without its geometry.
#[derive(Default)]
pub(super) struct Model {
    pub(super) project: Option<u32>,
    /// Sites, buildings, storeys and rooms, in the order of the file.
    pub(super) places: Vec<u32>,
    /// What is built, parts of assemblies included.
    pub(super) elements: BTreeSet<u32>,
    /// Zones and systems with their members.
    pub(super) groups: BTreeMap<u32, Vec<u32>>,
    pub(super) classifications: BTreeSet<u32>,
    pub(super) documents: BTreeSet<u32>,
    /// Whether not all sets of properties were kept.
    pub(super) is_cut: bool,
    /// Whether storeys of one name may be in different buildings.
    pub(super) has_several_buildings: bool,
    /// The place of each place in the order of the file.
    order: HashMap<u32, usize>,
    storeys: HashSet<u32>,
    rooms: HashSet<u32>,
    parents: HashMap<u32, u32>,
    types: HashMap<u32, u32>,
    definitions: HashMap<u32, Vec<u32>>,
    materials: HashMap<u32, u32>,
}

/// The numbers of the relations, found while the file is scanned.
#[derive(Default)]
struct Relations {
    aggregates: Vec<u32>,
    contained: Vec<u32>,
    by_properties: Vec<u32>,
    by_type: Vec<u32>,
    by_material: Vec<u32>,
    by_group: Vec<u32>,
    /// Openings in elements, what fills them, and what is only referred to by a place.
    beside: Vec<(u32, usize, usize)>,
}

impl Model {
    /// Scans a file; at most `most` sets of properties are kept, each counted for every object.
    pub(super) fn read(bytes: &[u8], most: u64) -> (Records<'_>, Model) {
        let (mut model, mut relations) = (Model::default(), Relations::default());
        let records =
            Records::scan(bytes, |id, class, names| model.meet(id, class, names, &mut relations));
        model.order = model.places.iter().enumerate().map(|(at, place)| (*place, at)).collect();
        model.relate(&records, &relations);
        model.describe(&records, &relations, most);
        (records, model)
    }

    fn meet(&mut self, id: u32, class: &str, names: &Names, relations: &mut Relations) {
        match class {
            "IFCPROJECT" => self.project = self.project.or(Some(id)),
            "IFCRELAGGREGATES" | "IFCRELNESTS" => relations.aggregates.push(id),
            "IFCRELCONTAINEDINSPATIALSTRUCTURE" => relations.contained.push(id),
            "IFCRELDEFINESBYPROPERTIES" => relations.by_properties.push(id),
            "IFCRELDEFINESBYTYPE" => relations.by_type.push(id),
            "IFCRELASSOCIATESMATERIAL" => relations.by_material.push(id),
            "IFCRELASSIGNSTOGROUP" | "IFCRELASSIGNSTOGROUPBYFACTOR" => relations.by_group.push(id),
            "IFCRELVOIDSELEMENT" | "IFCRELFILLSELEMENT" => relations.beside.push((id, 5, 4)),
            "IFCRELREFERENCEDINSPATIALSTRUCTURE" => relations.beside.push((id, 4, 5)),
            "IFCCLASSIFICATIONREFERENCE" => _ = self.classifications.insert(id),
            "IFCDOCUMENTREFERENCE" | "IFCDOCUMENTINFORMATION" => _ = self.documents.insert(id),
            group if GROUPS.contains(&group) => _ = self.groups.insert(id, Vec::new()),
            place if PLACES.contains(&place) => {
                self.places.push(id);
                match place {
                    "IFCSPACE" => _ = self.rooms.insert(id),
                    "IFCBUILDINGSTOREY" => _ = self.storeys.insert(id),
                    _ => {}
                }
            }
            // An element that nothing relates to a place is there all the same.
            element if names.is_known(element) => _ = self.elements.insert(id),
            _ => {}
        }
    }

    /// Places and what stands in them, wholes and parts, groups and their members.
    fn relate(&mut self, records: &Records<'_>, relations: &Relations) {
        for relation in &relations.contained {
            let Some(place) = records.reference(*relation, 5) else { continue };
            for element in records.references(*relation, 4) {
                self.parents.insert(element, place);
                self.elements.insert(element);
            }
        }
        let mut parts: HashMap<u32, Vec<u32>> = HashMap::new();
        for relation in &relations.aggregates {
            let Some(whole) = records.reference(*relation, 4) else { continue };
            for part in records.references(*relation, 5) {
                self.parents.insert(part, whole);
                parts.entry(whole).or_default().push(part);
            }
        }
        for (relation, inner, outer) in &relations.beside {
            let Some(outer) = records.reference(*relation, *outer) else { continue };
            for object in records.references(*relation, *inner) {
                self.parents.entry(object).or_insert(outer);
            }
        }
        // Parts of what is built are built, however deep they are.
        let mut open: Vec<u32> = self.elements.iter().copied().collect();
        while let Some(whole) = open.pop() {
            let new = parts.get(&whole).into_iter().flatten();
            open.extend(new.filter(|part| self.elements.insert(**part)));
        }
        for relation in &relations.by_group {
            let group = records.reference(*relation, 6);
            if let Some(members) = group.and_then(|group| self.groups.get_mut(&group)) {
                members.extend(records.references(*relation, 4));
                members.sort_unstable();
                members.dedup();
            }
        }
        let order = &self.order;
        self.elements.retain(|element| {
            let class = records.class(*element);
            !class.is_empty() && !records.names.is_ignored(&class) && !order.contains_key(element)
        });
        let storeys = self.places.iter().filter(|place| self.storeys.contains(place));
        let buildings: HashSet<u32> =
            storeys.filter_map(|storey| self.building_of(*storey)).collect();
        self.has_several_buildings = buildings.len() > 1;
    }

    /// Types, materials and properties.
    fn describe(&mut self, records: &Records<'_>, relations: &Relations, most: u64) {
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
        for (all, to) in
            [(&relations.by_type, &mut self.types), (&relations.by_material, &mut self.materials)]
        {
            for relation in all {
                let Some(kind) = records.reference(*relation, 5) else { continue };
                to.extend(
                    records.references(*relation, 4).into_iter().map(|object| (object, kind)),
                );
            }
        }
    }

    pub(super) fn is_room(&self, id: u32) -> bool {
        self.rooms.contains(&id)
    }

    pub(super) fn is_storey(&self, id: u32) -> bool {
        self.storeys.contains(&id)
    }

    /// What something is in, from near to far.
    pub(super) fn ancestors(&self, id: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(self.parents.get(&id), |above| self.parents.get(above))
            .copied()
            .take(MAX_STEPS)
    }

    /// The place on whose page an element or a room is told: its storey, or the nearest place that
    /// is no room.
    pub(super) fn page_of(&self, id: u32) -> Option<u32> {
        let is_page = |place: &u32| self.order.contains_key(place) && !self.rooms.contains(place);
        let storey = self.ancestors(id).find(|place| self.storeys.contains(place));
        storey.or_else(|| self.ancestors(id).find(is_page))
    }

    /// The building or other structure that a storey is part of.
    pub(super) fn building_of(&self, place: u32) -> Option<u32> {
        let is_whole =
            |above: &u32| self.order.contains_key(above) && !self.storeys.contains(above);
        self.ancestors(place).find(is_whole)
    }

    /// Where a place stands in the file.
    pub(super) fn order(&self, place: u32) -> Option<usize> {
        self.order.get(&place).copied()
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
