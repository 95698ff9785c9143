//! `ragtrain-worker`: one worker process.

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use worker::settings::Settings;

/// Trains documents that jobs in Redis hand out.
#[derive(Parser, Debug)]
#[command(name = "ragtrain-worker", version, about)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { settings } = Arguments::parse();
    shared::telemetry::start();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    worker::service::run(settings, shutdown).await
}
