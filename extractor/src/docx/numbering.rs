//! Automatic numbering: the lists of `word/numbering.xml`.

use super::styles::Styles;
use crate::flow::numbering::{Level, List, Numbering};
use crate::xml::Element;
use std::collections::HashMap;

/// Reads `word/numbering.xml`; `styles` resolve lists that are only a link to a style.
pub(crate) fn read(root: &Element, styles: &Styles) -> Numbering {
    let mut abstracts = HashMap::new();
    let mut links = Vec::new();
    for element in root.all("abstractNum") {
        let Some(id) = number(element.attribute("abstractNumId")) else { continue };
        if let Some(style) = element.value_of("numStyleLink") {
            links.push((id, style));
        }
        abstracts.insert(id, read_levels(element));
    }
    let mut lists = HashMap::new();
    for element in root.all("num") {
        let Some(id) = number(element.attribute("numId")) else { continue };
        let mut list = List {
            abstract_id: number(element.value_of("abstractNumId")).unwrap_or(-1),
            ..List::default()
        };
        for change in element.all("lvlOverride") {
            let Some(level) = number(change.attribute("ilvl")) else { continue };
            if let Some(start) = number(change.value_of("startOverride")) {
                list.start_overrides.insert(level, start);
            }
            list.levels.extend(read_levels(change));
        }
        lists.insert(id, list);
    }
    for (id, style) in links {
        let list = styles.paragraph(Some(style)).properties.number_list;
        let target =
            list.and_then(|list: i32| lists.get(&list)).map(|list: &List| list.abstract_id);
        if let Some(levels) = target.and_then(|target| abstracts.get(&target)).cloned() {
            abstracts.insert(id, levels);
        }
    }
    Numbering::new(lists, abstracts)
}

fn read_levels(parent: &Element) -> HashMap<usize, Level> {
    parent
        .all("lvl")
        .filter_map(|element| {
            let level = Level {
                start: number(element.value_of("start")).unwrap_or(1),
                format: element.value_of("numFmt").unwrap_or("decimal").to_owned(),
                text: element.value_of("lvlText").unwrap_or_default().to_owned(),
                restart: number(element.value_of("lvlRestart")),
                legal: super::styles::switch(element, "isLgl").unwrap_or(false),
                paragraph_style: element.value_of("pStyle").map(str::to_owned),
            };
            Some((number(element.attribute("ilvl"))?, level))
        })
        .collect()
}

fn number<T: std::str::FromStr>(value: Option<&str>) -> Option<T> {
    value?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Numbering;
    use crate::docx::styles::Styles;
    use crate::reader::Limits;
    use crate::xml::parse;

    fn numbering(xml: &str) -> Numbering {
        super::read(&parse(xml, &Limits::default()).unwrap(), &Styles::default())
    }

    fn run(numbering: &mut Numbering, steps: &[(i32, u8)]) -> Vec<String> {
        steps.iter().map(|(list, level)| numbering.next(*list, *level).unwrap().text).collect()
    }

    const CLAUSES: &str = r#"<numbering><abstractNum abstractNumId="0">
        <lvl ilvl="0"><start val="5"/><numFmt val="decimal"/><lvlText val="%1"/><pStyle val="H1"/></lvl>
        <lvl ilvl="1"><start val="1"/><numFmt val="decimal"/><lvlText val="%1.%2"/></lvl>
        <lvl ilvl="2"><start val="1"/><numFmt val="russianLower"/><lvlText val="%3)"/></lvl>
        </abstractNum>
        <num numId="1"><abstractNumId val="0"/></num>
        <num numId="2"><abstractNumId val="0"/><lvlOverride ilvl="1"><startOverride val="10"/></lvlOverride></num>
        </numbering>"#;

    #[test]
    fn clauses_count_and_lower_levels_restart() {
        let steps = [(1, 0), (1, 1), (1, 2), (1, 2), (1, 1), (1, 2), (1, 0), (1, 1)];
        let labels = run(&mut numbering(CLAUSES), &steps);
        assert_eq!(labels, ["5", "5.1", "а)", "б)", "5.2", "а)", "6", "6.1"]);
    }

    #[test]
    fn an_override_restarts_once_and_lists_of_one_kind_count_on() {
        let labels = run(&mut numbering(CLAUSES), &[(1, 0), (1, 1), (2, 1), (2, 1), (1, 1)]);
        assert_eq!(labels, ["5", "5.1", "5.10", "5.11", "5.12"]);
    }

    #[test]
    fn a_level_without_its_parent_shows_the_parents_start() {
        assert_eq!(run(&mut numbering(CLAUSES), &[(1, 1)]), ["5.1"]);
        assert_eq!(numbering(CLAUSES).level_of_style(1, "H1"), Some(0));
        assert!(numbering(CLAUSES).next(99, 0).is_none());
    }
}
