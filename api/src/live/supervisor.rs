//! The one subscription of this process, kept up for ever, and the sweep that needs none.
//!
//! What is wanted is a state (the map of channels), never a log of calls: after any failure the
//! whole of it is subscribed again and every channel is read anew. Losing the subscription costs
//! latency, never data.

use super::channel::Channel;
use super::entry::Entry;
use super::hub::{Hub, Subscription};
use futures_util::StreamExt;
use shared::queue::{all_events_pattern, events_channel};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use uuid::Uuid;

/// Channels per SUBSCRIBE command.
const PER_COMMAND: usize = 512;
/// A connection that does not answer for so long is given up.
const ANSWER: Duration = Duration::from_secs(2);
/// How often an idle connection is asked whether it lives.
const PING: Duration = Duration::from_secs(5);

/// Connects, subscribes, delivers; anew after every failure, until the shutdown.
pub(crate) async fn subscribe_for_ever(hub: Arc<Hub>) {
    let mut failures: u32 = 0;
    loop {
        let ended = tokio::select! {
            ended = subscribe_once(&hub, &mut failures) => ended,
            () = hub.shutdown.cancelled() => return,
        };
        hub.subscribed.send_modify(|now| {
            *now = Subscription { number: now.number, ..Subscription::default() };
        });
        if let Err(reason) = ended {
            tracing::debug!(reason, "the subscription to redis ended; connecting again");
        }
        let longest = (50_u64 << failures.min(6)).min(2000);
        // Full jitter: the replicas of a restarted Redis come back spread out.
        let wait = u64::from(Uuid::new_v4().as_fields().0) % longest + 1;
        failures = failures.saturating_add(1);
        tokio::select! {
            () = sleep(Duration::from_millis(wait)) => {}
            () = hub.shutdown.cancelled() => return,
        }
    }
}

async fn subscribe_once(hub: &Arc<Hub>, failures: &mut u32) -> Result<(), &'static str> {
    let connection = timeout(ANSWER, hub.log.queue().pubsub())
        .await
        .map_err(|_| "connecting took too long")?
        .map_err(|_| "redis could not be reached")?;
    let (mut sink, mut messages) = connection.split();
    hub.metrics.relay_generations.increment();
    let all_jobs = all_events_pattern();
    let mut subscribed: HashMap<Uuid, String> = HashMap::new();
    let (mut subscribed_all, mut is_first_round) = (false, true);
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    hub.subscribed.send_modify(|now| {
        *now = Subscription { connected: true, all_jobs: false, number: now.number + 1 };
    });
    loop {
        let channels = hub.channels();
        let wanted: HashSet<Uuid> = channels.iter().map(|channel| channel.job).collect();
        let added: Vec<Uuid> =
            wanted.iter().filter(|job| !subscribed.contains_key(job)).copied().collect();
        for jobs in added.chunks(PER_COMMAND) {
            let names: Vec<String> = jobs.iter().map(|job| events_channel(*job)).collect();
            confirmed(sink.subscribe(&names)).await?;
            subscribed.extend(jobs.iter().copied().zip(names));
        }
        // Whatever was published before the confirmation is in the stream. A channel that was made
        // anew while the subscription still stood may have missed something, too.
        let unheard = channels
            .into_iter()
            .filter(|channel| !channel.is_heard.swap(true, Ordering::AcqRel) || is_first_round);
        let unheard: Vec<_> = unheard.collect();
        if is_first_round {
            // Behind a new connection there may be another history, with the same heads.
            unheard.iter().for_each(|channel| channel.stale.notify_one());
        } else if !unheard.is_empty() {
            let hub = Arc::clone(hub);
            tokio::spawn(async move { compare(&hub, &unheard).await });
        }
        is_first_round = false;
        let removed: Vec<Uuid> =
            subscribed.keys().filter(|job| !wanted.contains(job)).copied().collect();
        for jobs in removed.chunks(PER_COMMAND) {
            let names: Vec<String> = jobs.iter().filter_map(|job| subscribed.remove(job)).collect();
            confirmed(sink.unsubscribe(&names)).await?;
        }
        if hub.wants_all() != subscribed_all {
            subscribed_all = hub.wants_all();
            if subscribed_all {
                confirmed(sink.psubscribe(&all_jobs)).await?;
            } else {
                confirmed(sink.punsubscribe(&all_jobs)).await?;
            }
            hub.subscribed.send_modify(|now| now.all_jobs = subscribed_all);
        }
        *failures = 0;
        // Deliver until the wanted set changes.
        loop {
            tokio::select! {
                message = messages.next() => {
                    let message = message.ok_or("the connection was closed")?;
                    let body = std::str::from_utf8(message.get_payload_bytes());
                    let Some(entry) = body.ok().and_then(Entry::parse) else { continue };
                    if message.from_pattern() {
                        hub.deliver_of_all(entry).await;
                    } else {
                        hub.deliver(entry);
                    }
                }
                () = hub.wanted_changed.notified() => break,
                _ = ping.tick() => confirmed(sink.ping::<()>()).await?,
            }
        }
    }
}

async fn confirmed<T, E>(answer: impl Future<Output = Result<T, E>>) -> Result<T, &'static str> {
    timeout(ANSWER, answer)
        .await
        .map_err(|_| "redis did not answer in time")?
        .map_err(|_| "redis closed the connection")
}

/// Compares every watched job with its stream; finds what the subscription lost, above all a
/// lost last message, after which no other would tell of the hole.
pub(crate) async fn sweep_for_ever(hub: Arc<Hub>) {
    loop {
        let period = if hub.subscribed.borrow().connected {
            hub.times.sweep
        } else {
            hub.times.sweep_unsubscribed
        };
        tokio::select! {
            () = sleep(period) => {}
            () = hub.shutdown.cancelled() => return,
        }
        hub.remove_idle();
        hub.sweep_tracking().await;
        compare(&hub, &hub.channels()).await;
    }
}

/// Has those channels filled that are not where their streams are. Without an answer the next
/// sweep compares again.
async fn compare(hub: &Hub, channels: &[Arc<Channel>]) {
    if channels.is_empty() {
        return;
    }
    let jobs: Vec<Uuid> = channels.iter().map(|channel| channel.job).collect();
    match hub.log.heads(&jobs).await {
        Ok(heads) => {
            hub.note_backend(true);
            for (channel, head) in channels.iter().zip(heads) {
                let Some(head) = head else { continue };
                if channel.head() != (head.epoch, head.seq) {
                    channel.stale.notify_one();
                }
            }
        }
        Err(error) => {
            tracing::debug!(%error, "redis did not say how far the streams are");
            hub.note_backend(false);
        }
    }
}
