//! Prints the structure of a document: `structure FILE [family] [--json|--chunks|--rubern|--pages]`.
//! A file `*.pages` holds pages that `--pages` printed before. Chunks are cut for 512 words' worth
//! of a rough token count (a token for every three letters).

use extractor::client::{ExtractLimits, Tools, extract};
use extractor::model::{Format, Page};
use shared::structure::DocumentType;
use std::path::Path;
use worker::extracted::Extracted;
use worker::rules::Rules;
use worker::stages::chunking::chunking;
use worker::stages::rubern_markup::{Part, rubern_markup};
use worker::stages::structural_analysis::structural_analysis;

fn main() -> anyhow::Result<()> {
    let (options, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let path = arguments.first().ok_or_else(|| anyhow::anyhow!("usage: structure FILE"))?;
    let wants = |option: &str| options.iter().any(|given| given == option);
    let extracted = read(Path::new(path))?;
    if wants("--pages") {
        println!("{}", serde_json::to_string(&extracted.pages)?);
        return Ok(());
    }
    let family = arguments.get(1).cloned().unwrap_or_else(|| "norms".to_owned());
    let document_type = DocumentType { family, ..DocumentType::default() };
    let rules = Rules::shipped();
    let skeleton = structural_analysis(rules, &extracted, &document_type);
    let markup = rubern_markup(rules, &extracted, &skeleton, &[], &document_type);
    if wants("--rubern") {
        print!("{}", markup.rubern);
        return Ok(());
    }
    if wants("--chunks") {
        let count = |text: &str| text.chars().count() / 3;
        for chunk in chunking(&markup, &extracted, &[], &count, 512) {
            println!("{}", serde_json::to_string(&chunk)?);
        }
        return Ok(());
    }
    if wants("--json") {
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

fn read(path: &Path) -> anyhow::Result<Extracted> {
    if path.extension().is_some_and(|extension| extension == "pages") {
        let pages: Vec<Page> = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        return Ok(Extracted {
            format: Format::Text,
            page_count: u32::try_from(pages.len())?,
            pages,
            properties: Default::default(),
            warnings: Vec::new(),
        });
    }
    let mut tools = Tools::find("/usr/local/bin:/usr/bin:/bin", &["rus", "eng"], 2);
    // Examples are built into a folder beside the programs.
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        tools.extractor = folder.with_file_name("ragtrain-extractor");
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let limits = ExtractLimits::default();
    let extraction = extract(path, &name, &limits, &tools, &|| false, &|_| ())?;
    Ok(Extracted {
        format: extraction.format,
        pages: extraction.pages,
        page_count: extraction.page_count,
        properties: extraction.properties,
        warnings: extraction.warnings,
    })
}
