//! Panics of our own sources end the run as findings. Those of dependencies are reported once each
//! and go on: the product catches them at the boundary of the child process.

use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// Where cargo keeps the sources of dependencies.
const DEPENDENCIES: &str = "/registry/src/";
/// What the paths of the standard library's sources begin with.
const STANDARD_LIBRARY: &str = "/rustc/";

static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Tells panics apart from here on; to be called once, before the first input.
pub fn watch_panics() {
    // libFuzzer's own hook: prints, then aborts, which keeps the input.
    let stop = std::panic::take_hook();
    std::panic::set_hook(Box::new(
        move |panic| {
            if is_foreign(panic) { report(panic) } else { stop(panic) }
        },
    ));
}

/// Runs a parser; only panics of dependencies come back from the hook, and end here.
pub fn guarded(run: impl FnOnce()) {
    drop(catch_unwind(AssertUnwindSafe(run)));
}

fn is_foreign(panic: &PanicHookInfo<'_>) -> bool {
    let Some(location) = panic.location() else { return false };
    if location.file().starts_with(STANDARD_LIBRARY) {
        return called_by_dependency();
    }
    location.file().contains(DEPENDENCIES)
}

/// The standard library panics where it was called badly: whose frame is the innermost?
fn called_by_dependency() -> bool {
    // This crate's own frames (the hook) come first; its folder is left out.
    let own = env!("CARGO_MANIFEST_DIR");
    let root = own.strip_suffix("fuzz").unwrap_or(own);
    let trace = Backtrace::force_capture().to_string();
    trace
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("at "))
        .filter(|place| !place.starts_with(own))
        .find_map(|place| match place {
            _ if place.contains(DEPENDENCIES) => Some(true),
            _ if place.starts_with(root) => Some(false),
            _ => None,
        })
        .unwrap_or(false)
}

fn report(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    if REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(place) {
        eprintln!("DEPENDENCY {panic}");
    }
}
