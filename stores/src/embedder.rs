//! Text to vectors: multilingual-e5-small or any BERT-like model in Hugging Face layout.

use crate::vector::Vector;
use crate::{Result, StoreError};
use std::path::Path;

/// A loaded model. Share it in an `Arc`; calls run on the caller's thread.
#[derive(Debug)]
pub struct Embedder {}

impl Embedder {
    /// Loads the model of a folder (`config.json`, `tokenizer.json`, `model_int8.onnx` or
    /// `model.onnx`). At most `threads` passage batches run at once; a query never waits.
    /// `StoreError::ModelMissing` when the folder has no model.
    pub fn load(folder: &Path, threads: usize) -> Result<Embedder> {
        let _ = threads;
        Err(StoreError::ModelMissing(folder.display().to_string()))
    }

    /// Identifies the model in the store: vectors of different models are never compared.
    pub fn model_id(&self) -> &str {
        ""
    }

    /// Tokens of a text as the model counts them, without prefix and special tokens.
    pub fn count_tokens(&self, text: &str) -> usize {
        text.len()
    }

    /// Tokens of a passage that the model can see (512 less prefix and special tokens).
    pub fn window(&self) -> usize {
        0
    }

    /// One vector per passage. Texts past the window are cut.
    pub fn embed_passages(&self, texts: &[&str]) -> Result<Vec<Vector>> {
        let _ = texts;
        Err(StoreError::Embedding("not built yet".to_owned()))
    }

    /// The vector of a question.
    pub fn embed_query(&self, text: &str) -> Result<Vector> {
        let _ = text;
        Err(StoreError::Embedding("not built yet".to_owned()))
    }
}
