//! The handlers, by what they are about.

pub(crate) mod train;
pub(crate) mod sources;
pub(crate) mod uploads;
pub(crate) mod jobs;
pub(crate) mod job_documents;
pub(crate) mod documents;
pub(crate) mod document_pages;
pub(crate) mod original;
pub(crate) mod search;
pub(crate) mod norms;
pub(crate) mod operation;

use crate::problem::Problem;

/// Rows of a page when the client does not say.
const DEFAULT_LIMIT: u32 = 100;

/// The `limit` of a listing: 1 to 1,000.
pub(crate) fn page_limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=1000) => Ok(limit),
        Some(_) => Err(Problem::invalid_field("limit", "limit — от 1 до 1000")),
    }
}
