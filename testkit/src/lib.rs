//! A real redis-server, Cluster or Sentinel set per test, fault tools, and waiting with deadlines.
//!
//! Everything here panics with a reason instead of returning errors: it is only used by tests,
//! and a missing tool must fail them, never skip them.

pub mod redis_server;
pub mod redis_cluster;
pub mod redis_sentinels;
pub mod proxy;
pub mod choices;
pub mod process;
pub mod deadline;

pub use choices::{Choices, is_long, long_form};
pub use deadline::{wait_until, within};
pub use process::Process;
pub use proxy::{Mode, Proxy};
pub use redis_cluster::RedisCluster;
pub use redis_sentinels::RedisSentinels;
pub use redis_server::{RedisOptions, RedisServer};

use std::net::{Ipv4Addr, TcpListener};

/// A loopback port that was free a moment ago. Somebody may take it before you do: try again.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("no free loopback port")
        .port()
}
