//! Figures that Redis keeps about itself.

use crate::fleet::Fleet;

/// What running the queue's scripts took.
#[derive(Clone, Copy, Debug)]
pub struct ScriptTimes {
    /// How many ran.
    pub calls: u64,
    /// Milliseconds that only one of a thousand needed more than, with the time in which the
    /// machine ran something else.
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
        let percentiles = number(&latencies, "latency_percentiles_usec_evalsha:p50=");
        let slow = percentiles.rsplit('=').next().unwrap_or_default();
        let calls = calls.split(',').next().unwrap_or_default();
        ScriptTimes {
            calls: calls.parse().expect("calls are a number"),
            p999_ms: slow.parse::<f64>().expect("microseconds are a number") / 1000.0,
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
