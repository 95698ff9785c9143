//! Reads one input as the child does, and checks what every reader promises.

use crate::panics::guarded;
use extractor::frames;
use extractor::model::{BlockKind, Message};
use extractor::reader::{Limits, ReadError, Sink};
use std::io;

/// Reads an input; errors are answers, panics are not.
pub fn read(
    bytes: &[u8],
    reader: impl FnOnce(&[u8], &Limits, &mut Sink<'_>) -> Result<(), ReadError>,
) {
    guarded(|| {
        let mut last = 0;
        let mut send = |message| check(&message, &mut last);
        drop(reader(bytes, &Limits::default(), &mut Sink::new(&mut send)));
    });
}

/// Checks one message of a document; `last` is the number of its page before, 0 at first.
pub fn check(message: &Message, last: &mut u32) -> io::Result<()> {
    let mut pipe = Vec::new();
    frames::write_message(&mut pipe, message)?;
    let received = frames::read_message(&mut pipe.as_slice());
    assert!(matches!(received, Ok(Some(_))), "the parent cannot read: {received:?}");
    let Message::Page(page) = message else { return Ok(()) };
    assert!(page.number > *last, "page {} after page {last}", page.number);
    *last = page.number;
    for block in &page.blocks {
        if let BlockKind::Table(table) = &block.kind {
            let width = table.rows.first().map_or(0, Vec::len);
            assert!(table.rows.iter().all(|row| row.len() == width), "rows of different lengths");
            assert!(table.header_rows <= table.rows.len(), "more header rows than rows");
        }
    }
    Ok(())
}
