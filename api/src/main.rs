//! `ragtrain-api`: the api as a program of its own.

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// HTTP, WebSocket and SSE interface of ragtrain
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    settings: api::Settings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    shared::telemetry::start();
    let listener = tokio::net::TcpListener::bind(arguments.settings.api.listen).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let settings = arguments.settings;
    // Questions have threads of their own; no passages are embedded here.
    let model = stores::ModelFolder::new(&settings.model.model, 1);
    api::serve(settings, model, listener, shutdown).await
}
