//! Tests of search as people use it, and against a model.

use super::{Filters, Mode, SearchRequest, search};
use crate::database::{Artifacts, DocumentRecord, EmbeddedChunks};
use crate::{Database, StoreError};
use proptest::prelude::*;
use shared::chunk::{Chunk, ChunkKind};
use shared::identity::document_id;
use shared::job::Location;
use shared::outcome::Outcome;
use std::collections::BTreeMap;
use uuid::Uuid;

fn open() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    (folder, database)
}

/// Trains a document from (address, text) pairs. Designation and norm come from the path.
fn train(database: &Database, collection: &str, designation: &str, chunks: &[(&str, &str)]) {
    let document = document_id(collection, designation);
    let fence = 1;
    let attempt = database.begin(document, collection, Uuid::nil(), fence).unwrap();
    let chunks: Vec<Chunk> = (0..)
        .zip(chunks)
        .map(|(ordinal, (address, text))| Chunk {
            ordinal,
            kind: if address.starts_with("таблица") {
                ChunkKind::Table
            } else {
                ChunkKind::Clause
            },
            address: (*address).to_owned(),
            path: vec![],
            pages: [3, 3],
            text: (*text).to_owned(),
            table: None,
            caption: None,
            cited: vec![],
        })
        .collect();
    database.stage_chunks(&attempt, EmbeddedChunks { chunks: &chunks, vectors: None }).unwrap();
    let norm = designation.rsplit_once('.').map_or(designation, |(norm, _)| norm);
    let record = DocumentRecord {
        name: format!("{designation}.pdf"),
        path: designation.to_owned(),
        location: Location::File(designation.to_owned()),
        sha256: Uuid::now_v7().to_string(),
        outcome: Outcome::Completed,
        family: "norms".to_owned(),
        subtype: "sp".to_owned(),
        category: "construction".to_owned(),
        designation: Some(designation.to_owned()),
        norm_id: Some(norm.to_owned()),
        title: None,
        status: None,
        pages: 3,
        paginated: true,
        quality: None,
        replaces: vec![],
    };
    database.switch(&attempt, &record, &Artifacts::default()).unwrap();
}

fn ask(database: &Database, query: &str, mode: Mode, filters: Filters) -> Vec<String> {
    let request = SearchRequest { query: query.to_owned(), k: 10, mode, filters, explain: true };
    let answer = search(database, None, &request).unwrap();
    let scores: Vec<f64> = answer.results.iter().map(|hit| hit.score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    answer.results.into_iter().map(|hit| hit.citation).collect()
}

fn two_norms() -> (tempfile::TempDir, Database) {
    let (folder, database) = open();
    train(
        &database,
        "default",
        "СП 45.13330.2017",
        &[
            ("5.1", "Водопонижение начинают до разработки котлована."),
            ("5.10", "Насосы проверяют каждую смену."),
            ("5.10", "Продолжение пункта о насосах."),
            ("5.10.1", "Запасной насос держат наготове."),
            ("таблица 3", "Отклонения отметок дна котлована"),
            ("А.1", "Бетон класса В25."),
        ],
    );
    train(
        &database,
        "default",
        "СП 70.13330.2012",
        &[("5.10", "Бетонную смесь укладывают слоями."), ("5.11", "Насосы для бетона промывают.")],
    );
    (folder, database)
}

#[test]
fn a_named_clause_of_a_named_norm_comes_first() {
    let (_folder, database) = two_norms();
    for (query, first) in [
        ("п. 5.10 СП 45.13330", "СП 45.13330.2017, п. 5.10, с. 3"),
        ("СП 45.13330.2017 пункт 5.10", "СП 45.13330.2017, п. 5.10, с. 3"),
        ("5.10 сп 70.13330", "СП 70.13330.2012, п. 5.10, с. 3"),
        ("таблица 3 СП 45.13330", "СП 45.13330.2017, табл. 3, с. 3"),
        ("п. A.1 СП 45.13330.2017", "СП 45.13330.2017, п. А.1, с. 3"),
        // Another edition than the trained one.
        ("п. 5.11 СП 70.13330.2011", "СП 70.13330.2012, п. 5.11, с. 3"),
        // A section without text of its own: what stands below it.
        ("раздел 5 СП 70.13330", "СП 70.13330.2012, п. 5.10, с. 3"),
        // No clause: what the norm says, before others that say it too.
        ("что в СП 70.13330 о насосах", "СП 70.13330.2012, п. 5.11, с. 3"),
    ] {
        for mode in [Mode::Hybrid, Mode::Bm25] {
            assert_eq!(ask(&database, query, mode, Filters::default())[0], first, "{query}");
        }
    }
    let exact = ask(&database, "п. 5.10 СП 45.13330", Mode::Exact, Filters::default());
    assert_eq!(exact, ["СП 45.13330.2017, п. 5.10, с. 3"]);
    let words = ask(&database, "насосы проверяют каждую", Mode::Exact, Filters::default());
    assert_eq!(words, ["СП 45.13330.2017, п. 5.10, с. 3"]);
    assert!(ask(&database, "каждую проверяют", Mode::Exact, Filters::default()).is_empty());
}

#[test]
fn one_address_is_answered_once_and_says_why() {
    let (_folder, database) = two_norms();
    let found = ask(&database, "насос", Mode::Bm25, Filters::default());
    let mut unique = found.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(found.len(), unique.len(), "{found:?}");
    let request = SearchRequest {
        query: "насосы, п. 5.10 СП 45.13330".to_owned(),
        k: 3,
        mode: Mode::Hybrid,
        filters: Filters::default(),
        explain: true,
    };
    let answer = search(&database, None, &request).unwrap();
    assert_eq!(answer.mode, Mode::Bm25);
    assert!(answer.results[0].why.as_ref().unwrap().exact);
    assert!(!answer.results[1].why.as_ref().unwrap().exact);
    let dense = SearchRequest { mode: Mode::Dense, ..request.clone() };
    assert!(matches!(search(&database, None, &dense), Err(StoreError::ModelMissing(_))));
    for (query, k) in [("", 10), ("насос", 0), ("насос", 101)] {
        let wrong = SearchRequest { query: query.to_owned(), k, ..request.clone() };
        assert!(matches!(search(&database, None, &wrong), Err(StoreError::Invalid(_))));
    }
}

#[test]
fn filters_restrict() {
    let (_folder, database) = two_norms();
    train(&database, "other", "СП 70.13330.2018", &[("5", "Насосы другого собрания.")]);
    let only = |filters: Filters| ask(&database, "насос", Mode::Bm25, filters).len();
    assert_eq!(only(Filters::default()), 4);
    assert_eq!(only(Filters { collection: Some("other".to_owned()), ..Filters::default() }), 1);
    assert_eq!(only(Filters { family: Some("ppr".to_owned()), ..Filters::default() }), 0);
    let norm = |name: &str| Filters { designation: Some(name.to_owned()), ..Filters::default() };
    assert_eq!(only(norm("СП 70.13330")), 2);
    assert_eq!(only(norm("СП 70.13330.2012")), 1);
    assert_eq!(only(norm("СП 7")), 0);
    let clause =
        |prefix: &str| Filters { clause_prefix: Some(prefix.to_owned()), ..Filters::default() };
    assert_eq!(only(clause("5.10")), 2);
    assert_eq!(only(clause("5.1")), 0);
    assert_eq!(only(clause("5")), 4);
    let found = ask(&database, "п. 5.10", Mode::Bm25, norm("СП 70.13330.2012"));
    assert_eq!(found[0], "СП 70.13330.2012, п. 5.10, с. 3");
}

#[test]
fn strange_queries_are_only_words() {
    let (_folder, database) = two_norms();
    for query in ["\"", "a OR b AND NOT (", "насос* NEAR/2", "'; DROP TABLE chunks; --", "%", "а"]
    {
        for mode in [Mode::Bm25, Mode::Exact] {
            ask(&database, query, mode, Filters::default());
        }
    }
}

const WORDS: [&str; 6] = ["бетон", "котлован", "насос", "арматура", "опалубка", "грунт"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever is trained, trained again and deleted: words find what is there, and only that.
    #[test]
    fn search_finds_what_is_there(
        steps in prop::collection::vec((0_usize..4, prop::collection::vec(0_usize..6, 0..4)), 1..15)
    ) {
        let (_folder, database) = open();
        let mut model: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (number, (document, words)) in steps.iter().enumerate() {
            let designation = format!("СП {document}.2020");
            if words.is_empty() {
                database.delete_document(document_id("default", &designation)).unwrap();
                model.remove(&designation);
            } else {
                let words: Vec<&str> = words.iter().map(|word| WORDS[*word]).collect();
                let unique = format!("шаг{number}");
                let addresses: Vec<String> = (0..words.len()).map(|at| format!("{}", at + 1)).collect();
                let texts: Vec<String> = words.iter().map(|word| format!("{word} {unique}")).collect();
                let chunks: Vec<(&str, &str)> =
                    addresses.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
                train(&database, "default", &designation, &chunks);
                model.insert(designation, words);
            }
            for word in WORDS {
                let mut expected: Vec<String> = model
                    .iter()
                    .flat_map(|(designation, words)| {
                        (1..).zip(words).filter(|(_, found)| **found == word).map(
                            move |(address, _)| format!("{designation}, п. {address}, с. 3"),
                        )
                    })
                    .collect();
                let mut found = ask(&database, word, Mode::Bm25, Filters::default());
                expected.sort();
                found.sort();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
