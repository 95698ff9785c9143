//! The mark in every message: which one it is, and when it was due. It stands in the log line, so
//! that no system has to know of it, and needs no escaping in JSON.

use std::time::{SystemTime, UNIX_EPOCH};

/// `#<job>.<number>@<due>;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Index of the job.
    pub job: u32,
    /// Number of the message within its job, from 1.
    pub number: u64,
    /// When it was due, µs since 1970. Not when it was sent: a late publisher counts as latency.
    pub due: u64,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "#{}.{}@{};", self.job, self.number, self.due)
    }
}

/// All marks of a frame, in order.
pub fn marks(frame: &str) -> impl Iterator<Item = Mark> {
    frame.split('#').skip(1).filter_map(|text| {
        let (place, _) = text.split_once(';')?;
        let (place, due) = place.split_once('@')?;
        let (job, number) = place.split_once('.')?;
        Some(Mark { job: job.parse().ok()?, number: number.parse().ok()?, due: due.parse().ok()? })
    })
}

/// Now, in µs since 1970. All programs run on one machine and so on one clock.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let first = Mark { job: 3, number: 17, due: 1_795_332_000_000_123 };
        let second = Mark { job: 0, number: 18, due: 5 };
        let frame = format!(r#"{{"log":"a # b {first}"}},{{"log":"{second}"}} #x"#);
        assert_eq!(marks(&frame).collect::<Vec<_>>(), [first, second]);
    }
}
