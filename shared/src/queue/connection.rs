//! The handle to the queue: its periods, its shards, its calls.

use super::keys::{MOST_SHARDS, Shard};
use super::{QueueError, scripts, servers::Servers, together::Endings};
use futures_util::future::join_all;
use redis::{Cmd, FromRedisValue, aio::MultiplexedConnection};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;
use uuid::Uuid;

/// Periods and limits of the queue. All processes of an installation use the same ones.
#[derive(Clone, Debug)]
pub struct QueueTimes {
    /// How long a lease lives without a beat.
    pub lease: Duration,
    /// How often a worker beats; three misses fit into a lease.
    pub beat: Duration,
    /// How often a worker looks for expired leases.
    pub reap: Duration,
    /// How often the installation checks its own bookkeeping; zero checks at every call.
    pub scrub: Duration,
    /// First back-off after a transient error; doubles with every further one.
    pub backoff: Duration,
    /// Longest back-off.
    pub backoff_cap: Duration,
    /// Delay before a unit is tried again per crash it has caused after the first.
    pub crash_delay: Duration,
    /// How long the HASH and the events of a job are kept after its end.
    pub retention: Duration,
    /// A document that met this many transient errors has failed.
    pub max_errors: u32,
    /// A document that lost this many workers is not run again.
    pub max_crashes: u32,
    /// A listing or finishing unit that met this many transient errors fails the job.
    pub max_job_errors: u32,
    /// How many jobs may be open at once; more are refused as a full queue. Every shard has an
    /// equal share of it.
    pub max_open_jobs: u64,
    /// How long one command may take before it counts as lost.
    pub command: Duration,
    /// Among how many shards the jobs are divided, at most 16; `None` stands for one, and for 16 in
    /// a Cluster. Jobs are not found under another number than they were submitted under.
    pub shards: Option<u16>,
}

impl Default for QueueTimes {
    fn default() -> QueueTimes {
        QueueTimes {
            lease: Duration::from_secs(10),
            beat: Duration::from_millis(2500),
            reap: Duration::from_secs(1),
            scrub: Duration::from_secs(60),
            backoff: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(300),
            crash_delay: Duration::from_secs(1),
            retention: Duration::from_secs(24 * 3600),
            max_errors: 5,
            max_crashes: 3,
            max_job_errors: 10,
            max_open_jobs: 10_000,
            command: Duration::from_secs(4),
            shards: None,
        }
    }
}

/// How often the functions are loaded again for one call.
const LOADINGS: usize = 3;

fn is_forgotten(error: &redis::RedisError) -> bool {
    error.detail() == Some("Function not found")
}

/// A connection that the other side closed while nobody used it shows that only at the next call.
fn is_cut(error: &QueueError) -> bool {
    matches!(error, QueueError::Redis(error) if error.is_connection_dropped())
}

/// Puts the connection in doubt when it is dropped, unless there was an answer.
struct Doubt<'a>(Option<&'a Servers>);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if let Some(servers) = self.0 {
            servers.doubt();
        }
    }
}

/// A handle to the queue; clones share the connections.
#[derive(Clone)]
pub struct Queue {
    pub(super) servers: Servers,
    times: Arc<QueueTimes>,
    shards: u16,
    /// One line for each shard.
    pub(super) endings: Arc<[Endings]>,
    /// The idle connection of [`Queue::wait_for_work`]. Taken out while it blocks, so that an
    /// abandoned wait closes its connection and steals no marker.
    pub(super) waiting: Arc<Mutex<Option<MultiplexedConnection>>>,
}

impl Queue {
    /// Prepares the connections and tries one. Waiting for a Redis that is away is the caller's
    /// business (see [`QueueError::is_transient`]).
    pub async fn connect(redis_url: &str, times: QueueTimes) -> Result<Queue, QueueError> {
        let queue = Queue::open(redis_url, times)?;
        queue.ping().await?;
        Ok(queue)
    }

    /// Prepares the connections without touching the network; fails only on an address that is
    /// none. `docs/queue.md` lists the forms of addresses.
    pub fn open(redis_url: &str, times: QueueTimes) -> Result<Queue, QueueError> {
        let servers = Servers::open(redis_url, &times)?;
        let usual = if servers.is_cluster() { MOST_SHARDS } else { 1 };
        let shards = times.shards.unwrap_or(usual).clamp(1, MOST_SHARDS);
        let endings = (0..shards).map(|_| Endings::default()).collect();
        let waiting = Arc::default();
        Ok(Queue { servers, times: Arc::new(times), shards, endings, waiting })
    }

    /// The periods that the queue was opened with.
    pub fn times(&self) -> &QueueTimes {
        &self.times
    }

    /// Whether Redis answers; in a Cluster, every master.
    pub async fn ping(&self) -> Result<(), QueueError> {
        self.ask(|| async move {
            let mut connection = self.servers.connection().await?;
            Ok(redis::cmd("PING").query_async(&mut connection).await?)
        })
        .await
    }

    /// Refuses a Redis that would drop keys of the queue when its memory is full.
    pub async fn check_policy(&self) -> Result<(), QueueError> {
        for report in self.ask(|| self.servers.memory_reports()).await? {
            let policy = report
                .lines()
                .find_map(|line| line.trim().strip_prefix("maxmemory_policy:"))
                .unwrap_or("unknown");
            if policy != "noeviction" {
                return Err(QueueError::EvictionPolicy(policy.to_owned()));
            }
        }
        Ok(())
    }

    /// A connection of its own for subscriptions. It ends when Redis goes away; the caller
    /// subscribes anew and catches up from the event log.
    pub async fn pubsub(&self) -> Result<redis::aio::PubSub, QueueError> {
        self.servers.pubsub().await
    }

    /// Calls a function, loading all of them first where Redis does not know it.
    pub(super) async fn invoke<T: FromRedisValue>(&self, call: &Cmd) -> Result<T, QueueError> {
        self.ask(|| async move {
            let mut connection = self.servers.connection().await?;
            let mut reply = call.query_async(&mut connection).await;
            // More than once: somebody flushes the functions between their loading and the call.
            for _ in 0..LOADINGS {
                match &reply {
                    Err(error) if is_forgotten(error) => {
                        reply = match scripts::load().exec_async(&mut connection).await {
                            Ok(()) => call.query_async(&mut connection).await,
                            Err(error) => Err(error),
                        };
                    }
                    _ => break,
                }
            }
            reply.map_err(QueueError::from_script)
        })
        .await
    }

    /// Makes a call, and makes it again when its connection turns out to be closed: only for calls
    /// that may be repeated, as every script may.
    async fn ask<T, F: Future<Output = Result<T, QueueError>>>(
        &self,
        call: impl Fn() -> F,
    ) -> Result<T, QueueError> {
        let reply = self.ask_once(call()).await;
        if reply.as_ref().is_err_and(is_cut) {
            return self.ask_once(call()).await;
        }
        reply
    }

    /// Whatever Redis or the way to it answers badly puts the connection in doubt, and so does a
    /// caller that gives up waiting for an answer.
    async fn ask_once<T>(
        &self,
        call: impl Future<Output = Result<T, QueueError>>,
    ) -> Result<T, QueueError> {
        let mut doubt = Doubt(Some(&self.servers));
        let reply = call.await;
        if !matches!(reply, Err(QueueError::Redis(_))) {
            doubt.0 = None;
        }
        reply
    }

    /// Runs a script on every shard, all at the same time; the replies come in the order of the
    /// shards. Every shard is asked even where another one does not answer.
    pub(super) async fn on_all_shards<T: FromRedisValue>(
        &self,
        script: &'static scripts::Script,
        arguments: impl Fn(&mut Cmd),
    ) -> Result<Vec<T>, QueueError> {
        let replies = join_all(self.all_shards().map(|shard| {
            let mut call = script.call(shard);
            arguments(&mut call);
            async move { self.invoke(&call).await }
        }));
        replies.await.into_iter().collect()
    }

    /// Commands that only read, on keys of one shard, in one round trip.
    pub(super) async fn pipeline<T: FromRedisValue>(
        &self,
        pipeline: &redis::Pipeline,
    ) -> Result<Vec<T>, QueueError> {
        self.ask(|| async move {
            let mut connection = self.servers.connection().await?;
            Ok(pipeline.query_async(&mut connection).await?)
        })
        .await
    }

    /// Among how many shards the jobs are divided.
    pub(super) fn shards(&self) -> u16 {
        self.shards
    }

    pub(super) fn all_shards(&self) -> impl Iterator<Item = Shard> {
        (0..self.shards).map(Shard::new)
    }

    /// Where a job lives.
    pub(super) fn shard(&self, job_id: Uuid) -> Shard {
        Shard::of(job_id, self.shards)
    }

    /// The share of a shard in the limit on open jobs.
    pub(super) fn open_jobs_per_shard(&self) -> u64 {
        self.times.max_open_jobs.div_ceil(u64::from(self.shards))
    }
}
