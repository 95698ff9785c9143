//! The second half of stage 13: vectors for the chunks.

use crate::heartbeat::Held;
use crate::services::Services;
use crate::stop::Stop;
use shared::chunk::Chunk;
use stores::vector::Vector;

/// Tokens of a chunk when there is no model to ask: the window of the usual model, and the
/// characters that one of its tokens stands for in Russian text (measured: 3.4; rounded down so
/// that a later model never has to cut).
const WINDOW_WITHOUT_MODEL: usize = 480;
const CHARACTERS_PER_TOKEN: usize = 3;

/// Chunks with their vectors.
#[derive(Debug)]
pub struct Chunked {
    /// In document order.
    pub chunks: Vec<Chunk>,
    /// `None` without a model.
    pub embedding: Option<Embedding>,
}

/// Vectors of one model.
#[derive(Debug)]
pub struct Embedding {
    /// Which model.
    pub model: String,
    /// One per chunk.
    pub vectors: Vec<Vector>,
    /// How many texts the model was run on; the others were known.
    pub computed: usize,
}

/// How the model counts tokens, and how many of them a chunk may have.
pub fn window(services: &Services) -> (Box<dyn Fn(&str) -> usize + '_>, usize) {
    match &services.embedder {
        Some(embedder) => (Box::new(|text| embedder.count_tokens(text)), embedder.window()),
        None => {
            let count = |text: &str| text.chars().count().div_ceil(CHARACTERS_PER_TOKEN);
            (Box::new(count), WINDOW_WITHOUT_MODEL)
        }
    }
}

/// Embeds the chunks, equal texts once.
///
/// # Errors
/// `Interrupted` between two batches, `Transient` when the model or the cache fails.
pub fn embed(services: &Services, chunks: Vec<Chunk>, held: &Held) -> Result<Chunked, Stop> {
    let Some(embedder) = &services.embedder else {
        return Ok(Chunked { chunks, embedding: None });
    };
    let texts: Vec<String> = chunks.iter().map(Chunk::indexed_text).collect();
    let goes_on = || {
        held.moves_on();
        held.is_running()
    };
    let embedded = services.database.embed_passages(embedder, &texts, &goes_on);
    held.proceed()?;
    let embedded = embedded.map_err(Stop::from_store)?;
    let embedding = Embedding {
        model: embedder.model_id().to_owned(),
        vectors: embedded.vectors,
        computed: embedded.computed,
    };
    Ok(Chunked { chunks, embedding: Some(embedding) })
}
