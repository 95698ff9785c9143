//! `ragtrain norm`.

use crate::client::Client;
use crate::table::{self, text};
use shared::settings::ClientSettings;
use std::process::ExitCode;

/// A norm, or one of its clauses.
#[derive(clap::Args, Debug)]
pub(crate) struct NormArguments {
    /// Designation («СП 45.13330»)
    designation: String,
    /// Clause («5.10»)
    clause: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// Shows the norm's status, the clause, and who cites it.
pub(crate) async fn norm(arguments: NormArguments) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.server);
    let path = format!("/norms/{}", escaped(&arguments.designation));
    if let Some(clause) = &arguments.clause {
        let answer = client.get(&format!("{path}/clauses/{}", escaped(clause)), &[]).await?;
        if arguments.json {
            table::json(&answer);
            return Ok(ExitCode::SUCCESS);
        }
        for chunk in answer["chunks"].as_array().into_iter().flatten() {
            println!(
                "{}\n   {}",
                text(chunk, "citation"),
                text(chunk, "text").replace('\n', "\n   ")
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    let norm = client.get(&path, &[]).await?;
    if arguments.json {
        table::json(&norm);
    } else {
        table::fields(&norm);
        let direction = [("direction", "in".to_owned())];
        let rows = client.rows(&format!("{path}/references"), "references", &direction).await?;
        table::print(
            &rows,
            &[
                ("cited by", &|row| text(row, "document.designation")),
                ("document", &|row| text(row, "document.name")),
                ("as", &|row| text(row, "text")),
                ("clause", &|row| text(row, "clause")),
                ("times", &|row| text(row, "count")),
            ],
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A path segment: everything but letters, digits, dots and dashes is percent-encoded.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
