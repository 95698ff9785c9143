//! The event log: order, gaps, thinning, snapshots, retention.

use crate::support::*;
use futures_util::StreamExt;
use shared::job::JobStatus;
use shared::outcome::Outcome;
use shared::queue::*;
use shared::stage::Stage;
use std::time::Duration;
use testkit::within;
use uuid::Uuid;

/// Everything published on a channel until the final event of a job.
async fn listen(queue: &Queue, channel: String) -> tokio::task::JoinHandle<Vec<String>> {
    let mut pubsub = queue.pubsub().await.unwrap();
    pubsub.psubscribe(channel).await.unwrap();
    tokio::spawn(async move {
        let mut messages = pubsub.into_on_message();
        let mut bodies: Vec<String> = Vec::new();
        while !bodies.last().is_some_and(|body| body.contains("\"final\":true")) {
            bodies.push(messages.next().await.unwrap().get_payload().unwrap());
        }
        bodies
    })
}

/// Documents that end together are not published one by one where nobody listens; whoever does,
/// by the channel or by a pattern, hears each of them.
#[tokio::test]
async fn documents_that_end_together_are_told_to_everybody_who_listens() {
    let bench = Bench::new().await;
    for pattern in [false, true] {
        let job_id = bench.listed(32).await;
        let mut leases: Vec<Lease> = Vec::new();
        while leases.len() < 32 {
            leases.extend(bench.claim(16).await.iter().map(|claim| claim.lease));
        }
        let together = async |leases: Vec<Lease>| {
            let calls = leases.iter().map(|lease| bench.complete(lease, Outcome::Completed));
            let settled = futures_util::future::join_all(calls).await;
            assert!(settled.iter().all(|answer| *answer == Settled::Counted));
        };
        together(leases.split_off(16)).await;
        let mut pubsub = bench.queue.pubsub().await.unwrap();
        match pattern {
            false => pubsub.subscribe(events_channel(job_id)).await.unwrap(),
            true => pubsub.psubscribe(all_events_pattern()).await.unwrap(),
        }
        together(leases).await;
        bench.finish().await;
        let log = bench.log(job_id).await;
        check_log(&log, true);
        let mut heard = pubsub.into_on_message();
        // Sixteen documents and the final event.
        for event in &log[log.len() - 17..] {
            let message = within(LIMIT, heard.next()).await.unwrap();
            let body: serde_json::Value =
                serde_json::from_str(&message.get_payload::<String>().unwrap()).unwrap();
            assert_eq!(body["seq"], event.seq);
        }
    }
}

#[tokio::test]
async fn stream_and_channels_carry_the_same_events_in_the_same_order() {
    let bench = Bench::new().await;
    let queue = &bench.queue;
    let job = new_job();
    let own = listen(queue, events_channel(job.id)).await;
    let all = listen(queue, all_events_pattern()).await;
    queue.submit(&job).await.unwrap();
    bench.list(job.id, 40).await;
    let workers = (0..8).map(|_| {
        let bench = &bench;
        async move {
            let worker = worker();
            loop {
                let claims = queue.claim(&worker, Uuid::new_v4(), 1).await.unwrap();
                let Some(claim) = claims.first() else { break };
                let Unit::Document { .. } = claim.lease.unit else {
                    queue.finish(&claim.lease).await.unwrap();
                    break;
                };
                let document = name_of(&claim.lease);
                for stage in Stage::ALL {
                    let body = stage_body(stage, &document);
                    queue.publish(&claim.lease, u32::from(stage.number()), &body).await.unwrap();
                }
                bench.complete(&claim.lease, Outcome::Completed).await;
            }
        }
    });
    within(LIMIT, futures_util::future::join_all(workers)).await;
    if !bench.status(job.id).await.is_final() {
        bench.finish().await;
    }
    let log = bench.log(job.id).await;
    assert_eq!(log.len(), 3 + 40 * 15 + 1);
    let page = queue.events(job.id, 0, 1000).await.unwrap().unwrap();
    let stored: Vec<String> = page.events.into_iter().map(|(_, body)| body).collect();
    assert_eq!(within(LIMIT, own).await.unwrap(), stored);
    assert_eq!(within(LIMIT, all).await.unwrap(), stored);
    let snapshot = queue.snapshot(job.id).await.unwrap().unwrap();
    assert_eq!(snapshot.stages, [40; 14]);
}

#[tokio::test]
async fn progress_and_remaining_time_are_measured() {
    let bench = Bench::new().await;
    let job_id = bench.listed(4).await;
    assert_eq!(bench.view(job_id).await.eta_s, None);
    let claims = bench.claim(2).await;
    bench.complete(&claims[0].lease, Outcome::Completed).await;
    assert_eq!(bench.view(job_id).await.progress, 25.0);
    let lease = claims[1].lease;
    let document = name_of(&lease);
    bench.queue.publish(&lease, 1, &stage_body(Stage::RubernMarkup, &document)).await.unwrap();
    let view = bench.view(job_id).await;
    assert_eq!(view.progress, 37.2, "(100 + 49) / 4 = 37.25, cut to a decimal");
    let elapsed = (time::OffsetDateTime::now_utc() - view.started_at.unwrap()).as_seconds_f64();
    assert!(view.eta_s.unwrap() <= 3.0 * elapsed + 0.1);
    bench.queue.release(&lease).await.unwrap();
    assert_eq!(bench.view(job_id).await.progress, 37.2, "never falls");
}

#[tokio::test]
async fn only_stages_of_large_jobs_are_thinned_and_counters_stay_exact() {
    let bench = Bench::new().await;
    for (total, thinned) in [(1000, false), (1001, true)] {
        let job_id = bench.listed(total).await;
        let claims = bench.claim(16).await;
        for claim in &claims {
            let document = name_of(&claim.lease);
            for stage in Stage::ALL {
                let body = stage_body(stage, &document);
                let n = u32::from(stage.number());
                bench.queue.publish(&claim.lease, n, &body).await.unwrap();
            }
            bench.complete(&claim.lease, Outcome::Completed).await;
        }
        let log = bench.log(job_id).await;
        let stages = log.iter().filter(|event| event.stage_name.is_some()).count();
        let ends = log.iter().filter(|event| event.outcome.is_some()).count();
        assert_eq!(ends, 16);
        assert_eq!(stages < 16 * 14, thinned, "{stages} stage events");
        assert!(stages >= 20);
        let snapshot = bench.queue.snapshot(job_id).await.unwrap().unwrap();
        assert_eq!(snapshot.stages, [16; 14]);
        bench.queue.cancel(job_id).await.unwrap();
        bench.finish().await;
    }
}

#[tokio::test]
async fn snapshot_heads_and_pages_agree() {
    let bench = Bench::new().await;
    let job_id = bench.listed(1).await;
    let unknown = Uuid::new_v4();
    let heads = bench.queue.heads(&[job_id, unknown]).await.unwrap();
    let snapshot = bench.queue.snapshot(job_id).await.unwrap().unwrap();
    let page = bench.queue.events(job_id, 1, 1).await.unwrap().unwrap();
    let head = heads[0].as_ref().unwrap();
    assert!(heads[1].is_none());
    assert_eq!((head.seq, head.status), (3, JobStatus::Running));
    assert_eq!((snapshot.job.last_seq, &snapshot.job.epoch), (3, &head.epoch));
    assert_eq!(snapshot.job.status, JobStatus::Running);
    let log = ["Задача поставлена в очередь", "Обучение началось", "Документов в задаче: 1"];
    assert_eq!(snapshot.log_tail, log);
    assert_eq!((page.last_seq, page.oldest, page.ended), (3, 1, false));
    assert_eq!(page.events.len(), 1);
    assert_eq!(page.events[0].0, 2);
    assert!(bench.queue.events(unknown, 0, 1).await.unwrap().is_none());
    assert!(bench.queue.snapshot(unknown).await.unwrap().is_none());
    assert!(bench.queue.job(unknown).await.unwrap().is_none());
    let ahead = bench.queue.events(job_id, 99, 10).await.unwrap().unwrap();
    assert!(ahead.events.is_empty());
    let far_ahead = bench.queue.events(job_id, u64::MAX, 10).await.unwrap().unwrap();
    assert_eq!((far_ahead.events.len(), far_ahead.last_seq), (0, 3));
    let all = bench.queue.events(job_id, 0, 10).await.unwrap();
    for since in [0, 2, 3, 99, u64::MAX] {
        assert_eq!(bench.queue.recent_events(job_id, since, 10).await.unwrap(), all, "{since}");
    }
    assert!(bench.queue.recent_events(unknown, 0, 10).await.unwrap().is_none());
}

#[tokio::test]
async fn old_history_is_trimmed_and_says_so() {
    let bench = Bench::new().await;
    let job_id = bench.listed(1).await;
    let lease = bench.claim_one().await.lease;
    let document = name_of(&lease);
    bench.queue.publish(&lease, 1, &stage_body(Stage::InitialValidation, &document)).await.unwrap();
    redis::cmd("XTRIM")
        .arg(&[&format!("{{tq:00}}:ev:{job_id}"), "MAXLEN", "1"])
        .exec(&mut bench.redis.connection())
        .unwrap();
    let page = bench.queue.events(job_id, 0, 10).await.unwrap().unwrap();
    assert_eq!((page.oldest, page.last_seq, page.events.len()), (4, 4, 1));
    assert_eq!(bench.queue.recent_events(job_id, 0, 10).await.unwrap(), Some(page));
}

#[tokio::test]
async fn jobs_are_forgotten_after_their_retention() {
    let retention = Duration::from_millis(100);
    let bench = Bench::with(QueueTimes { retention, ..QueueTimes::default() }).await;
    let job_id = bench.listed(1).await;
    let lease = bench.claim_one().await.lease;
    bench.complete(&lease, Outcome::Completed).await;
    bench.finish().await;
    testkit::wait_until(LIMIT, async || bench.queue.reap().await.unwrap().forgotten == 1).await;
    assert!(bench.queue.job(job_id).await.unwrap().is_none());
    assert!(bench.queue.jobs(None, 10, None).await.unwrap().jobs.is_empty());
    let keys: Vec<String> =
        redis::cmd("KEYS").arg(format!("*{job_id}*")).query(&mut bench.redis.connection()).unwrap();
    assert!(keys.is_empty(), "left behind: {keys:?}");
}

#[tokio::test]
async fn a_lost_history_has_another_epoch() {
    let bench = Bench::new().await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    let before = bench.view(job.id).await.epoch;
    redis::cmd("FLUSHALL").exec(&mut bench.redis.connection()).unwrap();
    assert!(bench.queue.submit(&job).await.unwrap().created);
    let view = bench.view(job.id).await;
    assert_ne!(view.epoch, before);
    assert_eq!(view.last_seq, 1);
}

#[tokio::test]
async fn a_history_that_lost_its_end_has_another_epoch() {
    let bench = Bench::new().await;
    let job_id = bench.listed(2).await;
    let lease = bench.claim_one().await.lease;
    let beside = bench.claim_one().await.lease;
    let publish_for = async |lease: &Lease, n: u32| {
        let document = name_of(lease);
        let body = stage_body(Stage::ALL[n as usize - 1], &document);
        assert_eq!(bench.queue.publish(lease, n, &body).await.unwrap(), Published::Accepted);
        let head = bench.queue.heads(&[job_id]).await.unwrap().remove(0).unwrap();
        (head.epoch, head.seq)
    };
    let publish = async |n: u32| publish_for(&lease, n).await;
    publish_for(&beside, 1).await;
    let (epoch, seq) = publish(1).await;
    // As with a replica that is behind: what comes now is lost, after it was acknowledged.
    let mut redis = bench.redis.connection();
    let keys: Vec<String> =
        redis::cmd("KEYS").arg(format!("*{job_id}*")).query(&mut redis).unwrap();
    let kept: Vec<(String, Vec<u8>)> = keys
        .into_iter()
        .map(|key| {
            let dump = redis::cmd("DUMP").arg(&key).query(&mut redis).unwrap();
            (key, dump)
        })
        .collect();
    assert_eq!(publish(2).await, (epoch.clone(), seq + 1));
    assert_eq!(publish(3).await, (epoch.clone(), seq + 2));
    assert_eq!(publish_for(&beside, 2).await, (epoch.clone(), seq + 3));
    for (key, dump) in kept {
        redis::cmd("RESTORE").arg(key).arg(0).arg(dump).arg("REPLACE").exec(&mut redis).unwrap();
    }
    let (another, first) = publish(4).await;
    assert_ne!(another, epoch, "numbers that clients have seen may not come again");
    assert_eq!(first, 1);
    assert_eq!(publish(4).await, (another.clone(), 1), "a repetition is none");
    assert_eq!(publish(5).await, (another.clone(), 2));
    // The other document lost its stages in the same moment: no third history.
    assert_eq!(publish_for(&beside, 3).await, (another, 3));
    let log = bench.log(job_id).await;
    let stages: Vec<_> = log.iter().map(|event| event.seq).collect();
    assert_eq!(stages, [1, 2, 3]);
    assert_eq!(
        bench.queue.snapshot(job_id).await.unwrap().unwrap().stages[..6],
        [2, 2, 2, 1, 1, 0]
    );
}

#[tokio::test]
async fn hostile_names_stay_valid_json() {
    let bench = Bench::new().await;
    let job = NewJob { collection: "а\"\\\n\u{1}".into(), ..new_job() };
    bench.queue.submit(&job).await.unwrap();
    let listing = bench.claim_one().await;
    assert_eq!(listing.collection, job.collection);
    bench.queue.seal(&listing.lease, 1).await.unwrap();
    let lease = bench.claim_one().await.lease;
    let document = DocumentName { id: job.id, name: "|\"}\n%s\u{0}".repeat(1000) };
    bench.queue.publish(&lease, 1, &stage_body(Stage::Metadata, &document)).await.unwrap();
    bench.queue.publish(&lease, 2, &stage_body(Stage::QualityControl, &document)).await.unwrap();
    let running = bench.queue.running_documents(job.id).await.unwrap();
    assert!(running[0].name.as_ref().unwrap().starts_with("|\"}\n%s\u{0}|"));
    bench.queue.complete(&lease, &ending(Outcome::NeedsAttention, &document)).await.unwrap();
    bench.finish().await;
    assert_eq!(bench.view(job.id).await.collection, job.collection);
    let log = bench.log(job.id).await;
    assert!(log.iter().any(|event| event.outcome == Some(Outcome::NeedsAttention)));
}
