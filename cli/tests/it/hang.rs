//! Stages that do not end by themselves, in worker processes that are alive.

use crate::system::{LIMIT, System, program};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use testkit::wait_until;

const WORKERS: usize = 3;
/// More than there are slots: while they hang, the others can only go on in slots that were freed.
const HANGING: usize = 4;
const OTHERS: usize = 12;
/// Crashes after which a document is not tried again (design: queue.md, section 5).
const LIMIT_OF_CRASHES: usize = 3;

/// A worker whose parser does not end for two kinds of names.
///
/// «молчит»: it says nothing, for ever. The stage waits and asks all the time whether to go on.
///
/// «зависает»: it leaves an orphan in a session of its own that holds its error output open. The stage
/// reads that to its end, which never comes, and asks nobody; no clock of the reader covers it. The
/// orphans end with the folder.
fn worker_with_a_parser_that_does_not_end(folder: &Path) -> PathBuf {
    let programs = folder.join("programs");
    std::fs::create_dir(&programs).unwrap();
    let worker = programs.join("ragtrain-worker");
    // A link is looked up where it lies; a copy does the same where links cannot reach.
    std::fs::hard_link(program("ragtrain-worker"), &worker)
        .or_else(|_| std::fs::copy(program("ragtrain-worker"), &worker).map(drop))
        .unwrap();
    let parser = programs.join("ragtrain-extractor");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n*молчит*) exec sleep 1000 ;;\n*зависает*) setsid sh -c 'while \
         [ -e {} ]; do sleep 1; done' </dev/null >/dev/null & exit 0 ;;\nesac\nexec {} \"$@\"\n",
        programs.display(),
        program("ragtrain-extractor").display()
    );
    std::fs::write(&parser, script).unwrap();
    std::fs::set_permissions(&parser, std::fs::Permissions::from_mode(0o755)).unwrap();
    worker
}

/// Design test 8: given up at the stage's budget, tried again, and recorded as lost after the
/// third time; nothing else suffers.
#[tokio::test]
async fn test_8_a_stage_that_hangs_is_given_up_and_nothing_else_suffers() {
    let mut system = System::start().await;
    let names = |what: &'static str, count| (0..count).map(move |n| format!("{what} {n}.txt"));
    let all: Vec<String> = names("зависает", HANGING).chain(names("норма", OTHERS)).collect();
    for name in &all {
        let text = format!("{name}\n\n1.1 Толщина слоя должна быть не менее 10 мм.\n");
        std::fs::write(system.documents().join(name), text).unwrap();
    }
    let worker = worker_with_a_parser_that_does_not_end(system.folder.path());
    for _ in 0..WORKERS {
        system.worker_with(
            worker.clone(),
            &[
                ("RAGTRAIN_WORKERS", "1"),
                ("RAGTRAIN_STALL_S", "3"),
                ("RAGTRAIN_LEASE_S", "3"),
                ("RAGTRAIN_BEAT_S", "0.75"),
                ("RAGTRAIN_REAP_S", "0.2"),
                ("RAGTRAIN_GRACE_S", "0.1"),
            ],
        );
    }
    let job = system.train(json!({})).await;
    let view = system.ended(&job).await;
    assert_eq!(view["status"], "completed_with_errors", "{view}");

    let mut ends: BTreeMap<String, (Value, Value, Value)> = BTreeMap::new();
    for event in system.events(&job).await.iter().filter(|event| event["type"] == "document") {
        let document = &event["document"];
        let name = document["name"].as_str().unwrap().to_owned();
        let end = (event["outcome"].clone(), event["code"].clone(), document["attempt"].clone());
        assert_eq!(ends.insert(name, end), None, "ended twice: {event}");
    }
    assert_eq!(ends.len(), all.len());
    for (name, end) in &ends {
        let expected = if name.starts_with("зависает") {
            (json!("failed"), json!("worker_lost"), json!(LIMIT_OF_CRASHES + 1))
        } else {
            (json!("completed_with_warnings"), Value::Null, json!(1))
        };
        assert_eq!(*end, expected, "{name}");
    }
    let mut given_up = 0;
    for number in 0..WORKERS {
        let process = system.worker_process(number);
        assert!(process.ended().is_none(), "a worker ended:\n{}", process.output());
        given_up += process.output().matches("given up as hung").count();
    }
    assert_eq!(given_up, HANGING * LIMIT_OF_CRASHES);

    // Threads that hang do not keep a worker from ending.
    (0..WORKERS).for_each(|number| system.worker_process(number).terminate());
    for number in 0..WORKERS {
        let process = system.worker_process(number);
        assert!(process.wait(LIMIT).success(), "{}", process.output());
    }
}

/// Beats are a minute apart and the stage publishes nothing: only the channel can tell the worker.
#[tokio::test]
async fn a_cancel_reaches_a_running_document_by_the_channel() {
    const BEAT: Duration = Duration::from_secs(60);
    let mut system = System::start().await;
    std::fs::write(system.documents().join("молчит.txt"), "1.1 Толщина слоя 10 мм.\n").unwrap();
    let worker = worker_with_a_parser_that_does_not_end(system.folder.path());
    let started = Instant::now();
    system.worker_with(
        worker,
        &[
            ("RAGTRAIN_WORKERS", "1"),
            ("RAGTRAIN_BEAT_S", &BEAT.as_secs().to_string()),
            ("RAGTRAIN_LEASE_S", "240"),
            ("RAGTRAIN_PARSER_IDLE_S", "1000"),
        ],
    );
    wait_until(LIMIT, async || listens(&system)).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        let job = system.train(json!({})).await;
        // Stage 3, the first that waits for the parser, is under way when the second is done.
        wait_until(LIMIT, async || {
            system.events(&job).await.iter().any(|event| event["stage"] == "2/14")
        })
        .await;
        let asked = Instant::now();
        system.post(&format!("/jobs/{job}/cancel"), Value::Null).await;
        let view = system.ended(&job).await;
        slowest = slowest.max(asked.elapsed());
        assert_eq!(
            (&view["status"], &view["documents"]["cancelled"]),
            (&json!("cancelled"), &json!(1))
        );
    }
    println!("the slowest of 5 was cancelled after {slowest:?}");
    assert!(started.elapsed() < BEAT, "a heartbeat may have told the worker");
}

/// Whether somebody hears the control channel.
fn listens(system: &System) -> bool {
    let channel = shared::queue::control_channel();
    let mut numbers = redis::cmd("PUBSUB");
    numbers.arg("NUMSUB").arg(&channel);
    let (_, listeners): (String, u64) = numbers.query(&mut system.redis.connection()).unwrap();
    listeners > 0
}
