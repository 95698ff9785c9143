//! `soak`: random faults for as long as wanted, then a crowd of jobs. Ends with a table, or with
//! the invariant that was broken and the seed.

use clap::Parser;
use simulation::soak::{self, Plan};
use std::path::PathBuf;
use std::time::Duration;

/// Breaks a fleet of simulated workers at random and checks every job.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// How long; with 0 there is only the crowd
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Repeats a run's choices; without it they are new ones
    #[arg(long)]
    seed: Option<u64>,
    /// One-document jobs that are submitted at once afterwards, behind a job of ten times as many; none
    /// with 0
    #[arg(long, default_value_t = 10_000)]
    crowd: u64,
    /// `simulated-worker` [default: beside this program]
    #[arg(long)]
    worker: Option<PathBuf>,
    /// `simulated-worker` of another version: every second worker is one
    #[arg(long)]
    other_worker: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(testkit::choices::new_seed);
    let worker = match arguments.worker {
        Some(worker) => worker,
        None => std::env::current_exe()?.with_file_name("simulated-worker"),
    };
    println!("seed {seed}");
    let time = Duration::from_secs_f64(arguments.minutes * 60.0);
    let plan = Plan { worker, other_worker: arguments.other_worker, seed, time };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        if arguments.minutes > 0.0 {
            soak::run(&plan).await;
        }
        if arguments.crowd > 0 {
            soak::crowd(&plan.worker, arguments.crowd).await;
        }
    });
    Ok(())
}
