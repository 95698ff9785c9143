//! One document as the queue gave it to this worker.

use shared::job::ManifestEntry;
use shared::queue::Lease;
use stores::database::Attempt;

/// A claimed document.
#[derive(Clone, Debug)]
pub struct DocumentTask {
    /// The right to work on it.
    pub lease: Lease,
    /// Its line in the manifest.
    pub entry: ManifestEntry,
    /// The job's collection.
    pub collection: String,
    /// Train again what is already trained or remembered.
    pub force: bool,
    /// What the stores write under.
    pub attempt: Attempt,
}
