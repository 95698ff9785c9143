//! The queue and the per-job event log over Redis: the only place that touches their keys.
//!
//! A job is shared by workers in *units*: one listing unit, one unit per document, one finishing
//! unit. A unit is held under a *lease* with a fence token; whoever lost the lease can change
//! nothing any more. Documents that nobody holds cost one bit each, and a job of a million
//! documents is submitted in constant time.
//!
//! Every state change is one Lua script (`scripts/*.lua`) that also writes the event which tells
//! of it. Scripts may be repeated: the same arguments give the same answer, so a caller that lost
//! a reply simply calls again. All clocks are the server's.
//!
//! `docs/queue.md` draws the state machine.

mod error;
mod keys;
mod scripts;
mod unit;
mod address;
mod servers;
mod connection;
mod waiting;
mod submit;
mod claim;
mod listing;
mod settle;
mod together;
mod publish;
mod control;
mod read;
mod observe;

pub use claim::{Beat, Claim, Reaped, Task, Worker};
pub use connection::{Queue, QueueTimes};
pub use control::Control;
pub use error::QueueError;
pub use keys::{all_events_pattern, control_channel, events_channel};
pub use listing::Listing;
pub use observe::{JobShare, QueueDepth, RunningDocument, WorkerView};
pub use publish::{DocumentName, Published, StageBody};
pub use read::{EventPage, Head, JobPage, Snapshot};
pub use scripts::function_names;
pub use settle::{Ending, Failed, Settled};
pub use submit::{NewJob, Submitted};
pub use unit::{Lease, Unit};
