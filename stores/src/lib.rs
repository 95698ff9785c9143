//! Blobs, documents, chunks, vectors, works, norms; the embedder.
