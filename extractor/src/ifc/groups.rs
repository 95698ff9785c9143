//! Zones of rooms and systems of equipment.

use super::elements;
use super::model::Model;
use super::properties::Sets;
use super::records::Records;
use super::{Rows, split, tables};
use crate::model::Block;
use crate::tidy::tidy_line;
use std::collections::BTreeMap;

/// Rooms of a zone that are named; of more only the number is told.
const MAX_NAMED: usize = 50;

/// A table of the groups with their members, and one of what is said of them.
pub(super) fn blocks(records: &Records<'_>, model: &Model, sets: &mut Sets<'_, '_>) -> Vec<Block> {
    let mut rows = Vec::new();
    for (group, members) in &model.groups {
        let name = [records.string(*group, 2), records.string(*group, 4)];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let class = records.names.class(&records.class(*group));
        rows.push(vec![class, tidy_line(&name), content(records, model, members)]);
    }
    rows.sort();
    let all: Vec<u32> = model.groups.keys().copied().collect();
    let properties = elements::rows(records, model, sets, &all).properties;
    let mut blocks = split(&["Группа", "Наименование", "Состав"], rows);
    blocks.extend(tables(Rows { properties, ..Rows::default() }));
    blocks
}

/// «101 Коридор; 102 Санузел» for rooms, «Воздуховод – 12; Вентилятор – 1» for the rest.
fn content(records: &Records<'_>, model: &Model, members: &[u32]) -> String {
    let is_rooms = members.iter().all(|member| model.is_room(*member));
    if is_rooms && members.len() <= MAX_NAMED {
        let names = members.iter().map(|room| {
            let words = [2, 7].into_iter().filter_map(|at| records.string(*room, at));
            words.collect::<Vec<_>>().join(" ")
        });
        return tidy_line(&names.collect::<Vec<_>>().join("; "));
    }
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for member in members {
        *classes.entry(elements::class(records, model, *member)).or_default() += 1;
    }
    let counted = classes.iter().map(|(class, number)| format!("{class} – {number}"));
    counted.collect::<Vec<_>>().join("; ")
}
