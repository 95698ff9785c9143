//! Zones of rooms and systems of equipment.

use super::elements;
use super::model::Model;
use super::properties::Sets;
use super::records::Records;
use super::{Rows, split, tables};
use crate::model::Block;
use crate::tidy::tidy_line;
use std::collections::BTreeMap;

/// The longest text of what a group holds, in bytes; «…» stands for the rest.
const MAX_CONTENT: usize = 4000;

/// A table of the groups with their members, and one of what is said of them.
pub(super) fn blocks(records: &Records<'_>, model: &Model, sets: &mut Sets<'_, '_>) -> Vec<Block> {
    let mut rows = Vec::new();
    for (group, members) in &model.groups {
        // Name, kind, and the long name, which stands elsewhere in each class.
        let name = [2, 4, 5, 6].map(|at| records.string(*group, at));
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let class = records.names.class(&records.class(*group));
        let content = content(records, model, members);
        if !sets.write(name.len() + content.len()) {
            break;
        }
        rows.push(vec![class, tidy_line(&name), content]);
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
    let mut content = String::new();
    let mut add = |part: String| {
        if !content.is_empty() {
            content.push_str("; ");
        }
        content.push_str(&part);
        content.len() < MAX_CONTENT
    };
    let is_whole = if members.iter().all(|member| model.is_room(*member)) {
        members.iter().all(|room| {
            let words = [2, 7].into_iter().filter_map(|at| records.string(*room, at));
            add(tidy_line(&words.collect::<Vec<_>>().join(" ")))
        })
    } else {
        let mut classes: BTreeMap<String, usize> = BTreeMap::new();
        for member in members {
            *classes.entry(elements::class(records, model, *member)).or_default() += 1;
        }
        classes.iter().all(|(class, number)| add(format!("{class} – {number}")))
    };
    if !is_whole {
        content.push_str("; …");
    }
    content
}
