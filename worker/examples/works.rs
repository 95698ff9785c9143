//! Reads files and prints what stages 4, 6, 7, 10 and 11 make of their works:
//! `cargo run --release -p worker --example works -- file…`. The extractor program is expected
//! beside the folder of the examples.

use extractor::client::{ExtractLimits, Tools, extract};
use std::path::Path;
use worker::extracted::Extracted;
use worker::rules::Rules;
use worker::stages::document_type::document_type;
use worker::stages::rubern_markup::rubern_markup;
use worker::stages::structural_analysis::structural_analysis;
use worker::stages::type_specific::type_specific;
use worker::stages::work_candidates::work_candidates;
use worker::stages::work_sequences::work_sequences;

fn main() -> anyhow::Result<()> {
    let mut tools = Tools::find("/usr/local/bin:/usr/bin:/bin", &["rus", "eng"], 2);
    if let Some(folder) = std::env::current_exe()?.parent() {
        tools.extractor = folder.with_file_name("ragtrain-extractor");
    }
    let rules = Rules::shipped();
    for file in std::env::args().skip(1) {
        let path = Path::new(&file);
        let name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let extraction =
            extract(path, &name, &ExtractLimits::default(), &tools, &|| false, &|_| ());
        let extracted = match extraction {
            Ok(extraction) => Extracted::from(extraction),
            Err(error) => {
                println!("━━━ {file}: {error:?}");
                continue;
            }
        };
        let kind = document_type(rules, &extracted, &name);
        let skeleton = structural_analysis(rules, &extracted, &kind);
        let seeds = work_candidates(rules, &extracted, &skeleton, &kind);
        let markup = rubern_markup(rules, &extracted, &skeleton, &seeds, &kind);
        let specific = type_specific(rules, &extracted, &markup, &kind);
        let sequences = work_sequences(rules, &markup, &specific);
        println!("━━━ {file}: {} {} {:.2}", kind.family, kind.subtype, kind.confidence);
        println!("seeds {}", seeds.len());
        for seed in &seeds {
            println!("  {} [{}] {}", seed.rule, seed.number, seed.text);
        }
        println!("works {}", markup.works.len());
        for work in &markup.works {
            println!("  {} {} {:?}", work.id, work.name, work.pages);
        }
        println!("dependencies {}", markup.dependencies.len());
        for edge in &markup.dependencies {
            println!("  {} -> {} с. {} «{}»", edge.from, edge.to, edge.pages[0], edge.evidence);
        }
        for seed in &markup.dropped_seeds {
            println!("  dropped «{}»: {}", seed.text, seed.reason);
        }
        println!("specific: {}\n{}", specific.summary(), serde_json::to_string_pretty(&specific)?);
        println!(
            "sequences: {}\n{}",
            sequences.summary(),
            serde_json::to_string_pretty(&sequences)?
        );
    }
    Ok(())
}
