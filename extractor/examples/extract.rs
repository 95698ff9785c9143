//! Reads files as the worker does, in limited children, and prints what was won:
//! `cargo run --release --example extract -- [--text | --json | --outcome] file…`. With `--json` a file
//! is one line with all its pages; with `--outcome` how it ended, and nothing of what was read.

use extractor::client::{ExtractError, ExtractLimits, Extraction, Tools, extract};
use extractor::model::BlockKind;
use std::path::Path;
use std::time::Instant;

fn main() {
    let (options, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let has = |name: &str| options.iter().any(|option| option == name);
    let (text_only, outcome_only) = (has("--text"), has("--outcome"));
    let mut tools = Tools::find("/usr/local/bin:/usr/bin:/bin", &["rus", "eng"], 2);
    // Examples are built into a folder beside the programs.
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        let program = folder.with_file_name("ragtrain-extractor");
        if program.is_file() {
            tools.extractor = program;
        }
    }
    for file in files {
        let path = Path::new(&file);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let started = Instant::now();
        let limits = ExtractLimits::default();
        let result = extract(path, &name.unwrap_or_default(), &limits, &tools, &|| false, &|_| ());
        let seconds = started.elapsed().as_secs_f32();
        if outcome_only {
            println!("{}", outcome(&result));
            continue;
        }
        if has("--json") {
            let pages = result.map(|extraction| extraction.pages).unwrap_or_default();
            println!("{}", serde_json::json!({ "file": file, "seconds": seconds, "pages": pages }));
            continue;
        }
        match result {
            Ok(extraction) => {
                if !text_only {
                    println!("━━━ {file}: {seconds:.1} s");
                }
                print(&extraction, text_only);
            }
            Err(ExtractError::Failed(failure)) => {
                let (code, message) = (failure.code.name(), &failure.message);
                println!("━━━ {file}: {seconds:.1} s FAILED {code}: {message}");
                if let Some(partial) = &failure.partial {
                    print(partial, text_only);
                }
            }
            Err(other) => println!("━━━ {file}: {other}"),
        }
    }
}

fn outcome(result: &Result<Extraction, ExtractError>) -> serde_json::Value {
    match result {
        Ok(extraction) => serde_json::json!({ "outcome": "read", "pages": extraction.pages.len() }),
        Err(ExtractError::Failed(failure)) => serde_json::json!({ "outcome": failure.code.name() }),
        Err(other) => serde_json::json!({ "error": other.to_string() }),
    }
}

fn print(extraction: &Extraction, text_only: bool) {
    if text_only {
        for block in extraction.pages.iter().flat_map(|page| &page.blocks) {
            println!("{}", block.text);
        }
        return;
    }
    println!(
        "{:?}, {} pages {:?}",
        extraction.format, extraction.page_count, extraction.properties
    );
    for (code, message) in &extraction.warnings {
        println!("  ! {} {message}", code.map_or("", |code| code.name()));
    }
    for page in &extraction.pages {
        println!(
            "── page {} {:?} {:?} {:?} {:?}",
            page.number, page.size, page.verdict, page.source, page.confidence
        );
        page.warnings.iter().for_each(|warning| println!("  ! {warning}"));
        page.furniture.iter().for_each(|line| println!("  furniture │ {line}"));
        for block in &page.blocks {
            let kind = match &block.kind {
                BlockKind::Heading { level } => format!("heading {level}"),
                BlockKind::Table(cells) => format!("table({})", cells.header_rows),
                other => format!("{other:?}").to_lowercase(),
            };
            println!("  {kind:>12} │ {}", block.text.replace('\n', "\n               │ "));
        }
    }
}
