//! The registry of norms: trained, cited, replaced.

use super::{Database, Direction, Norm, NormReference, Page, StoredChunk, unfinished};
use crate::Result;

impl Database {
    /// Norms in the order of their ids; `limit` is 1..=1000.
    pub fn norms(&self, limit: u32, cursor: Option<&str>) -> Result<Page<Norm>> {
        let _ = (limit, cursor);
        Err(unfinished())
    }

    /// A norm by its canonical id or by a designation with an edition («СП 45.13330.2017»).
    pub fn norm(&self, id: &str) -> Result<Option<Norm>> {
        let _ = id;
        Err(unfinished())
    }

    /// The chunks of a clause (or «таблица 3») of a trained norm; several when the clause is long.
    pub fn norm_clause(&self, id: &str, address: &str) -> Result<Vec<StoredChunk>> {
        let _ = (id, address);
        Err(unfinished())
    }

    /// Citations of a norm (`In`) or by it (`Out`).
    pub fn norm_references(
        &self,
        id: &str,
        direction: Direction,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<NormReference>> {
        let _ = (id, direction, limit, cursor);
        Err(unfinished())
    }
}
