//! The programs as a person uses them, and the architecture they promise.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod architecture;
mod system;
mod whole;
mod pages;
mod crash;
mod hang;
mod twice;
mod cluster;
