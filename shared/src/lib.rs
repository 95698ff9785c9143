//! What every part of ragtrain shares: domain types, wire events, the queue and the event log
//! over Redis, settings and telemetry. Knows Redis and nothing else.

pub mod stage;
pub mod outcome;
pub mod identity;
pub mod job;
pub mod event;
pub mod structure;
pub mod reading;
pub mod chunk;
pub mod queue;
pub mod settings;
pub mod telemetry;
pub mod trace;
