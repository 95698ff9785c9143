//! Figures that Redis keeps about itself.

use crate::fleet::Fleet;

/// What running the queue's scripts took, in milliseconds. The clock of Redis goes on while the
/// machine runs something else, so the longest ones tell more of the machine than of the scripts.
#[derive(Clone, Copy, Debug)]
pub struct ScriptTimes {
    /// How many ran.
    pub calls: u64,
    /// What one of a hundred exceeded.
    pub p99_ms: f64,
    /// What one of a thousand exceeded.
    pub p999_ms: f64,
}

impl Fleet {
    /// Bytes that Redis uses now.
    pub fn used_memory(&self) -> u64 {
        let memory = self.info("memory");
        number(&memory, "used_memory:").parse().expect("bytes are a number")
    }

    /// All scripts since the start of Redis.
    pub fn script_times(&self) -> ScriptTimes {
        let statistics = self.info("commandstats");
        let calls = number(&statistics, "cmdstat_evalsha:calls=");
        let latencies = self.info("latencystats");
        let percentiles = number(&latencies, "latency_percentiles_usec_evalsha:");
        let percentile = |name: &str| -> f64 {
            let found = percentiles.split(',').find_map(|part| part.strip_prefix(name));
            found.and_then(|micros| micros.parse::<f64>().ok()).expect("redis tells it") / 1000.0
        };
        let calls = calls.split(',').next().unwrap_or_default();
        ScriptTimes {
            calls: calls.parse().expect("calls are a number"),
            p99_ms: percentile("p99="),
            p999_ms: percentile("p99.9="),
        }
    }

    fn info(&self, section: &str) -> String {
        let mut connection = self.redis.connection();
        redis::cmd("INFO").arg(section).query(&mut connection).expect("redis answers")
    }
}

/// The rest of the line that begins so.
fn number<'a>(lines: &'a str, start: &str) -> &'a str {
    let line = lines.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_else(|| panic!("redis tells no {start}")).trim()
}
