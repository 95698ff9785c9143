//! A job from its submission to its final event.

use crate::support::*;
use redis::Commands;
use shared::event::EventType;
use shared::job::JobStatus;
use shared::outcome::{Code, Outcome};
use shared::queue::*;
use shared::stage::Stage;

#[tokio::test]
async fn a_job_passes_from_submission_to_its_final_event() {
    let bench = Bench::new().await;
    let queue = &bench.queue;
    let job = new_job();
    assert!(queue.submit(&job).await.unwrap().created);
    let view = bench.view(job.id).await;
    assert_eq!((view.status, view.queue_position, view.last_seq), (JobStatus::Queued, Some(0), 1));
    assert_eq!(view.created_at.unix_timestamp(), job.created_at.unix_timestamp());

    let listing = bench.claim_one().await;
    assert_eq!(listing.task, Task::List { total: 0, position: None });
    assert_eq!(listing.collection, "default");
    assert!(bench.claim(4).await.is_empty(), "nothing listed yet");
    assert_eq!(queue.extend(&listing.lease, 2, "part 1").await.unwrap(), Listing::Held);

    let first = bench.claim_one().await;
    assert_eq!(first.task, Task::Train { index: 0, last_attempt: false });
    let document = name_of(&first.lease);
    for stage in Stage::ALL {
        let body = stage_body(stage, &document);
        let published = queue.publish(&first.lease, u32::from(stage.number()), &body).await;
        assert_eq!(published.unwrap(), Published::Accepted);
    }
    let running = queue.running_documents(job.id).await.unwrap();
    assert_eq!(running.len(), 2);
    assert_eq!((running[1].stage, running[1].worker), (14, bench.worker.id));
    assert_eq!(running[1].name.as_ref(), Some(&document.name));
    assert_eq!(bench.complete(&first.lease, Outcome::Completed).await, Settled::Counted);

    let second = bench.claim_one().await;
    assert_eq!(second.task, Task::Train { index: 1, last_attempt: false });
    assert_eq!(bench.complete(&second.lease, Outcome::Failed).await, Settled::Counted);
    assert!(bench.claim(4).await.is_empty(), "listing still goes on");
    assert_eq!(bench.view(job.id).await.progress, 0.0, "the share is unknown before the seal");
    assert_eq!(queue.seal(&listing.lease, 2).await.unwrap(), Settled::Counted);

    let finish = bench.finish().await;
    let verdict = JobStatus::CompletedWithErrors;
    assert_eq!(finish.task, Task::Finish { verdict, error: None });
    let view = bench.view(job.id).await;
    assert_eq!((view.status, view.progress), (verdict, 100.0));
    assert_eq!((view.documents.total, view.documents.completed, view.documents.failed), (2, 1, 1));
    assert!(view.finished_at.unwrap() >= view.started_at.unwrap());
    assert!(bench.claim(4).await.is_empty());

    let events = bench.log(job.id).await;
    let stage = events.iter().find(|event| event.stage == "7/14").unwrap();
    assert_eq!(stage.kind, EventType::Stage);
    assert_eq!(stage.stage_name.as_deref(), Some("rubern_markup"));
    assert_eq!(stage.log, "✅ [Stage 7/14] Генерация разметки Rubern: работ 26");
    assert_eq!((stage.progress, stage.duration_ms), (49.0, Some(812)));
    let named = stage.document.as_ref().unwrap();
    assert_eq!((named.id, &named.name), (document.id, &document.name));
    assert_eq!((named.index, named.total, named.attempt), (0, 2, 1));
    let ends: Vec<_> = events.iter().filter(|event| event.kind == EventType::Document).collect();
    assert_eq!(ends.len(), 2);
    assert_eq!((ends[0].stage.as_str(), ends[0].progress), ("14/14", 98.0));
    assert_eq!((ends[1].stage.as_str(), ends[1].progress), ("0/14", 0.0));
    assert_eq!((ends[1].outcome, ends[1].code), (Some(Outcome::Failed), Some(Code::DamagedFile)));
    let last = events.last().unwrap();
    assert_eq!((last.stage.as_str(), last.progress), ("complete", 100.0));
    assert_eq!(
        last.log,
        "🎉 Обработка документа завершена успешно: документов 2, обучено 1, с ошибкой 1"
    );
    let now = time::OffsetDateTime::now_utc();
    let format = &time::format_description::well_known::Rfc3339;
    let told = time::OffsetDateTime::parse(&last.ts, format).unwrap();
    assert!((now - told).abs() < time::Duration::seconds(5), "{} is not now", last.ts);
}

#[tokio::test]
async fn a_job_in_the_form_of_an_older_version_is_begun_anew() {
    let bench = Bench::new().await;
    let job = new_job();
    let mut redis = bench.redis.connection();
    let fields = [("request_hash", "another"), ("state", "running"), ("epoch", "old")];
    let _: () = redis.hset_multiple(format!("{{tq:00}}:job:{}", job.id), &fields).unwrap();
    let _: () = redis.zadd("{tq:00}:jobs:running", job.id.to_string(), 1).unwrap();
    let _: () = redis.zadd("{tq:00}:ready", job.id.to_string(), 0).unwrap();

    assert!(bench.queue.job(job.id).await.unwrap().is_none());
    assert!(bench.claim(1).await.is_empty());
    assert!(bench.queue.submit(&job).await.unwrap().created);
    assert_eq!(bench.queue.queue_depth().await.unwrap().jobs["running"], 0);
    assert_eq!(bench.claim_one().await.task, Task::List { total: 0, position: None });
}

#[tokio::test]
async fn an_empty_source_completes() {
    let bench = Bench::new().await;
    let job_id = bench.listed(0).await;
    let finish = bench.finish().await;
    assert_eq!(finish.task, Task::Finish { verdict: JobStatus::Completed, error: None });
    let events = bench.log(job_id).await;
    assert_eq!(
        events.last().unwrap().log,
        "🎉 Обработка документа завершена успешно: документов 0"
    );
    assert_eq!(bench.view(job_id).await.eta_s, None);
}

#[tokio::test]
async fn the_end_of_a_single_document_is_told_plainly() {
    let bench = Bench::new().await;
    for (outcome, log) in [
        (Outcome::Completed, "🎉 Обработка документа завершена успешно"),
        (
            Outcome::Failed,
            "Обработка завершена, ни один документ не обучен: документов 1, с ошибкой 1",
        ),
    ] {
        let job_id = bench.listed(1).await;
        let claim = bench.claim_one().await;
        bench.complete(&claim.lease, outcome).await;
        bench.finish().await;
        assert_eq!(bench.log(job_id).await.last().unwrap().log, log);
    }
}

#[tokio::test]
async fn sources_that_cannot_be_listed_fail_the_job() {
    let bench = Bench::new().await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    let listing = bench.claim_one().await;
    bench.queue.extend(&listing.lease, 3, "x").await.unwrap();
    let document = bench.claim_one().await;
    let aborted = bench.queue.abort(&listing.lease, "нет доступа к «/док»").await.unwrap();
    assert_eq!(aborted, Settled::Counted);
    assert_eq!(
        bench.queue.beat(&bench.worker, &[document.lease]).await.unwrap(),
        [Beat::Cancelled]
    );
    bench.complete(&document.lease, Outcome::Cancelled).await;
    let finish = bench.finish().await;
    let error = Some("нет доступа к «/док»".to_owned());
    assert_eq!(finish.task, Task::Finish { verdict: JobStatus::Failed, error: error.clone() });
    let view = bench.view(job.id).await;
    assert_eq!((view.status, view.error, view.documents.cancelled), (JobStatus::Failed, error, 3));
    let last = bench.log(job.id).await.pop().unwrap();
    assert_eq!((last.stage.as_str(), last.progress), ("error", 0.0));
    assert_eq!(last.log, "Ошибка во время обучения: нет доступа к «/док»");
}

#[tokio::test]
async fn the_listing_goes_on_where_it_was_left() {
    let bench = Bench::new().await;
    let job = new_job();
    bench.queue.submit(&job).await.unwrap();
    let listing = bench.claim_one().await;
    bench.queue.extend(&listing.lease, 5, "{\"after\":\"б.pdf\"}").await.unwrap();
    let shrunk = bench.queue.extend(&listing.lease, 4, "").await;
    assert!(matches!(shrunk, Err(QueueError::Misuse(_))), "{shrunk:?}");
    let sealed = bench.queue.seal(&listing.lease, 4).await;
    assert!(matches!(sealed, Err(QueueError::Misuse(_))), "{sealed:?}");
    bench.queue.release(&listing.lease).await.unwrap();
    let next = bench.claim_one().await;
    let position = Some("{\"after\":\"б.pdf\"}".to_owned());
    assert_eq!(next.task, Task::List { total: 5, position });
    assert_eq!(bench.queue.extend(&listing.lease, 6, "").await.unwrap(), Listing::Lost);
    assert_eq!(bench.queue.seal(&next.lease, 5).await.unwrap(), Settled::Counted);
}

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    for shards in [1, 16] {
        listed_newest_first(shards).await;
    }
}

async fn listed_newest_first(shards: u16) {
    let times = QueueTimes { shards: Some(shards), ..QueueTimes::default() };
    let bench = Bench::with(times).await;
    let mut submitted = Vec::new();
    for _ in 0..150 {
        let job = new_job();
        bench.queue.submit(&job).await.unwrap();
        submitted.insert(0, job.id);
    }
    bench.queue.cancel(submitted[7]).await.unwrap();
    let mut listed = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = bench.queue.jobs(None, 70, cursor.as_deref()).await.unwrap();
        listed.extend(page.jobs.iter().map(|job| job.job_id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, submitted);
    let page = bench.queue.jobs(Some(JobStatus::Cancelling), 10, None).await.unwrap();
    assert_eq!(page.jobs.len(), 1);
    assert_eq!(page.jobs[0].job_id, submitted[7]);
    let depth = bench.queue.queue_depth().await.unwrap();
    assert_eq!((depth.jobs["queued"], depth.jobs["cancelling"], depth.ready), (149, 1, 150));
    assert!(matches!(bench.queue.jobs(None, 1, Some("x")).await, Err(QueueError::Misuse(_))));
}
