//! What a simulated worker can be told.

use clap::Args;
use shared::settings::{QueueSettings, RedisSettings};
use std::path::PathBuf;
use std::time::Duration;

/// The load that the worker makes and the faults that it has.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// The Redis.
    #[command(flatten)]
    pub redis: RedisSettings,
    /// Periods of the queue.
    #[command(flatten)]
    pub queue: QueueSettings,
    /// Folder of the ledger; without it effects are only thought of
    #[arg(long)]
    pub ledger: Option<PathBuf>,
    /// The name in events and in the ledger; no spaces
    #[arg(long, default_value = "simulated")]
    pub name: String,
    /// How many workers this process stands for, each with an id of its own
    #[arg(long, default_value_t = 1)]
    pub workers: u32,
    /// Documents at once per worker
    #[arg(long, default_value_t = 4)]
    pub slots: u32,
    /// Milliseconds that a document takes
    #[arg(long, default_value_t = 20)]
    pub document_ms: u64,
    /// Published stages of a document, 0 to 14
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=14))]
    pub stages: u8,
    /// Milliseconds for running documents after SIGTERM
    #[arg(long, default_value_t = 1000)]
    pub grace_ms: u64,
    /// Threads of the runtime that documents run on
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// Documents block their thread instead of sleeping
    #[arg(long)]
    pub blocking: bool,
    /// Documents do not listen when they are told to stop
    #[arg(long)]
    pub stubborn: bool,
    /// Does not listen to the control channel
    #[arg(long)]
    pub deaf: bool,
    /// Aborts the process whenever this document begins
    #[arg(long)]
    pub abort_on: Option<u64>,
    /// The first attempt of this document goes on until it is told to stop
    #[arg(long)]
    pub hold: Option<u64>,
    /// The first attempt of this document stops between its effect and `complete`
    #[arg(long)]
    pub hold_counting: Option<u64>,
}

impl Arguments {
    /// What a stage takes.
    pub fn stage_time(&self) -> Duration {
        Duration::from_millis(self.document_ms) / u32::from(self.stages.max(1))
    }
}
