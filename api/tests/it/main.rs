//! The api over real sockets, with a redis-server of its own per test.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod harness;
mod process;
mod worker;
mod client;
mod bad_input;
mod train;
mod uploads;
mod live;
mod resume;
mod transports;
mod outages;
mod subscriptions;
mod failover;
mod viewers;
mod slow;
mod nginx;
mod replicas;
mod browser;
mod protocol;
mod drain;
mod soak;
mod scripts;
mod engine;
mod socket_io;
mod knowledge;
mod pages;
mod openapi;
mod table;
