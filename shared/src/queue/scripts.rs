//! The scripts. Every file documents its arguments at the top; `library/` holds the functions
//! they share: see `assemble`.

use super::assemble::assemble;
use super::keys::Shard;
use redis::ScriptInvocation;
use std::sync::LazyLock;

/// A script that is loaded into Redis on first use and after every `SCRIPT FLUSH`.
pub(super) struct Script(LazyLock<redis::Script>);

impl Script {
    /// An invocation on one shard, whose prefix is the one declared key; arguments follow with
    /// `.arg(…)`.
    pub(super) fn call(&self, shard: Shard) -> ScriptInvocation<'_> {
        self.0.key(shard.prefix())
    }
}

/// The functions that scripts share; each gets those it uses.
const LIBRARY: &str = concat!(
    include_str!("scripts/library/job.lua"),
    include_str!("scripts/library/events.lua"),
    include_str!("scripts/library/leases.lua"),
    include_str!("scripts/library/queue.lua"),
    include_str!("scripts/library/ending.lua"),
);

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) static $name: Script =
            Script(LazyLock::new(|| {
                let source = include_str!(concat!("scripts/", $file));
                redis::Script::new(&assemble(source, LIBRARY))
            }));)*

        /// The digests by which `SLOWLOG` and `MONITOR` of Redis call the scripts, and the names
        /// of their files.
        pub fn script_digests() -> Vec<(String, &'static str)> {
            vec![$(($name.0.get_hash().to_owned(), $file)),*]
        }
    };
}

scripts! {
    SUBMIT = "submit.lua";
    CLAIM = "claim.lua";
    BEAT = "beat.lua";
    EXTEND = "extend.lua";
    SEAL = "seal.lua";
    ABORT = "abort.lua";
    PUBLISH = "publish.lua";
    COMPLETE = "complete.lua";
    FAIL = "fail.lua";
    RELEASE = "release.lua";
    REAP = "reap.lua";
    SCRUB = "scrub.lua";
    FINISH = "finish.lua";
    CANCEL = "cancel.lua";
    PAUSE = "pause.lua";
    RESUME = "resume.lua";
    VIEW = "view.lua";
    JOBS = "jobs.lua";
    EVENTS = "events.lua";
    RUNNING = "running.lua";
    WORKERS = "workers.lua";
    DEPTH = "depth.lua";
    SHARES = "shares.lua";
}
