//! A viewer's socket, which others may write to while the viewer waits.

use super::look::Cursor;
use bytes::{Buf, Bytes};
use socket2::SockRef;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// The socket below a viewer's connection. Whole frames are written here by who has it in hand;
/// the viewer only lends it when nothing of its own is half written.
pub(crate) struct Outlet {
    line: Arc<TcpStream>,
    held: Mutex<Held>,
    back: Notify,
}

struct Held {
    /// Where the history stands on the other side; `None` while the viewer has the socket.
    lent: Option<Lending>,
    /// The rest of a frame that the line had no room for.
    rest: Bytes,
}

#[derive(Clone, Copy)]
struct Lending {
    cursor: Cursor,
    /// Given back, and the viewer has not come for it yet.
    is_back: bool,
}

/// What there is to write behind a cursor.
#[derive(Debug)]
pub(super) struct Found {
    /// How many events.
    pub(super) events: u64,
    /// Their frames.
    pub(super) bytes: Bytes,
    /// Something else is to be done then, and only the viewer can.
    pub(super) is_more: bool,
}

/// While the socket is lent; takes it back when dropped.
pub(crate) struct Lent<'a> {
    outlet: &'a Outlet,
    cursor: &'a mut Cursor,
}

impl Outlet {
    pub(crate) fn new(line: Arc<TcpStream>) -> Arc<Outlet> {
        let held = Mutex::new(Held { lent: None, rest: Bytes::new() });
        Arc::new(Outlet { line, held, back: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets others write what follows the cursor.
    pub(super) fn lend<'a>(&'a self, cursor: &'a mut Cursor) -> Lent<'a> {
        self.lock().lent = Some(Lending { cursor: *cursor, is_back: false });
        Lent { outlet: self, cursor }
    }

    /// Ready when it was given back; also once without that, after an earlier lending.
    pub(super) async fn given_back(&self) {
        self.back.notified().await;
    }

    /// Whether the viewer has to [`finish`](Outlet::finish) a frame first.
    pub(super) fn is_unfinished(&self) -> bool {
        !self.lock().rest.is_empty()
    }

    /// Writes what was begun; may be dropped and called again.
    pub(super) async fn finish(&self) -> io::Result<()> {
        loop {
            {
                let mut held = self.lock();
                if held.rest.is_empty() {
                    return Ok(());
                }
                match self.line.try_write(&held.rest) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(written) => {
                        held.rest.advance(written);
                        continue;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            self.line.writable().await?;
        }
    }

    /// Writes what its cursor finds if it is lent, and gives it back when that is not all there
    /// is to do. Never waits. Answers how many events were handed over.
    pub(super) fn offer<'f>(&self, find: impl FnOnce(Cursor) -> &'f Found) -> u64 {
        let mut held = self.lock();
        let Held { lent: Some(lending), rest } = &mut *held else { return 0 };
        if lending.is_back {
            return 0;
        }
        let found = find(lending.cursor);
        let handed_over = found.events;
        if handed_over > 0 {
            // Past tokio, which would ask its own books first. An error shows again when the
            // viewer writes.
            let written = SockRef::from(&*self.line).send(&found.bytes).unwrap_or(0);
            *rest = found.bytes.slice(written..);
            lending.cursor.position += handed_over;
        }
        lending.is_back = found.is_more || !rest.is_empty();
        if lending.is_back {
            self.back.notify_one();
        }
        handed_over
    }
}

impl Lent<'_> {
    /// The cursor that it was lent with.
    pub(super) fn cursor(&self) -> Cursor {
        *self.cursor
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(lending) = self.outlet.lock().lent.take() {
            *self.cursor = lending.cursor;
        }
    }
}
