//! A redis-server of its own for a test.

use crate::{Process, free_port};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

/// How the server is started.
#[derive(Clone, Copy, Debug)]
pub struct RedisOptions {
    /// Keep data over a restart: append-only file, written every second.
    pub append_only: bool,
    /// What happens at the memory limit.
    pub policy: &'static str,
    /// The memory limit in bytes; 0 is none.
    pub max_memory: u64,
}

impl Default for RedisOptions {
    fn default() -> RedisOptions {
        RedisOptions { append_only: false, policy: "noeviction", max_memory: 0 }
    }
}

/// A redis-server on a free loopback port with its data in a temporary folder; killed on drop.
pub struct RedisServer {
    options: RedisOptions,
    more: Vec<String>,
    port: u16,
    data: tempfile::TempDir,
    process: Process,
}

impl RedisServer {
    /// Starts a server that keeps nothing over a restart.
    pub fn start() -> RedisServer {
        RedisServer::start_with(RedisOptions::default())
    }

    /// Starts a server.
    pub fn start_with(options: RedisOptions) -> RedisServer {
        RedisServer::start_as(options, Vec::new)
    }

    /// Starts a server with more arguments, which are made anew for every port that is tried.
    pub(crate) fn start_as(options: RedisOptions, more: impl Fn() -> Vec<String>) -> RedisServer {
        let data = tempfile::tempdir().expect("no temporary folder");
        for _ in 0..10 {
            let (port, more) = (free_port(), more());
            if let Some(process) = launch(options, port, data.path(), &more) {
                return RedisServer { options, more, port, data, process };
            }
        }
        panic!("redis-server found no free port ten times");
    }

    /// `redis://127.0.0.1:<port>/0`
    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// A plain blocking connection, for looking behind the queue's back.
    pub fn connection(&self) -> redis::Connection {
        redis::Client::open(self.url())
            .and_then(|client| client.get_connection_with_timeout(Duration::from_secs(5)))
            .expect("cannot connect to the test's redis-server")
    }

    /// The process, to freeze and thaw it.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// SIGKILL. What the append-only file has is kept for [`RedisServer::restart`].
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Kills it if it runs and starts it again on the same port.
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = launch(self.options, self.port, self.data.path(), &self.more)
            .expect("the port was taken while redis-server was down");
    }
}

/// A server that answers, or `None` when the port is taken.
fn launch(options: RedisOptions, port: u16, data: &Path, more: &[String]) -> Option<Process> {
    let port_text = port.to_string();
    let memory = options.max_memory.to_string();
    let data = data.to_str().expect("temporary folders have readable names");
    let append = if options.append_only { "yes" } else { "no" };
    let mut arguments = vec![
        "--port",
        &port_text,
        "--bind",
        "127.0.0.1",
        "--dir",
        data,
        "--save",
        "",
        "--appendonly",
        append,
        "--maxmemory",
        &memory,
        "--maxmemory-policy",
        options.policy,
    ];
    arguments.extend(more.iter().map(String::as_str));
    let mut process = Process::start("redis-server", &arguments, &[]);
    let client = redis::Client::open(("127.0.0.1", port)).expect("an address is a valid URL");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if process.ended().is_some() {
            let output = process.output();
            assert!(output.contains("already in use"), "redis-server ended:\n{output}");
            return None;
        }
        // Somebody else's server may answer here while this one finds the port taken.
        let answer = client.get_connection_with_timeout(Duration::from_secs(1)).and_then(
            |mut connection| redis::cmd("INFO").arg("server").query::<String>(&mut connection),
        );
        let own = format!("process_id:{}\r", process.id());
        if answer.is_ok_and(|info| info.contains(&own)) {
            return Some(process);
        }
        assert!(Instant::now() < deadline, "redis-server does not answer:\n{}", process.output());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_of_somebody_else_is_not_taken_for_ones_own() {
        let first = RedisServer::start();
        let data = tempfile::tempdir().unwrap();
        let second = launch(RedisOptions::default(), first.port, data.path(), &[]);
        assert!(second.is_none(), "two servers on one port");
    }

    #[test]
    fn data_survives_a_kill_with_an_append_only_file() {
        let options = RedisOptions { append_only: true, ..RedisOptions::default() };
        let mut server = RedisServer::start_with(options);
        redis::cmd("SET").arg("a").arg(1).exec(&mut server.connection()).unwrap();
        redis::cmd("CONFIG")
            .arg(&["SET", "appendfsync", "always"])
            .exec(&mut server.connection())
            .unwrap();
        redis::cmd("SET").arg("b").arg(2).exec(&mut server.connection()).unwrap();
        server.restart();
        let b: Option<u8> = redis::cmd("GET").arg("b").query(&mut server.connection()).unwrap();
        assert_eq!(b, Some(2));
    }
}
