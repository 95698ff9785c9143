//! The queue against a real redis-server; every test has its own.
#![expect(clippy::unwrap_used, reason = "a test fails where something is wrong")]

mod support;
mod crew;
mod life;
mod repetition;
mod leases;
mod sweeps;
mod control;
mod events;
mod fairness;
mod outages;
mod books;
mod model;
mod sharded;
mod cluster;
mod sentinel;
