//! Tests of the knowledge base as a whole.

use super::{
    ArtifactKind, Artifacts, Attempt, Database, Direction, DocumentFilter, DocumentRecord,
    EmbeddedChunks, EstimatePosition, Graph, GraphWork, MemoryKey, Remembered, Switched,
};
use crate::StoreError;
use crate::search::{Filters, Mode, SearchRequest, search};
use crate::vector::Vector;
use shared::chunk::{Chunk, ChunkKind};
use shared::identity::{PIPELINE_VERSION, document_id};
use shared::job::{JobDocument, Location};
use shared::outcome::{Code, Outcome};
use shared::structure::{Dependency, Reference};
use std::collections::BTreeMap;
use uuid::Uuid;

const JOB: Uuid = Uuid::from_u128(77);

fn open() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    (folder, database)
}

fn chunk(ordinal: u32, address: &str, text: &str) -> Chunk {
    Chunk {
        ordinal,
        kind: ChunkKind::Clause,
        address: address.to_owned(),
        path: vec!["5 Водопонижение".to_owned(), address.to_owned()],
        pages: [14, 14],
        text: text.to_owned(),
        table: None,
        caption: None,
        cited: vec!["ГОСТ 1".to_owned()],
    }
}

pub(crate) fn record(path: &str, sha256: &str) -> DocumentRecord {
    DocumentRecord {
        name: path.to_owned(),
        path: path.to_owned(),
        location: Location::File(path.to_owned()),
        sha256: sha256.to_owned(),
        outcome: Outcome::Completed,
        family: "norms".to_owned(),
        subtype: "sp".to_owned(),
        category: "construction".to_owned(),
        designation: Some(format!("СП {path}.2017")),
        norm_id: Some(format!("СП {path}")),
        title: Some("Земляные сооружения".to_owned()),
        status: None,
        pages: 20,
        paginated: true,
        quality: Some(90),
        replaces: vec!["СНИП 3.02.01".to_owned()],
    }
}

fn artifacts() -> Artifacts {
    Artifacts {
        text: "первая\u{c}вторая".to_owned(),
        structure: "{}".to_owned(),
        estimate: Some("{\"grand_total\":10.0}".to_owned()),
        positions: vec![EstimatePosition { code: "ГЭСН01".to_owned(), ..Default::default() }],
        ..Artifacts::default()
    }
}

fn stage(database: &Database, path: &str, fence: i64, chunks: &[Chunk]) -> Attempt {
    let document = document_id("default", path);
    let attempt = database.begin(document, "default", JOB, fence).unwrap();
    let work =
        |id: &str| GraphWork { id: id.to_owned(), name: id.to_owned(), ..Default::default() };
    let works = [work("w1"), work("w2")];
    let edges =
        [Dependency { from: "w1".to_owned(), to: "w2".to_owned(), ..Dependency::default() }];
    let references = [Reference {
        id: "ГОСТ 27751".to_owned(),
        text: "ГОСТ 27751-2014".to_owned(),
        pages: vec![1, 2],
        count: 2,
        ..Reference::default()
    }];
    let graph = Graph { works: &works, edges: &edges, references: &references };
    let counts = database.stage_graph(&attempt, graph).unwrap();
    assert_eq!((counts.works, counts.edges, counts.references), (2, 1, 1));
    let vectors: Vec<Vector> = chunks.iter().map(|chunk| vector_of(&chunk.text)).collect();
    let embedded = EmbeddedChunks { chunks, vectors: Some(("test", &vectors)) };
    assert_eq!(database.stage_chunks(&attempt, embedded).unwrap(), chunks.len() as u64);
    attempt
}

/// Any vector that differs with the text.
fn vector_of(text: &str) -> Vector {
    let mut values = [0.01_f32; 32];
    for (at, byte) in text.bytes().enumerate() {
        values[(at + usize::from(byte)) % 32] += 1.0;
    }
    Vector::quantise(&values).unwrap()
}

fn train(database: &Database, path: &str, sha256: &str, chunks: &[Chunk]) -> Switched {
    let attempt = stage(database, path, 1, chunks);
    database.switch(&attempt, &record(path, sha256), &artifacts()).unwrap()
}

fn found(database: &Database, query: &str) -> Vec<String> {
    let request = SearchRequest {
        query: query.to_owned(),
        k: 100,
        mode: Mode::Bm25,
        filters: Filters::default(),
        explain: false,
    };
    let answer = search(database, None, &request).unwrap();
    let mut texts: Vec<String> = answer.results.into_iter().map(|hit| hit.text).collect();
    texts.sort();
    texts
}

/// Chunks that the vectors in memory know.
fn dense(database: &Database) -> Vec<String> {
    database
        .read(|transaction| {
            let query = vector_of("бетон");
            let rows =
                database.vectors.search(transaction, "test", &query, 1000, &|_, _| true).unwrap();
            let mut select =
                transaction.prepare("SELECT text FROM chunks WHERE chunk_row = ?1").unwrap();
            let mut texts: Vec<String> = rows
                .iter()
                .map(|(row, _)| select.query_row([row], |row| row.get(0)).unwrap())
                .collect();
            texts.sort();
            Ok(texts)
        })
        .unwrap()
}

/// Rows of every table that has any, besides those that are history and not knowledge.
fn rows(database: &Database) -> BTreeMap<String, i64> {
    database
        .read(|transaction| {
            let mut select = transaction
                .prepare(
                    "SELECT name FROM sqlite_schema WHERE type = 'table'
                     AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'words_%'
                     AND name NOT IN ('changes', 'models')",
                )
                .unwrap();
            let names: Vec<String> =
                select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            let count = |name: &String| {
                let query = format!("SELECT count(*) FROM {name}");
                transaction.query_row(&query, [], |row| row.get(0)).unwrap()
            };
            Ok(names
                .iter()
                .map(|name| (name.clone(), count(name)))
                .filter(|row| row.1 > 0)
                .collect())
        })
        .unwrap()
}

#[test]
fn a_staged_version_is_invisible_and_a_switched_one_complete() {
    let (_folder, database) = open();
    let chunks = [chunk(0, "5.1", "насосы включают"), chunk(1, "5.2", "бетон укладывают")];
    let attempt = stage(&database, "45", 1, &chunks);
    assert!(found(&database, "бетон").is_empty());
    assert!(dense(&database).is_empty());
    assert_eq!(database.document(attempt.document).unwrap(), None);
    assert!(database.norms(10, None).unwrap().items.is_empty());
    assert_eq!(database.counts().unwrap().staged, 1);

    let switched = database.switch(&attempt, &record("45", "aa"), &artifacts()).unwrap();
    assert_eq!(switched, Switched::Done { replaced: None, chunks: 2 });
    assert_eq!(found(&database, "бетоном"), ["бетон укладывают"]);
    assert_eq!(dense(&database).len(), 2);
    let document = database.document(attempt.document).unwrap().unwrap();
    assert_eq!((document.version, document.chunks, document.pages), (1, 2, 20));
    assert_eq!(
        database.find_trained("default", "aa", PIPELINE_VERSION).unwrap(),
        Some(document.clone())
    );
    assert_eq!(database.find_trained("other", "aa", PIPELINE_VERSION).unwrap(), None);
    let text = database.artifact(document.id, ArtifactKind::Text).unwrap();
    assert_eq!(text.as_deref(), Some("первая\u{c}вторая"));
    let estimate = database.estimate(document.id).unwrap().unwrap();
    assert_eq!(estimate.positions[0].code, "ГЭСН01");
    assert_eq!(estimate.totals["grand_total"], 10.0);
    let stored = database.chunks(document.id, 1, None).unwrap();
    assert_eq!(stored.items[0].citation, "СП 45.2017, п. 5.1, с. 14");
    let rest = database.chunks(document.id, 1, stored.next_cursor.as_deref()).unwrap();
    assert_eq!((rest.items[0].address.as_str(), rest.next_cursor), ("5.2", None));

    // A second switch of the same attempt is too late: the attempt is over.
    let again = database.switch(&attempt, &record("45", "aa"), &artifacts());
    assert!(matches!(again, Err(StoreError::Fenced { .. })));
}

#[test]
fn a_new_version_replaces_the_old_one_in_one_step() {
    let (_folder, database) = open();
    train(&database, "45", "aa", &[chunk(0, "5.1", "старый текст")]);
    let attempt = stage(&database, "45", 2, &[chunk(0, "5.1", "новый текст")]);
    assert_eq!(found(&database, "текст"), ["старый текст"]);
    let switched = database.switch(&attempt, &record("45", "bb"), &artifacts()).unwrap();
    assert_eq!(switched, Switched::Done { replaced: Some(1), chunks: 1 });
    assert_eq!(found(&database, "текст"), ["новый текст"]);
    assert_eq!(dense(&database), ["новый текст"]);
    let counts = rows(&database);
    assert_eq!(
        (counts["versions"], counts["chunks"], counts["words"], counts["vectors"]),
        (1, 1, 1, 1)
    );
}

#[test]
fn an_older_attempt_can_write_nothing() {
    let (_folder, database) = open();
    let chunks = [chunk(0, "5.1", "текст")];
    let old = stage(&database, "45", 1, &chunks);
    let new = stage(&database, "45", 2, &chunks);
    let fenced = |result: crate::Result<()>| matches!(result, Err(StoreError::Fenced { .. }));
    assert!(fenced(database.stage_graph(&old, Graph::default()).map(|_| ())));
    let embedded = EmbeddedChunks { chunks: &chunks, vectors: None };
    assert!(fenced(database.stage_chunks(&old, embedded).map(|_| ())));
    assert!(fenced(database.switch(&old, &record("45", "aa"), &artifacts()).map(|_| ())));
    assert!(fenced(database.begin(old.document, "default", JOB, 1).map(|_| ())));
    database.abandon(&old).unwrap();
    // What the dead attempt staged went when the new one began.
    assert_eq!(rows(&database)["versions"], 1);
    database.switch(&new, &record("45", "aa"), &artifacts()).unwrap();
    assert_eq!(found(&database, "текст"), ["текст"]);
}

#[test]
fn a_slow_job_does_not_put_older_bytes_over_newer_ones() {
    let (_folder, database) = open();
    train(&database, "45", "aa", &[chunk(0, "5.1", "первый текст")]);
    let slow = stage(&database, "45", 2, &[chunk(0, "5.1", "второй текст")]);
    // Another job reads the file later and is done earlier.
    let other = Uuid::from_u128(78);
    let fast = database.begin(slow.document, "default", other, 3).unwrap();
    let chunks = [chunk(0, "5.1", "третий текст")];
    database.stage_chunks(&fast, EmbeddedChunks { chunks: &chunks, vectors: None }).unwrap();
    database.switch(&fast, &record("45", "cc"), &artifacts()).unwrap();
    let late = database.switch(&slow, &record("45", "bb"), &artifacts());
    assert!(matches!(late, Err(StoreError::Overtaken { .. })), "{late:?}");
    assert_eq!(found(&database, "текст"), ["третий текст"]);
    // What it staged goes, and its next attempt, which reads anew, may switch.
    database.abandon(&slow).unwrap();
    let again = stage(&database, "45", 4, &[chunk(0, "5.1", "четвёртый текст")]);
    database.switch(&again, &record("45", "dd"), &artifacts()).unwrap();
    assert_eq!(found(&database, "текст"), ["четвёртый текст"]);
}

#[test]
fn what_a_dead_attempt_staged_is_swept_with_its_job() {
    let (_folder, database) = open();
    stage(&database, "45", 1, &[chunk(0, "5.1", "текст")]);
    assert_eq!(database.sweep_job(JOB).unwrap(), 1);
    assert_eq!(rows(&database), BTreeMap::new());
}

#[test]
fn of_two_threads_with_equal_bytes_one_is_the_duplicate() {
    let (_folder, database) = open();
    for round in 0..8 {
        let bytes = format!("{round}");
        let paths = [format!("a{round}"), format!("b{round}")];
        let attempts =
            paths.each_ref().map(|path| stage(&database, path, 1, &[chunk(0, "1", "текст")]));
        let switched = std::thread::scope(|scope| {
            let switch = |at: usize| {
                let (database, record) = (&database, record(&paths[at], &bytes));
                let attempt = &attempts[at];
                scope.spawn(move || database.switch(attempt, &record, &artifacts()).unwrap())
            };
            let threads = [switch(0), switch(1)];
            threads.map(|thread| thread.join().unwrap())
        });
        let duplicates: Vec<usize> =
            (0..2).filter(|at| matches!(&switched[*at], Switched::Duplicate { .. })).collect();
        assert_eq!(duplicates.len(), 1, "{switched:?}");
        let Switched::Duplicate { of, .. } = &switched[duplicates[0]] else { unreachable!() };
        assert_eq!(*of, attempts[1 - duplicates[0]].document);
    }
    assert_eq!(database.counts().unwrap().documents, 8);
    assert_eq!(rows(&database)["versions"], 8);
}

#[test]
fn a_deleted_document_leaves_no_row_anywhere() {
    let (_folder, database) = open();
    train(&database, "22", "cc", &[chunk(0, "1", "грунты")]);
    let before = rows(&database);
    train(&database, "45", "aa", &[chunk(0, "5.1", "насосы"), chunk(1, "5.2", "бетон")]);
    // A second attempt is under way when the document is deleted.
    stage(&database, "45", 2, &[chunk(0, "5.1", "насосы")]);
    let document = document_id("default", "45");
    let deleted = database.delete_document(document).unwrap().unwrap();
    assert_eq!((deleted.versions, deleted.chunks, deleted.vectors), (2, 3, 3));
    assert_eq!((deleted.works, deleted.edges, deleted.positions), (4, 2, 1));
    assert_eq!(rows(&database), before);
    assert!(found(&database, "бетон").is_empty());
    assert_eq!(dense(&database), ["грунты"]);
    assert_eq!(database.delete_document(document).unwrap(), None);
    assert_eq!(database.delete_document(document_id("default", "22")).unwrap().unwrap().chunks, 1);
    assert_eq!(rows(&database), BTreeMap::new());
}

#[test]
fn the_schema_is_created_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    // Each `open` has connections of its own, as another process would.
    let databases: Vec<Database> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| Database::open(folder.path()).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    std::thread::scope(|scope| {
        for (number, database) in databases.iter().enumerate() {
            scope.spawn(move || {
                let path = format!("{number}");
                train(database, &path, &path, &[chunk(0, "1", &format!("текст {path}"))]);
            });
        }
    });
    for database in &databases {
        assert_eq!(found(database, "текст").len(), 8);
        // Vectors written by the others arrive in memory.
        assert_eq!(dense(database).len(), 8);
    }
}

#[test]
fn the_registry_knows_cited_trained_and_replaced_norms() {
    let (_folder, database) = open();
    train(&database, "45.13330", "aa", &[chunk(0, "5.10", "насосы")]);
    let norms = database.norms(2, None).unwrap();
    let ids = |norms: &[super::Norm]| norms.iter().map(|n| n.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&norms.items), ["ГОСТ 27751", "СНИП 3.02.01"]);
    let rest = database.norms(2, norms.next_cursor.as_deref()).unwrap();
    assert_eq!((ids(&rest.items), rest.next_cursor), (vec!["СП 45.13330".to_owned()], None));

    let replaced = database.norm("СНиП 3.02.01-87").unwrap().unwrap();
    assert_eq!(replaced.status.as_deref(), Some("заменён"));
    assert_eq!(replaced.replaced_by, ["СП 45.13330"]);
    let trained = database.norm("сп 45.13330.2017").unwrap().unwrap();
    assert_eq!((trained.documents.len(), trained.cited_by), (1, 0));
    assert_eq!(database.norm("ГОСТ 27751-2014").unwrap().unwrap().cited_by, 1);
    assert_eq!(database.norm("СП 1").unwrap(), None);

    let clause = database.norm_clause("СП 45.13330", "п. 5.10").unwrap();
    assert_eq!(clause[0].text, "насосы");
    assert!(database.norm_clause("СП 45.13330", "5.1").unwrap().is_empty());
    let cited = database.norm_references("СП 45.13330", Direction::Out, 10, None).unwrap();
    assert_eq!((cited.items[0].norm.as_str(), cited.items[0].count), ("ГОСТ 27751", 2));
    let citing = database.norm_references("ГОСТ 27751", Direction::In, 10, None).unwrap();
    assert_eq!(citing.items, cited.items);

    database.delete_document(document_id("default", "45.13330")).unwrap();
    assert!(database.norms(10, None).unwrap().items.is_empty());
}

#[test]
fn documents_are_listed_by_pages_and_filters() {
    let (_folder, database) = open();
    for number in 0..5 {
        train(&database, &format!("{number}"), &format!("{number}"), &[chunk(0, "1", "текст")]);
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = database.documents(&DocumentFilter::default(), 2, cursor.as_deref()).unwrap();
        seen.extend(page.items.into_iter().map(|document| document.name));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4"]);
    let filter =
        DocumentFilter { designation: Some("сп 3".to_owned()), ..DocumentFilter::default() };
    assert_eq!(database.documents(&filter, 10, None).unwrap().items[0].name, "3");
    let filter = DocumentFilter { family: Some("ppr".to_owned()), ..DocumentFilter::default() };
    assert!(database.documents(&filter, 10, None).unwrap().items.is_empty());
    assert!(database.documents(&filter, 0, None).is_err());
    assert!(database.documents(&filter, 10, Some("x")).is_err());
}

#[test]
fn rows_of_a_job_are_written_once_per_fence_and_outcomes_are_remembered() {
    let (_folder, database) = open();
    let row = |index: u64, outcome| JobDocument {
        id: Uuid::from_u128(u128::from(index) + 1),
        name: "a.pdf".to_owned(),
        path: "/a.pdf".to_owned(),
        index,
        outcome: Some(outcome),
        code: Some(Code::DamagedFile),
        message: None,
        stage: "2/14".to_owned(),
        attempts: 1,
        pages: None,
        chunks: None,
        duration_ms: Some(3),
        quality: None,
        issues: vec![],
    };
    let report = serde_json::json!({"stages": []});
    database.record_job_document(JOB, 5, &row(0, Outcome::Failed), &report).unwrap();
    database.record_job_document(JOB, 6, &row(0, Outcome::Completed), &report).unwrap();
    let late = database.record_job_document(JOB, 5, &row(0, Outcome::Failed), &report);
    assert!(matches!(late, Err(StoreError::Fenced { .. })));
    // Its job may have ended and taken the fence along: whoever slept still cannot begin.
    let asleep = database.begin(row(0, Outcome::Failed).id, "default", JOB, 5);
    assert!(matches!(asleep, Err(StoreError::Fenced { .. })));
    assert_eq!(database.counts().unwrap().staged, 0);
    database.record_job_document(JOB, 7, &row(1, Outcome::Failed), &report).unwrap();
    let all = database.job_documents(JOB, None, 10, None).unwrap().items;
    assert_eq!(all, [row(0, Outcome::Completed), row(1, Outcome::Failed)]);
    let failed = database.job_documents(JOB, Some(Outcome::Failed), 10, None).unwrap().items;
    assert_eq!(failed, [row(1, Outcome::Failed)]);
    assert_eq!(database.job_document(JOB, all[1].id).unwrap(), Some((all[1].clone(), report)));

    let key = MemoryKey { sha256: "aa", pipeline_version: 1, fingerprint: "rus" };
    let outcome = Remembered {
        outcome: Outcome::Failed,
        code: Some(Code::PasswordProtected),
        message: Some("защищён паролем".to_owned()),
        stage: "2/14".to_owned(),
    };
    database.remember(key, &outcome).unwrap();
    assert_eq!(database.remembered(key).unwrap(), Some(outcome));
    assert_eq!(database.remembered(MemoryKey { fingerprint: "eng", ..key }).unwrap(), None);
    database.forget("aa").unwrap();
    assert_eq!(database.remembered(key).unwrap(), None);
}

#[test]
fn a_knowledge_base_of_the_first_schema_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("knowledge.sqlite");
    drop(Database::open(folder.path()).unwrap());
    let old = rusqlite::Connection::open(&file).unwrap();
    old.execute_batch("ALTER TABLE versions DROP COLUMN paginated; PRAGMA user_version = 1")
        .unwrap();
    drop(old);
    let database = Database::open(folder.path()).unwrap();
    let attempt = stage(&database, "45", 1, &[chunk(0, "5.10", "Откачка воды")]);
    let unprinted = DocumentRecord { paginated: false, ..record("45", "aa") };
    database.switch(&attempt, &unprinted, &artifacts()).unwrap();
    let chunks = database.chunks(document_id("default", "45"), 10, None).unwrap();
    assert_eq!(chunks.items[0].citation, "СП 45.2017, п. 5.10");
}
