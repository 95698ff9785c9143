//! The queue on a Redis Cluster of three nodes, divided into 16 shards.

use crate::crew::*;
use crate::support::*;
use futures_util::StreamExt;
use shared::queue::*;
use std::time::{Duration, Instant};
use testkit::{RedisCluster, wait_until, within};

const LONG: Duration = Duration::from_secs(60);

async fn submitted(queue: &Queue, count: usize) -> Vec<NewJob> {
    let jobs: Vec<NewJob> = (0..count).map(|_| new_job()).collect();
    for job in &jobs {
        persist(async || queue.submit(job).await).await;
    }
    jobs
}

#[tokio::test]
async fn a_job_of_many_documents_runs_through_and_everybody_hears_of_it() {
    let cluster = RedisCluster::start();
    let times = QueueTimes::default();
    let queue = Queue::connect(&cluster.url(), times.clone()).await.unwrap();
    queue.check_policy().await.unwrap();
    let job = new_job();
    // Three subscribers, on three nodes: the event comes from only one of them.
    let mut listeners = Vec::new();
    for _ in 0..3 {
        let mut pubsub = queue.pubsub().await.unwrap();
        pubsub.subscribe(events_channel(job.id)).await.unwrap();
        listeners.push(tokio::spawn(async move {
            let mut messages = pubsub.into_on_message();
            let mut bodies: Vec<String> = Vec::new();
            while !bodies.last().is_some_and(|body| body.contains("\"final\":true")) {
                bodies.push(messages.next().await.unwrap().get_payload().unwrap());
            }
            bodies
        }));
    }
    let _crew = Crew::hire(&cluster.url(), &times, 5, 400);
    queue.submit(&job).await.unwrap();
    let jobs = [job];
    let log = see_through(&queue, &jobs, 400, LONG).await.remove(0);
    assert_eq!(log.len(), 3 + 400 * (PUBLISHED + 1) + 1);
    let mut stored = Vec::new();
    while stored.len() < log.len() {
        let since = stored.len() as u64;
        let page = queue.events(jobs[0].id, since, 1000).await.unwrap().unwrap();
        stored.extend(page.events.into_iter().map(|(_, body)| body));
    }
    for listener in listeners {
        assert_eq!(within(LIMIT, listener).await.unwrap(), stored);
    }
}

#[tokio::test]
async fn many_jobs_are_spread_over_the_nodes_and_all_end() {
    let cluster = RedisCluster::start();
    let times = QueueTimes::default();
    let queue = Queue::connect(&cluster.url(), times.clone()).await.unwrap();
    let jobs = submitted(&queue, 60).await;
    for node in cluster.nodes() {
        let keys: Vec<String> =
            redis::cmd("KEYS").arg("{tq:*}:job:*").query(&mut node.connection()).unwrap();
        assert!(!keys.is_empty(), "a node without a job");
    }
    let listed = queue.jobs(None, 100, None).await.unwrap().jobs;
    let newest_first: Vec<_> = jobs.iter().rev().map(|job| job.id).collect();
    assert_eq!(listed.iter().map(|job| job.job_id).collect::<Vec<_>>(), newest_first);
    assert_eq!(queue.queue_depth().await.unwrap().jobs["queued"], 60);
    let heads = queue.heads(&newest_first).await.unwrap();
    assert!(heads.into_iter().all(|head| head.unwrap().seq == 1));
    let crew = Crew::hire(&cluster.url(), &times, 4, 5);
    see_through(&queue, &jobs, 5, LONG).await;
    assert_eq!(crew.counted(), 300);
    assert_eq!(queue.workers().await.unwrap().len(), 4);
    assert_eq!(queue.queue_depth().await.unwrap().leased, 0);
}

#[tokio::test]
async fn a_waiting_worker_learns_of_work_on_any_shard() {
    let cluster = RedisCluster::start();
    let queue = Queue::connect(&cluster.url(), QueueTimes::default()).await.unwrap();
    let bench_worker = worker();
    for _ in 0..10 {
        let (waiting, queue_) = (queue.clone(), queue.clone());
        let begun = Instant::now();
        let wait = tokio::spawn(async move { waiting.wait_for_work(LIMIT).await });
        queue_.submit(&new_job()).await.unwrap();
        within(LIMIT / 2, wait).await.unwrap().unwrap();
        assert!(begun.elapsed() < LIMIT / 2);
        let claims = queue.claim(&bench_worker, uuid::Uuid::new_v4(), 16).await.unwrap();
        assert_eq!(claims.len(), 1);
        assert_eq!(queue.beat(&bench_worker, &[claims[0].lease]).await.unwrap(), [Beat::Held]);
    }
}

#[tokio::test]
async fn what_lives_on_other_nodes_goes_on_while_a_node_is_away() {
    let mut cluster = RedisCluster::start();
    let times = QueueTimes::default();
    let queue = Queue::connect(&cluster.url(), times.clone()).await.unwrap();
    let jobs = submitted(&queue, 40).await;
    let dead: Vec<String> =
        redis::cmd("KEYS").arg("{tq:*}:job:*").query(&mut cluster.nodes()[0].connection()).unwrap();
    let lives = |job: &&NewJob| !dead.iter().any(|key| key.ends_with(&job.id.to_string()));
    let alive: Vec<&NewJob> = jobs.iter().filter(lives).collect();
    assert!(!alive.is_empty() && alive.len() < jobs.len());
    cluster.kill(0);
    let _crew = Crew::hire(&cluster.url(), &times, 3, 10);
    wait_until(LONG, async || {
        for job in &alive {
            let view = persist(async || queue.job(job.id).await).await;
            if !view.unwrap().status.is_final() {
                return false;
            }
        }
        true
    })
    .await;
    let lost = jobs.iter().find(|job| !lives(job)).unwrap();
    assert!(queue.job(lost.id).await.is_err_and(|error| error.is_transient()));
}

#[tokio::test]
async fn a_dead_node_is_replaced_and_no_job_is_lost() {
    let mut cluster = RedisCluster::start_with_replicas();
    let times = QueueTimes { lease: Duration::from_secs(2), ..QueueTimes::default() };
    let queue = Queue::connect(&cluster.url(), times.clone()).await.unwrap();
    let jobs = submitted(&queue, 24).await;
    let crew = Crew::hire(&cluster.url(), &times, 4, 50);
    wait_until(LONG, async || crew.counted() >= 200).await;
    let killed = Instant::now();
    cluster.kill(0);
    let logs = see_through(&queue, &jobs, 50, LONG).await;
    assert!(logs.iter().all(|log| log.last().unwrap().is_final));
    println!("all jobs ended {:?} after the death of a node", killed.elapsed());
}
