//! Connections to the servers behind an address.

use super::address::Address;
use super::{QueueError, QueueTimes};
use deadpool_redis::{Manager, Pool, Runtime};
use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo, Pipeline, RedisError,
    RedisFuture,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::timeout;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// What is behind the address of Redis; clones share the connections.
#[derive(Clone)]
pub(super) enum Servers {
    /// One server.
    Single(Arc<One>),
    /// A master and its replicas, watched by Sentinels.
    Sentinel(Arc<Watched>),
    /// A Cluster.
    Cluster(Arc<Nodes>),
}

/// One server and the connection that scripts share.
pub(super) struct One {
    client: Client,
    /// Makes connections, and checks one that is in doubt before it is used again.
    pool: Pool,
    shared: RwLock<Option<deadpool_redis::Connection>>,
}

/// The master that Sentinels name.
pub(super) struct Watched {
    sentinels: Mutex<SentinelClient>,
    config: AsyncConnectionConfig,
    /// The one connection that scripts share, as long as nothing speaks against it.
    master: RwLock<Option<MultiplexedConnection>>,
}

/// The nodes of a Cluster.
pub(super) struct Nodes {
    client: ClusterClient,
    /// Shared by all scripts; follows the slots when they move.
    connection: OnceCell<ClusterConnection>,
    named: Vec<Client>,
    next: AtomicUsize,
}

/// A connection for commands that do not block.
pub(super) enum Connection {
    Shared(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Servers {
    /// Prepares connections without touching the network.
    pub(super) fn open(address: &str, times: &QueueTimes) -> Result<Servers, QueueError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(times.command));
        match Address::parse(address)? {
            Address::Single(url) => {
                let manager = Manager::new_with_config(url.as_str(), config)?;
                let pool = Pool::builder(manager)
                    // One is shared; another one while the first is in doubt.
                    .max_size(2)
                    .runtime(Runtime::Tokio1)
                    .wait_timeout(Some(times.command))
                    .create_timeout(Some(Duration::from_secs(3)))
                    .recycle_timeout(Some(Duration::from_secs(2)))
                    .build()
                    .map_err(|error| QueueError::Misuse(error.to_string()))?;
                let client = Client::open(url)?;
                Ok(Servers::Single(Arc::new(One { client, pool, shared: RwLock::default() })))
            }
            Address::Sentinel { sentinels, master, login } => {
                let login = login.into_connection_info()?.redis_settings().clone();
                let login = SentinelNodeConnectionInfo::default().set_redis_connection_info(login);
                let role = SentinelServerType::Master;
                Ok(Servers::Sentinel(Arc::new(Watched {
                    sentinels: Mutex::new(SentinelClient::build(
                        sentinels,
                        master,
                        Some(login),
                        role,
                    )?),
                    config,
                    master: RwLock::default(),
                })))
            }
            Address::Cluster(nodes) => {
                let named = nodes.iter().map(|node| Client::open(node.as_str()));
                Ok(Servers::Cluster(Arc::new(Nodes {
                    named: named.collect::<Result<_, _>>()?,
                    next: AtomicUsize::new(0),
                    connection: OnceCell::new(),
                    // A few redirections and refused connections are tried again at once (scripts
                    // may be repeated); what lasts longer is the caller's business.
                    client: ClusterClient::builder(nodes)
                        .connection_timeout(CONNECT)
                        .response_timeout(times.command)
                        .retries(3)
                        .min_retry_wait(20)
                        .max_retry_wait(200)
                        .build()?,
                })))
            }
        }
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Servers::Cluster(_))
    }

    /// A connection for commands that do not block.
    pub(super) async fn connection(&self) -> Result<Connection, QueueError> {
        Ok(match self {
            Servers::Single(one) => Connection::Shared(one.connection().await?),
            Servers::Sentinel(watched) => Connection::Shared(watched.connection().await?),
            Servers::Cluster(nodes) => {
                let connect = || nodes.client.get_async_connection();
                Connection::Cluster(nodes.connection.get_or_try_init(connect).await?.clone())
            }
        })
    }

    /// A command has failed: the connection may be dead, the master may be another one now.
    pub(super) fn doubt(&self) {
        match self {
            Servers::Single(one) => {
                *one.shared.write().unwrap_or_else(PoisonError::into_inner) = None;
            }
            Servers::Sentinel(watched) => {
                *watched.master.write().unwrap_or_else(PoisonError::into_inner) = None;
            }
            // Its connection looks for the node of a slot by itself.
            Servers::Cluster(_) => {}
        }
    }

    /// A connection that may block. A Cluster has none, since one connection serves many there.
    pub(super) async fn blocking(&self) -> Result<Option<MultiplexedConnection>, QueueError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(None);
        let client = match self {
            Servers::Single(one) => one.client.clone(),
            Servers::Sentinel(watched) => watched.resolve().await?,
            Servers::Cluster(_) => return Ok(None),
        };
        Ok(Some(client.get_multiplexed_async_connection_with_config(&config).await?))
    }

    /// A connection for subscriptions. In a Cluster any node will do, because an ordinary
    /// `PUBLISH` reaches all of them: the named ones are tried in turn.
    pub(super) async fn pubsub(&self) -> Result<PubSub, QueueError> {
        match self {
            Servers::Single(one) => Ok(one.client.get_async_pubsub().await?),
            Servers::Sentinel(watched) => {
                Ok(soon(watched.resolve().await?.get_async_pubsub()).await?)
            }
            Servers::Cluster(nodes) => {
                let first = nodes.next.fetch_add(1, Ordering::Relaxed);
                let mut failed = None;
                for step in 0..nodes.named.len() {
                    let node = &nodes.named[first.wrapping_add(step) % nodes.named.len()];
                    match soon(node.get_async_pubsub()).await {
                        Ok(pubsub) => return Ok(pubsub),
                        Err(error) => failed = Some(error),
                    }
                }
                Err(failed.unwrap_or_else(too_late).into())
            }
        }
    }

    /// `INFO memory` of every server that may hold keys.
    pub(super) async fn memory_reports(&self) -> Result<Vec<String>, QueueError> {
        let mut info = redis::cmd("INFO");
        info.arg("memory");
        match self.connection().await? {
            Connection::Cluster(mut nodes) => {
                let masters = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                let replies = nodes.route_command(info, masters).await?;
                let reports: HashMap<String, String> = redis::from_redis_value(replies)
                    .map_err(|error| QueueError::Redis(error.into()))?;
                Ok(reports.into_values().collect())
            }
            mut connection => Ok(vec![info.query_async(&mut connection).await?]),
        }
    }
}

impl One {
    async fn connection(&self) -> Result<MultiplexedConnection, QueueError> {
        let known = || {
            let shared = self.shared.read().unwrap_or_else(PoisonError::into_inner);
            shared.as_deref().cloned()
        };
        if let Some(connection) = known() {
            return Ok(connection);
        }
        let checked = self.pool.get().await?;
        let connection = MultiplexedConnection::clone(&checked);
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = Some(checked);
        Ok(connection)
    }
}

impl Watched {
    async fn connection(&self) -> Result<MultiplexedConnection, QueueError> {
        let known = || self.master.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(master) = known() {
            return Ok(master);
        }
        let mut sentinels = self.sentinels.lock().await;
        // Somebody may have found it while this call waited for its turn.
        if let Some(master) = known() {
            return Ok(master);
        }
        let master = soon(sentinels.get_async_connection_with_config(&self.config)).await?;
        *self.master.write().unwrap_or_else(PoisonError::into_inner) = Some(master.clone());
        Ok(master)
    }

    /// The master that the Sentinels name now and that says itself that it is one.
    async fn resolve(&self) -> Result<Client, RedisError> {
        let mut sentinels = self.sentinels.lock().await;
        soon(sentinels.async_get_client()).await
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, redis::Value> {
        match self {
            Connection::Shared(connection) => connection.req_packed_command(command),
            Connection::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<redis::Value>> {
        match self {
            Connection::Shared(connection) => {
                connection.req_packed_commands(commands, offset, count)
            }
            Connection::Cluster(connection) => {
                connection.req_packed_commands(commands, offset, count)
            }
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Connection::Shared(connection) => connection.get_db(),
            Connection::Cluster(connection) => connection.get_db(),
        }
    }
}

/// Finding a master asks several servers one after the other, so it may take longer than one
/// connection.
async fn soon<T>(answer: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
    timeout(2 * CONNECT, answer).await.unwrap_or_else(|_| Err(too_late()))
}

fn too_late() -> RedisError {
    RedisError::from((ErrorKind::Io, "no server answered in time"))
}
