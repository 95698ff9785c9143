//! A TCP proxy that breaks the network on demand.

use std::net::{Ipv4Addr, SocketAddr};
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
}

/// A proxy in front of one server. Connections that lost bytes are closed when it passes again.
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free loopback port.
    pub async fn start(target: SocketAddr) -> Proxy {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("no free loopback port");
        let address = listener.local_addr().expect("a listener has an address");
        let (mode, modes) = watch::channel(Mode::Pass);
        let accepting = tokio::spawn(accept(listener, target, modes));
        Proxy { address, mode, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `redis://…` of a Redis behind it.
    pub fn redis_url(&self) -> String {
        format!("redis://{}/0", self.address)
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

async fn accept(listener: TcpListener, target: SocketAddr, modes: watch::Receiver<Mode>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        if *modes.borrow() == Mode::Cut {
            continue;
        }
        let modes = modes.clone();
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(target).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            // The first direction to end closes both, as a broken line would.
            tokio::select! {
                () = pump(from_client, to_server, modes.clone(), false) => {}
                () = pump(from_server, to_client, modes, true) => {}
            }
        });
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut modes: watch::Receiver<Mode>,
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
                if mode == Mode::Blackhole || mode == Mode::DropReplies && is_reply {
                    lost_bytes = true;
                } else if to.write_all(&buffer[..length]).await.is_err() {
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

        proxy.set(Mode::Cut);
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(within(limit, refused.read(&mut byte)).await.unwrap_or(0), 0);
    }
}
