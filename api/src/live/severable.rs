//! A connection that can be cut from outside.
//!
//! Whoever serves an upgraded connection owns it, and a writer that is stuck behind a client that
//! does not read sees no cancellation. Cut here, it reads the end of the stream, and a write that
//! would block fails; what still fits through the line goes out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Wraps a stream. Reading and writing are polled by different tasks, so each waits on its own.
pub(super) struct Severable<S> {
    inner: S,
    severed_for_reads: Pin<Box<WaitForCancellationFutureOwned>>,
    severed_for_writes: Pin<Box<WaitForCancellationFutureOwned>>,
    token: CancellationToken,
}

impl<S> Severable<S> {
    /// Cut when `token` is cancelled.
    pub(super) fn new(inner: S, token: &CancellationToken) -> Severable<S> {
        Severable {
            inner,
            severed_for_reads: Box::pin(token.clone().cancelled_owned()),
            severed_for_writes: Box::pin(token.clone().cancelled_owned()),
            token: token.clone(),
        }
    }

    /// The answer to a write that does not go through at once.
    fn blocked<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if !self.token.is_cancelled() {
            ready!(self.severed_for_writes.as_mut().poll(context));
        }
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Severable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let severed =
            self.token.is_cancelled() || self.severed_for_reads.as_mut().poll(context).is_ready();
        if severed {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Severable<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write(context, bytes) {
            Poll::Pending => self.blocked(context),
            written => written,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_flush(context) {
            Poll::Pending => self.blocked(context),
            flushed => flushed,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_shutdown(context) {
            Poll::Pending => self.blocked(context),
            shut => shut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_cut_ends_reads_and_stuck_writes() {
        let (ours, mut theirs) = duplex(8);
        let token = CancellationToken::new();
        let (mut reader, mut writer) = tokio::io::split(Severable::new(ours, &token));
        let reading = tokio::spawn(async move { reader.read(&mut [0; 8]).await });
        // Twice what fits into the line.
        let writing = tokio::spawn(async move { writer.write_all(&[1; 16]).await });
        theirs.read_exact(&mut [0; 1]).await.unwrap();
        assert!(!reading.is_finished() && !writing.is_finished());
        token.cancel();
        assert_eq!(reading.await.unwrap().unwrap(), 0);
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
