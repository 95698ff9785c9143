//! The functions that Redis runs for the queue. Each file of `scripts/` is the body of one and
//! documents its arguments at the top; `scripts/library/` holds what they share.
//!
//! They are one library of Redis, which Redis compiles once and keeps with its data. The name of the
//! library carries the digest of its text, so that workers of different versions each have theirs.

use super::keys::Shard;
use redis::Cmd;
use std::sync::LazyLock;

/// A function of the library.
pub(super) struct Script {
    name: &'static str,
    source: &'static str,
}

impl Script {
    /// A call on one shard, whose prefix is the one declared key; arguments follow with `.arg(…)`.
    pub(super) fn call(&self, shard: Shard) -> Cmd {
        let mut call = redis::cmd("FCALL");
        call.arg(self.function()).arg(1).arg(shard.prefix());
        call
    }

    fn function(&self) -> String {
        format!("{}_{}", LIBRARY.name, self.name)
    }

    /// Its registration: the first line of the file has the flags, the rest is the body.
    fn registration(&self, library: &str) -> String {
        let (first, body) = self.source.split_once('\n').unwrap_or_default();
        let flags = first.strip_prefix("#!lua flags=").map(|flag| format!("'{flag}'"));
        format!(
            "redis.register_function{{ function_name = '{library}_{}', flags = {{ {} }}, \
             callback = function(KEYS, ARGV)\nbegin(KEYS[1])\n{body}\nend }}\n",
            self.name,
            flags.unwrap_or_default(),
        )
    }
}

/// What is loaded into Redis.
struct Library {
    name: String,
    source: String,
}

static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let texts: String = ALL.iter().map(|script| script.source).collect();
    let digest = redis::Script::new(&format!("{SHARED}{texts}")).get_hash().to_owned();
    let name = format!("ragtrain_{}", &digest[..16]);
    let mut source = format!("#!lua name={name}\n{SHARED}");
    for script in ALL {
        source.push_str(&script.registration(&name));
    }
    Library { name, source }
});

/// Loads the library; into every master of a Cluster.
pub(super) fn load() -> Cmd {
    let mut load = redis::cmd("FUNCTION");
    load.arg("LOAD").arg("REPLACE").arg(&LIBRARY.source);
    load
}

/// The names by which Redis knows the functions (`SLOWLOG`, `MONITOR`), and those of their files.
pub fn function_names() -> Vec<(String, &'static str)> {
    ALL.iter().map(|script| (script.function(), script.name)).collect()
}

/// What functions share.
const SHARED: &str = concat!(
    include_str!("scripts/library/job.lua"),
    include_str!("scripts/library/events.lua"),
    include_str!("scripts/library/leases.lua"),
    include_str!("scripts/library/queue.lua"),
    include_str!("scripts/library/ending.lua"),
);

macro_rules! scripts {
    ($($constant:ident = $name:literal;)*) => {
        $(pub(super) static $constant: Script = Script {
            name: $name,
            source: include_str!(concat!("scripts/", $name, ".lua")),
        };)*
        static ALL: &[&Script] = &[$(&$constant),*];
    };
}

scripts! {
    SUBMIT = "submit";
    CLAIM = "claim";
    BEAT = "beat";
    EXTEND = "extend";
    SEAL = "seal";
    ABORT = "abort";
    PUBLISH = "publish";
    COMPLETE = "complete";
    FAIL = "fail";
    RELEASE = "release";
    REAP = "reap";
    SCRUB = "scrub";
    FINISH = "finish";
    CANCEL = "cancel";
    PAUSE = "pause";
    RESUME = "resume";
    VIEW = "view";
    JOBS = "jobs";
    EVENTS = "events";
    RUNNING = "running";
    WORKERS = "workers";
    DEPTH = "depth";
    SHARES = "shares";
}
