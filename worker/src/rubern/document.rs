//! A document's structure as Rubern.

use super::Tag;
use crate::structure::StructureRules;
use crate::structure::body::{Body, Part};
use shared::structure::{Dependency, Work};

/// The tags of a document: its body in reading order, then its works and what comes before what.
/// Rows of tables are lines of text with cells divided by tabs.
pub fn tags(
    rules: &StructureRules,
    body: &Body,
    works: &[Work],
    dependencies: &[Dependency],
) -> Vec<Tag> {
    let mut tags = Vec::new();
    for part in &body.parts {
        match part {
            Part::Section(section) => tags.push(Tag::Section(body.headings[*section].clone())),
            Part::Clause(clause) => {
                let clause = &body.clauses[*clause];
                tags.push(Tag::Norm(format!("{} {}", clause.number, clause.text)));
            }
            Part::Table(table) => {
                let table = &body.tables[*table];
                push_text(&mut tags, &table.caption);
                for row in &table.rows {
                    let cells: Vec<String> = row.iter().map(|cell| one_line(cell)).collect();
                    push_text(&mut tags, &cells.join("\t"));
                }
            }
            Part::List(list) => {
                let list = &body.lists[*list];
                push_text(&mut tags, &list.lead);
                list.items.iter().for_each(|item| push_text(&mut tags, item));
            }
            Part::Passage(passage) => {
                for line in passage.text.lines() {
                    if rules.example.is_match(line) {
                        tags.push(Tag::Example(line.to_owned()));
                    } else {
                        push_text(&mut tags, line);
                    }
                }
            }
        }
    }
    tags.extend(works.iter().map(|work| Tag::Work(work.name.clone())));
    let name = |id: &str| works.iter().find(|work| work.id == id).map(|work| work.name.clone());
    tags.extend(dependencies.iter().filter_map(|dependency| {
        Some(Tag::Dependency(name(&dependency.from)?, name(&dependency.to)?))
    }));
    tags
}

fn push_text(tags: &mut Vec<Tag>, text: &str) {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    tags.extend(lines.map(|line| Tag::Text(line.to_owned())));
}

fn one_line(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ")
}
