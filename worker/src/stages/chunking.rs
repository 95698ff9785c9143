//! Stage 13, the pure part: one clause is one chunk.

use crate::extracted::Extracted;
use crate::stages::rubern_markup::Markup;
use shared::chunk::Chunk;
use shared::structure::Reference;

/// Cuts a document into chunks. `count_tokens` counts as the embedding model does; no chunk's
/// `indexed_text` has more than `window` tokens.
pub fn chunking(
    _markup: &Markup,
    _extracted: &Extracted,
    _cited: &[Reference],
    _count_tokens: &dyn Fn(&str) -> usize,
    _window: usize,
) -> Vec<Chunk> {
    Vec::new()
}
