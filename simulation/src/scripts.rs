//! How long Redis is busy with each script, told apart from the time in which the machine lets it
//! wait.
//!
//! `SLOWLOG` counts wall time: it goes on while the machine runs something else. So every tenth of
//! a second its entries are taken out together with what the kernel knows of that time: how long
//! the thread of Redis was ready to run and did not (`schedstat`), and how long the machine itself
//! stood still under its hypervisor (steal). Wall time less this wait is the nearest to what a script
//! took that can be told of a single run; interrupts are still in it.

use crate::fleet::Fleet;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks.
const PERIOD: Duration = Duration::from_millis(100);
/// The unit in which the kernel tells steal.
const TICK: Duration = Duration::from_millis(10);
/// More entries than there are in one period.
const ENTRIES: &str = "1000000";

/// One run of a script, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// As `SLOWLOG` has it.
    wall: u64,
    /// Wall time less everything that Redis waited for a processor in the same period.
    at_least: u64,
}

/// The runs of one script.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Run>);

impl Times {
    /// The wall time that this share of the runs stays within.
    fn wall(&self, share: f64) -> Duration {
        let mut walls: Vec<u64> = self.0.iter().map(|run| run.wall).collect();
        walls.sort_unstable();
        let place = (walls.len() as f64 * share) as usize;
        Duration::from_micros(walls.get(place).or(walls.last()).copied().unwrap_or(0))
    }

    /// The longest run, without the waiting.
    fn longest(&self) -> Duration {
        Duration::from_micros(self.0.iter().map(|run| run.at_least).max().unwrap_or(0))
    }
}

/// All scripts by name; prints as a table.
#[derive(Clone, Debug, Default)]
pub struct ScriptTimes(pub BTreeMap<String, Times>);

impl fmt::Display for ScriptTimes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = ["script, ms", "runs", "median", "p99", "longest", "less waiting"];
        let [name, runs, median, p99, longest, sure] = titles;
        writeln!(out, "{name:<12}{runs:>9}{median:>9}{p99:>9}{longest:>9}{sure:>14}")?;
        for (name, times) in &self.0 {
            let [median, p99, longest, sure] =
                [times.wall(0.5), times.wall(0.99), times.wall(1.0), times.longest()]
                    .map(|time| time.as_secs_f64() * 1000.0);
            let runs = times.0.len();
            writeln!(out, "{name:<12}{runs:>9}{median:>9.3}{p99:>9.3}{longest:>9.3}{sure:>14.3}")?;
        }
        Ok(())
    }
}

/// Watches the scripts of a fleet's Redis until it is asked for them.
pub struct ScriptWatch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<HashMap<String, Times>>,
}

impl Fleet {
    /// Notes every script from now on.
    pub fn watch_scripts(&self) -> ScriptWatch {
        let mut connection = self.redis.connection();
        log_every_command(&mut connection);
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, process) = (Arc::clone(&stop), self.redis.process().id());
        let thread = std::thread::spawn(move || {
            let mut seen: HashMap<String, Times> = HashMap::new();
            let mut before = waited(process);
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(PERIOD);
                let runs = take_slowlog(&mut connection);
                let now = waited(process);
                let wait = (now - before).as_micros() as u64;
                before = now;
                for (function, wall) in runs {
                    let run = Run { wall, at_least: wall.saturating_sub(wait) };
                    seen.entry(function).or_default().0.push(run);
                }
            }
            seen
        });
        ScriptWatch { stop, thread }
    }
}

impl ScriptWatch {
    /// What has been seen, by the names of their files.
    pub fn end(self) -> ScriptTimes {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.thread.join().expect("the watch went well");
        let names = names();
        let name = |function: String| names.get(&function).cloned().unwrap_or(function);
        ScriptTimes(seen.into_iter().map(|(function, times)| (name(function), times)).collect())
    }
}

/// Makes `SLOWLOG` take down everything.
pub(crate) fn log_every_command(connection: &mut redis::Connection) {
    for (name, value) in [("slowlog-log-slower-than", "0"), ("slowlog-max-len", ENTRIES)] {
        let set = redis::cmd("CONFIG").arg(&["SET", name, value]).exec(connection);
        set.expect("redis answers");
    }
}

/// Functions called since the last time, in order, and their wall times in microseconds.
pub(crate) fn take_slowlog(connection: &mut redis::Connection) -> Vec<(String, u64)> {
    // Long words are cut, also inside a letter.
    type Entry = (u64, u64, u64, Vec<Vec<u8>>, String, String);
    let (entries, _): (Vec<Entry>, String) = redis::pipe()
        .atomic()
        .cmd("SLOWLOG")
        .arg(&["GET", ENTRIES])
        .cmd("SLOWLOG")
        .arg("RESET")
        .query(connection)
        .expect("redis answers");
    let scripts = entries.into_iter().rev().filter_map(|(_, _, micros, words, _, _)| {
        let is_script = words[0].eq_ignore_ascii_case(b"FCALL");
        is_script.then(|| (String::from_utf8_lossy(&words[1]).into_owned(), micros))
    });
    scripts.collect()
}

/// How long a process was ready to run and did not, and the whole machine's steal.
fn waited(process: u32) -> Duration {
    let read = |path: &str| std::fs::read_to_string(path).expect("the kernel keeps this account");
    let number = |text: &str, place| -> u64 {
        let word = text.split_whitespace().nth(place);
        word.and_then(|word| word.parse().ok()).expect("a number")
    };
    let ready = number(&read(&format!("/proc/{process}/schedstat")), 1);
    let steal = number(&read("/proc/stat"), 8);
    Duration::from_nanos(ready) + TICK * steal as u32
}

/// Short names of the queue's functions.
pub(crate) fn names() -> HashMap<String, String> {
    let named = shared::queue::function_names().into_iter();
    named.map(|(function, name)| (function, name.to_owned())).collect()
}
