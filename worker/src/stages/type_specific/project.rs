//! Machines and crews of a work project, from its tables and lists.

use crate::rules::Rules;
use crate::stages::rubern_markup::Markup;
use crate::works::columns::Columns;
use serde::Serialize;

/// A machine, a tool or a crew.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Resource {
    /// What it is.
    pub name: String,
    /// Mark or type («КС-55713»).
    pub mark: Option<String>,
    /// Quantity as written («6 чел.»).
    pub quantity: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// Page of the table or list.
    pub page: u32,
}

impl Resource {
    /// Name and mark on one line.
    pub fn title(&self) -> String {
        match &self.mark {
            Some(mark) => format!("{} {mark}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Machines and crews, in document order, each once.
pub(super) fn resources(rules: &Rules, markup: &Markup) -> (Vec<Resource>, Vec<Resource>) {
    let topic = rules.topic("works");
    let (crew, title) = (topic.rule("crew_name"), topic.rule("machines_table"));
    let (mut machines, mut crews) = (Vec::new(), Vec::new());
    for table in &markup.tables {
        let section = table.section.and_then(|index| markup.sections.get(index));
        let about = title.is_match(&table.caption)
            || section.is_some_and(|section| title.is_match(&section.title));
        let Some(columns) = Columns::of(rules, table).filter(|_| about) else { continue };
        // A table with labour or prices lists works and no machines.
        if columns.has("labour") || columns.has("norm_of_time") || columns.has("total") {
            continue;
        }
        for row in table.rows.iter().skip(columns.first_row) {
            let text = |kind: &str| {
                Some(columns.cell(row, kind))
                    .filter(|cell| !matches!(cell.as_str(), "" | "-" | "–" | "—"))
            };
            let Some(name) = text("name") else { continue };
            if row.iter().filter(|cell| !cell.is_empty()).count() < 2 {
                continue;
            }
            let is_crew = crew.is_match(&name);
            let resource = Resource {
                name,
                mark: text("mark"),
                quantity: text("quantity"),
                purpose: text("purpose"),
                page: table.pages[0],
            };
            if is_crew { push(&mut crews, resource) } else { push(&mut machines, resource) }
        }
    }
    let lines = super::texts(markup).lines(topic.rule("marker"));
    for line in &lines {
        let Some(found) = topic.rule("machine_item").captures(line.text) else { continue };
        let resource = Resource {
            name: found["name"].trim().to_owned(),
            quantity: Some(found["count"].to_owned()),
            page: line.pages[0],
            ..Resource::default()
        };
        push(&mut machines, resource);
    }
    (machines, crews)
}

fn push(resources: &mut Vec<Resource>, resource: Resource) {
    if !resources.iter().any(|known| known.name == resource.name && known.mark == resource.mark) {
        resources.push(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::resources;
    use crate::rules::Rules;
    use crate::stages::rubern_markup::{List, Markup, Part};
    use crate::works::columns::tests::table;

    #[test]
    fn machines_and_crews_of_tables_and_lists() {
        let mut needs = table(
            "Наименование|Марка|Количество|Назначение\nЛебёдка|Л-5|2|Подъём щитов\nЗвено плотников|–|4 чел.|Сборка щитов",
        );
        needs.caption = "Таблица 1 – Машины и рабочие".to_owned();
        let list = List {
            items: vec!["- Кран КХ-1 - 2 шт.".to_owned(), "- Песок - 4 т".to_owned()],
            pages: [2, 2],
            ..List::default()
        };
        let markup = Markup {
            tables: vec![needs],
            lists: vec![list],
            parts: vec![Part::Table(0), Part::List(0)],
            ..Markup::default()
        };
        let (machines, crews) = resources(Rules::shipped(), &markup);
        let names: Vec<String> = machines.iter().map(super::Resource::title).collect();
        assert_eq!(names, ["Лебёдка Л-5", "Кран КХ-1"]);
        assert_eq!((crews.len(), crews[0].quantity.as_deref()), (1, Some("4 чел.")));
        assert_eq!(crews[0].mark, None);
    }
}
