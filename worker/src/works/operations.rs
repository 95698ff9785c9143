//! Rows of tables of operations: process charts, calculations of labour, bills of works.

use super::columns::Columns;
use super::duration::{Duration, Unit, in_cell, number};
use crate::rules::Rules;
use serde::Serialize;
use shared::structure::{PageRange, Section, Table};

/// An operation with everything its row says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Operation {
    /// As written; empty when the table has no numbers.
    pub number: String,
    /// As written.
    pub name: String,
    /// Unit of measure.
    pub unit: Option<String>,
    /// Amount in that unit.
    pub quantity: Option<f64>,
    /// Labour as written, with its unit («чел.-ч»), for the whole amount.
    pub labour: Option<String>,
    /// Norm of time for one unit, as written, with its unit.
    pub norm_of_time: Option<String>,
    /// From the table, or from norm of time, amount and crew.
    pub duration: Option<Duration>,
    /// Machines as written.
    pub machines: Option<String>,
    /// Materials as written.
    pub materials: Option<String>,
    /// Crew as written.
    pub crew: Option<String>,
    /// Predecessors as written.
    pub predecessors: Option<String>,
    /// First and last page of the table.
    pub pages: PageRange,
    /// Index of the table.
    pub table: usize,
}

/// The operations of one table; empty when it is none of operations.
pub fn operations(rules: &Rules, index: usize, table: &Table) -> Vec<Operation> {
    let Some(columns) = Columns::of(rules, table) else { return Vec::new() };
    let measured =
        ["labour", "norm_of_time", "duration", "crew"].iter().any(|kind| columns.has(kind));
    let named = rules.topic("columns").rule("operation_name").is_match(columns.header("name"));
    let priced = columns.has("total") || columns.has("unit_price") || columns.has("code");
    let counted = columns.has("unit") && columns.has("quantity");
    if !named || !(measured || counted) || priced {
        return Vec::new();
    }
    let rows = table.rows.iter().skip(columns.first_row);
    rows.filter_map(|row| operation(rules, index, table, &columns, row)).collect()
}

fn operation(
    rules: &Rules,
    index: usize,
    table: &Table,
    columns: &Columns,
    row: &[String],
) -> Option<Operation> {
    let text = |kind: &str| {
        Some(columns.cell(row, kind)).filter(|cell| !cell.is_empty() && cell != "-" && cell != "–")
    };
    let with_unit = |kind: &str| {
        let cell = text(kind)?;
        let unit = columns.header(kind).rsplit_once(',').map_or("", |(_, unit)| unit.trim());
        Some(if unit.is_empty() { cell } else { format!("{cell} {unit}") })
    };
    let name = text("name").filter(|name| name.chars().any(char::is_alphabetic))?;
    // A row with a name only is the title of a group; totals are no operations.
    let filled = row.iter().filter(|cell| !cell.is_empty()).count();
    let total = rules.topic("estimates").rule("subtotal").is_match(&name);
    if filled < 2 || total {
        return None;
    }
    let mut operation = Operation {
        number: columns.cell(row, "number"),
        name,
        unit: text("unit"),
        quantity: text("quantity").and_then(|cell| number(&cell)),
        labour: with_unit("labour"),
        norm_of_time: with_unit("norm_of_time"),
        duration: text("duration").and_then(|cell| in_cell(columns.header("duration"), &cell)),
        machines: text("machines"),
        materials: text("materials"),
        crew: text("crew"),
        predecessors: text("predecessors"),
        pages: table.pages,
        table: index,
    };
    if operation.duration.is_none() {
        operation.duration = from_norm(rules, &operation);
    }
    Some(operation)
}

/// Norm of time × amount / men of the crew, in hours; only when all three are written.
fn from_norm(rules: &Rules, operation: &Operation) -> Option<Duration> {
    let norm = operation.norm_of_time.as_deref()?;
    let (value, unit) = norm.split_once(' ')?;
    let in_man_hours = unit.contains("чел") && unit.contains('ч');
    let men = crew_size(rules, operation.crew.as_deref()?)?;
    let (value, quantity) = (number(value)?, operation.quantity?);
    let hours = value * quantity / f64::from(men);
    (in_man_hours && hours.is_finite()).then(|| Duration {
        value: (hours * 100.0).round() / 100.0,
        unit: Unit::Hour,
        source: format!("норма времени {norm} × объём {quantity} / звено {men} чел."),
    })
}

/// How many men a crew has («Монтажник 6р-1, 4р-2» → 3).
pub fn crew_size(rules: &Rules, crew: &str) -> Option<u32> {
    let pattern = rules.topic("works").rule("crew_member").patterns.first()?;
    let counts = pattern.captures_iter(crew).filter_map(|found| found["count"].parse::<u32>().ok());
    counts.reduce(u32::saturating_add).filter(|men| *men > 0)
}

/// Whether the rows of a table stand in the order of execution: its caption, its header or the
/// title of its section says so.
pub fn is_ordered(rules: &Rules, table: &Table, sections: &[Section]) -> bool {
    let ordered = rules.topic("works").rule("ordered_table");
    if ordered.is_match(&table.caption) {
        return true;
    }
    let header =
        Columns::of(rules, table).is_some_and(|columns| ordered.is_match(columns.header("name")));
    let section = table.section.and_then(|index| sections.get(index));
    header
        || section.is_some_and(|section| {
            rules.topic("works").rule("sequence_heading").is_match(&section.title)
        })
}

#[cfg(test)]
mod tests {
    use super::{crew_size, is_ordered, operations};
    use crate::rules::Rules;
    use crate::works::columns::tests::table;
    use crate::works::duration::Unit;

    #[test]
    fn rows_of_a_process_chart() {
        let rules = Rules::shipped();
        let chart = table(concat!(
            "№|Наименование операции|Ед. изм.|Объём|Трудозатраты, чел.-ч|Продолжительность, смен\n",
            "Подготовка|||||\n",
            "1|Сборка щитов|м2|20,5|8|1\n",
            "2|Вязка сеток|т|2|16|2\n",
            "|Итого|||24|3"
        ));
        let rows = operations(rules, 0, &chart);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].quantity, Some(20.5));
        assert_eq!(rows[1].labour.as_deref(), Some("16 чел.-ч"));
        assert_eq!(rows[1].duration.as_ref().map(|d| (d.value, d.unit)), Some((2.0, Unit::Shift)));
        assert!(is_ordered(rules, &chart, &[]));
    }

    #[test]
    fn hours_come_from_the_norm_of_time() {
        let rules = Rules::shipped();
        let chart = table(
            "Наименование работ|Ед. изм.|Объем|Норма времени, чел.-ч|Состав звена\nПосадка дуба|шт|10|1,2|Рабочий 4р-1, 2р-2",
        );
        let rows = operations(rules, 0, &chart);
        assert_eq!(rows[0].duration.as_ref().map(|d| (d.value, d.unit)), Some((4.0, Unit::Hour)));
        assert!(!is_ordered(rules, &chart, &[]));
        assert_eq!(crew_size(rules, "Геодезист-1"), Some(1));
        assert_eq!(crew_size(rules, "по проекту"), None);
    }

    #[test]
    fn other_tables_have_no_operations() {
        let rules = Rules::shipped();
        assert!(operations(rules, 0, &table("Грунт|Угол\nПесок|30")).is_empty());
        let estimate = "№|Наименование работ|Ед. изм.|Количество|Всего, руб.\n1|Рытьё|м3|4|10";
        assert!(operations(rules, 0, &table(estimate)).is_empty());
    }
}
