//! Worker processes are killed in the middle of a job.

use crate::system::{LIMIT, System};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Lease 10 s, sweep 1 s, and what a document of this test takes (design: queue.md, 6.6).
const RECOVERY: Duration = Duration::from_secs(15);

/// Norms large enough that a worker is always in the middle of some of them.
fn write_documents(system: &System, count: usize) {
    for number in 0..count {
        let mut text = format!("СВОД ПРАВИЛ\n\nСП {}.1325800.2026\n\n", 700 + number);
        for section in 1..=20 {
            text.push_str(&format!("{section} Раздел о работах\n\n"));
            for clause in 1..=60 {
                text.push_str(&format!(
                    "{section}.{clause} Толщина слоя номер {clause} в документе {number} должна быть не менее {} мм.\n\n",
                    clause * 10
                ));
            }
        }
        std::fs::write(system.documents().join(format!("норма {number:02}.txt")), text).unwrap();
    }
}

#[tokio::test]
async fn a_killed_worker_loses_nothing_and_doubles_nothing() {
    const DOCUMENTS: usize = 40;
    let mut system = System::start().await;
    write_documents(&system, DOCUMENTS);
    let victim = system.worker();
    system.worker();
    let job = system.train(json!({})).await;

    // Killed while it certainly holds documents: some have ended, most have not.
    let deadline = Instant::now() + LIMIT;
    let held = loop {
        let rows = running(&system, &job).await;
        let done = ended(&system.get(&format!("/jobs/{job}")).await);
        if done >= 3 && !rows.is_empty() {
            break rows;
        }
        assert!(Instant::now() < deadline, "the worker does not start");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    system.worker_process(victim).kill();
    let killed = Instant::now();

    let open = || async {
        let rows = system.get(&format!("/jobs/{job}/documents?limit=1000")).await;
        let open: BTreeSet<String> = rows["documents"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["outcome"].is_null())
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect();
        held.iter().filter(|name| open.contains(*name)).count()
    };
    while open().await > 0 {
        assert!(killed.elapsed() < RECOVERY, "held documents are still open: {held:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let view = system.ended(&job).await;
    assert_eq!(view["status"], "completed", "{view}");
    assert_eq!(ended(&view), DOCUMENTS as u64);

    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for event in system.events(&job).await {
        if event["type"] == "document" {
            *ends.entry(event["document"]["name"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(ends.len(), DOCUMENTS);
    assert!(ends.values().all(|count| *count == 1), "{ends:#?}");
    let trained = system.get("/documents?limit=1000").await;
    assert_eq!(trained["documents"].as_array().unwrap().len(), DOCUMENTS);
}

/// Names of documents that are in a worker's hands.
async fn running(system: &System, job: &str) -> BTreeSet<String> {
    let rows = system.get(&format!("/jobs/{job}/documents?limit=1000")).await;
    let in_hands =
        |row: &&Value| row["outcome"].is_null() && row["attempts"].as_u64().unwrap_or(0) > 0;
    rows["documents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(in_hands)
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

fn ended(view: &Value) -> u64 {
    let counts = view["documents"].as_object().unwrap();
    counts
        .iter()
        .filter(|(name, _)| *name != "total")
        .map(|(_, count)| count.as_u64().unwrap())
        .sum()
}
