//! Why a document stopped before its last stage, decided where the cause is known.

use shared::outcome::{Code, Outcome};
use std::fmt;
use stores::StoreError;

/// The four ways to stop (design: code.md, «Failure taxonomy»). There is no conversion from a
/// foreign error: whoever sees it must say which of these it is.
#[derive(Debug)]
pub enum Stop {
    /// Ends the document with an outcome that is not a failure of ours: a duplicate, too little
    /// text, a text that is not usable.
    Skipped {
        /// `SkippedDuplicate`, `TooShort`, `NeedsAttention` or `Cancelled`.
        outcome: Outcome,
        /// Stable code, when there is one.
        code: Option<Code>,
        /// For people, in Russian.
        message: String,
    },
    /// Trying again would end the same way.
    Permanent {
        /// Stable code.
        code: Code,
        /// For people, in Russian.
        message: String,
    },
    /// May go well later: the document is tried again with back-off.
    Transient {
        /// The code if it never goes well.
        code: Code,
        /// For people, in Russian.
        message: String,
    },
    /// The worker must let go of the document now; no attempt is spent.
    Interrupted(Interruption),
}

/// Why a worker lets go of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The job was cancelled.
    Cancelled,
    /// The worker is shutting down; the lease is still ours and is given back.
    Shutdown,
    /// Another job trained the document since the attempt began: it is given back and begins
    /// again with the bytes as they are then.
    Overtaken,
    /// The lease is no longer ours; nothing may be written.
    LeaseLost,
}

impl Stop {
    /// A failure that will not go away.
    pub fn permanent(code: Code, message: impl Into<String>) -> Stop {
        Stop::Permanent { code, message: message.into() }
    }

    /// A store call failed: fenced, for now, or for good.
    pub fn from_store(error: StoreError) -> Stop {
        match error {
            StoreError::Fenced { .. } => Stop::Interrupted(Interruption::LeaseLost),
            StoreError::Overtaken { .. } => Stop::Interrupted(Interruption::Overtaken),
            // Somebody else wrote first what may be written once: look again.
            error @ StoreError::AlreadyExists(_) => Stop::store(error),
            error if error.is_transient() => Stop::store(error),
            error => Stop::permanent(Code::InternalError, format!("хранилище: {error}")),
        }
    }

    /// Something outside did not answer as it should; it may later.
    pub fn store(error: impl fmt::Display) -> Stop {
        Stop::Transient {
            code: Code::StoreUnavailable,
            message: format!("хранилище недоступно: {error}"),
        }
    }
}
