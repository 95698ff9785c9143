//! A TCP proxy that breaks the network on demand.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything goes through.
    Pass,
    /// Open connections are closed, new ones are closed at once.
    Cut,
    /// Connections stay open, but no byte arrives anywhere.
    Blackhole,
    /// Requests arrive, replies do not.
    DropReplies,
    /// The same, but only for connections to Redis that subscribed to something.
    MuteSubscribers,
}

/// A proxy in front of one server. Connections that lost bytes are closed when it passes again.
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    target: watch::Sender<SocketAddr>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free loopback port.
    pub async fn start(target: SocketAddr) -> Proxy {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("no free loopback port");
        let address = listener.local_addr().expect("a listener has an address");
        let (mode, modes) = watch::channel(Mode::Pass);
        let (target, targets) = watch::channel(target);
        let accepting = tokio::spawn(accept(listener, targets, modes));
        Proxy { address, mode, target, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `redis://…` of a Redis behind it.
    pub fn redis_url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// New connections go to another server, as after a failover.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// Changes the mode for open and future connections.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.mode.send_replace(Mode::Cut);
    }
}

async fn accept(
    listener: TcpListener,
    targets: watch::Receiver<SocketAddr>,
    modes: watch::Receiver<Mode>,
) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        if *modes.borrow() == Mode::Cut {
            continue;
        }
        let (modes, target) = (modes.clone(), *targets.borrow());
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(target).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let subscribed = AtomicBool::new(false);
            // The first direction to end closes both, as a broken line would.
            tokio::select! {
                () = pump(from_client, to_server, modes.clone(), &subscribed, false) => {}
                () = pump(from_server, to_client, modes, &subscribed, true) => {}
            }
        });
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut modes: watch::Receiver<Mode>,
    subscribed: &AtomicBool,
    is_reply: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut lost_bytes = false;
    loop {
        let mode = *modes.borrow_and_update();
        if mode == Mode::Cut || mode == Mode::Pass && lost_bytes {
            return;
        }
        tokio::select! {
            biased;
            changed = modes.changed() => if changed.is_err() { return },
            read = from.read(&mut buffer) => {
                let Ok(length @ 1..) = read else { return };
                let bytes = &buffer[..length];
                // The command is short enough to come in one piece.
                if !is_reply && bytes.windows(9).any(|word| word.eq_ignore_ascii_case(b"SUBSCRIBE")) {
                    subscribed.store(true, Ordering::Relaxed);
                }
                let is_lost = match mode {
                    Mode::Blackhole => true,
                    Mode::DropReplies => is_reply,
                    Mode::MuteSubscribers => is_reply && subscribed.load(Ordering::Relaxed),
                    Mode::Pass | Mode::Cut => false,
                };
                if is_lost {
                    lost_bytes = true;
                } else if to.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::within;
    use std::time::Duration;

    async fn echo_server() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn modes_do_what_they_say() {
        let proxy = Proxy::start(echo_server().await).await;
        let limit = Duration::from_secs(5);
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let mut byte = [0];
        stream.write_all(b"a").await.unwrap();
        within(limit, stream.read_exact(&mut byte)).await.unwrap();
        assert_eq!(&byte, b"a");

        proxy.set(Mode::DropReplies);
        stream.write_all(b"b").await.unwrap();
        let silent = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut byte)).await;
        assert!(silent.is_err());

        proxy.set(Mode::Pass);
        assert_eq!(within(limit, stream.read(&mut byte)).await.unwrap_or(0), 0, "reply came late");

        proxy.lead_to(echo_server().await);
        let mut quiet = TcpStream::connect(proxy.address()).await.unwrap();
        let mut loud = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.set(Mode::MuteSubscribers);
        quiet.write_all(b"psubscribe x").await.unwrap();
        loud.write_all(b"c").await.unwrap();
        within(limit, loud.read_exact(&mut byte)).await.unwrap();
        let silent = tokio::time::timeout(Duration::from_millis(100), quiet.read(&mut byte)).await;
        assert!(silent.is_err());

        proxy.set(Mode::Cut);
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(within(limit, refused.read(&mut byte)).await.unwrap_or(0), 0);
    }
}
