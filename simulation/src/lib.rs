//! Workers whose documents only sleep, and what one needs to break them and look at the result.
//!
//! The worker (`simulated-worker`) uses the queue as the real one does and nothing else: claims, a
//! heartbeat on a thread of its own, one event per stage, `complete`, release on SIGTERM. What it
//! does is written to a [`ledger`], which judges like a store: an effect happens once, and not
//! under an older fence. A [`fleet`] is several such processes on one redis-server, with the
//! invariants that hold after every fault.

pub mod arguments;
pub mod fleet;
pub mod heart;
pub mod invariants;
pub mod ledger;
pub mod scripts;
pub mod alone;
pub mod soak;
pub mod worker;
