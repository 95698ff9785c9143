//! A master, replicas and Sentinels of their own for a test.

use crate::redis_cluster::wait_for_replica;
use crate::{Process, RedisOptions, RedisServer, free_port};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

const NAME: &str = "mymaster";
const SENTINELS: usize = 3;

/// One master, two replicas and three Sentinels on loopback, which agree within about a second
/// that a silent master is down; killed on drop.
pub struct RedisSentinels {
    servers: Vec<RedisServer>,
    sentinels: Vec<Sentinel>,
}

struct Sentinel {
    port: u16,
    process: Process,
    _folder: tempfile::TempDir,
}

impl RedisSentinels {
    /// Starts the set and waits until everybody knows everybody.
    pub fn start() -> RedisSentinels {
        let without_delay = || vec!["--repl-diskless-sync-delay".to_owned(), "0".to_owned()];
        let master = RedisServer::start_as(RedisOptions::default(), without_delay);
        let port = master.address().port();
        let replicas = (0..2).map(|_| {
            RedisServer::start_as(RedisOptions::default(), || {
                let mut arguments = without_delay();
                arguments.extend(["--replicaof".to_owned(), format!("127.0.0.1 {port}")]);
                arguments
            })
        });
        let servers: Vec<RedisServer> = std::iter::once(master).chain(replicas).collect();
        servers[1..].iter().for_each(wait_for_replica);
        let sentinels = (0..SENTINELS).map(|_| Sentinel::start(port)).collect();
        let set = RedisSentinels { servers, sentinels };
        for sentinel in &set.sentinels {
            sentinel.wait_for("num-slaves", 2);
            sentinel.wait_for("num-other-sentinels", SENTINELS - 1);
        }
        set
    }

    /// `redis+sentinel://…/mymaster/0` with all Sentinels.
    pub fn url(&self) -> String {
        let sentinels: Vec<String> =
            self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect();
        format!("redis+sentinel://{}/{NAME}/0", sentinels.join(","))
    }

    /// The server that a majority of Sentinels calls the master now.
    pub fn master(&self) -> Option<&RedisServer> {
        let ports: Vec<u16> = self.sentinels.iter().filter_map(Sentinel::master).collect();
        self.servers.iter().find(|server| {
            let port = server.address().port();
            ports.iter().filter(|named| **named == port).count() > SENTINELS / 2
        })
    }

    /// The servers that follow another one.
    pub fn replicas(&self) -> impl Iterator<Item = &RedisServer> {
        let master = self.master().map(RedisServer::address);
        self.servers.iter().filter(move |server| Some(server.address()) != master)
    }

    /// Whether the replicas have everything that the master has.
    pub fn is_in_step(&self) -> bool {
        let Some(master) = self.master() else { return false };
        let replication: String = redis::cmd("INFO")
            .arg("replication")
            .query(&mut master.connection())
            .expect("a master tells its state");
        let field = |name: &str| replication.lines().find_map(|line| line.strip_prefix(name));
        let offset = format!("offset={},", field("master_repl_offset:").unwrap_or("none"));
        replication.matches(&offset).count() == self.replicas().count()
    }

    /// SIGSTOP for the master of the moment, as if its machine hung; answers where it listens.
    pub fn freeze_master(&self) -> u16 {
        let master = self.master().expect("the Sentinels agree on a master");
        master.process().freeze();
        master.address().port()
    }

    /// SIGKILL for the master of the moment; answers where it listened.
    pub fn kill_master(&mut self) -> u16 {
        let port = self.master().expect("the Sentinels agree on a master").address().port();
        let master = self.servers.iter_mut().find(|server| server.address().port() == port);
        master.expect("it is one of ours").kill();
        port
    }
}

impl Sentinel {
    fn start(master: u16) -> Sentinel {
        for _ in 0..10 {
            let folder = tempfile::tempdir().expect("no temporary folder");
            let path = folder.path().join("sentinel.conf");
            let port = free_port();
            let text = format!(
                "port {port}\nbind 127.0.0.1\ndir {}\n\
                 sentinel monitor {NAME} 127.0.0.1 {master} 2\n\
                 sentinel down-after-milliseconds {NAME} 1000\n\
                 sentinel failover-timeout {NAME} 5000\n\
                 sentinel parallel-syncs {NAME} 2\n",
                folder.path().display()
            );
            std::fs::write(&path, text).expect("cannot write the configuration");
            let path = path.to_str().expect("temporary folders have readable names");
            let mut sentinel = Sentinel {
                port,
                process: Process::start("redis-server", &[path, "--sentinel"], &[]),
                _folder: folder,
            };
            let deadline = Instant::now() + Duration::from_secs(20);
            while sentinel.process.ended().is_none() {
                if sentinel.master().is_some() {
                    return sentinel;
                }
                assert!(Instant::now() < deadline, "{}", sentinel.process.output());
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        panic!("a sentinel found no free port ten times");
    }

    fn connection(&self) -> redis::RedisResult<redis::Connection> {
        redis::Client::open((Ipv4Addr::LOCALHOST.to_string(), self.port))?
            .get_connection_with_timeout(Duration::from_secs(1))
    }

    fn master(&self) -> Option<u16> {
        let address: Option<(String, u16)> = redis::cmd("SENTINEL")
            .arg(&["GET-MASTER-ADDR-BY-NAME", NAME])
            .query(&mut self.connection().ok()?)
            .ok()?;
        address.map(|(_, port)| port)
    }

    /// Waits until a number that the Sentinel tells of its master has come.
    fn wait_for(&self, field: &str, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let fields: std::collections::HashMap<String, String> = self
                .connection()
                .and_then(|mut connection| {
                    redis::cmd("SENTINEL").arg(&["MASTER", NAME]).query(&mut connection)
                })
                .unwrap_or_default();
            if fields.get(field).is_some_and(|value| *value == count.to_string()) {
                return;
            }
            assert!(Instant::now() < deadline, "{field} is not {count}: {fields:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait_until;

    #[tokio::test]
    async fn a_replica_takes_the_place_of_a_dead_master() {
        let mut set = RedisSentinels::start();
        let dead = set.kill_master();
        wait_until(Duration::from_secs(30), async || {
            set.master().is_some_and(|master| master.address().port() != dead)
        })
        .await;
    }
}
