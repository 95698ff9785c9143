//! `ragtrain`: everything on one machine, and the commands a person types.

mod language;
mod client;
mod live;
mod progress;
mod table;
mod up;
mod redis_child;
mod top;
mod train;
mod watch;
mod jobs;
mod docs;
mod read_pages;
mod search;
mod norm;
mod model;
mod doctor;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Обучаемая база знаний по строительным документам.
#[derive(Parser, Debug)]
#[command(name = "ragtrain", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Language of messages: ru or en [default: by LANG]
    #[arg(long, global = true, value_parser = ["ru", "en"])]
    lang: Option<String>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Everything on one machine: its own Redis, the api and the workers
    Up(Box<up::UpArguments>),
    /// Train files and folders, with live progress
    Train(train::TrainArguments),
    /// Attach to a running or finished job, full history first
    Watch(watch::WatchArguments),
    /// Jobs: list, show, cancel, pause, resume, retry, recover
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Trained documents: list, show, rm, report
    #[command(subcommand)]
    Docs(docs::DocsCommand),
    /// Ask a question
    Search(search::SearchArguments),
    /// A norm or one of its clauses: its status and who cites it
    Norm(norm::NormArguments),
    /// The embedding model: fetch, check
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// What works, what is missing and how to get it
    Doctor(doctor::DoctorArguments),
    /// A redis-server that dies with its parent (used by `up`)
    #[command(hide = true)]
    RedisChild(redis_child::ChildArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    language::choose(arguments.lang.as_deref());
    if let Command::RedisChild(arguments) = arguments.command {
        return finish(redis_child::become_redis(&arguments).map(|never| match never {}));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return finish(Err(error.into())),
    };
    let result = runtime.block_on(run(arguments.command));
    // A document that cannot be interrupted must not hold the prompt; its lease runs out.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    finish(result)
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(arguments) => up::up(*arguments).await,
        Command::Train(arguments) => train::train(arguments).await,
        Command::Watch(arguments) => watch::watch(arguments).await,
        Command::Jobs(command) => jobs::run(command).await,
        Command::Docs(command) => docs::run(command).await,
        Command::Search(arguments) => search::search(arguments).await,
        Command::Norm(arguments) => norm::norm(arguments).await,
        Command::Model(command) => model::run(command).await,
        Command::Doctor(arguments) => doctor::doctor(arguments).await,
        Command::RedisChild(_) => Ok(ExitCode::FAILURE),
    }
}

/// 2 is for what the server or the command line refused.
fn finish(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("ragtrain: {error:#}");
        ExitCode::from(2)
    })
}
