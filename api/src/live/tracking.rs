//! The viewers of all jobs: which jobs they are told of, and since when.

use super::entry::Entry;
use super::hub::Hub;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// While somebody watches all jobs.
pub(super) struct Tracking {
    /// Jobs that were there when it began or were found since.
    seen: HashSet<Uuid>,
    unwatched_since: Option<Instant>,
}

/// A viewer's hold on the events of all jobs.
pub(crate) struct WatchedAll {
    hub: Arc<Hub>,
}

impl Drop for WatchedAll {
    fn drop(&mut self) {
        self.hub.all_viewers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Hub {
    /// Makes the events of a job part of the stream of all jobs.
    fn track(self: &Arc<Self>, job: Uuid, from: u64, whole: bool) {
        let mut channels = self.map();
        let (channel, new) = self.entry(&mut channels, job);
        channel.track(from, whole, &self.firehose);
        drop(channels);
        channel.stale.notify_one();
        if new {
            self.wanted_changed.notify_one();
        }
    }

    /// Joins the stream of all jobs; returns once nothing published later can be missed (or
    /// Redis does not answer within 3 s, and then as soon as it does again).
    pub(crate) async fn watch_all(self: &Arc<Self>) -> WatchedAll {
        self.all_viewers.fetch_add(1, Ordering::AcqRel);
        let watched = WatchedAll { hub: Arc::clone(self) };
        let ready = tokio::time::timeout(Duration::from_secs(3), self.begin_tracking()).await;
        if !matches!(ready, Ok(true)) {
            tracing::warn!("a viewer of all jobs is let in while redis does not answer");
        }
        watched
    }

    async fn begin_tracking(self: &Arc<Self>) -> bool {
        let mut tracking = self.tracking.lock().await;
        if let Some(tracking) = tracking.as_mut() {
            tracking.unwatched_since = None;
            return true;
        }
        self.tracking_wanted.send_replace(true);
        self.wanted_changed.notify_one();
        let mut subscribed = self.subscribed.subscribe();
        if subscribed.wait_for(|now| now.all_jobs).await.is_err() {
            return false;
        }
        let Ok(jobs) = self.log.recent_jobs().await else { return false };
        let mut seen = HashSet::new();
        for job in jobs {
            seen.insert(job.id);
            if !job.is_final {
                self.track(job.id, job.last_seq, false);
            }
        }
        *tracking = Some(Tracking { seen, unwatched_since: None });
        true
    }

    /// A message of the channel of all jobs.
    pub(crate) async fn deliver_of_all(self: &Arc<Self>, entry: Entry) {
        // While tracking begins, its listing finds the job.
        let new = match self.tracking.try_lock() {
            Ok(mut tracking) => {
                tracking.as_mut().is_some_and(|tracking| tracking.seen.insert(entry.job))
            }
            Err(_) => false,
        };
        if new {
            self.track(entry.job, 0, true);
        }
        self.deliver(entry);
    }

    /// Finds jobs that the subscription missed, and ends the tracking when nobody watches.
    pub(crate) async fn sweep_tracking(self: &Arc<Self>) {
        let mut guard = self.tracking.lock().await;
        let Some(tracking) = guard.as_mut() else {
            drop(guard);
            if self.all_viewers.load(Ordering::Acquire) > 0 {
                // It could not begin when the first viewer came.
                let begun = self.begin_tracking();
                drop(tokio::time::timeout(Duration::from_secs(3), begun).await);
            }
            return;
        };
        if self.all_viewers.load(Ordering::Acquire) == 0 {
            let since = *tracking.unwatched_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= self.times.linger {
                *guard = None;
                self.tracking_wanted.send_replace(false);
                self.channels().iter().for_each(|channel| channel.untrack());
                self.wanted_changed.notify_one();
            }
            return;
        }
        let Ok(jobs) = self.log.recent_jobs().await else { return };
        for job in &jobs {
            if tracking.seen.insert(job.id) {
                self.track(job.id, 0, true);
            }
        }
        if tracking.seen.len() > 100_000 {
            let listed: HashSet<_> = jobs.iter().map(|job| job.id).collect();
            tracking.seen.retain(|job| listed.contains(job));
        }
    }
}
