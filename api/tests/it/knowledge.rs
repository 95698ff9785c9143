//! Trained documents by every route that shows them.

use crate::harness::{Server, answer};
use crate::worker::FakeWorker;
use serde_json::{Value, json};
use shared::chunk::{Chunk, ChunkKind};
use shared::identity::document_id;
use shared::job::{JobDocument, Location};
use shared::outcome::{Code, Outcome};
use shared::structure::{Dependency, Reference};
use stores::Database;
use stores::database::{
    Artifacts, DocumentRecord, EmbeddedChunks, EstimatePosition, Graph, GraphWork,
};
use stores::manifest::ManifestWriter;
use uuid::Uuid;

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
        cited: vec!["ГОСТ 27751".to_owned()],
    }
}

/// A trained norm with its original at this place.
pub(crate) fn record(location: Location) -> DocumentRecord {
    DocumentRecord {
        name: "СП 45.txt".to_owned(),
        path: "СП 45.txt".to_owned(),
        location,
        sha256: "ab".repeat(32),
        outcome: Outcome::Completed,
        family: "norms".to_owned(),
        subtype: "sp".to_owned(),
        category: "construction".to_owned(),
        designation: Some("СП 45.13330.2017".to_owned()),
        norm_id: Some("СП 45.13330".to_owned()),
        title: Some("Земляные сооружения".to_owned()),
        status: None,
        pages: 20,
        paginated: true,
        quality: Some(90),
        replaces: Vec::new(),
    }
}

/// A norm of two clauses, as the worker would store it.
fn seed(database: &Database, location: Location) -> Uuid {
    let id = document_id("default", "СП 45.txt");
    let attempt = database.begin(id, "default", Uuid::from_u128(9), 1).unwrap();
    let work = |id: &str, name: &str| GraphWork {
        id: id.to_owned(),
        name: name.to_owned(),
        pages: [1, 1],
        section: None,
        duration_days: None,
        properties: json!({}),
    };
    let works = [work("w1", "Разработка котлована"), work("w2", "Водопонижение")];
    let edges = [Dependency {
        from: "w1".to_owned(),
        to: "w2".to_owned(),
        evidence: "после".to_owned(),
        pages: [1, 1],
    }];
    let references = [Reference {
        id: "ГОСТ 27751".to_owned(),
        text: "ГОСТ 27751-2014".to_owned(),
        edition: Some("2014".to_owned()),
        clause: None,
        pages: vec![3],
        count: 2,
    }];
    let graph = Graph { works: &works, edges: &edges, references: &references };
    database.stage_graph(&attempt, graph).unwrap();
    let chunks = [
        chunk(0, "5.9", "Водопонижение следует вести непрерывно."),
        chunk(1, "5.10", "Откачка воды из котлована не должна нарушать основание."),
    ];
    database.stage_chunks(&attempt, EmbeddedChunks { chunks: &chunks, vectors: None }).unwrap();
    let record = record(location);
    let artifacts = Artifacts {
        text: "страница 1\u{c}страница 2".to_owned(),
        structure: json!({"designation": "СП 45.13330.2017"}).to_string(),
        rubern: "\\раздел{5}".to_owned(),
        graph: json!({"nodes": []}).to_string(),
        mermaid: "graph TD".to_owned(),
        graphml: "<graphml/>".to_owned(),
        report: json!({"stages": []}).to_string(),
        sequences: json!({"critical_path": []}).to_string(),
        estimate: Some(json!({"total": 10.0}).to_string()),
        positions: vec![EstimatePosition {
            number: "1".to_owned(),
            section: None,
            code: String::new(),
            name: "Позиция".to_owned(),
            unit: None,
            quantity: None,
            unit_price: None,
            total: Some(10.0),
            page: None,
        }],
        ..Artifacts::default()
    };
    database.switch(&attempt, &record, &artifacts).unwrap();
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_by_all_its_routes_until_it_is_deleted() {
    let server = Server::start().await;
    assert_eq!(server.get("/readyz").await.0, 200);
    let database = Database::open(&server.folder.path().join("data")).unwrap();
    let file = server.docs().join("a.txt").to_str().unwrap().to_owned();
    let id = seed(&database, Location::File(file));
    let document = format!("/documents/{id}");
    let (_, listed) = server.get("/documents?family=norms&limit=1").await;
    assert_eq!(listed["documents"][0]["id"], json!(id));
    assert_eq!(listed["next_cursor"], Value::Null);
    assert_eq!(server.get("/documents?family=ppr").await.1["documents"], json!([]));
    assert_eq!(server.get(&document).await.1["designation"], "СП 45.13330.2017");
    for (path, expected) in [
        ("/text", json!("страница 1\u{c}страница 2")),
        ("/structure", json!({"designation": "СП 45.13330.2017"})),
        ("/report", json!({"stages": []})),
        ("/rubern", json!("\\раздел{5}")),
        ("/graph", json!({"nodes": []})),
        ("/graph?format=mermaid", json!("graph TD")),
        ("/graph?format=graphml", json!("<graphml/>")),
    ] {
        let (status, body) = server.get(&format!("{document}{path}")).await;
        assert_eq!((status, body), (200, expected), "{path}");
    }
    let (_, chunks) = server.get(&format!("{document}/chunks?limit=1")).await;
    assert_eq!(chunks["chunks"][0]["address"], "5.9");
    let cursor = chunks["next_cursor"].as_str().unwrap();
    let (_, chunks) = server.get(&format!("{document}/chunks?limit=1&cursor={cursor}")).await;
    assert_eq!(chunks["chunks"][0]["citation"], "СП 45.13330.2017, п. 5.10, с. 14");
    let (status, path) = server.get(&format!("/works/{id}/critical-path")).await;
    assert_eq!((status, path), (200, json!({"critical_path": []})));
    let (_, estimate) = server.get(&format!("/estimates/{id}")).await;
    assert_eq!(estimate["positions"][0]["total"], 10.0);
    let sent = server.http.get(server.url(&format!("{document}/original"))).send().await.unwrap();
    assert!(sent.headers()["content-disposition"].to_str().unwrap().contains("45.txt"));
    assert_eq!(sent.text().await.unwrap(), "Текст документа");

    let (_, found) = server.post("/search", &json!({"query": "п. 5.10 СП 45.13330"})).await;
    assert_eq!(found["results"][0]["address"], "5.10", "{found}");
    assert_eq!(found["mode"], "bm25", "without a model it says so");
    let dense = json!({"query": "вода", "mode": "dense"});
    let (status, refusal) = server.post("/search", &dense).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("model_missing")));
    let (_, legacy) = server.post("/query", &json!({"query": "водопонижение", "k": 1})).await;
    assert!(legacy["results"][0]["chunk"].as_str().unwrap().contains("Водопонижение"));
    assert_eq!(legacy["results"][0]["meta"]["category"], "construction");

    let (_, norm) = server.get("/norms/СП 45.13330.2017").await;
    assert_eq!(norm["id"], "СП 45.13330");
    let (_, clause) = server.get("/norms/СП 45.13330/clauses/5.10").await;
    assert_eq!(clause["chunks"].as_array().unwrap().len(), 1);
    let (status, refusal) = server.get("/norms/СП 45.13330/clauses/9.9").await;
    assert_eq!((status, &refusal["code"]), (404, &json!("clause_not_found")));
    let (_, cited) = server.get("/norms/ГОСТ 27751/references?direction=in").await;
    assert_eq!(cited["references"][0]["text"], "ГОСТ 27751-2014");
    assert_eq!(server.get("/norms?limit=1000").await.1["norms"].as_array().unwrap().len(), 2);
    assert_eq!(server.get("/norms/СП 1").await.1["code"], "norm_not_found");

    let deleted = server.http.delete(server.url(&document)).send().await.unwrap();
    let (status, deleted) = answer(deleted).await;
    assert_eq!((status, &deleted["deleted"]["chunks"]), (200, &json!(2)));
    assert_eq!(server.get(&document).await.1["code"], "document_not_found");
    let (_, found) = server.post("/search", &json!({"query": "водопонижение"})).await;
    assert_eq!(found["results"], json!([]));
    let again = server.http.delete(server.url(&document)).send().await.unwrap();
    assert_eq!(again.status(), 404);
    assert!(server.docs().join("a.txt").exists(), "originals are never touched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_original_is_checked_again_before_it_is_sent() {
    let server = Server::start().await;
    let database = Database::open(&server.folder.path().join("data")).unwrap();
    for (location, status, code) in [
        (Location::File("/etc/passwd".to_owned()), 403, "source_outside_roots"),
        (Location::File(server.docs().join("gone").display().to_string()), 404, "original_gone"),
        (Location::Blob("uploads/x/files/0".to_owned()), 404, "original_gone"),
    ] {
        let id = seed(&database, location);
        let (answered, refusal) = server.get(&format!("/documents/{id}/original")).await;
        assert_eq!((answered, refusal["code"].as_str()), (status, Some(code)));
    }
    server.blobs().put("archives/x", "bytes").await.unwrap();
    let id = seed(&database, Location::Blob("archives/x".to_owned()));
    let original = server.http.get(server.url(&format!("/documents/{id}/original"))).send().await;
    assert_eq!(original.unwrap().text().await.unwrap(), "bytes");
    server.http.delete(server.url(&format!("/documents/{id}"))).send().await.unwrap();
    assert!(server.blobs().find("archives/x").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_of_a_job_ended_running_and_waiting() {
    let server = Server::start().await;
    let database = Database::open(&server.folder.path().join("data")).unwrap();
    let worker = FakeWorker::new(&server.queue);
    let job = server.train().await;
    let blobs = server.blobs();
    let mut manifest = ManifestWriter::open(&blobs, job).await.unwrap();
    for n in 0..5 {
        let name = format!("{n}.pdf");
        let entry = shared::job::ManifestEntry {
            index: 0,
            document_id: document_id("default", &name),
            path: format!("/d/{name}"),
            location: Location::File(format!("/d/{name}")),
            name,
            size: 1,
            refused: None,
        };
        manifest.push(entry).await.unwrap();
    }
    manifest.finish().await.unwrap();
    worker.list(5).await;
    let ended = worker.claim().await;
    let row = JobDocument {
        id: document_id("default", "0.pdf"),
        name: "0.pdf".to_owned(),
        path: "/d/0.pdf".to_owned(),
        index: 0,
        outcome: Some(Outcome::Failed),
        code: Some(Code::DamagedFile),
        message: Some("файл повреждён".to_owned()),
        stage: "1/14".to_owned(),
        attempts: 1,
        pages: None,
        chunks: None,
        duration_ms: Some(5),
        quality: None,
        issues: vec![],
    };
    database.record_job_document(job, 1, &row, &json!({"stages": []})).unwrap();
    worker.complete(&ended, Outcome::Failed).await;
    let running = worker.claim().await;
    worker.stage(&running, shared::stage::Stage::InitialValidation).await;

    let (_, page) = server.get(&format!("/jobs/{job}/documents?limit=3")).await;
    let shown: Vec<(u64, &Value, &str)> = page["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["index"].as_u64().unwrap(), &d["outcome"], d["stage"].as_str().unwrap()))
        .collect();
    let failed = json!("failed");
    let open = Value::Null;
    assert_eq!(shown, [(0, &failed, "1/14"), (1, &open, "1/14"), (2, &open, "0/14")]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let (_, page) = server.get(&format!("/jobs/{job}/documents?limit=3&cursor={cursor}")).await;
    assert_eq!(page["documents"].as_array().unwrap().len(), 2);
    assert_eq!(page["next_cursor"], Value::Null);
    let (_, only) = server.get(&format!("/jobs/{job}/documents?outcome=failed")).await;
    assert_eq!(only["documents"][0]["code"], "damaged_file");
    let (_, one) = server.get(&format!("/jobs/{job}/documents/{}", row.id)).await;
    assert_eq!((&one["index"], &one["report"]), (&json!(0), &json!({"stages": []})));
    let (_, waiting) = server.get(&format!("/jobs/{job}/documents/4")).await;
    assert_eq!((&waiting["name"], &waiting["report"]), (&json!("4.pdf"), &Value::Null));
    assert_eq!(server.get(&format!("/jobs/{job}/documents/5")).await.0, 404);
    let (status, refusal) = server.get(&format!("/jobs/{job}/report")).await;
    assert_eq!((status, &refusal["code"]), (404, &json!("report_not_ready")));

    for stage in &shared::stage::Stage::ALL[1..] {
        worker.stage(&running, *stage).await;
    }
    worker.complete(&running, Outcome::Completed).await;
    for _ in 2..5 {
        worker.document().await;
    }
    let report = json!({"status": "completed_with_errors", "pages_per_s": 1.5});
    server.blobs().write_report(job, &report).await.unwrap();
    worker.finish().await;
    assert_eq!(server.get(&format!("/jobs/{job}/report")).await, (200, report));
    let (_, html) = server.get(&format!("/jobs/{job}/report?format=html")).await;
    assert!(html.as_str().unwrap().contains("Страниц в секунду"));
    let (status, retried) = server.post(&format!("/jobs/{job}/retry"), &json!({})).await;
    assert_eq!(status, 202, "{retried}");
    let (_, again) = server.get(&format!("/jobs/{}", retried["job_id"].as_str().unwrap())).await;
    assert_eq!(again["retry_of"], json!(job));
    let (_, ended) = server.post(&format!("/jobs/{job}/cancel"), &json!({})).await;
    assert_eq!(ended["code"], "job_ended");
}
