//! A Redis Cluster of its own for a test.

use crate::{RedisOptions, RedisServer, free_port};
use std::time::{Duration, Instant};

/// How long a node is silent before the others call it failed, in ms.
const NODE_TIMEOUT: &str = "1500";
const SLOTS: usize = 16384;

/// A Cluster of masters that share the slots equally, on loopback; killed on drop. A master without
/// a replica takes only its own slots with it when it dies.
pub struct RedisCluster {
    /// The masters, then their replicas in the same order.
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Three masters without replicas.
    pub fn start() -> RedisCluster {
        RedisCluster::build(3, false)
    }

    /// Three masters, each with a replica that takes its place when it dies.
    pub fn start_with_replicas() -> RedisCluster {
        RedisCluster::build(3, true)
    }

    /// `redis+cluster://…` with all nodes.
    pub fn url(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(|node| node.address().to_string()).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }

    /// The nodes: the first masters, then their replicas in the same order.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// SIGKILL for one node.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    fn build(masters: usize, with_replicas: bool) -> RedisCluster {
        let count = if with_replicas { 2 * masters } else { masters };
        let nodes: Vec<RedisServer> = (0..count)
            .map(|_| {
                RedisServer::start_as(RedisOptions::default(), || {
                    let bus = free_port().to_string();
                    let options = [
                        ("--cluster-enabled", "yes"),
                        ("--cluster-port", bus.as_str()),
                        ("--cluster-node-timeout", NODE_TIMEOUT),
                        ("--cluster-require-full-coverage", "no"),
                        ("--repl-diskless-sync-delay", "0"),
                    ];
                    options
                        .iter()
                        .flat_map(|(name, value)| [*name, *value])
                        .map(str::to_owned)
                        .collect()
                })
            })
            .collect();
        let cluster = RedisCluster { nodes };
        for (number, node) in cluster.nodes.iter().enumerate() {
            cluster.command(number, &["SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            if number < masters {
                let first = number * SLOTS / masters;
                let last = (number + 1) * SLOTS / masters - 1;
                cluster.command(number, &["ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
            }
            let bus: Vec<String> = redis::cmd("CONFIG")
                .arg(&["GET", "cluster-port"])
                .query(&mut node.connection())
                .expect("a node tells its bus port");
            let port = node.address().port().to_string();
            cluster.command(0, &["MEET", "127.0.0.1", &port, &bus[1]]);
        }
        cluster.wait(|info| info.contains(&format!("cluster_known_nodes:{count}\r")));
        for replica in masters..count {
            let master: String = redis::cmd("CLUSTER")
                .arg("MYID")
                .query(&mut cluster.nodes[replica - masters].connection())
                .expect("a node has an id");
            cluster.command(replica, &["REPLICATE", &master]);
        }
        cluster.wait(|info| {
            info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
        });
        for replica in &cluster.nodes[masters..] {
            wait_for_replica(replica);
        }
        cluster
    }

    fn command(&self, node: usize, arguments: &[&str]) {
        redis::cmd("CLUSTER")
            .arg(arguments)
            .exec(&mut self.nodes[node].connection())
            .unwrap_or_else(|error| panic!("CLUSTER {arguments:?}: {error}"));
    }

    /// Waits until every node says so in `CLUSTER INFO`.
    fn wait(&self, condition: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        for node in &self.nodes {
            let mut connection = node.connection();
            loop {
                let info: String = redis::cmd("CLUSTER")
                    .arg("INFO")
                    .query(&mut connection)
                    .expect("a node of a cluster tells its state");
                if condition(&info) {
                    break;
                }
                assert!(Instant::now() < deadline, "the cluster does not form:\n{info}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// Waits until a replica has its master's data and follows it.
pub(crate) fn wait_for_replica(replica: &RedisServer) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut connection = replica.connection();
    loop {
        let info: String = redis::cmd("INFO")
            .arg("replication")
            .query(&mut connection)
            .expect("a replica tells its state");
        if info.contains("master_link_status:up") {
            return;
        }
        assert!(Instant::now() < deadline, "the replica does not follow:\n{info}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spread_over_the_masters() {
        let cluster = RedisCluster::start();
        let nodes = cluster.url().replace("redis+cluster", "redis");
        let nodes = nodes.trim_start_matches("redis://").split(',');
        let client =
            redis::cluster::ClusterClient::new(nodes.map(|node| format!("redis://{node}")));
        let mut connection = client.unwrap().get_connection().unwrap();
        for key in 0..300 {
            redis::cmd("SET").arg(key).arg(1).exec(&mut connection).unwrap();
        }
        for node in cluster.nodes() {
            let keys: u64 = redis::cmd("DBSIZE").query(&mut node.connection()).unwrap();
            assert!((50..150).contains(&keys), "{keys} of 300 keys on one of three nodes");
        }
    }
}
