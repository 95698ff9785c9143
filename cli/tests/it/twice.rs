//! The same thing asked for and named many times.

use crate::system::System;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};

const CONTENTS: usize = 6;
const COPIES: usize = 8;

/// Design test 24: a hundred requests with one key at once, sources that name the same files again
/// and again, and copies of files: one job, each file once in it, each content trained once.
#[tokio::test]
async fn test_24_what_is_named_many_times_is_done_once() {
    let mut system = System::start().await;
    for content in 0..CONTENTS {
        for copy in 0..COPIES {
            let text = format!("Памятка {content}\n\n1.1 Ключ {content} хранится у кладовщика.\n");
            let name = format!("памятка {content} копия {copy}.txt");
            std::fs::write(system.documents().join(name), text).unwrap();
        }
    }
    for _ in 0..3 {
        system.worker();
    }
    let folder = system.documents();
    let mut sources = vec![json!({ "path": folder }), json!({ "path": folder })];
    sources.extend(
        (0..COPIES)
            .map(|copy| json!({ "path": folder.join(format!("памятка 0 копия {copy}.txt")) })),
    );
    let body = json!({ "sources": sources });
    let send = || async {
        let post = system.http.post(format!("{}/train", system.url)).json(&body);
        let answer = post.header("idempotency-key", "once").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 202);
        let accepted: Value = answer.json().await.unwrap();
        accepted["job_id"].as_str().unwrap().to_owned()
    };
    let jobs: HashSet<String> = join_all((0..100).map(|_| send())).await.into_iter().collect();
    assert_eq!(jobs.len(), 1);
    let job = jobs.into_iter().next().unwrap();
    let view = system.ended(&job).await;
    let listed = system.get("/jobs").await;
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 1);

    // Every file is one document, however often it was named; of each content one was trained.
    let counts = &view["documents"];
    assert_eq!(counts["total"], json!(CONTENTS * COPIES), "{view}");
    assert_eq!(counts["skipped_duplicate"], json!(CONTENTS * (COPIES - 1)), "{view}");
    let rows = system.get(&format!("/jobs/{job}/documents?limit=1000")).await;
    let mut trained: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows["documents"].as_array().unwrap() {
        assert_eq!(row["attempts"], 1, "{row}");
        if row["outcome"] != "skipped_duplicate" {
            *trained.entry(content_of(&row["name"])).or_default() += 1;
        }
    }
    let expected = (0..CONTENTS).map(|content| (format!("памятка {content}"), 1));
    assert_eq!(trained, expected.collect());
    let visible = system.get("/documents?limit=1000").await;
    let visible = visible["documents"].as_array().unwrap();
    let digests: BTreeSet<&str> =
        visible.iter().map(|document| document["sha256"].as_str().unwrap()).collect();
    assert_eq!((visible.len(), digests.len()), (CONTENTS, CONTENTS));

    // Copies that are in work at the same time may all be read before one of them is the first.
    let events = system.events(&job).await;
    let read = events.iter().filter(|event| event["stage"] == "3/14" && event["type"] == "stage");
    println!("{} of {} files were read for {CONTENTS} contents", read.count(), CONTENTS * COPIES);
}

fn content_of(name: &Value) -> String {
    name.as_str().unwrap().split(" копия").next().unwrap().to_owned()
}
