//! A viewer that comes and goes while a job runs: the client checks every single frame and keeps
//! counters of its own, as the page does.

use crate::client::{Received, Socket};
use crate::harness::{LIMIT, trim};
use crate::process::Api;
use crate::worker::FakeWorker;
use serde_json::Value;
use shared::outcome::Outcome;
use shared::queue::{Queue, QueueTimes};
use shared::stage::Stage;
use std::time::{Duration, Instant};
use testkit::{Choices, RedisServer, wait_until};
use tokio::sync::watch;
use uuid::Uuid;

const DOCUMENTS: u64 = 200;
/// One event per stage and one for the end.
const EVENTS: u64 = DOCUMENTS * 15;
const DROPS: u64 = 100;
/// The worker is never further ahead of the viewer, so that the job runs as long as the viewer
/// drops. Half of it is more than the relay holds in memory.
const AHEAD: u64 = 1200;
/// Design: queue.md, section 8, test 23.
const LAST_EVENT: Duration = Duration::from_secs(2);

/// What a client knows of a job, from frames alone.
#[derive(Default)]
struct Viewer {
    epoch: String,
    seq: u64,
    resetting: bool,
    done: u64,
    failed: u64,
    skipped: u64,
    stages: [u64; 14],
    snapshots: u64,
    events: u64,
    ended: bool,
}

impl Viewer {
    async fn connect(&mut self, api: &Api, job: Uuid) -> Socket {
        let since = match self.epoch.as_str() {
            "" => String::new(),
            epoch => format!("?since={epoch}:{}", self.seq),
        };
        let path = format!("/ws/{job}{since}");
        let mut socket = Socket::open_at(&api.address.to_string(), &path, None).await.unwrap();
        let Received::Frame(hello) = socket.next().await else { panic!("closed without hello") };
        assert_eq!(hello["type"], "hello");
        self.epoch = text(&hello["epoch"]);
        if hello["recovered"] == true {
            assert_eq!(hello["seq"], self.seq, "{hello}");
        } else {
            self.resetting = true;
        }
        socket
    }

    /// Everything between two frames is checked: an event is the next one, or there was a snapshot.
    fn take(&mut self, frame: &Value) {
        assert!(!self.ended, "a frame after the final event: {frame}");
        let seq = frame["seq"].as_u64();
        match frame["type"].as_str().unwrap() {
            "reset" => self.resetting = true,
            "snapshot" => {
                assert!(std::mem::take(&mut self.resetting), "a snapshot without a reason");
                let seq = seq.unwrap();
                assert!(seq >= self.seq, "back from {} to {seq}", self.seq);
                self.seq = seq;
                self.snapshots += 1;
                let count = |name: &str| frame["job"][name].as_u64().unwrap();
                (self.done, self.failed) = (count("done"), count("failed"));
                self.skipped = count("skipped");
                self.stages = std::array::from_fn(|n| frame["stages"][n].as_u64().unwrap());
            }
            kind @ ("stage" | "document" | "job") => {
                assert!(!self.resetting, "an event where a snapshot was announced: {frame}");
                assert_eq!(seq, Some(self.seq + 1), "{frame}");
                self.seq += 1;
                self.events += 1;
                self.count(kind, frame);
                self.ended = frame["final"] == true;
            }
            "hb" | "degraded" => {}
            _ => panic!("{frame}"),
        }
    }

    /// The client's own counters, and those that the event carries, are the same.
    fn count(&mut self, kind: &str, event: &Value) {
        match kind {
            "stage" => {
                let number = text(&event["stage"]);
                let number: usize = number.split('/').next().unwrap().parse().unwrap();
                self.stages[number - 1] += 1;
            }
            "document" => match event["outcome"].as_str().unwrap() {
                "failed" => self.failed += 1,
                "skipped_duplicate" => self.skipped += 1,
                _ => self.done += 1,
            },
            _ => {}
        }
        let job = &event["job"];
        let told = [&job["done"], &job["failed"], &job["skipped"]].map(|count| count.as_u64());
        assert_eq!(told, [self.done, self.failed, self.skipped].map(Some), "{event}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Trains the job, at most `AHEAD` events before the viewer; answers when the final event was made.
async fn train(worker: FakeWorker, mut viewer: watch::Receiver<u64>) -> Instant {
    worker.list(DOCUMENTS).await;
    for document in 0..DOCUMENTS {
        let claim = worker.claim().await;
        for (number, stage) in (1..).zip(Stage::ALL) {
            let made = document * 15 + number;
            viewer.wait_for(|seen| made < seen + AHEAD).await.unwrap();
            worker.stage(&claim, stage).await;
        }
        let outcomes = [Outcome::Completed, Outcome::Failed, Outcome::SkippedDuplicate];
        worker.complete(&claim, outcomes[document as usize % 3]).await;
    }
    worker.finish().await;
    Instant::now()
}

/// Design test 23. The relay is killed once while the viewer reads; ten times the history is cut
/// away behind a viewer that is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_23_a_viewer_that_drops_a_hundred_times_misses_nothing() {
    let mut choices = Choices::of_test();
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().unwrap());
    let queue = Queue::open(&redis.url(), QueueTimes::default()).unwrap();
    let mut api = Api::start(&redis, folder.path()).await;
    let job = api.train().await;
    let (position, seen) = watch::channel(0);
    let training = tokio::spawn(train(FakeWorker::new(&queue), seen));

    let mut drops: Vec<u64> = (0..DROPS).map(|_| choices.below(EVENTS)).collect();
    drops.sort_unstable();
    let killed_at = choices.below(DROPS) as usize;
    let mut viewer = Viewer::default();
    let mut trimmed = 0;
    for (drop_number, until) in drops.into_iter().enumerate() {
        let mut socket = viewer.connect(&api, job).await;
        while viewer.seq < until || viewer.resetting {
            viewer.take(&socket.frame().await);
            position.send_replace(viewer.seq);
        }
        if drop_number == killed_at {
            println!("the relay is killed when the viewer is at {}", viewer.seq);
            api.process.kill();
            socket.rest_until_broken().await.iter().for_each(|frame| viewer.take(frame));
            api.restart().await;
        }
        drop(socket);
        if drop_number % 10 == 9 && viewer.seq + AHEAD < EVENTS {
            trimmed += u64::from(trim_past(&queue, &redis, job, viewer.seq).await);
        }
    }
    let mut socket = viewer.connect(&api, job).await;
    while !viewer.ended {
        viewer.take(&socket.frame().await);
        position.send_replace(viewer.seq);
    }
    let arrived = Instant::now();
    let late = arrived.saturating_duration_since(training.await.unwrap());
    assert_eq!(socket.next().await, Received::Closed(1000));
    assert!(late <= LAST_EVENT, "the last event came after {late:?}");

    let now = queue.snapshot(job).await.unwrap().unwrap();
    let documents = now.job.documents;
    assert_eq!(viewer.seq, now.job.last_seq);
    assert_eq!(
        (viewer.done, viewer.failed, viewer.skipped),
        (documents.done(), documents.failed, documents.skipped_duplicate)
    );
    assert_eq!((viewer.stages.to_vec(), documents.total), (now.stages, DOCUMENTS));
    let Viewer { events, snapshots, .. } = viewer;
    println!("{events} of {} events, {snapshots} snapshots, last after {late:?}", viewer.seq);
    assert!(trimmed > 0 && snapshots > 0, "{trimmed} times trimmed, {snapshots} snapshots");
    assert!(snapshots <= trimmed, "a snapshot for no reason");
    assert!(events + snapshots * (AHEAD + 20) >= viewer.seq, "snapshots hide too much");
}

/// Cuts the history off behind a position, once the worker is far enough ahead of it.
async fn trim_past(queue: &Queue, redis: &RedisServer, job: Uuid, seq: u64) -> bool {
    wait_until(LIMIT, async || {
        let head = queue.heads(&[job]).await.unwrap().remove(0).unwrap();
        head.seq >= seq + AHEAD / 2
    })
    .await;
    trim(redis, job, 10) > 0
}
