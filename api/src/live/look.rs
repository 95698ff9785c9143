//! What a channel tells its viewers and the supervisor.

use super::entry::{Entry, Since};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Why a client must forget what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetReason {
    /// The history was lost and begins anew.
    Epoch,
    /// The events after the client's position are no longer kept.
    Trimmed,
    /// The client is ahead of the history (a failover lost its end).
    Regressed,
}

impl ResetReason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            ResetReason::Epoch => "epoch",
            ResetReason::Trimmed => "trimmed",
            ResetReason::Regressed => "regressed",
        }
    }
}

/// Where the channel stands, for the greeting of a viewer.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) epoch: String,
    pub(crate) lineage: u64,
    pub(crate) oldest: u64,
    /// A cursor in this range finds its next event in the ring.
    pub(super) in_ring: RangeInclusive<u64>,
}

impl Position {
    /// Whether a client that has everything up to `since` finds all that it misses in the ring.
    pub(crate) fn covers(&self, since: &Since) -> bool {
        since.epoch.as_ref().is_none_or(|epoch| *epoch == self.epoch)
            && !self.epoch.is_empty()
            && self.in_ring.contains(&since.seq)
    }
}

/// A place in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Everything up to here was handed over.
    pub(crate) position: u64,
    /// Which history it is; [`Look::Void`] tells of another.
    pub(crate) lineage: u64,
}

/// What a cursor finds.
pub(crate) enum Look {
    /// The next events, contiguous from the cursor.
    Events(Vec<Arc<Entry>>),
    /// The cursor lies below the ring: read the stream.
    BelowRing,
    /// Nothing new.
    Nothing,
    /// The final event lies behind the cursor.
    Ended,
    /// The history that the cursor belonged to is gone.
    Void(ResetReason, u64),
}

/// What became of a message from pub/sub.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    Appended,
    Duplicate,
    /// There is a hole or another epoch: the filling task was woken.
    Gap,
}
