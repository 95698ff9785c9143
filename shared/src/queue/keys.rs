//! Key and channel names. Scripts build the rest from the prefix, which is the one declared key
//! and carries the hash tag: all keys of a shard live in one slot of a cluster.

use uuid::Uuid;

/// Prefix of every key; `00` is the shard (there is one).
pub(super) const PREFIX: &str = "{tq:00}:";

/// The channel on which the events of one job are published.
pub fn events_channel(job_id: Uuid) -> String {
    format!("{PREFIX}ch:{job_id}")
}

/// The channel on which the events of all jobs are published.
pub fn all_events_channel() -> String {
    format!("{PREFIX}ch:all")
}

/// The channel that tells workers of cancel, pause and resume (see [`super::Control::parse`]).
pub fn control_channel() -> String {
    format!("{PREFIX}ctl")
}

/// The list whose markers wake waiting workers.
pub(super) fn wake() -> String {
    format!("{PREFIX}wake")
}

/// The job's HASH.
pub(super) fn job(job_id: Uuid) -> String {
    format!("{PREFIX}job:{job_id}")
}
