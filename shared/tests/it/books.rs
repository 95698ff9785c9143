//! What the queue keeps about itself: error budgets, counters, shares, traces, and the scrubber
//! that repairs broken books.

use crate::support::*;
use redis::Commands;
use shared::job::JobStatus;
use shared::outcome::Outcome;
use shared::queue::*;
use std::time::Duration;

/// Every call of `scrub` is a round.
fn scrubbing() -> QueueTimes {
    QueueTimes { scrub: Duration::ZERO, ..QueueTimes::default() }
}

#[tokio::test]
async fn a_job_over_its_error_budget_fails_and_begins_nothing_more() {
    let bench = Bench::new().await;
    let job = NewJob { max_failed: Some(1), ..new_job() };
    bench.queue.submit(&job).await.unwrap();
    bench.list(job.id, 1000).await;
    let leases: Vec<Lease> = bench.claim(4).await.iter().map(|claim| claim.lease).collect();
    bench.complete(&leases[0], Outcome::Failed).await;
    bench.complete(&leases[1], Outcome::NeedsAttention).await;
    assert_eq!(bench.status(job.id).await, JobStatus::Running, "the budget is not used up");
    bench.complete(&leases[2], Outcome::Failed).await;

    let beats = bench.queue.beat(&bench.worker, &leases[3..]).await.unwrap();
    assert_eq!(beats, [Beat::Cancelled]);
    assert!(bench.claim(16).await.is_empty(), "nothing new is begun");
    bench.complete(&leases[3], Outcome::Cancelled).await;
    let finish = bench.finish().await;
    let reason = "с ошибкой больше документов, чем допустимо: 1";
    let verdict = Task::Finish { verdict: JobStatus::Failed, error: Some(reason.to_owned()) };
    assert_eq!(finish.task, verdict);
    let view = bench.view(job.id).await;
    assert_eq!((view.status, view.documents.cancelled), (JobStatus::Failed, 997));
    assert_eq!(view.documents.ended(), 1000);
    let last = bench.log(job.id).await.pop().unwrap();
    assert!(last.is_final && last.stage == "error" && last.log.contains(reason), "{last:?}");
}

#[tokio::test]
async fn documents_given_up_after_errors_use_the_budget_up_too() {
    let times = QueueTimes { max_errors: 1, ..QueueTimes::default() };
    let bench = Bench::with(times).await;
    let job = NewJob { max_failed: Some(0), ..new_job() };
    bench.queue.submit(&job).await.unwrap();
    // The listing still runs when the budget is used up.
    let listing = bench.claim_one().await.lease;
    bench.queue.extend(&listing, 10, "x").await.unwrap();
    let lease = bench.claim_one().await.lease;
    let document = name_of(&lease);
    let failed = bench.queue.fail(&lease, &ending(Outcome::Failed, &document), None).await;
    assert_eq!(failed.unwrap(), Failed::Dead);
    assert_eq!(bench.queue.extend(&listing, 20, "y").await.unwrap(), Listing::Cancelled);
    bench.queue.release(&listing).await.unwrap();
    bench.finish().await;
    let view = bench.view(job.id).await;
    assert_eq!(
        (view.status, view.documents.failed, view.documents.cancelled),
        (JobStatus::Failed, 1, 9)
    );
}

#[tokio::test]
async fn a_listing_takes_no_room_of_its_jobs_documents() {
    let bench = Bench::new().await;
    let job = NewJob { max_inflight: Some(1), ..new_job() };
    bench.queue.submit(&job).await.unwrap();
    let listing = bench.claim_one().await.lease;
    bench.queue.extend(&listing, 10, "x").await.unwrap();
    assert_eq!(bench.claim(16).await.len(), 1, "one document beside the listing");
    assert!(bench.claim(16).await.is_empty());
}

#[tokio::test]
async fn without_a_budget_every_document_may_fail() {
    let bench = Bench::new().await;
    let job = bench.listed(3).await;
    for claim in bench.claim(3).await {
        bench.complete(&claim.lease, Outcome::Failed).await;
    }
    bench.finish().await;
    assert_eq!(bench.status(job).await, JobStatus::CompletedWithErrors);
}

#[tokio::test]
async fn the_trace_of_a_request_comes_with_every_claim() {
    let bench = Bench::new().await;
    let trace = shared::trace::accept(None);
    let job = NewJob { traceparent: Some(trace.clone()), ..new_job() };
    bench.queue.submit(&job).await.unwrap();
    bench.list(job.id, 1).await;
    let claim = bench.claim_one().await;
    assert_eq!(claim.traceparent.as_deref(), Some(trace.as_str()));
    bench.complete(&claim.lease, Outcome::Completed).await;
    assert_eq!(bench.finish().await.traceparent, Some(trace));
    bench.listed(1).await;
    assert_eq!(bench.claim_one().await.traceparent, None);
}

#[tokio::test]
async fn what_happens_to_units_is_counted() {
    let bench = Bench::new().await;
    bench.listed(2).await;
    let first = bench.claim_one().await.lease;
    bench.queue.release(&first).await.unwrap();
    assert_eq!(bench.complete(&first, Outcome::Completed).await, Settled::Already);
    let second = bench.claim_one().await.lease;
    let stranger = Lease { fence: second.fence + 1, ..second };
    assert_eq!(bench.complete(&stranger, Outcome::Completed).await, Settled::Lost);
    let document = name_of(&second);
    bench.queue.fail(&second, &ending(Outcome::Failed, &document), None).await.unwrap();
    let depth = bench.queue.queue_depth().await.unwrap();
    let counted = |name: &str| depth.counters.get(name).copied().unwrap_or(0);
    assert_eq!(
        ["claimed", "released", "already", "lost", "retried"].map(counted),
        [3, 1, 1, 1, 1],
        "{depth:?}"
    );
}

#[tokio::test]
async fn open_jobs_show_their_shares() {
    let bench = Bench::new().await;
    let running = bench.listed(10).await;
    let claim = bench.claim_one().await;
    bench.complete(&claim.lease, Outcome::Completed).await;
    bench.claim(2).await;
    let waiting = new_job();
    bench.queue.submit(&waiting).await.unwrap();
    let shares = bench.queue.shares(10).await.unwrap();
    let seen: Vec<_> = shares
        .iter()
        .map(|job| (job.job_id, job.status, job.inflight, job.ended, job.total))
        .collect();
    assert_eq!(
        seen,
        [(running, JobStatus::Running, 2, 1, 10), (waiting.id, JobStatus::Queued, 0, 0, 0)]
    );
    assert!(shares[0].virtual_time_s > 0.0);
    assert_eq!(bench.queue.shares(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn books_that_are_right_need_no_repair() {
    let bench = Bench::with(scrubbing()).await;
    for _ in 0..20 {
        bench.queue.submit(&new_job()).await.unwrap();
    }
    let listings = bench.claim(16).await;
    for (total, listing) in (0..).zip(&listings[..12]) {
        bench.queue.seal(&listing.lease, total).await.unwrap();
    }
    bench.queue.pause(listings[4].lease.job_id).await.unwrap();
    bench.queue.cancel(listings[5].lease.job_id).await.unwrap();
    bench.claim(16).await;
    assert_eq!(bench.queue.scrub().await.unwrap(), 0);
}

#[tokio::test]
async fn broken_books_are_repaired() {
    let bench = Bench::with(scrubbing()).await;
    // More jobs than one call looks at, the broken ones spread over them.
    let mut jobs = Vec::new();
    for _ in 0..20 {
        let job = new_job();
        bench.queue.submit(&job).await.unwrap();
        jobs.push(job.id);
    }
    let mut listings = bench.claim(16).await;
    listings.extend(bench.claim(4).await);
    for listing in listings {
        bench.queue.seal(&listing.lease, 3).await.unwrap();
    }
    // Three documents of one job and one of another.
    let mut claims = bench.claim(4).await;
    let (lost, held) = (claims.pop().unwrap().lease, claims.remove(0).lease);
    assert_ne!(lost.job_id, held.job_id);
    let mut redis = bench.redis.connection();
    let hidden = *jobs.iter().rev().find(|job| ![held.job_id, lost.job_id].contains(job)).unwrap();
    let _: () = redis.zrem("{tq:00}:ready", hidden.to_string()).unwrap();
    let leases = format!("{{tq:00}}:lease:{}", lost.job_id);
    let Unit::Document { index: number } = lost.unit else { panic!() };
    let _: () = redis.hdel(leases, number).unwrap();
    let (Unit::Document { index }, member) = (held.unit, held.job_id) else { panic!() };
    let _: () = redis.zrem("{tq:00}:exp", format!("{member}:{index}")).unwrap();

    assert_eq!(bench.queue.scrub().await.unwrap(), 3);
    assert_eq!(bench.queue.scrub().await.unwrap(), 0);
    let rank: Option<u64> = redis.zrank("{tq:00}:ready", hidden.to_string()).unwrap();
    assert!(rank.is_some());
    let shares = bench.queue.shares(20).await.unwrap();
    let inflight = shares.iter().find(|share| share.job_id == lost.job_id).unwrap().inflight;
    let expiry: Option<f64> = redis.zscore("{tq:00}:exp", format!("{member}:{index}")).unwrap();
    assert_eq!((inflight, expiry.is_some()), (0, true));
    let repaired = bench.queue.queue_depth().await.unwrap().counters["repaired"];
    assert_eq!(repaired, 3);
}

#[tokio::test]
async fn one_round_of_scrubbing_serves_the_whole_installation() {
    let bench = Bench::new().await;
    let job = bench.listed(1).await;
    bench.queue.scrub().await.unwrap();
    let mut redis = bench.redis.connection();
    let _: () = redis.zrem("{tq:00}:ready", job.to_string()).unwrap();
    assert_eq!(bench.queue.scrub().await.unwrap(), 0, "the period is not over");
}
