//! The programs over a Redis Cluster: three masters with a replica each, the queue in 16 shards.

use crate::system::{LIMIT, System};
use crate::whole::copy_samples;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use testkit::{RedisCluster, wait_until};

/// So many small jobs lie on all nodes.
const SMALL_JOBS: usize = 15;
const SMALL_DOCUMENTS: usize = 4;

type OverCluster = System<RedisCluster>;

#[tokio::test]
async fn jobs_on_a_cluster_end_although_a_master_dies() {
    let cluster = RedisCluster::start_with_replicas();
    let url = cluster.url();
    let mut system = System::start_on(cluster, url).await;
    copy_samples(&system);
    for number in 0..SMALL_JOBS {
        write_small_folder(&system.documents().join(format!("папка {number}")), number);
    }
    for _ in 0..2 {
        system.worker();
    }
    // The samples lie beside the folders, so the first job is all of them.
    let mut jobs = vec![(
        system.train(json!({ "collection": "all" })).await,
        8 + SMALL_JOBS * SMALL_DOCUMENTS,
    )];
    for number in 0..SMALL_JOBS {
        let body = json!({
            "sources": [{ "path": format!("папка {number}") }],
            "collection": format!("small-{number}"),
        });
        jobs.push((system.train(body).await, SMALL_DOCUMENTS));
    }
    wait_until(LIMIT, async || ended_documents(&system, &jobs).await >= 5).await;
    system.redis.kill(0);
    for (job, documents) in &jobs {
        let view = ended(&system, job).await;
        let counts = &view["documents"];
        let count = |name: &str| counts[name].as_u64().unwrap() as usize;
        // One sample is a broken file.
        let failed = usize::from(*documents > SMALL_DOCUMENTS);
        assert_eq!((count("total"), count("failed")), (*documents, failed), "{view}");
        assert_eq!(count("cancelled") + count("skipped_duplicate"), 0, "{view}");
        every_document_once(&system, job, *documents).await;
    }
    // All shards answer again, and are merged into one list.
    let ids: BTreeSet<&str> = jobs.iter().map(|(job, _)| job.as_str()).collect();
    let listed: Value = serde_json::from_str(&system.cli(&["jobs", "list", "--json"])).unwrap();
    let listed: BTreeSet<&str> =
        listed.as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap()).collect();
    assert_eq!(listed, ids);
    let shown = system.cli(&["jobs", "list"]);
    assert!(ids.iter().all(|id| shown.contains(id)), "{shown}");
    let status: Value = serde_json::from_str(&system.cli(&["jobs", "top", "--json"])).unwrap();
    assert_eq!((&status["queue"]["leased"], &status["queue"]["ready"]), (&json!(0), &json!(0)));
    let drawn = system.cli(&["jobs", "top", "--once"]);
    assert!(drawn.lines().next().unwrap().matches(" 0 · ").count() >= 2, "{drawn}");
}

fn write_small_folder(folder: &Path, number: usize) {
    std::fs::create_dir(folder).unwrap();
    for document in 0..SMALL_DOCUMENTS {
        let mut text =
            format!("СВОД ПРАВИЛ\n\nСП {}.1325800.2026\n\n", 100 + number * 10 + document);
        for clause in 1..=200 {
            text.push_str(&format!("5.{clause} Толщина слоя {clause} — не менее {clause} мм.\n\n"));
        }
        std::fs::write(folder.join(format!("норма {document}.txt")), text).unwrap();
    }
}

async fn ended_documents(system: &OverCluster, jobs: &[(String, usize)]) -> u64 {
    let mut sum = 0;
    for (job, _) in jobs {
        let view = system.get(&format!("/jobs/{job}")).await;
        let counts = view["documents"].as_object().unwrap().iter();
        sum += counts
            .filter(|(name, _)| *name != "total")
            .map(|(_, count)| count.as_u64().unwrap())
            .sum::<u64>();
    }
    sum
}

/// Waits for the end of a job whose node may be away for a while.
async fn ended(system: &OverCluster, job: &str) -> Value {
    let mut last = Value::Null;
    let url = format!("{}/jobs/{job}", system.url);
    for _ in 0..LIMIT.as_millis() / 100 {
        if let Ok(answer) = system.http.get(&url).send().await
            && answer.status().is_success()
        {
            last = answer.json().await.unwrap();
            if ["completed", "completed_with_errors"].contains(&last["status"].as_str().unwrap()) {
                return last;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the job does not end: {last}\n{}", system.output());
}

/// Every document has one row with an outcome, and one event that ends it.
async fn every_document_once(system: &OverCluster, job: &str, documents: usize) {
    let rows = system.get(&format!("/jobs/{job}/documents?limit=1000")).await;
    let rows = rows["documents"].as_array().unwrap();
    assert!(rows.len() == documents && rows.iter().all(|row| row["outcome"].is_string()));
    let events = system.events(job).await;
    let ends: Vec<&str> = events
        .iter()
        .filter(|event| event["type"] == "document")
        .map(|event| event["document"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(ends.len(), documents, "{ends:#?}");
    assert_eq!(ends.iter().collect::<BTreeSet<_>>().len(), documents, "{ends:#?}");
    for (position, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], position + 1, "a gap in the numbers");
        assert_eq!(event["final"] == true, position + 1 == events.len());
    }
}
