//! The embedder with a model small enough to be made here: every token has a fixed vector.

use super::Embedder;
use crate::database::{Artifacts, EmbeddedChunks};
use crate::search::{Filters, Mode, SearchRequest, search};
use crate::vector::Vector;
use crate::{Database, StoreError};
use shared::chunk::{Chunk, ChunkKind};
use shared::identity::document_id;
use std::path::Path;
use uuid::Uuid;

/// Words of the vocabulary, with their vectors: what is told apart lies on different axes.
const WORDS: [(&str, [f32; 4]); 9] = [
    ("<s>", [0.0, 0.0, 0.0, 0.01]),
    ("</s>", [0.0, 0.0, 0.0, 0.01]),
    ("<unk>", [0.0, 0.0, 0.0, 0.01]),
    ("query:", [0.0, 0.0, 0.0, 0.5]),
    ("passage:", [0.0, 0.0, 0.0, 0.4]),
    ("бетон", [1.0, 0.0, 0.0, 0.0]),
    ("цемент", [0.9, 0.1, 0.0, 0.0]),
    ("насос", [0.0, 1.0, 0.0, 0.0]),
    ("ничто", [0.0, 0.0, 0.0, 0.0]),
];

fn tiny_model(folder: &Path, vectors: &[[f32; 4]]) {
    let vocabulary: serde_json::Map<String, serde_json::Value> =
        (0..).zip(WORDS).map(|(id, (word, _))| (word.to_owned(), serde_json::json!(id))).collect();
    let special = |name: &str| serde_json::json!({"SpecialToken": {"id": name, "type_id": 0}});
    let text = serde_json::json!({"Sequence": {"id": "A", "type_id": 0}});
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": null,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [special("<s>"), text, special("</s>")], "pair": [],
            "special_tokens": {
                "<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
                "</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"}
    });
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    std::fs::write(folder.join("config.json"), r#"{"_name_or_path":"tiny-e5"}"#).unwrap();
    std::fs::write(folder.join("model.onnx"), tiny_onnx(vectors)).unwrap();
}

/// `last_hidden_state = vectors[input_ids]` as an ONNX file, written field by field.
fn tiny_onnx(vectors: &[[f32; 4]]) -> Vec<u8> {
    fn number(tag: u8, value: u8) -> Vec<u8> {
        vec![tag << 3, value]
    }
    fn bytes(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len() % 128).unwrap();
        let more = u8::try_from(content.len() / 128).unwrap();
        let mut out = vec![tag << 3 | 2];
        out.extend(if more > 0 { vec![length | 128, more] } else { vec![length] });
        out.extend(content);
        out
    }
    let value = |name: &str, kind: u8, dims: usize| {
        let dim = bytes(1, &bytes(2, b"n"));
        let shape = bytes(2, &dim.repeat(dims));
        let tensor = bytes(1, &[number(1, kind), shape].concat());
        [bytes(1, name.as_bytes()), bytes(2, &tensor)].concat()
    };
    let raw: Vec<u8> = vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    let rows = u8::try_from(vectors.len()).unwrap();
    let constant =
        [number(1, rows), number(1, 4), number(2, 1), bytes(8, b"w"), bytes(9, &raw)].concat();
    let node = [bytes(1, b"w"), bytes(1, b"input_ids"), bytes(2, b"out"), bytes(4, b"Gather")];
    let graph = [
        bytes(1, &node.concat()),
        bytes(2, b"tiny"),
        bytes(5, &constant),
        bytes(11, &value("input_ids", 7, 2)),
        bytes(12, &value("out", 1, 3)),
    ];
    let opset = [bytes(1, b""), number(2, 17)].concat();
    [number(1, 8), bytes(7, &graph.concat()), bytes(8, &opset)].concat()
}

fn embedder(folder: &Path) -> Embedder {
    tiny_model(folder, &WORDS.map(|(_, vector)| vector));
    Embedder::load(folder, 2).unwrap()
}

#[test]
fn tokens_are_averaged_to_a_unit_vector_and_long_texts_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let embedder = embedder(folder.path());
    assert!(embedder.model_id().starts_with("tiny-e5@"));
    assert_eq!(embedder.count_tokens("бетон насос нечто"), 3);
    assert_eq!(embedder.window(), 512 - 3);
    let [concrete, cement, pump] = ["бетон", "цемент", "насос"].map(|word| {
        let vector = embedder.embed_passages(&[word]).unwrap().remove(0);
        assert!((vector.cosine(&vector) - 1.0).abs() < 0.02);
        vector
    });
    assert!(concrete.cosine(&cement) > 0.95);
    assert!(concrete.cosine(&pump) < 0.5);
    // A query has another prefix, so another vector.
    assert_ne!(embedder.embed_query("бетон").unwrap(), concrete);
    // The window holds 509 words: what comes later does not count.
    let long = |tail: &str| format!("{}{}", "бетон ".repeat(509), tail);
    let vectors = embedder.embed_passages(&[&long(""), &long("насос насос")]).unwrap();
    assert_eq!(vectors[0], vectors[1]);
    let earlier = format!("насос насос {}", long(""));
    assert_ne!(embedder.embed_passages(&[&earlier]).unwrap()[0], vectors[0]);
}

#[test]
fn a_folder_without_a_model_and_a_model_without_a_direction_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Embedder::load(folder.path(), 1), Err(StoreError::ModelMissing(_))));
    tiny_model(folder.path(), &[[0.0; 4]; 9]);
    let embedder = Embedder::load(folder.path(), 1).unwrap();
    assert!(matches!(embedder.embed_query("бетон"), Err(StoreError::Embedding(_))));
    std::fs::write(folder.path().join("model.onnx"), b"not a model").unwrap();
    assert!(matches!(Embedder::load(folder.path(), 1), Err(StoreError::ModelMissing(_))));
}

#[test]
fn equal_texts_are_embedded_once_and_a_stop_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let embedder = embedder(folder.path());
    let database = Database::open(folder.path()).unwrap();
    let texts = ["бетон", "насос", "бетон"].map(str::to_owned);
    let first = database.embed_passages(&embedder, &texts, &|| true).unwrap();
    assert_eq!((first.vectors.len(), first.computed), (3, 2));
    assert_eq!(first.vectors[0], first.vectors[2]);
    // The cache answers without the model; what it answers is what the model said.
    let again = database.embed_passages(&embedder, &texts, &|| false).unwrap();
    assert_eq!((again.vectors, again.computed), (first.vectors, 0));
    let stopped = database.embed_passages(&embedder, &["цемент".to_owned()], &|| false);
    assert!(matches!(stopped, Err(StoreError::Stopped)));
}

#[test]
fn hybrid_search_finds_by_meaning_what_no_word_finds() {
    let folder = tempfile::tempdir().unwrap();
    let embedder = embedder(folder.path());
    let database = Database::open(folder.path()).unwrap();
    let chunk = |(ordinal, text): (u32, &&str)| Chunk {
        ordinal,
        kind: ChunkKind::Clause,
        address: (ordinal + 1).to_string(),
        path: vec![],
        pages: [1, 1],
        text: (*text).to_owned(),
        table: None,
        caption: None,
        cited: vec![],
    };
    for (path, texts) in [("a", ["бетон", "насос"]), ("b", ["насос насос", "ничто насос"])]
    {
        let chunks: Vec<Chunk> = (0..).zip(&texts).map(chunk).collect();
        let texts: Vec<String> = chunks.iter().map(Chunk::indexed_text).collect();
        let vectors: Vec<Vector> =
            database.embed_passages(&embedder, &texts, &|| true).unwrap().vectors;
        let id = document_id("default", path);
        let attempt = database.begin(id, "default", Uuid::nil(), 1).unwrap();
        let vectors = Some((embedder.model_id(), vectors.as_slice()));
        database.stage_chunks(&attempt, EmbeddedChunks { chunks: &chunks, vectors }).unwrap();
        let record = crate::database::tests::record(path, path);
        database.switch(&attempt, &record, &Artifacts::default()).unwrap();
    }
    let ask = |mode| {
        let request = SearchRequest {
            query: "цемент".to_owned(),
            k: 2,
            mode,
            filters: Filters::default(),
            explain: true,
        };
        search(&database, Some(&embedder), &request).unwrap()
    };
    assert!(ask(Mode::Bm25).results.is_empty());
    for mode in [Mode::Dense, Mode::Hybrid] {
        let answer = ask(mode);
        assert_eq!(answer.mode, mode);
        assert_eq!(answer.results[0].text, "бетон");
        assert_eq!(answer.results[0].why.as_ref().unwrap().dense_rank, Some(1));
    }
    // In memory as in the database, after a delete too.
    database.delete_document(document_id("default", "a")).unwrap();
    assert!(ask(Mode::Dense).results.iter().all(|hit| hit.text.contains("насос")));
}
