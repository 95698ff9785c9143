//! The faults of docs/queue.md, «Fault tests», on real processes and a real redis-server. Periods
//! are a fifth of an installation's where a test does not say otherwise.
#![expect(clippy::unwrap_used, reason = "a test fails where something is wrong")]

mod crashes;
mod freezes;
mod restarts;
mod versions;
mod network;
mod stops;
mod load;

use simulation::fleet::{Fleet, Periods};
use testkit::{RedisOptions, RedisServer};

const WORKER: &str = env!("CARGO_BIN_EXE_simulated-worker");

/// A fleet without workers whose Redis keeps nothing over a restart.
async fn fleet(periods: Periods) -> Fleet {
    Fleet::new(WORKER, RedisServer::start(), periods).await
}

/// A fleet without workers whose Redis has an append-only file, written every second.
async fn durable_fleet(periods: Periods) -> Fleet {
    let options = RedisOptions { append_only: true, ..RedisOptions::default() };
    Fleet::new(WORKER, RedisServer::start_with(options), periods).await
}
