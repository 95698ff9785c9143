//! Units of work and the leases under which they are held.

use uuid::Uuid;

/// A piece of a job that one worker does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Listing the sources into the manifest.
    List,
    /// One document of the manifest.
    Document {
        /// Position in the manifest, from 0.
        index: u64,
    },
    /// Writing the report and ending the job, after everything else.
    Finish,
}

impl Unit {
    /// The unit's number in Redis: documents by index, −1 finishing, −2 listing.
    pub(super) fn number(self) -> i64 {
        match self {
            Unit::Document { index } => i64::try_from(index).unwrap_or(i64::MAX),
            Unit::Finish => -1,
            Unit::List => -2,
        }
    }

    /// The unit with this number.
    pub(super) fn from_number(number: i64) -> Option<Unit> {
        match number {
            -1 => Some(Unit::Finish),
            -2 => Some(Unit::List),
            index => u64::try_from(index).ok().map(|index| Unit::Document { index }),
        }
    }
}

/// The right to work on a unit until it expires. Carry `fence` into every external write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub job_id: Uuid,
    /// The unit of the job.
    pub unit: Unit,
    /// Grows with every lease of any unit; microseconds since 1970 unless the clock went back.
    pub fence: u64,
    /// From 1; releases are not counted.
    pub attempt: u32,
}
