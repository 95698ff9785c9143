//! `ragtrain-worker`: one worker process.

use clap::Parser;
use std::time::Duration;
use stores::ModelFolder;
use tokio::signal::unix::{SignalKind, signal};
use worker::settings::Settings;

/// Trains documents that jobs in Redis hand out.
#[derive(Parser, Debug)]
#[command(name = "ragtrain-worker", version, about)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

fn main() -> anyhow::Result<()> {
    let Arguments { settings } = Arguments::parse();
    shared::telemetry::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let model = ModelFolder::new(&settings.model.model, settings.worker.workers as usize);
        worker::service::run(settings, model, shutdown).await
    });
    // A document that does not let go must not hold the process; its lease runs out.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}
