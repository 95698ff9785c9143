//! `ragtrain model`.

use shared::settings::ModelSettings;
use std::process::ExitCode;

/// What to do with the embedding model.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum ModelCommand {
    /// Build the model files into the cache folder, once
    Fetch(ModelSettings),
    /// Verify the files and run the model
    Check(ModelSettings),
}

/// Runs one of the commands.
pub(crate) async fn run(command: ModelCommand) -> anyhow::Result<ExitCode> {
    tokio::task::spawn_blocking(move || match command {
        ModelCommand::Fetch(settings) => {
            stores::model::fetch(&settings.model, &|line| println!("{line}"))?;
            Ok(ExitCode::SUCCESS)
        }
        ModelCommand::Check(settings) => {
            let report = stores::model::check(&settings.model)?;
            println!(
                "{}: {} · {:.0} tokens/CPU-s",
                report.model_id, report.dimensions, report.tokens_per_second
            );
            Ok(ExitCode::SUCCESS)
        }
    })
    .await?
}
