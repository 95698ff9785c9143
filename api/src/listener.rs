//! Connections that have to say soon what they want.
//!
//! A client that sends its request a byte a minute, or none at all, costs a task and a file
//! descriptor; so the head of the first request has to be complete in a few seconds.

use axum::serve::Listener;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// Time for the head of the first request.
const HEAD: Duration = Duration::from_secs(5);
/// What ends the head of a request.
const END: &[u8] = b"\r\n\r\n";

/// When a silent line is asked whether anybody is there, and how often.
const PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// A listener whose connections are closed when they do not ask in time, or later take nothing.
pub(crate) struct Impatient {
    pub(crate) listener: TcpListener,
    /// How long sent bytes, or a full buffer, may wait for the other side.
    pub(crate) unanswered: Duration,
}

impl Listener for Impatient {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        if let Err(error) = watch_over(&stream, self.unanswered) {
            tracing::debug!(%error, "a connection is not watched over");
        }
        (Line { stream, waiting: Some(Waiting::new()) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Lets the kernel end a line whose other side is gone or has stopped reading.
fn watch_over(stream: &TcpStream, unanswered: Duration) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    socket.set_tcp_keepalive(&probes)?;
    socket.set_tcp_user_timeout(Some(unanswered))
}

/// A connection.
pub(crate) struct Line {
    stream: TcpStream,
    /// `None` once the head of the first request is there.
    waiting: Option<Waiting>,
}

struct Waiting {
    deadline: Pin<Box<Sleep>>,
    /// How much of [`END`] the bytes end with.
    matched: usize,
}

impl Waiting {
    fn new() -> Waiting {
        Waiting { deadline: Box::pin(sleep(HEAD)), matched: 0 }
    }

    /// Whether the head ends within these bytes, which follow those before.
    fn ends_in(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            self.matched = match (*byte == END[self.matched], *byte == END[0]) {
                (true, _) => self.matched + 1,
                (false, true) => 1,
                (false, false) => 0,
            };
            if self.matched == END.len() {
                return true;
            }
        }
        false
    }
}

impl Line {
    /// Sends small frames at once.
    pub(crate) fn without_delay(&mut self) {
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let line = &mut *self;
        let read = Pin::new(&mut line.stream).poll_read(context, buffer);
        if let Some(waiting) = &mut line.waiting {
            if waiting.ends_in(&buffer.filled()[before..]) {
                line.waiting = None;
            } else if waiting.deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::Waiting;

    #[tokio::test]
    async fn the_head_ends_wherever_its_bytes_are_cut() {
        let head = b"GET / HTTP/1.1\r\nA: b\r\r\n\r\n";
        for cut in 0..head.len() {
            let mut waiting = Waiting::new();
            assert!(!waiting.ends_in(&head[..cut]), "{cut}");
            assert!(waiting.ends_in(&head[cut..]), "{cut}");
        }
        assert!(!Waiting::new().ends_in(b"GET / HTTP/1.1\r\n\r \n"));
    }
}
