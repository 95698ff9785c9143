//! `ragtrain watch`.

use crate::client::Client;
use crate::live;
use crate::progress::Progress;
use shared::settings::ClientSettings;
use std::process::ExitCode;
use uuid::Uuid;

/// Attach to a job.
#[derive(clap::Args, Debug)]
pub(crate) struct WatchArguments {
    /// The job's id
    job: Uuid,
    /// Events as JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// Follows a job to its end.
pub(crate) async fn watch(arguments: WatchArguments) -> anyhow::Result<ExitCode> {
    follow(&Client::new(&arguments.server), arguments.job, arguments.json).await
}

/// Shows a job until it ends; 0 when everything was trained, 1 otherwise.
pub(crate) async fn follow(client: &Client, job: Uuid, json: bool) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::new(json);
    live::follow(client, job, &mut |update| progress.show(update)).await?;
    Ok(progress.exit_code())
}
