//! Prints the structure of a document: `structure pages.json [family]`, where the file holds the
//! extractor's pages as a JSON list. With `--json` the sections and clauses come as JSON.

use extractor::model::{Format, Page};
use shared::structure::DocumentType;
use worker::extracted::Extracted;
use worker::rules::Rules;
use worker::stages::rubern_markup::{Part, rubern_markup};
use worker::stages::structural_analysis::structural_analysis;

fn main() -> anyhow::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().position(|argument| argument == "--json");
    let json = json.map(|place| arguments.remove(place)).is_some();
    let path = arguments.first().ok_or_else(|| anyhow::anyhow!("usage: structure pages.json"))?;
    let pages: Vec<Page> = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let extracted = Extracted {
        format: Format::Text,
        page_count: u32::try_from(pages.len())?,
        pages,
        properties: Default::default(),
        warnings: Vec::new(),
    };
    let family = arguments.get(1).cloned().unwrap_or_else(|| "norms".to_owned());
    let document_type = DocumentType { family, ..DocumentType::default() };
    let rules = Rules::shipped();
    let skeleton = structural_analysis(rules, &extracted, &document_type);
    let markup = rubern_markup(rules, &extracted, &skeleton, &[], &document_type);
    if json {
        let value = serde_json::json!({
            "counts": format!("{:?}", skeleton.counts),
            "sections": markup.sections,
            "clauses": markup.clauses,
            "tables": markup.tables,
        });
        println!("{value}");
        return Ok(());
    }
    println!("{:?}\ncompleteness {:.2}", skeleton.counts, skeleton.completeness);
    let short = |text: &str| text.chars().take(90).collect::<String>().replace('\n', " ⏎ ");
    for part in &markup.parts {
        match part {
            Part::Section(index) => {
                let section = &markup.sections[*index];
                let indent = "  ".repeat(section.level as usize - 1);
                println!("{indent}§ [{}] {} {:?}", section.number, section.title, section.pages);
            }
            Part::Clause(index) => {
                let clause = &markup.clauses[*index];
                println!(
                    "      {} │ {} │ {}",
                    clause.number,
                    clause.text.len(),
                    short(&clause.text)
                );
            }
            Part::Table(index) => {
                let table = &markup.tables[*index];
                println!(
                    "      # [{}] {} {}×{} h{} {:?}",
                    table.number,
                    short(&table.caption),
                    table.rows.len(),
                    table.rows.first().map_or(0, Vec::len),
                    table.header_rows,
                    table.clause
                );
            }
            Part::List(index) => {
                let list = &markup.lists[*index];
                println!("      • {} ({})", short(&list.lead), list.items.len());
            }
            Part::Passage(passage) => println!("      ~ {}", short(&passage.text)),
        }
    }
    markup.issues.iter().for_each(|issue| println!("! {issue}"));
    Ok(())
}
