//! `simulated-worker`: one process of workers whose documents only sleep.

use clap::Parser;
use simulation::arguments::Arguments;
use tokio::signal::unix::{SignalKind, signal};

/// Works on the queue without training anything.
#[derive(Parser)]
#[command(version, about)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Program { arguments } = Program::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        simulation::worker::run(arguments, async move {
            terminate.recv().await;
        })
        .await
    })
}
