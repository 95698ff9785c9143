//! Deterministic identities: the same document has one id in events, jobs and `/documents`.

use uuid::Uuid;

/// Raised whenever a change of the pipeline makes older results worth training again.
pub const PIPELINE_VERSION: u32 = 1;

/// The namespace of all ids made here (a fixed random UUID).
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_4c52_93a7_4b1e_a5c8_2d7e_90b3_41fa);

/// UUIDv5 of the collection and the source's URI or path: one document per path.
pub fn document_id(collection: &str, source: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("document\0{collection}\0{source}").as_bytes())
}

/// UUIDv5 of document, version, address and ordinal: writing a chunk twice writes it once.
pub fn chunk_id(document: Uuid, version: i64, address: &str, ordinal: u32) -> Uuid {
    Uuid::new_v5(
        &NAMESPACE,
        format!("chunk\0{document}\0{version}\0{address}\0{ordinal}").as_bytes(),
    )
}

/// The job that an `Idempotency-Key` stands for.
pub fn job_id_for_key(key: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("job\0{key}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::document_id;

    #[test]
    fn one_id_per_collection_and_path() {
        assert_eq!(document_id("a", "/x"), document_id("a", "/x"));
        assert_ne!(document_id("a", "/x"), document_id("b", "/x"));
    }
}
