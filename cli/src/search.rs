//! `ragtrain search`.

use crate::client::Client;
use crate::language::say;
use crate::table;
use reqwest::Method;
use serde_json::{Value, json};
use shared::settings::ClientSettings;
use std::process::ExitCode;

/// A question.
#[derive(clap::Args, Debug)]
pub(crate) struct SearchArguments {
    /// The question
    question: String,
    /// hybrid, exact, bm25 or dense
    #[arg(long, default_value = "hybrid", value_parser = ["hybrid", "exact", "bm25", "dense"])]
    mode: String,
    /// How many answers
    #[arg(short, default_value_t = 10)]
    k: u32,
    /// Only this collection
    #[arg(long)]
    collection: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// Characters of an answer that fit on a few lines.
const SHOWN: usize = 600;

/// Asks and shows the answers with their addresses; 1 when there is none.
pub(crate) async fn search(arguments: SearchArguments) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.server);
    let mut body = json!({ "query": arguments.question, "k": arguments.k, "mode": arguments.mode });
    if let Some(collection) = &arguments.collection {
        body["filters"] = json!({ "collection": collection });
    }
    let answer = client.call(Method::POST, "/search", Some(&body)).await?;
    let hits = answer["results"].as_array().cloned().unwrap_or_default();
    if arguments.json {
        table::json(&answer);
    } else {
        hits.iter().enumerate().for_each(|(position, hit)| show(position + 1, hit));
        if hits.is_empty() {
            println!("{}", say("ничего не найдено", "nothing found"));
        }
        let used = answer["mode"].as_str().unwrap_or_default();
        if used != arguments.mode {
            println!("{} {used}", say("режим:", "mode:"));
        }
    }
    Ok(if hits.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn show(position: usize, hit: &Value) {
    println!(
        "{position}. {}  ({})",
        table::text(hit, "citation"),
        table::text(hit, "document.name")
    );
    if let Some(caption) = hit["caption"].as_str() {
        println!("   {caption}");
    }
    let text = table::text(hit, "text");
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    for line in shown.lines() {
        println!("   {line}");
    }
}
