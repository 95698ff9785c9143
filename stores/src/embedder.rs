//! Text to vectors: multilingual-e5-small, or any BERT-like model in Hugging Face layout.
//!
//! A text is run by itself, never in a batch with others: the int8 activations are scaled by the
//! largest value of a run, so a neighbour in a batch would change the vector of a text.

use crate::vector::Vector;
use crate::{Result, StoreError};
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use tokenizers::Tokenizer;

/// The model files looked for, best first.
const MODEL_FILES: [&str; 5] = [
    "model_int8.onnx",
    "model.onnx",
    "onnx/model_int8.onnx",
    "onnx/model_quantized.onnx",
    "onnx/model.onnx",
];
/// Tokens that a model of this family can see, with the special ones.
const POSITIONS: usize = 512;
/// Characters of a text that can reach the window; the rest is not even tokenised.
const LONGEST_TEXT: usize = 12_000;
/// Threads that answer queries, besides those that embed passages.
const QUERY_THREADS: usize = 2;

/// A loaded model. Share it in an `Arc`; a call returns when its vectors are there.
pub struct Embedder {
    model: Model,
    inputs: Inputs,
    output: NodeId,
    tokenizer: Tokenizer,
    model_id: String,
    prefixes: Prefixes,
    passages: Permits,
    queries: Arc<ThreadPool>,
}

#[derive(Debug)]
struct Inputs {
    ids: NodeId,
    mask: Option<NodeId>,
    types: Option<NodeId>,
}

/// What models of the e5 family want in front of a text; others get nothing.
#[derive(Clone, Copy, Debug)]
struct Prefixes {
    query: &'static str,
    passage: &'static str,
}

impl Embedder {
    /// Loads the model of a folder (`config.json`, `tokenizer.json`, `model_int8.onnx` or
    /// `model.onnx`). At most `threads` passages are embedded at once; a query never waits for
    /// them. `StoreError::ModelMissing` when the folder has no usable model.
    pub fn load(folder: &Path, threads: usize) -> Result<Embedder> {
        let file = MODEL_FILES.iter().map(|name| folder.join(name)).find(|file| file.is_file());
        let file = file.ok_or_else(|| {
            StoreError::ModelMissing(format!("no model.onnx in {}", folder.display()))
        })?;
        Embedder::load_file(folder, &file, threads)
    }

    /// Loads one ONNX file with the tokenizer and settings of a folder.
    pub fn load_file(folder: &Path, file: &Path, threads: usize) -> Result<Embedder> {
        let unusable = |what: &str, error: &dyn std::fmt::Display| {
            StoreError::ModelMissing(format!("{what}: {error}"))
        };
        let config = std::fs::read(folder.join("config.json"))
            .map_err(|error| unusable("config.json", &error))?;
        let config: Value =
            serde_json::from_slice(&config).map_err(|error| unusable("config.json", &error))?;
        let tokenizer = Tokenizer::from_file(folder.join("tokenizer.json"))
            .map_err(|error| unusable("tokenizer.json", &error))?;
        let model_id = model_id(&config, folder, file)?;
        let model = ModelOptions::with_all_ops()
            // Without this every run rearranges all int8 weights, which takes longer than the run.
            .prepack_weights(true)
            .load_file(file)
            .map_err(|error| unusable(&file.display().to_string(), &error))?;
        let find = |name: &str| {
            let named = |id: &&NodeId| {
                model.node_info(**id).and_then(|info| info.name().map(|found| found == name))
                    == Some(true)
            };
            model.input_ids().iter().find(named).copied()
        };
        let inputs = Inputs {
            ids: find("input_ids")
                .ok_or_else(|| StoreError::ModelMissing("no input `input_ids`".to_owned()))?,
            mask: find("attention_mask"),
            types: find("token_type_ids"),
        };
        let output = model.output_ids().first().copied();
        let output =
            output.ok_or_else(|| StoreError::ModelMissing("the model has no output".to_owned()))?;
        let prefixes = match model_id.contains("e5") {
            true => Prefixes { query: "query: ", passage: "passage: " },
            false => Prefixes { query: "", passage: "" },
        };
        Ok(Embedder {
            model,
            inputs,
            output,
            tokenizer,
            model_id,
            prefixes,
            passages: Permits::new(threads.max(1)),
            queries: Arc::new(ThreadPool::with_num_threads(QUERY_THREADS)),
        })
    }

    /// Identifies the model in the store: vectors of different models are never compared.
    pub fn model_id(&self) -> &str {
        &self.model_id
    }

    /// Tokens of a text as the model counts them, without prefix and special tokens.
    pub fn count_tokens(&self, text: &str) -> usize {
        // A text that the tokenizer cannot read is counted as if each byte were a token.
        self.tokenizer.encode_fast(text, false).map_or(text.len(), |encoding| encoding.len())
    }

    /// Tokens of a passage that the model can see (512 less prefix and special tokens).
    pub fn window(&self) -> usize {
        POSITIONS.saturating_sub(2 + self.count_tokens(self.prefixes.passage))
    }

    /// One vector per passage. What lies past the window is cut.
    pub fn embed_passages(&self, texts: &[&str]) -> Result<Vec<Vector>> {
        let pool = self.passages.take();
        texts.iter().map(|text| self.embed(self.prefixes.passage, text, &pool.pool)).collect()
    }

    /// The vector of a question.
    pub fn embed_query(&self, text: &str) -> Result<Vector> {
        self.embed(self.prefixes.query, text, &self.queries)
    }

    /// The vector of a text as it is, prefix included (for the check of a model).
    pub(crate) fn embed_raw(&self, text: &str) -> Result<Vec<f32>> {
        self.run(&self.token_ids(text)?, &self.queries)
    }

    fn embed(&self, prefix: &str, text: &str, pool: &Arc<ThreadPool>) -> Result<Vector> {
        let text: String = prefix.chars().chain(text.chars().take(LONGEST_TEXT)).collect();
        let vector = self.run(&self.token_ids(&text)?, pool)?;
        Vector::quantise(&vector)
            .ok_or_else(|| StoreError::Embedding("the model gave no direction".to_owned()))
    }

    /// Ids with the special tokens; a long text loses tokens before the last special one.
    fn token_ids(&self, text: &str) -> Result<Vec<i32>> {
        let encoding = self
            .tokenizer
            .encode_fast(text, true)
            .map_err(|error| StoreError::Embedding(format!("tokenizer: {error}")))?;
        let ids = encoding.get_ids();
        let mut kept: Vec<i32> =
            ids.iter().take(POSITIONS).map(|id| i32::try_from(*id).unwrap_or(i32::MAX)).collect();
        if ids.len() > POSITIONS
            && let (Some(last), Some(end)) = (kept.last_mut(), ids.last())
        {
            *last = i32::try_from(*end).unwrap_or(i32::MAX);
        }
        Ok(kept)
    }

    /// Mean of the token vectors, of length 1.
    fn run(&self, ids: &[i32], pool: &Arc<ThreadPool>) -> Result<Vec<f32>> {
        let failed = |error: &dyn std::fmt::Display| StoreError::Embedding(error.to_string());
        let row = |values: Vec<i32>| NdTensor::from_data([1, ids.len()], values);
        let mut inputs = vec![(self.inputs.ids, row(ids.to_vec()).into())];
        inputs.extend(self.inputs.mask.map(|id| (id, row(vec![1; ids.len()]).into())));
        inputs.extend(self.inputs.types.map(|id| (id, row(vec![0; ids.len()]).into())));
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(pool)));
        let mut outputs = self
            .model
            .run(inputs, &[self.output], Some(options))
            .map_err(|error| failed(&error))?;
        let output = outputs.pop().ok_or_else(|| failed(&"no output"))?;
        let tokens: NdTensor<f32, 3> =
            output.try_into().map_err(|_| failed(&"output is not f32"))?;
        let [_, count, width] = tokens.shape();
        let mut mean = vec![0.0_f32; width];
        for vector in tokens.to_vec().chunks_exact(width.max(1)) {
            for (sum, value) in mean.iter_mut().zip(vector) {
                *sum += value;
            }
        }
        let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
        if count == 0 || !length.is_normal() {
            return Err(failed(&"the model gave no direction"));
        }
        Ok(mean.iter().map(|value| value / length).collect())
    }
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedder").field("model_id", &self.model_id).finish_non_exhaustive()
    }
}

/// Name of the model and the start of the hash of its file.
fn model_id(config: &Value, folder: &Path, file: &Path) -> Result<String> {
    let name = config.get("_name_or_path").and_then(Value::as_str);
    let name = name.or_else(|| folder.file_name().and_then(|name| name.to_str()));
    let hash = file_hash(file)?;
    Ok(format!("{}@{}", name.unwrap_or("model"), hash.get(..12).unwrap_or(&hash)))
}

/// SHA-256 of a file, lower-case hex.
pub(crate) fn file_hash(file: &Path) -> Result<String> {
    let named = || StoreError::io(format!("read {}", file.display()));
    let mut reader = std::fs::File::open(file).map_err(named())?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut reader, &mut piece).map_err(named())? {
            0 => break,
            read => hasher.update(piece.get(..read).unwrap_or_default()),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Single-threaded pools, one per passage that may be embedded at a time.
struct Permits {
    idle: Mutex<Vec<Arc<ThreadPool>>>,
    returned: Condvar,
}

struct Permit<'a> {
    pool: Arc<ThreadPool>,
    permits: &'a Permits,
}

impl Permits {
    fn new(count: usize) -> Permits {
        let idle = (0..count).map(|_| Arc::new(ThreadPool::with_num_threads(1))).collect();
        Permits { idle: Mutex::new(idle), returned: Condvar::new() }
    }

    fn take(&self) -> Permit<'_> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(pool) = idle.pop() {
                return Permit { pool, permits: self };
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut idle = self.permits.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Arc::clone(&self.pool));
        self.permits.returned.notify_one();
    }
}

/// The file that [`Embedder::load`] would take, for messages.
pub fn model_file(folder: &Path) -> Option<PathBuf> {
    MODEL_FILES.iter().map(|name| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
#[path = "embedder_tests.rs"]
mod tests;
