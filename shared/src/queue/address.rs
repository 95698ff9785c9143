//! The forms of the address of Redis.

use super::QueueError;
use redis::Client;

/// What an address says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// One server: `redis://host:port/db`, `unix:/path`.
    Single(String),
    /// A master that Sentinels name: `redis+sentinel://host:port,host:port/name/db`.
    Sentinel {
        /// The Sentinels as plain addresses.
        sentinels: Vec<String>,
        /// How they call the master.
        master: String,
        /// A plain address with user, password and database of the master; its host is no matter.
        login: String,
    },
    /// A Cluster, by plain addresses of some of its nodes: `redis+cluster://host:port,host:port`.
    Cluster(Vec<String>),
}

impl Address {
    /// Reads an address without touching the network.
    pub(super) fn parse(text: &str) -> Result<Address, QueueError> {
        if let Some(rest) = text.strip_prefix("redis+sentinel://") {
            return sentinel(rest);
        }
        if let Some(rest) = text.strip_prefix("redis+cluster://") {
            return cluster(rest);
        }
        Client::open(text)?;
        Ok(Address::Single(text.to_owned()))
    }
}

fn sentinel(rest: &str) -> Result<Address, QueueError> {
    let (login, rest) = login(rest);
    let mut parts = rest.split('/');
    let hosts = hosts(parts.next().unwrap_or_default(), 26379)?;
    let name = parts.next().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| misuse("the name of the master is missing, as in …/mymaster"))?;
    let database = parts.next().unwrap_or("0");
    if parts.next().is_some() {
        return Err(misuse("nothing may follow the number of the database"));
    }
    // User, password and database are those of master and replicas; Sentinels have none.
    let login = format!("redis://{login}{}/{database}", hosts[0]);
    Client::open(login.as_str())?;
    let sentinels = hosts.iter().map(|host| format!("redis://{host}")).collect();
    Ok(Address::Sentinel { sentinels, master: name.to_owned(), login })
}

fn cluster(rest: &str) -> Result<Address, QueueError> {
    let (login, rest) = login(rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('/') {
        return Err(misuse("a Cluster has no numbered databases"));
    }
    let nodes: Vec<String> =
        hosts(rest, 6379)?.iter().map(|host| format!("redis://{login}{host}")).collect();
    for node in &nodes {
        Client::open(node.as_str())?;
    }
    Ok(Address::Cluster(nodes))
}

/// `user:password@` and what follows.
fn login(rest: &str) -> (&str, &str) {
    rest.rfind('@').map_or(("", rest), |at| rest.split_at(at + 1))
}

/// The listed hosts, each with a port.
fn hosts(list: &str, default_port: u16) -> Result<Vec<String>, QueueError> {
    list.split(',')
        .map(|host| match host.rsplit_once(':') {
            _ if host.is_empty() => Err(misuse("a host is missing")),
            Some((name, port)) if !name.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(host.to_owned())
            }
            Some(_) if !host.ends_with(']') => Err(misuse("a port is no number")),
            _ => Ok(format!("{host}:{default_port}")),
        })
        .collect()
}

fn misuse(reason: &str) -> QueueError {
    QueueError::Misuse(format!("address of redis: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        for address in ["redis://127.0.0.1:6379/0", "unix:/tmp/redis.sock", "redis+unix:/tmp/r"] {
            assert!(
                matches!(Address::parse(address), Ok(Address::Single(same)) if same == address)
            );
        }
        assert_eq!(
            Address::parse("redis+sentinel://user:p%40ss@one:26380,two/mymaster/3").unwrap(),
            Address::Sentinel {
                sentinels: vec!["redis://one:26380".into(), "redis://two:26379".into()],
                master: "mymaster".into(),
                login: "redis://user:p%40ss@one:26380/3".into(),
            }
        );
        assert_eq!(
            Address::parse("redis+cluster://:secret@one:7000,[::1]/").unwrap(),
            Address::Cluster(vec![
                "redis://:secret@one:7000".into(),
                "redis://:secret@[::1]:6379".into(),
            ])
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in [
            "http://127.0.0.1",
            "redis+sentinel://one:26379",
            "redis+sentinel://one:26379//0",
            "redis+sentinel://one:26379/mymaster/0/more",
            "redis+sentinel://one,,two/mymaster",
            "redis+sentinel://one/mymaster/zero",
            "redis+cluster://one:7000/1",
            "redis+cluster://one:port",
            "redis+cluster://",
        ] {
            let error = Address::parse(address).err().unwrap_or_else(|| panic!("{address}"));
            assert!(!error.is_transient(), "{address}: {error}");
        }
    }
}
