//! What viewers and publisher share: the systems, the mark in every message, the talk with run.py.

pub mod mark;
pub mod protocol;
pub mod record;
pub mod rivals;
pub mod viewer;

use serde_json::Value;
use std::io::Write;

/// Whatever stops a program of the benchmark.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A relay that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// The live events of ragtrain.
    Ours,
    /// Socket.IO with its Redis adapter.
    SocketIo,
    /// FastAPI with redis.asyncio.
    FastApi,
    /// The Go library Centrifuge with its Redis engine.
    Centrifuge,
}

impl System {
    /// Reads a name of the command line.
    pub fn parse(name: &str) -> Result<System, Failure> {
        match name {
            "ours" => Ok(System::Ours),
            "socketio" => Ok(System::SocketIo),
            "fastapi" => Ok(System::FastApi),
            "centrifuge" => Ok(System::Centrifuge),
            _ => Err(format!("no such system: {name}").into()),
        }
    }
}

/// The name that stands for all jobs.
pub const ALL_JOBS: &str = "all";

/// Writes one line for the orchestrator.
pub fn tell(line: &Value) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// The value at this share of a sorted list; 0 of an empty one.
pub fn quantile<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}
