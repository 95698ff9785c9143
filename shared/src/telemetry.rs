//! Log lines: for people on a terminal, JSON otherwise, always on stderr.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging for a program. `RAGTRAIN_LOG` (or `RUST_LOG`) chooses what is shown, `info` by
/// default. A second call in the same process does nothing.
pub fn start() {
    let text = crate::settings::log_filter();
    let filter = EnvFilter::try_new(&text);
    let refused = filter.as_ref().err().map(ToString::to_string);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    if let (Ok(()), Some(reason)) = (started, refused) {
        tracing::warn!(filter = text, reason, "RAGTRAIN_LOG is no filter; using info");
    }
}
