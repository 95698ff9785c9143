//! What the drivers share: arguments, the talk with the orchestrator, and our worker.

pub mod fleet;

use serde_json::Value;
use std::io::{BufRead, Write};

/// The arguments of a driver: `<redis url> <workload> <count> <concurrency>`.
pub struct Arguments {
    /// Where the queue is.
    pub url: String,
    /// `drain`, `pickup`, `behind`, `share` or `waiting`.
    pub workload: String,
    /// Documents.
    pub count: u64,
    /// Slots of the one worker.
    pub concurrency: u32,
}

impl Arguments {
    /// Reads the command line.
    pub fn read() -> Result<Arguments, String> {
        let usage = || "usage: <redis url> <workload> <count> <concurrency>".to_owned();
        let mut words = std::env::args().skip(1);
        let mut word = || words.next().ok_or_else(usage);
        Ok(Arguments {
            url: word()?,
            workload: word()?,
            count: word()?.parse().map_err(|_| usage())?,
            concurrency: word()?.parse().map_err(|_| usage())?,
        })
    }
}

/// Tells the orchestrator that everything is prepared and waits for its word.
pub fn ready() -> std::io::Result<()> {
    tell(&serde_json::json!({ "ready": true }))?;
    std::io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// Writes one line for the orchestrator.
pub fn tell(line: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
