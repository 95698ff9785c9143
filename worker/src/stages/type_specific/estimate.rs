//! Positions of an estimate; its totals recomputed and compared with those that it states.

use super::TypeSpecific;
use super::decimal::Decimal;
use crate::extracted::Extracted;
use crate::rules::{Rule, Rules};
use crate::stages::rubern_markup::{Markup, Part};
use crate::works::columns::Columns;
use serde_json::{Value, json};
use shared::structure::Table;
use std::collections::BTreeMap;
use stores::database::EstimatePosition;

/// So many differences of single positions are told one by one.
const TOLD: usize = 5;

/// A section of the estimate with what it should come to.
#[derive(Debug, Default)]
struct Portion {
    title: String,
    sum: Decimal,
    positions: usize,
    stated: Option<Decimal>,
}

/// The estimate while it is read.
struct Reader<'r> {
    rules: Topic<'r>,
    /// Money of the file is in thousands.
    thousands: bool,
    positions: Vec<EstimatePosition>,
    totals: Vec<Option<Decimal>>,
    sections: Vec<Portion>,
    grand: Option<(String, Decimal)>,
    vat_rate: Option<Decimal>,
    with_vat: Option<Decimal>,
    components: BTreeMap<String, String>,
    wrong_products: Vec<String>,
}

#[derive(Clone, Copy)]
struct Topic<'r> {
    section: &'r Rule,
    section_total: &'r Rule,
    position_total: &'r Rule,
    vat_total: &'r Rule,
    vat: &'r Rule,
    grand_total: &'r Rule,
    subtotal: &'r Rule,
    component: &'r Rule,
}

/// Reads positions and totals into `found`.
pub(super) fn estimate(
    rules: &Rules,
    extracted: &Extracted,
    markup: &Markup,
    found: &mut TypeSpecific,
) {
    let topic = rules.topic("estimates");
    let mut reader = Reader {
        rules: Topic {
            section: topic.rule("section"),
            section_total: topic.rule("section_total"),
            position_total: topic.rule("position_total"),
            vat_total: topic.rule("vat_total"),
            vat: topic.rule("vat"),
            grand_total: topic.rule("grand_total"),
            subtotal: topic.rule("subtotal"),
            component: topic.rule("component"),
        },
        thousands: in_thousands(rules, extracted, markup),
        positions: Vec::new(),
        totals: Vec::new(),
        sections: Vec::new(),
        grand: None,
        vat_rate: None,
        with_vat: None,
        components: BTreeMap::new(),
        wrong_products: Vec::new(),
    };
    for part in &markup.parts {
        match part {
            Part::Table(index) => {
                if let Some(table) = markup.tables.get(*index) {
                    reader.table(rules, table);
                }
            }
            Part::Section(index) => {
                let heading = markup.headings.get(*index);
                if let Some(heading) =
                    heading.filter(|heading| reader.rules.section.is_match(heading))
                {
                    reader.open(heading);
                }
            }
            Part::Passage(passage) => {
                passage.text.lines().for_each(|line| reader.line(rules, line))
            }
            Part::Clause(index) => {
                let text = markup.clauses.get(*index).map_or("", |clause| clause.text.as_str());
                text.lines().for_each(|line| reader.line(rules, line));
            }
            Part::List(_) => {}
        }
    }
    reader.finish(found);
}

/// Whether money is written in thousands of roubles: the header of a table says so, or the line
/// that names the cost of the whole while no header names roubles.
fn in_thousands(rules: &Rules, extracted: &Extracted, markup: &Markup) -> bool {
    let topic = rules.topic("estimates");
    let (thousands, cost) = (topic.rule("thousands"), topic.rule("estimate_cost"));
    let headers = markup.tables.iter().filter_map(|table| Columns::of(rules, table));
    let headers: Vec<String> =
        headers.map(|columns| columns.header("total").to_lowercase()).collect();
    if headers.iter().any(|header| header.contains("руб")) {
        return headers.iter().any(|header| thousands.is_match(header));
    }
    let said = |line: &str| {
        cost.captures(line).is_some_and(|found| {
            found.name("unit").is_some_and(|unit| thousands.is_match(unit.as_str()))
        })
    };
    extracted.blocks().any(|(_, block)| block.text.lines().any(said))
}

impl Reader<'_> {
    fn open(&mut self, title: &str) {
        self.sections.push(Portion { title: title.trim().to_owned(), ..Portion::default() });
    }

    /// A line outside tables: «Итого по разделу: 120,5».
    fn line(&mut self, rules: &Rules, line: &str) {
        let topic = self.rules;
        if topic.section_total.is_match(line) {
            let value = line.rsplit_once(':').and_then(|(_, value)| Decimal::parse(value));
            if let (Some(value), Some(section)) = (value, self.sections.last_mut()) {
                section.stated.get_or_insert(value);
            }
        } else if let Some(found) = rules.topic("estimates").rule("estimate_cost").captures(line)
            && let Some(value) = Decimal::parse(&found["value"])
            && self.grand.is_none()
        {
            self.grand = Some(("Сметная стоимость".to_owned(), value));
        }
    }

    fn table(&mut self, rules: &Rules, table: &Table) {
        match Columns::of(rules, table) {
            Some(columns)
                if columns.has("number") || columns.has("code") || columns.has("quantity") =>
            {
                for row in table.rows.iter().skip(columns.first_row) {
                    self.row(&columns, row, table);
                }
            }
            _ => self.totals_table(table),
        }
    }

    /// Two columns: a name and its amount.
    fn totals_table(&mut self, table: &Table) {
        for row in &table.rows {
            let filled: Vec<&String> = row.iter().filter(|cell| !cell.is_empty()).collect();
            let [name, value] = filled.as_slice() else { continue };
            if let Some(value) = Decimal::parse(value) {
                self.total(name, value);
            }
        }
    }

    fn row(&mut self, columns: &Columns, row: &[String], table: &Table) {
        let topic = self.rules;
        let number = columns.cell(row, "number");
        let name = columns.cell(row, "name");
        let first = row.iter().find(|cell| !cell.trim().is_empty()).map_or("", |cell| cell.trim());
        let filled = row.iter().filter(|cell| !cell.trim().is_empty()).count();
        let title = if name.is_empty() { first } else { &name };
        let total = Decimal::parse(&columns.cell(row, "total"));
        if filled <= 2 && total.is_none() && topic.section.is_match(first) {
            self.open(first);
            return;
        }
        if topic.position_total.is_match(title) {
            if let (Some(total), Some(last)) = (total, self.totals.last_mut()) {
                *last = Some(total);
            }
            return;
        }
        // The name of a total may stand in any cell of its row.
        let named = row.iter().map(|cell| cell.trim()).find(|cell| {
            topic.subtotal.is_match(cell)
                || topic.vat.is_match(cell)
                || topic.component.is_match(cell)
        });
        let is_position = number.chars().next().is_some_and(|c| c.is_ascii_digit());
        if let Some(named) = named.filter(|named| !is_position || topic.subtotal.is_match(named)) {
            // Without a column of totals the last amount of the row is meant.
            let last = || row.iter().rev().find_map(|cell| Decimal::parse(cell));
            if let Some(value) = total.or_else(last) {
                self.total(named, value);
            }
            return;
        }
        let code = columns.cell(row, "code");
        if name.is_empty()
            || !name.chars().any(char::is_alphabetic)
            || !(is_position || !code.is_empty() && total.is_some())
        {
            return;
        }
        self.position(columns, row, table, (number, code, name, total));
    }

    fn position(
        &mut self,
        columns: &Columns,
        row: &[String],
        table: &Table,
        found: (String, String, String, Option<Decimal>),
    ) {
        let (number, code, name, total) = found;
        let quantity = Decimal::parse(&columns.cell(row, "quantity"));
        let price = Decimal::parse(&columns.cell(row, "unit_price"));
        if let (Some(quantity), Some(price), Some(total)) = (quantity, price, total)
            && let Some(product) = quantity.multiply(price)
            && differs(product.rounded(2), total, 1)
        {
            self.wrong_products.push(format!(
                "позиция {number} «{name}»: {quantity} × {price} = {}, в смете {total}",
                product.rounded(2)
            ));
        }
        let section = self.sections.last().map(|section| section.title.clone());
        self.positions.push(EstimatePosition {
            number,
            section,
            code,
            name,
            unit: Some(columns.cell(row, "unit")).filter(|unit| !unit.is_empty()),
            quantity: quantity.and_then(Decimal::to_f64),
            unit_price: self.roubles(price),
            total: None,
            page: Some(table.pages[0]),
        });
        self.totals.push(total);
    }

    fn total(&mut self, name: &str, value: Decimal) {
        let topic = self.rules;
        if let Some(found) = topic.section_total.captures(name) {
            let number = found.name("number").map(|number| number.as_str().to_owned());
            let last = self.sections.len().saturating_sub(1);
            let by_number = |section: &Portion| {
                let digits = section
                    .title
                    .split(|c: char| !(c.is_ascii_digit() || c == '.'))
                    .find(|part| !part.is_empty());
                number.is_some()
                    && digits.map(|digits| digits.trim_end_matches('.')) == number.as_deref()
            };
            let place = self.sections.iter().rposition(by_number).unwrap_or(last);
            if let Some(section) = self.sections.get_mut(place) {
                section.stated = Some(value);
            }
        } else if topic.vat_total.is_match(name) {
            self.with_vat = Some(value);
        } else if let Some(found) = topic.vat.captures(name) {
            self.vat_rate = found.name("rate").and_then(|rate| Decimal::parse(rate.as_str()));
        } else if topic.grand_total.is_match(name) {
            self.grand = Some((name.to_owned(), value));
        } else if let Some(found) = topic.component.captures(name) {
            self.components.insert(found["name"].to_owned(), value.to_string());
        }
    }

    /// For the store: roubles, whatever the file counts in.
    fn roubles(&self, money: Option<Decimal>) -> Option<f64> {
        let factor = Decimal::parse(if self.thousands { "1000" } else { "1" })?;
        money?.multiply(factor)?.to_f64()
    }

    fn finish(mut self, found: &mut TypeSpecific) {
        let mut sum = Decimal::default();
        let mut summed = 0;
        for place in 0..self.positions.len() {
            let Some(total) = self.totals.get(place).copied().flatten() else { continue };
            self.positions[place].total = self.roubles(Some(total));
            // Resources that are listed under their work («1.1») are part of its total.
            let part_of_work = self.positions[place].number.contains('.')
                && self.positions.iter().zip(&self.totals).any(|(other, total)| {
                    total.is_some()
                        && self.positions[place].number.split('.').next()
                            == Some(other.number.as_str())
                });
            if part_of_work {
                continue;
            }
            let Some(more) = sum.add(total) else { continue };
            sum = more;
            summed += 1;
            let title = self.positions[place].section.clone();
            if let Some(section) =
                self.sections.iter_mut().find(|section| Some(&section.title) == title.as_ref())
                && let Some(more) = section.sum.add(total)
            {
                section.sum = more;
                section.positions += 1;
            }
        }
        let unit = if self.thousands { "тыс. руб." } else { "руб." };
        let mut issues = Vec::new();
        for section in &self.sections {
            if let Some(stated) = section.stated.filter(|stated| {
                section.positions > 0 && differs(section.sum, *stated, section.positions)
            }) {
                issues.push(difference(&section.title, section.sum, stated, unit));
            }
        }
        if let Some((name, stated)) = &self.grand
            && summed > 0
            && differs(sum, *stated, summed)
        {
            issues.push(difference(name, sum, *stated, unit));
        }
        let with_vat = self.vat_rate.and_then(|rate| {
            let share = Decimal::parse("0.01")?.multiply(rate)?.add(Decimal::parse("1")?)?;
            Some(sum.multiply(share)?.rounded(2))
        });
        if let (Some(computed), Some(stated)) = (with_vat, self.with_vat)
            && summed > 0
            && differs(computed, stated, summed)
        {
            issues.push(difference("Всего с НДС", computed, stated, unit));
        }
        let more = self.wrong_products.len().saturating_sub(TOLD);
        issues.extend(self.wrong_products.drain(..).take(TOLD));
        if more > 0 {
            issues.push(format!("ещё позиций, где количество × цена не равно сумме: {more}"));
        }
        let sections: Vec<Value> = self
            .sections
            .iter()
            .map(|section| {
                json!({
                    "title": section.title,
                    "positions": section.positions,
                    "computed": (section.positions > 0).then(|| section.sum.to_string()),
                    "stated": section.stated.map(|stated| stated.to_string()),
                })
            })
            .collect();
        found.totals = Some(json!({
            "unit": unit,
            "positions": self.positions.len(),
            "sections": sections,
            "computed": (summed > 0).then(|| sum.to_string()),
            "stated": self.grand.as_ref().map(|(_, stated)| stated.to_string()),
            "computed_with_vat": with_vat.filter(|_| summed > 0).map(|value| value.to_string()),
            "stated_with_vat": self.with_vat.map(|stated| stated.to_string()),
            "components": self.components,
            "differences": issues,
        }));
        found.positions = self.positions;
        found.issues.extend(issues);
    }
}

/// Each of `count` amounts may be rounded by half of a hundredth.
fn differs(computed: Decimal, stated: Decimal, count: usize) -> bool {
    let half = Decimal::parse("0.005").unwrap_or_default();
    let count = Decimal::parse(&count.max(1).to_string()).unwrap_or_default();
    let tolerance = half.multiply(count).and_then(|sum| sum.add(half)).unwrap_or_default();
    computed.subtract(stated).is_none_or(|difference| difference.absolute().exceeds(tolerance))
}

fn difference(name: &str, computed: Decimal, stated: Decimal, unit: &str) -> String {
    let off = stated.subtract(computed).unwrap_or_default();
    format!("«{name}»: по позициям {computed}, в файле {stated} {unit} (разница {off})")
}

#[cfg(test)]
mod tests {
    use crate::extracted::Extracted;
    use crate::rules::Rules;
    use crate::stages::rubern_markup::{Markup, Part};
    use crate::stages::type_specific::{TypeSpecific, type_specific};
    use crate::works::columns::tests::table;
    use extractor::model::Format;
    use shared::structure::DocumentType;

    fn estimate(tables: &[&str]) -> TypeSpecific {
        let extracted = Extracted {
            format: Format::Xlsx,
            pages: Vec::new(),
            page_count: 1,
            properties: Default::default(),
            warnings: Vec::new(),
        };
        let markup = Markup {
            tables: tables.iter().map(|text| table(text)).collect(),
            parts: (0..tables.len()).map(Part::Table).collect(),
            ..Markup::default()
        };
        let kind = DocumentType { family: "smeta".to_owned(), ..DocumentType::default() };
        type_specific(Rules::shipped(), &extracted, &markup, &kind)
    }

    const GOOD: &str = concat!(
        "№ п/п|Обоснование|Наименование работ и затрат|Ед. изм.|Количество|Цена за ед., руб.|Всего, руб.\n",
        "Раздел 1. Рвы||||||\n",
        "1|ГЭСН01-01-001-01|Рытьё рва|м3|0,3|0,1|0,03\n",
        "2|ФССЦ-01.1-1|Песок|м3|10|1,05|10,5\n",
        "|||Итого по разделу 1|||10,53\n",
        "Раздел 2. Валы||||||\n",
        "3|ГЭСН01-01-002-01|Отсыпка вала|м3|2|5|10\n",
        "||Итого по разделу 2||||10\n",
        "||Всего по смете||||20,53\n",
    );

    #[test]
    fn a_good_estimate_has_no_differences() {
        let found = estimate(&[GOOD]);
        assert_eq!(found.issues, Vec::<String>::new());
        assert_eq!(found.positions.len(), 3);
        assert_eq!(found.positions[0].section.as_deref(), Some("Раздел 1. Рвы"));
        assert_eq!(
            (found.positions[2].quantity, found.positions[2].total),
            (Some(2.0), Some(10.0))
        );
        let totals = found.totals.unwrap();
        assert_eq!(
            (totals["computed"].as_str(), totals["stated"].as_str()),
            (Some("20.53"), Some("20.53"))
        );
        assert_eq!(totals["sections"][0]["stated"], "10.53");
    }

    #[test]
    fn differences_are_told() {
        let wrong =
            GOOD.replace("||10,53", "||10,63").replace("|5|10", "|6|10").replace("20,53", "30,53");
        let issues = estimate(&[&wrong]).issues;
        assert_eq!(issues.len(), 3, "{issues:?}");
        assert!(issues[0].contains("Раздел 1. Рвы") && issues[0].contains("разница 0.1"));
        assert!(issues[1].contains("по позициям 20.53, в файле 30.53"));
        assert!(issues[2].contains("позиция 3"));
    }

    #[test]
    fn thousands_become_roubles_and_parts_are_kept() {
        let found = estimate(&[concat!(
            "№ п.п.|Обоснование|Наименование|Сметная стоимость, тыс.руб.||\n",
            "|||строительных работ|прочих затрат|всего\n",
            "1|2|3|4|5|6\n",
            "1|01-01|Канал|2,5|0|2,5\n2|01-02|Шлюз|3|0|3\n",
            "Итого|||5,5|0|5,5\n||ОТ|||1,5"
        )]);
        assert_eq!(found.issues, Vec::<String>::new());
        assert_eq!(found.positions[0].total, Some(2500.0));
        let totals = found.totals.unwrap();
        assert_eq!(
            (totals["unit"].as_str(), totals["components"]["ОТ"].as_str()),
            (Some("тыс. руб."), Some("1.5"))
        );
        assert_eq!(totals["stated"], "5.5");
    }

    #[test]
    fn value_added_tax_is_recomputed() {
        let text = format!("{GOOD}||НДС 20%||||4,11\n||Всего с НДС||||25");
        let issues = estimate(&[&text]).issues;
        assert_eq!(issues, ["«Всего с НДС»: по позициям 24.64, в файле 25 руб. (разница 0.36)"]);
    }
}
