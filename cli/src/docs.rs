//! `ragtrain docs`.

use crate::client::Client;
use crate::read_pages;
use crate::table::{self, text};
use reqwest::Method;
use shared::settings::ClientSettings;
use std::process::ExitCode;
use uuid::Uuid;

/// What to do with trained documents.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum DocsCommand {
    /// All trained documents
    List(ListArguments),
    /// One document with its structure, or what was read from its pages
    Show(ShowArguments),
    /// Remove a document and everything that came from it
    Rm(OneDocument),
    /// How a document was trained
    Report(OneDocument),
}

/// Which documents to list.
#[derive(clap::Args, Debug)]
pub(crate) struct ListArguments {
    /// Only this collection
    #[arg(long)]
    collection: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// One document.
#[derive(clap::Args, Debug)]
pub(crate) struct OneDocument {
    /// The document's id
    document: Uuid,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// What to show of a document.
#[derive(clap::Args, Debug)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    one: OneDocument,
    /// What was read, page by page
    #[arg(long)]
    pages: bool,
    /// What was read from this page only
    #[arg(long, value_name = "NUMBER")]
    page: Option<u32>,
}

/// Runs one of the commands.
pub(crate) async fn run(command: DocsCommand) -> anyhow::Result<ExitCode> {
    match command {
        DocsCommand::List(arguments) => list(arguments).await?,
        DocsCommand::Show(arguments) => show(arguments).await?,
        DocsCommand::Rm(arguments) => remove(arguments).await?,
        DocsCommand::Report(arguments) => {
            let client = Client::new(&arguments.server);
            table::json(
                &client.get(&format!("/documents/{}/report", arguments.document), &[]).await?,
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: ListArguments) -> anyhow::Result<()> {
    let client = Client::new(&arguments.server);
    let query: Vec<(&str, String)> =
        arguments.collection.map(|collection| ("collection", collection)).into_iter().collect();
    let rows = client.rows("/documents", "documents", &query).await?;
    if arguments.json {
        table::json(&rows.into());
        return Ok(());
    }
    table::print(
        &rows,
        &[
            ("id", &|row| text(row, "id")),
            ("type", &|row| text(row, "family")),
            ("designation", &|row| text(row, "designation")),
            ("pages", &|row| text(row, "pages")),
            ("chunks", &|row| text(row, "chunks")),
            ("quality", &|row| text(row, "quality")),
            ("name", &|row| text(row, "name")),
        ],
    );
    Ok(())
}

async fn show(arguments: ShowArguments) -> anyhow::Result<()> {
    let ShowArguments { one: arguments, pages, page } = arguments;
    let client = Client::new(&arguments.server);
    if pages || page.is_some() {
        return read_pages::show(&client, arguments.document, page, arguments.json).await;
    }
    let path = format!("/documents/{}", arguments.document);
    let document = client.get(&path, &[]).await?;
    if arguments.json {
        table::json(&document);
        return Ok(());
    }
    table::fields(&document);
    let structure = client.get(&format!("{path}/structure"), &[]).await?;
    for section in structure["sections"].as_array().into_iter().flatten() {
        let indent =
            "  ".repeat(usize::try_from(section["level"].as_u64().unwrap_or(1)).unwrap_or(1));
        println!("{indent}{} {}", text(section, "number"), text(section, "title"));
    }
    let count = |field: &str| structure[field].as_array().map_or(0, Vec::len);
    println!(
        "clauses {}  tables {}  references {}  works {}  dependencies {}",
        count("clauses"),
        count("tables"),
        count("references"),
        count("works"),
        count("dependencies")
    );
    Ok(())
}

async fn remove(arguments: OneDocument) -> anyhow::Result<()> {
    let client = Client::new(&arguments.server);
    let answer =
        client.call(Method::DELETE, &format!("/documents/{}", arguments.document), None).await?;
    if arguments.json || !answer.is_null() {
        table::json(&answer);
    }
    Ok(())
}
