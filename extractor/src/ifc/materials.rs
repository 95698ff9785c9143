//! Materials: «Кирпич 380 мм; Минвата 100 мм».

use super::records::Records;
use crate::tidy::tidy_line;

/// Parts of a material that are shown.
const MAX_PARTS: usize = 64;
/// Instances looked at for one material; sets and their layers come to a few dozen.
const MAX_STEPS: usize = 200;
/// The longest list of layers, in bytes.
const MAX_BYTES: usize = 16 << 10;
/// Materials within each other (usage, set, layer, material).
const MAX_NESTING: u32 = 4;

/// The names of a material, or of those that a set, its usage or its layers refer to.
pub(super) fn text(records: &Records<'_>, material: u32) -> String {
    let mut walk = Walk { records, parts: Vec::new(), steps: 0 };
    walk.visit(material, 0);
    tidy_line(&walk.parts.join("; "))
}

struct Walk<'r, 'a> {
    records: &'r Records<'a>,
    parts: Vec<String>,
    steps: usize,
}

impl Walk<'_, '_> {
    fn visit(&mut self, id: u32, nesting: u32) {
        self.steps += 1;
        let records = self.records;
        let is_enough = self.parts.len() >= MAX_PARTS || self.steps > MAX_STEPS;
        if nesting > MAX_NESTING || is_enough || records.length(id) > MAX_BYTES {
            return;
        }
        let name_at = |attribute| {
            records.reference(id, attribute).and_then(|material| records.string(material, 0))
        };
        let inner = match records.class(id).as_str() {
            "IFCMATERIAL" => return self.parts.extend(records.string(id, 0)),
            "IFCMATERIALLAYER" | "IFCMATERIALLAYERWITHOFFSETS" => {
                return self.add([name_at(0), records.value(id, 1, "IFCLENGTHMEASURE")]);
            }
            "IFCMATERIALPROFILE" | "IFCMATERIALPROFILEWITHOFFSETS" => {
                let profile = records.reference(id, 3);
                let profile = profile.and_then(|profile| records.string(profile, 1));
                return self.add([name_at(2), profile]);
            }
            "IFCMATERIALLIST"
            | "IFCMATERIALLAYERSET"
            | "IFCMATERIALLAYERSETUSAGE"
            | "IFCMATERIALPROFILESETUSAGE"
            | "IFCMATERIALPROFILESETUSAGETAPERING" => 0,
            // Sets of profiles and of constituents, and a constituent.
            _ => 2,
        };
        for next in records.first_references(id, inner, MAX_STEPS) {
            self.visit(next, nesting + 1);
        }
    }

    fn add(&mut self, words: [Option<String>; 2]) {
        let words: Vec<String> = words.into_iter().flatten().collect();
        if !words.is_empty() {
            self.parts.push(words.join(" "));
        }
    }
}
