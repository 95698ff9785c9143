//! Reads one file as the worker does, in a limited child, and prints how it ended as JSON:
//! `cargo run --release --example outcome -- file`.

use extractor::client::{ExtractError, ExtractLimits, Tools, extract};
use std::path::Path;

fn main() {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: outcome FILE");
        std::process::exit(2);
    };
    let mut tools = Tools::find("/usr/local/bin:/usr/bin:/bin", &["rus", "eng"], 2);
    // Examples are built into a folder beside the programs.
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        let program = folder.with_file_name("ragtrain-extractor");
        if program.is_file() {
            tools.extractor = program;
        }
    }
    let path = Path::new(&file);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let limits = ExtractLimits::default();
    let (outcome, pages) = match extract(path, &name, &limits, &tools, &|| false, &|_| ()) {
        Ok(extraction) => ("read", extraction.pages.len()),
        Err(ExtractError::Failed(failure)) => {
            let partial = failure.partial.as_ref().map_or(0, |partial| partial.pages.len());
            (failure.code.name(), partial)
        }
        Err(other) => {
            eprintln!("{other}");
            std::process::exit(1);
        }
    };
    println!("{}", serde_json::json!({ "outcome": outcome, "pages": pages }));
}
