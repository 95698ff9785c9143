//! `ragtrain jobs`.

use crate::client::Client;
use crate::table::{self, text};
use crate::top::{TopArguments, top};
use reqwest::Method;
use shared::settings::{ClientSettings, QueueSettings, RedisSettings, StorageSettings};
use std::process::ExitCode;
use uuid::Uuid;

/// What to do with jobs.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum JobsCommand {
    /// All jobs, newest first
    List(ListArguments),
    /// One job with its documents
    Show(OneJob),
    /// Who has how much of the workers, live
    Top(TopArguments),
    /// Stop a job
    Cancel(OneJob),
    /// Give out no more of its documents
    Pause(OneJob),
    /// Go on with a paused job
    Resume(OneJob),
    /// A new job over the documents that failed
    Retry(OneJob),
    /// Submit accepted jobs again that Redis has lost
    Recover(RecoverArguments),
}

/// Which jobs to list.
#[derive(clap::Args, Debug)]
pub(crate) struct ListArguments {
    /// queued, running, paused, completed, …
    #[arg(long)]
    status: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// One job.
#[derive(clap::Args, Debug)]
pub(crate) struct OneJob {
    /// The job's id
    job: Uuid,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// Where queue and ledger are.
#[derive(clap::Args, Debug)]
pub(crate) struct RecoverArguments {
    #[command(flatten)]
    storage: StorageSettings,
    #[command(flatten)]
    redis: RedisSettings,
    #[command(flatten)]
    queue: QueueSettings,
}

/// Runs one of the commands.
pub(crate) async fn run(command: JobsCommand) -> anyhow::Result<ExitCode> {
    match command {
        JobsCommand::List(arguments) => list(arguments).await?,
        JobsCommand::Show(arguments) => show(arguments).await?,
        JobsCommand::Top(arguments) => top(arguments).await?,
        JobsCommand::Cancel(arguments) => act(arguments, "cancel").await?,
        JobsCommand::Pause(arguments) => act(arguments, "pause").await?,
        JobsCommand::Resume(arguments) => act(arguments, "resume").await?,
        JobsCommand::Retry(arguments) => act(arguments, "retry").await?,
        JobsCommand::Recover(arguments) => recover(arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: ListArguments) -> anyhow::Result<()> {
    let client = Client::new(&arguments.server);
    let query: Vec<(&str, String)> =
        arguments.status.map(|status| ("status", status)).into_iter().collect();
    let rows = client.rows("/jobs", "jobs", &query).await?;
    if arguments.json {
        table::json(&rows.into());
        return Ok(());
    }
    table::print(
        &rows,
        &[
            ("job", &|row| text(row, "job_id")),
            ("status", &|row| text(row, "status")),
            ("%", &|row| text(row, "progress")),
            ("total", &|row| text(row, "documents.total")),
            ("failed", &|row| text(row, "documents.failed")),
            ("created", &|row| text(row, "created_at")),
        ],
    );
    Ok(())
}

async fn show(arguments: OneJob) -> anyhow::Result<()> {
    let client = Client::new(&arguments.server);
    let job = client.get(&format!("/jobs/{}", arguments.job), &[]).await?;
    if arguments.json {
        table::json(&job);
        return Ok(());
    }
    table::fields(&job);
    let documents =
        client.rows(&format!("/jobs/{}/documents", arguments.job), "documents", &[]).await?;
    table::print(
        &documents,
        &[
            ("document", &|row| text(row, "name")),
            ("outcome", &|row| text(row, "outcome")),
            ("code", &|row| text(row, "code")),
            ("stage", &|row| text(row, "stage")),
            ("ms", &|row| text(row, "duration_ms")),
            ("message", &|row| text(row, "message")),
        ],
    );
    Ok(())
}

async fn act(arguments: OneJob, verb: &str) -> anyhow::Result<()> {
    let client = Client::new(&arguments.server);
    let answer =
        client.call(Method::POST, &format!("/jobs/{}/{verb}", arguments.job), None).await?;
    if arguments.json {
        table::json(&answer);
    } else {
        println!("{}  {}", text(&answer, "job_id"), text(&answer, "status"));
    }
    Ok(())
}

async fn recover(arguments: RecoverArguments) -> anyhow::Result<()> {
    let queue = shared::queue::Queue::open(&arguments.redis.redis_url, arguments.queue.times())?;
    let blobs = stores::Blobs::in_folder(&arguments.storage.data.join("blobs"))?;
    println!("{}", api::recover(&queue, &blobs).await?);
    Ok(())
}
