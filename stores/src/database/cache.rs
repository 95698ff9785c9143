//! Equal text is embedded once: vectors by model and hash of the text.

use super::Database;
use super::rows::model_row;
use crate::vector::Vector;
use crate::{Embedder, Result, StoreError};
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Texts embedded between two looks at `proceed` and two writes to the cache: about two seconds
/// of one core.
const PORTION: usize = 32;

/// Vectors of texts, and how many of them had to be computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// One per text, in order.
    pub vectors: Vec<Vector>,
    /// How many texts the model was run on.
    pub computed: usize,
}

impl Database {
    /// Vectors of passages: from the cache where possible, else from the model; `proceed` is
    /// asked between portions and ends the work early with `StoreError::Stopped` when it answers
    /// `false` (the document was cancelled).
    pub fn embed_passages(
        &self,
        embedder: &Embedder,
        texts: &[String],
        proceed: &dyn Fn() -> bool,
    ) -> Result<Embedded> {
        let hashes: Vec<[u8; 32]> =
            texts.iter().map(|text| Sha256::digest(text.as_bytes()).into()).collect();
        let mut known = self.cached_vectors(embedder.model_id(), &hashes)?;
        let mut missing: HashMap<[u8; 32], &str> = HashMap::new();
        for (hash, text) in hashes.iter().zip(texts) {
            if !known.contains_key(hash) {
                missing.insert(*hash, text);
            }
        }
        let computed = missing.len();
        let mut missing: Vec<([u8; 32], &str)> = missing.into_iter().collect();
        // Texts of one length go together, so that little of a batch is padding.
        missing.sort_unstable_by_key(|(hash, text)| (text.len(), *hash));
        for portion in missing.chunks(PORTION) {
            if !proceed() {
                return Err(StoreError::Stopped);
            }
            let texts: Vec<&str> = portion.iter().map(|(_, text)| *text).collect();
            let vectors = embedder.embed_passages(&texts)?;
            let rows: Vec<([u8; 32], Vector)> =
                portion.iter().map(|(hash, _)| *hash).zip(vectors).collect();
            self.cache_vectors(embedder.model_id(), &rows)?;
            known.extend(rows);
        }
        let vectors = hashes.iter().map(|hash| known.get(hash).cloned()).collect::<Option<_>>();
        let vectors =
            vectors.ok_or_else(|| StoreError::Embedding("a text has no vector".to_owned()))?;
        Ok(Embedded { vectors, computed })
    }

    fn cached_vectors(
        &self,
        model: &str,
        hashes: &[[u8; 32]],
    ) -> Result<HashMap<[u8; 32], Vector>> {
        self.read(|transaction| {
            let mut select = transaction.prepare_cached(
                "SELECT scale, steps FROM embeddings
                 WHERE model_row = (SELECT model_row FROM models WHERE model = ?1)
                   AND text_hash = ?2",
            )?;
            let mut found = HashMap::new();
            for hash in hashes {
                let row = select
                    .query_row(params![model, hash], |row| {
                        Ok(Vector::from_bytes(row.get(0)?, row.get_ref(1)?.as_blob()?))
                    })
                    .optional()?;
                found.extend(row.map(|vector| (*hash, vector)));
            }
            Ok(found)
        })
    }

    fn cache_vectors(&self, model: &str, rows: &[([u8; 32], Vector)]) -> Result<()> {
        self.write(|transaction| {
            let model = model_row(transaction, model)?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO embeddings VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?;
            for (hash, vector) in rows {
                insert.execute(params![model, hash, vector.scale, vector.to_bytes()])?;
            }
            Ok(())
        })
    }
}
