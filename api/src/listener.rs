//! Connections that have to say soon what they want.
//!
//! A client that sends its request a byte a minute, or none at all, costs a task and a file
//! descriptor; so the head of the first request has to be complete in a few seconds.
//!
//! A line is shared with the handler of the one request that it is upgraded for: the events of a
//! socket may be written to it past the server (`live/outlet.rs`).

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::Version;
use axum::http::request::Parts;
use axum::serve::{IncomingStream, Listener};
use socket2::{SockRef, TcpKeepalive};
use std::convert::Infallible;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
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
        (Line { stream: Arc::new(stream), waiting: Some(Waiting::new()) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Sends small frames at once, and lets the kernel end a line whose other side is gone or has
/// stopped reading.
fn watch_over(stream: &TcpStream, unanswered: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    socket.set_tcp_keepalive(&probes)?;
    socket.set_tcp_user_timeout(Some(unanswered))
}

/// Who is on the other side of a connection, for the handlers of its requests.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Not what keeps the connection open.
    line: Weak<TcpStream>,
}

impl Connected<IncomingStream<'_, Impatient>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Impatient>) -> Peer {
        Peer { address: *stream.remote_addr(), line: Arc::downgrade(&stream.io().stream) }
    }
}

/// The line below a request that has it for itself, so that after an upgrade its bytes may also be
/// written past the server; `None` where requests share one.
pub(crate) struct OwnLine(pub(crate) Option<Arc<TcpStream>>);

impl<S: Sync> FromRequestParts<S> for OwnLine {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<OwnLine, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>();
        let peer = peer.filter(|_| parts.version == Version::HTTP_11);
        Ok(OwnLine(peer.and_then(|peer| peer.0.line.upgrade())))
    }
}

/// A connection.
pub(crate) struct Line {
    stream: Arc<TcpStream>,
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

/// Repeats an operation that does not wait until it is done; waits while the line is not ready.
/// For a stream of one's own tokio knows after a short read that the line is empty; a shared one is
/// asked once more.
fn poll_line<T>(
    line: &TcpStream,
    context: &mut Context<'_>,
    ready: fn(&TcpStream, &mut Context<'_>) -> Poll<io::Result<()>>,
    mut operation: impl FnMut() -> io::Result<T>,
) -> Poll<io::Result<T>> {
    loop {
        ready!(ready(line, context))?;
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
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
        let Line { stream, waiting } = &mut *self;
        let operation = || stream.try_read_buf(buffer).map(drop);
        let read = poll_line(stream, context, TcpStream::poll_read_ready, operation);
        if let Some(head) = waiting {
            if head.ends_in(&buffer.filled()[before..]) {
                *waiting = None;
            } else if head.deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let line = &*self.stream;
        poll_line(line, context, TcpStream::poll_write_ready, || line.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let line = &*self.stream;
        poll_line(line, context, TcpStream::poll_write_ready, || line.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing is kept here.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match SockRef::from(&*self.stream).shutdown(Shutdown::Write) {
            // The other side was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            done => Poll::Ready(done),
        }
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
