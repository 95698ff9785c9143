//! Bytes that behave like a file.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// An input as an open file: the system refuses places beyond the signed range, which a cursor
/// accepts.
pub struct AsFile<'a>(Cursor<&'a [u8]>);

impl<'a> AsFile<'a> {
    /// A file of these bytes.
    pub fn new(bytes: &'a [u8]) -> AsFile<'a> {
        AsFile(Cursor::new(bytes))
    }
}

impl Read for AsFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for AsFile<'_> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        match place {
            SeekFrom::Start(place) if i64::try_from(place).is_err() => {
                Err(io::ErrorKind::InvalidInput.into())
            }
            place => self.0.seek(place),
        }
    }
}
