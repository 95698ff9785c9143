//! Socket.IO for the first clients: `io(address).on("stage_update", …)`.
//!
//! One task per client reads the stream of all jobs and hands the engine one event after another.
//! The engine queues a few; while its queue is full the task waits, falls behind, and is then
//! handed the newest event of each job like every slow viewer of all jobs. A client that takes
//! nothing at all is sent away, and comes back.

use super::entry::Entry;
use super::hub::Hub;
use super::session::{Engine, Session};
use super::socket::{Clock, Due};
use super::tracking::WatchedAll;
use crate::state::App;
use axum::Router;
use axum::routing::any;
use serde_json::value::RawValue;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::{SendError, SocketError, SocketIo};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Where clients of Socket.IO look for it.
const PATH: &str = "/socket.io/";
/// Packets that the engine holds for one client.
const QUEUE: usize = 128;
/// How often a full queue is looked at: the engine does not tell when there is room.
const ROOM: Duration = Duration::from_millis(20);
/// Events read at once; those in hand are delivered even when the client falls behind.
const BATCH: usize = 64;
/// Largest message that a client may send in bytes.
const INBOUND_BYTES: usize = 64 * 1024;
/// A session that never says `connect` is ended after so long.
const CONNECT: Duration = Duration::from_secs(10);

/// A place in the stream of all jobs.
pub(super) struct Joined {
    watched: WatchedAll,
    changes: watch::Receiver<u64>,
    position: u64,
}

/// The route with its engine.
pub(crate) fn router(app: App) -> Router<App> {
    let times = &app.hub.times;
    let (service, io) = SocketIo::builder()
        .req_path(PATH.trim_end_matches('/'))
        .ping_interval(times.heartbeat)
        .ping_timeout(times.silence.saturating_sub(times.heartbeat))
        .connect_timeout(CONNECT)
        .max_buffer_size(QUEUE)
        .ws_max_message_size(INBOUND_BYTES)
        .ws_max_frame_size(INBOUND_BYTES)
        .build_svc();
    let joining = {
        let app = app.clone();
        async move |socket: SocketRef| join(&app, &socket).await
    };
    let connected = {
        let app = app.clone();
        async move |socket: SocketRef| connected(&app, socket)
    };
    io.ns("/", connected.with(joining));
    Router::new().route(PATH, any(Engine::serve)).with_state(Engine::new(app, service))
}

fn session_of(socket: &SocketRef) -> Option<Arc<Session>> {
    socket.req_parts().extensions.get::<Arc<Session>>().cloned()
}

/// Before the client is told `connect`: whatever it starts after that, it will see.
async fn join(app: &App, socket: &SocketRef) -> Result<(), &'static str> {
    let session = session_of(socket).ok_or("no session")?;
    let watched = app.hub.watch_all().await;
    let (changes, position) = app.hub.firehose.subscribe_from_now();
    let joined = Joined { watched, changes, position };
    *session.joined.lock().unwrap_or_else(PoisonError::into_inner) = Some(joined);
    Ok(())
}

fn connected(app: &App, socket: SocketRef) {
    let Some(session) = session_of(&socket) else { return };
    let joined = session.joined.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(joined) = joined else { return };
    let narrowed = Arc::clone(&session);
    socket.on("subscribe", async move |TryData(job): TryData<Uuid>, ack: AckSender| {
        if !narrowed.may_speak() {
            return;
        }
        let narrow = job.ok();
        if let Some(job) = narrow {
            narrowed.narrowed.send_replace(Some(job));
        }
        ack.send(&narrow.is_some()).ok();
    });
    let widened = Arc::clone(&session);
    socket.on("unsubscribe", async move |ack: AckSender| {
        if widened.may_speak() {
            widened.narrowed.send_replace(None);
            ack.send(&true).ok();
        }
    });
    let goodbye = session.goodbye().clone();
    socket.on_disconnect({
        let goodbye = goodbye.clone();
        async move || goodbye.cancel()
    });
    let narrowed = session.narrowed.subscribe();
    let feed = Feed { app: app.clone(), socket, narrowed, covered: HashMap::new() };
    app.tasks.spawn(async move {
        tokio::select! {
            () = feed.run(joined) => {}
            () = goodbye.cancelled() => {}
        }
        // Whatever ended it, the client is not left with a silent session.
        goodbye.cancel();
    });
}

/// What one client is sent.
struct Feed {
    app: App,
    socket: SocketRef,
    narrowed: watch::Receiver<Option<Uuid>>,
    /// The newest events that were sent ahead of the stream: what they cover is not sent again.
    covered: HashMap<Uuid, (String, u64)>,
}

impl Feed {
    /// Sends until the client is gone or too slow, or Redis was away for too long.
    async fn run(mut self, joined: Joined) {
        let Joined { watched: _watched, mut changes, mut position } = joined;
        let mut clock = Clock::new(&self.app.hub);
        let mut only = None;
        let mut sent = self.send_newest(self.app.hub.open_jobs()).await;
        while sent.is_ok() {
            changes.mark_unchanged();
            let wanted = *self.narrowed.borrow_and_update();
            if wanted != only {
                let new_in_sight = self.new_in_sight(only, wanted);
                only = wanted;
                sent = self.send_newest(new_in_sight).await;
                continue;
            }
            let (events, next) = self.app.hub.firehose.read(position, BATCH);
            position = next;
            if !events.is_empty() {
                sent = self.send_all(&events, only).await;
                continue;
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                changed = self.narrowed.changed() => if changed.is_err() { return },
                due = clock.tick() => if matches!(due, Due::GiveUp) { return },
            }
        }
    }

    /// The jobs whose state the client cannot know yet when it looks at something else.
    fn new_in_sight(&self, before: Option<Uuid>, now: Option<Uuid>) -> Vec<Uuid> {
        let mut open = self.app.hub.open_jobs();
        match (before, now) {
            (None, Some(job)) if open.contains(&job) => Vec::new(),
            (_, Some(job)) => vec![job],
            (_, None) => {
                open.retain(|job| Some(*job) != before);
                open
            }
        }
    }

    async fn send_all(&mut self, events: &[Arc<Entry>], only: Option<Uuid>) -> Result<(), Gone> {
        for entry in events {
            let is_covered = self
                .covered
                .get(&entry.job)
                .is_some_and(|(epoch, seq)| *epoch == entry.epoch && entry.seq <= *seq);
            if is_covered {
                continue;
            }
            self.covered.remove(&entry.job);
            if only.is_none_or(|job| job == entry.job) {
                self.send(entry).await?;
            }
        }
        Ok(())
    }

    /// The state of jobs, as the newest event of each.
    async fn send_newest(&mut self, jobs: Vec<Uuid>) -> Result<(), Gone> {
        for job in jobs {
            let Some(entry) = self.app.hub.newest(job).await else { continue };
            self.covered.insert(job, (entry.epoch.clone(), entry.seq));
            self.send(&entry).await?;
        }
        Ok(())
    }

    /// Hands one event to the engine; waits for room as long as a slow client may take.
    async fn send(&self, entry: &Entry) -> Result<(), Gone> {
        let Ok(event) = serde_json::from_str::<&RawValue>(&entry.json) else { return Ok(()) };
        let deadline = Instant::now() + self.app.hub.times.slow_send;
        loop {
            match self.socket.emit("stage_update", event) {
                Ok(()) => {
                    self.app.metrics.events_delivered.increment();
                    return Ok(());
                }
                Err(SendError::Socket(SocketError::InternalChannelFull))
                    if Instant::now() < deadline =>
                {
                    sleep(ROOM).await;
                }
                Err(_) => return Err(Gone),
            }
        }
    }
}

/// The client took nothing for too long, or is not there any more.
struct Gone;

impl Hub {
    /// The newest event of a job, from memory or from its stream.
    async fn newest(&self, job: Uuid) -> Option<Arc<Entry>> {
        let channel = self.find(job);
        if let Some(newest) = channel.as_ref().and_then(|channel| channel.newest()) {
            return Some(newest);
        }
        let _permit = self.reads.acquire().await;
        let head = self.log.heads(&[job]).await.ok()?.pop()??;
        let page = self.log.page(job, head.seq.checked_sub(1)?, 1).await.ok()?;
        let entry = Arc::new(page.events.into_iter().next_back()?);
        if let Some(channel) = channel {
            channel.remember_newest(&entry);
        }
        Some(entry)
    }
}
