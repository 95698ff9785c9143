//! All channels of this process, and who watches what.

use super::channel::Channel;
use super::entry::Entry;
use super::firehose::Firehose;
use super::log::{EventLog, Page};
use super::look::Delivered;
use super::supervisor;
use super::tracking::Tracking;
use crate::metrics::Metrics;
use shared::queue::Queue;
use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Periods of the relay. The defaults are those of the design; tests shorten them.
#[derive(Clone, Debug)]
pub struct RelayTimes {
    /// How often the heads of all watched jobs are compared with the stream.
    pub sweep: Duration,
    /// The same while the subscription is down.
    pub sweep_unsubscribed: Duration,
    /// How long an unwatched channel is kept, so that a page reload costs nothing.
    pub linger: Duration,
    /// Heartbeats of a socket.
    pub heartbeat: Duration,
    /// A socket from which nothing comes for so long is closed.
    pub silence: Duration,
    /// A single send that blocks for so long closes the socket.
    pub slow_send: Duration,
    /// A client that takes no byte for so long, on any route, is cut off: a stream of events that
    /// nobody reads any more is noticed by nothing else.
    pub unanswered: Duration,
    /// Redis may be away for so long before clients are told.
    pub degraded_after: Duration,
    /// Redis may be away for so long before sockets are closed.
    pub give_up_after: Duration,
}

impl Default for RelayTimes {
    fn default() -> RelayTimes {
        RelayTimes {
            sweep: Duration::from_secs(2),
            sweep_unsubscribed: Duration::from_millis(500),
            linger: Duration::from_secs(5),
            heartbeat: Duration::from_secs(20),
            silence: Duration::from_secs(45),
            slow_send: Duration::from_secs(10),
            unanswered: Duration::from_secs(60),
            degraded_after: Duration::from_secs(5),
            give_up_after: Duration::from_secs(120),
        }
    }
}

/// The relay of one process.
pub(crate) struct Hub {
    pub(crate) log: EventLog,
    pub(crate) times: RelayTimes,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) firehose: Arc<Firehose>,
    /// Reads of single viewers below the ring; bounded so that a storm cannot drown Redis.
    pub(crate) reads: Semaphore,
    /// Since when Redis does not answer; `None` while it does.
    pub(crate) away_since: watch::Sender<Option<Instant>>,
    /// Rung when the wanted subscriptions changed.
    pub(crate) wanted_changed: Notify,
    /// Whether the supervisor has a subscription, and to all jobs.
    pub(crate) subscribed: watch::Sender<Subscription>,
    pub(crate) shutdown: CancellationToken,
    channels: Mutex<HashMap<Uuid, Arc<Channel>>>,
    /// Held by who opens the channel of a job; jobs share a few of them.
    openings: [AsyncMutex<()>; 64],
    pub(super) all_viewers: AtomicUsize,
    pub(super) tracking: AsyncMutex<Option<Tracking>>,
    pub(super) tracking_wanted: watch::Sender<bool>,
}

/// State of the connection of the supervisor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) connected: bool,
    pub(crate) all_jobs: bool,
    /// Counts the connections from 1: behind a new one there may be a Redis that has lost data.
    pub(crate) number: u64,
}

/// A viewer's hold on a channel.
pub(crate) struct Watched {
    pub(crate) channel: Arc<Channel>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.channel.leave();
    }
}

impl Hub {
    /// Starts the relay: its subscriber and its sweep run until `shutdown`.
    pub(crate) fn start(
        queue: Queue,
        times: RelayTimes,
        metrics: Arc<Metrics>,
        shutdown: CancellationToken,
    ) -> Arc<Hub> {
        let hub = Arc::new(Hub {
            log: EventLog::new(queue),
            times,
            metrics,
            firehose: Arc::new(Firehose::new()),
            reads: Semaphore::new(32),
            away_since: watch::Sender::new(None),
            wanted_changed: Notify::new(),
            subscribed: watch::Sender::new(Subscription::default()),
            shutdown,
            channels: Mutex::default(),
            openings: std::array::from_fn(|_| AsyncMutex::default()),
            all_viewers: AtomicUsize::new(0),
            tracking: AsyncMutex::new(None),
            tracking_wanted: watch::Sender::new(false),
        });
        tokio::spawn(supervisor::subscribe_for_ever(Arc::clone(&hub)));
        tokio::spawn(supervisor::sweep_for_ever(Arc::clone(&hub)));
        hub
    }

    pub(super) fn map(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Channel>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All channels of the moment.
    pub(crate) fn channels(&self) -> Vec<Arc<Channel>> {
        self.map().values().cloned().collect()
    }

    /// The jobs that viewers of all jobs are told of and that have not ended.
    pub(crate) fn open_jobs(&self) -> Vec<Uuid> {
        let channels = self.map();
        channels.values().filter(|channel| channel.is_open()).map(|channel| channel.job).collect()
    }

    /// The channel of a job, when somebody watches it.
    pub(crate) fn find(&self, job: Uuid) -> Option<Arc<Channel>> {
        self.map().get(&job).cloned()
    }

    /// The right to open the channel of a job; one viewer at a time has it.
    pub(crate) async fn opening(&self, job: Uuid) -> AsyncMutexGuard<'_, ()> {
        let place = job.as_bytes().iter().fold(0, |sum, byte| sum ^ usize::from(*byte));
        self.openings[place % self.openings.len()].lock().await
    }

    /// Whether messages about all jobs are wanted.
    pub(crate) fn wants_all(&self) -> bool {
        *self.tracking_wanted.borrow()
    }

    /// Joins the channel of a job, making it when needed.
    pub(crate) fn watch(self: &Arc<Self>, job: Uuid) -> Watched {
        let (watched, new) = self.join(job);
        if new {
            watched.channel.stale.notify_one();
        }
        watched
    }

    /// The same for a job of which events were just read: they are not read again.
    pub(crate) fn watch_from(self: &Arc<Self>, job: Uuid, beginning: Page) -> Watched {
        let (watched, new) = self.join(job);
        if new {
            watched.channel.begin(beginning, &self.firehose);
        }
        watched
    }

    fn join(self: &Arc<Self>, job: Uuid) -> (Watched, bool) {
        let mut channels = self.map();
        let (channel, new) = self.entry(&mut channels, job);
        // Joined under the lock of the map: the sweep cannot remove it in between.
        channel.join();
        drop(channels);
        if new {
            self.wanted_changed.notify_one();
        }
        (Watched { channel }, new)
    }

    pub(super) fn entry(
        self: &Arc<Self>,
        channels: &mut HashMap<Uuid, Arc<Channel>>,
        job: Uuid,
    ) -> (Arc<Channel>, bool) {
        if let Some(channel) = channels.get(&job) {
            return (Arc::clone(channel), false);
        }
        let channel = Arc::new(Channel::new(job));
        channels.insert(job, Arc::clone(&channel));
        tokio::spawn(fill_for_ever(Arc::clone(self), Arc::clone(&channel)));
        (channel, true)
    }

    /// A message of the channel of one job.
    pub(crate) fn deliver(&self, entry: Entry) {
        let Some(channel) = self.find(entry.job) else { return };
        match channel.deliver(Arc::new(entry), &self.firehose) {
            Delivered::Appended => {}
            Delivered::Duplicate => self.metrics.relay_duplicates.increment(),
            Delivered::Gap => self.metrics.relay_gaps.increment(),
        }
    }

    /// Removes channels that nobody has watched for a while.
    pub(crate) fn remove_idle(&self) {
        let mut channels = self.map();
        let before = channels.len();
        channels.retain(|_, channel| {
            let idle = channel.idle_for().is_some_and(|idle| idle >= self.times.linger);
            if idle {
                channel.closed.cancel();
            }
            !idle
        });
        if channels.len() != before {
            self.wanted_changed.notify_one();
        }
    }

    /// Notes whether Redis answered.
    pub(crate) fn note_backend(&self, answered: bool) {
        self.away_since.send_if_modified(|away| match (*away, answered) {
            (Some(_), true) => {
                *away = None;
                true
            }
            (None, false) => {
                *away = Some(Instant::now());
                true
            }
            _ => false,
        });
    }
}

/// Keeps one channel whole: reads the stream whenever the channel was marked stale.
async fn fill_for_ever(hub: Arc<Hub>, channel: Arc<Channel>) {
    let filling = async {
        loop {
            channel.stale.notified().await;
            while !fill_once(&hub, &channel).await {}
        }
    };
    tokio::select! {
        () = filling => {}
        () = channel.closed.cancelled() => {}
        () = hub.shutdown.cancelled() => {}
    }
}

/// One read; `true` when the ring has caught up.
async fn fill_once(hub: &Hub, channel: &Channel) -> bool {
    let from = channel.fill_from();
    hub.metrics.relay_fills.increment();
    // The newest event that is known is read once more: it must still be the same.
    let (after, limit) = (from.saturating_sub(1), super::channel::RING_EVENTS + 1);
    match hub.log.page(channel.job, after, limit).await {
        Ok(page) => {
            hub.note_backend(true);
            channel.fill(from, page, &hub.firehose)
        }
        Err(error) => {
            tracing::debug!(job.id = %channel.job, %error, "reading the event log failed");
            if error.is_transient() {
                hub.note_backend(false);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
            false
        }
    }
}
