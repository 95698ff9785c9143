//! Every call may be repeated: a lost reply changes nothing.

use crate::support::*;
use shared::outcome::Outcome;
use shared::queue::*;
use shared::stage::Stage;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn one_job_per_id_and_request() {
    let bench = Bench::new().await;
    let job = new_job();
    let calls = (0..100).map(|_| bench.queue.submit(&job));
    let answers = futures_util::future::join_all(calls).await;
    let created = answers.into_iter().filter(|answer| answer.as_ref().unwrap().created).count();
    assert_eq!(created, 1);
    assert_eq!(bench.log(job.id).await.len(), 1);
    let other = NewJob { request_hash: "other".into(), ..job };
    assert!(matches!(bench.queue.submit(&other).await, Err(QueueError::KeyReused)));
}

#[tokio::test]
async fn a_repeated_claim_gets_the_same_units() {
    let bench = Bench::new().await;
    bench.listed(10).await;
    let claim_id = Uuid::new_v4();
    let first = bench.queue.claim(&bench.worker, claim_id, 3).await.unwrap();
    let again = bench.queue.claim(&bench.worker, claim_id, 3).await.unwrap();
    assert_eq!(first.len(), 3);
    assert_eq!(first, again);
    assert_eq!(bench.queue.queue_depth().await.unwrap().leased, 3);
    let other = bench.claim(3).await;
    assert!(other.iter().all(|claim| !first.contains(claim)));
    let nothing = Uuid::new_v4();
    bench.claim(16).await;
    assert!(bench.queue.claim(&bench.worker, nothing, 3).await.unwrap().is_empty());
    assert!(bench.queue.claim(&bench.worker, nothing, 3).await.unwrap().is_empty());
}

#[tokio::test]
async fn repeated_calls_count_and_tell_once() {
    let bench = Bench::new().await;
    let queue = &bench.queue;
    let job = new_job();
    queue.submit(&job).await.unwrap();
    let listing = bench.claim_one().await.lease;
    for settled in [Settled::Counted, Settled::Already] {
        assert_eq!(queue.seal(&listing, 3).await.unwrap(), settled);
    }
    let lease = bench.claim_one().await.lease;
    for settled in [Settled::Counted, Settled::Already] {
        assert_eq!(queue.release(&lease).await.unwrap(), settled);
    }
    let lease = bench.claim_one().await.lease;
    let document = name_of(&lease);
    for _ in 0..2 {
        let body = stage_body(Stage::InitialValidation, &document);
        assert_eq!(queue.publish(&lease, 1, &body).await.unwrap(), Published::Accepted);
    }
    let ending = ending(Outcome::Failed, &document);
    let after = Duration::from_secs(3600);
    for _ in 0..2 {
        let failed = queue.fail(&lease, &ending, Some(after)).await.unwrap();
        assert_eq!(failed, Failed::Retry { after });
    }
    for _ in 0..2 {
        let lease = bench.claim_one().await.lease;
        for settled in [Settled::Counted, Settled::Already] {
            assert_eq!(bench.complete(&lease, Outcome::Completed).await, settled);
        }
    }
    let view = bench.view(job.id).await;
    assert_eq!((view.documents.completed, view.documents.failed), (2, 0));
    let events = bench.log(job.id).await;
    let stages = events.iter().filter(|event| event.stage == "1/14" && event.outcome.is_none());
    assert_eq!(stages.count(), 1);
    assert_eq!(events.iter().filter(|event| event.outcome.is_some()).count(), 2);
}

#[tokio::test]
async fn a_repeated_finish_gives_one_final_event() {
    let bench = Bench::new().await;
    let job_id = bench.listed(0).await;
    let finish = bench.claim_one().await.lease;
    for settled in [Settled::Counted, Settled::Already, Settled::Already] {
        assert_eq!(bench.queue.finish(&finish).await.unwrap(), settled);
    }
    assert!(bench.log(job_id).await.last().unwrap().is_final);
}

#[tokio::test]
async fn scripts_are_loaded_again_after_a_flush() {
    let bench = Bench::new().await;
    let job_id = bench.listed(2).await;
    for _ in 0..2 {
        redis::cmd("FUNCTION").arg("FLUSH").exec(&mut bench.redis.connection()).unwrap();
        let lease = bench.claim_one().await.lease;
        redis::cmd("FUNCTION").arg("FLUSH").exec(&mut bench.redis.connection()).unwrap();
        assert_eq!(bench.complete(&lease, Outcome::Completed).await, Settled::Counted);
    }
    bench.finish().await;
    bench.log(job_id).await;
}

#[tokio::test]
async fn documents_that_end_together_are_counted_one_by_one() {
    let bench = Bench::new().await;
    let jobs = [new_job(), new_job()];
    for job in &jobs {
        bench.queue.submit(job).await.unwrap();
    }
    for listing in bench.claim(2).await {
        bench.queue.seal(&listing.lease, 40).await.unwrap();
    }
    let mut leases: Vec<Lease> = Vec::new();
    while leases.len() < 80 {
        leases.extend(bench.claim(16).await.iter().map(|claim| claim.lease));
    }
    // Every document twice at the same time, those of both jobs mixed.
    let calls = leases.iter().chain(leases.iter().rev());
    let calls = calls.map(|lease| bench.complete(lease, Outcome::Completed));
    let settled = futures_util::future::join_all(calls).await;
    let counted = settled.iter().filter(|answer| **answer == Settled::Counted).count();
    let already = settled.iter().filter(|answer| **answer == Settled::Already).count();
    assert_eq!((counted, already), (80, 80));
    for _ in &jobs {
        bench.finish().await;
    }
    for job in &jobs {
        assert_eq!(bench.view(job.id).await.documents.completed, 40);
        let events = bench.log(job.id).await;
        check_log(&events, true);
        assert_eq!(events.iter().filter(|event| event.outcome.is_some()).count(), 40);
    }
}

#[tokio::test]
async fn whoever_goes_away_while_documents_end_takes_nobody_with_them() {
    let bench = Bench::new().await;
    bench.listed(32).await;
    let mut leases: Vec<Lease> = Vec::new();
    while leases.len() < 32 {
        leases.extend(bench.claim(16).await.iter().map(|claim| claim.lease));
    }
    // Each task is aborted somewhere in its call, which may be the one made for all the others.
    let tasks: Vec<_> = leases
        .iter()
        .enumerate()
        .map(|(n, lease)| {
            let (queue, lease) = (bench.queue.clone(), *lease);
            let task = tokio::spawn(async move {
                let document = name_of(&lease);
                queue.complete(&lease, &ending(Outcome::Completed, &document)).await
            });
            (n, task)
        })
        .collect();
    for (n, task) in tasks {
        if n % 3 == 0 {
            task.abort();
        } else {
            let settled = testkit::within(LIMIT, task).await.unwrap().unwrap();
            assert_ne!(settled, Settled::Lost, "document {n}");
        }
    }
    for lease in &leases {
        assert_ne!(bench.complete(lease, Outcome::Completed).await, Settled::Lost);
    }
    let job = bench.finish().await.lease.job_id;
    assert_eq!(bench.view(job).await.documents.completed, 32);
}
