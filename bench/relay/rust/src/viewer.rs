//! One viewer: connects, listens, comes back by itself when the line breaks.

use crate::mark::{marks, now};
use crate::protocol::Client;
use crate::record::Record;
use crate::{ALL_JOBS, Failure, System};
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;
use tokio::sync::{Semaphore, watch};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Handshakes that one generator has open at once; a browser farm would have more, its core not.
const OPENING: usize = 256;
/// Before a broken line is opened anew: the same for all systems, 100 to 500 ms.
const RETURN_MS: (u64, u64) = (100, 400);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(20);

/// What all viewers share.
#[derive(Debug)]
pub struct Crowd {
    /// The system.
    pub system: System,
    /// Its address.
    pub address: SocketAddr,
    /// Jobs that each viewer sees.
    pub jobs_each: usize,
    /// Who comes back is whole when every job has come to this number.
    pub goal: AtomicU64,
    opening: Semaphore,
}

impl Crowd {
    /// Viewers of one server.
    pub fn new(system: System, address: SocketAddr, jobs_each: usize) -> Crowd {
        let opening = Semaphore::new(OPENING);
        Crowd { system, address, jobs_each, goal: AtomicU64::new(0), opening }
    }
}

/// A handle to a viewer that lives in a task of its own.
#[derive(Debug)]
pub struct Viewer {
    /// What it received.
    record: Arc<Mutex<Record>>,
    joined: Arc<AtomicBool>,
    present: watch::Sender<bool>,
    /// From the beginning of a connection to the goal, µs; 0 while it is away from the goal.
    resumed_us: Arc<AtomicU64>,
}

impl Viewer {
    /// Starts a viewer of a job. It is present.
    pub fn start(crowd: &Arc<Crowd>, job: &str, number: usize) -> Viewer {
        let (present, presence) = watch::channel(true);
        let record = Arc::new(Mutex::new(Record::default()));
        let (joined, resumed_us) = (Arc::default(), Arc::default());
        let life = Life {
            crowd: Arc::clone(crowd),
            client: Client::new(crowd.system, job),
            record: Arc::clone(&record),
            joined: Arc::clone(&joined),
            resumed_us: Arc::clone(&resumed_us),
            presence,
            number,
        };
        tokio::spawn(life.live());
        Viewer { record, joined, present, resumed_us }
    }

    /// Breaks its line and stays away, or comes back.
    pub fn be_present(&self, present: bool) {
        self.resumed_us.store(0, Ordering::Relaxed);
        self.present.send_replace(present);
    }

    /// It receives now.
    pub fn has_joined(&self) -> bool {
        self.joined.load(Ordering::Acquire)
    }

    /// How long it took to come back and to the goal, µs.
    pub fn resumed(&self) -> Option<u64> {
        Some(self.resumed_us.load(Ordering::Acquire)).filter(|time| *time > 0)
    }

    /// What it received.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Life {
    crowd: Arc<Crowd>,
    client: Client,
    record: Arc<Mutex<Record>>,
    joined: Arc<AtomicBool>,
    resumed_us: Arc<AtomicU64>,
    presence: watch::Receiver<bool>,
    number: usize,
}

impl Life {
    async fn live(mut self) {
        let mut tries = self.number as u64;
        while self.presence.wait_for(|present| *present).await.is_ok() {
            let mut presence = self.presence.clone();
            let ended = tokio::select! {
                ended = self.watch() => ended,
                _ = presence.wait_for(|present| !present) => Ok(()),
            };
            self.joined.store(false, Ordering::Release);
            if let Err(error) = ended
                && std::env::var_os("RELAY_BENCH_VERBOSE").is_some()
            {
                eprintln!("viewer {}: {error}", self.number);
            }
            if *self.presence.borrow() {
                // Spread evenly without a generator of random numbers.
                tries = tries.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let pause = RETURN_MS.0 + (tries >> 33) % RETURN_MS.1;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn watch(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let address = self.crowd.address;
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let turn = self.crowd.opening.acquire().await?;
        let opened = tokio::time::timeout(HANDSHAKE_LIMIT, async {
            let stream = TcpSocket::new_v4()?.connect(address).await?;
            stream.set_nodelay(true)?;
            let url = self.client.url(&address.to_string());
            Ok::<_, Failure>(client_async_with_config(url, stream, Some(config)).await?.0)
        });
        let mut socket = opened.await??;
        drop(turn);
        if let Some(greeting) = self.client.greeting() {
            socket.send(Message::text(greeting)).await?;
        }
        if self.client.joins_silently() {
            self.joined.store(true, Ordering::Release);
        }
        while let Some(message) = socket.next().await {
            let Message::Text(frame) = message? else { continue };
            let now = now();
            // Before anything else: a frame whose protocol is not understood was delivered, too.
            self.note(&frame, now, began);
            let heard = self.client.hear(&frame)?;
            if let Some(answer) = heard.answer {
                socket.send(Message::text(answer)).await?;
            }
            if heard.joined {
                self.joined.store(true, Ordering::Release);
            }
        }
        Ok(())
    }

    fn note(&self, frame: &str, now: u64, began: Instant) {
        // The log lines that a snapshot quotes are no deliveries.
        if frame.starts_with(r#"{"type":"snapshot""#) {
            return;
        }
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let mut marked = false;
        for mark in marks(frame) {
            record.add(mark, now);
            marked = true;
        }
        let goal = self.crowd.goal.load(Ordering::Relaxed);
        if marked
            && self.resumed_us.load(Ordering::Relaxed) == 0
            && record.has_come_to(goal, self.crowd.jobs_each)
        {
            let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.resumed_us.store(took.max(1), Ordering::Release);
        }
    }
}

/// The job that a viewer watches: spread evenly over all, or all.
pub fn job_of(jobs: &[String], number: usize, watches_all: bool) -> &str {
    if watches_all { ALL_JOBS } else { jobs.get(number % jobs.len()).map_or("", String::as_str) }
}
