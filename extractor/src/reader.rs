//! What every format's reader is given and gives back.
//!
//! A reader is a plain function `read(bytes, limits, sink) -> Result<(), ReadError>`: it hands
//! finished pages to the sink in order, so that a run that is cut still leaves its pages.

use crate::model::{Message, Page};
use shared::outcome::Code;
use std::collections::BTreeMap;
use std::io;

/// Bounds on what a hostile file may cost. The child's memory and CPU limits stand behind them;
/// these give the document a precise code instead of a killed parser.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes that the parts of one document (DOCX, XLSX) may unpack to, in all.
    pub unpacked_bytes: u64,
    /// Unpacked bytes per packed byte of one part, looked at above 10 MB unpacked. Office XML
    /// reaches about 60 (measured on the sheets of state estimates); a bomb is near 1000.
    pub unpack_ratio: u64,
    /// Parts of an office file.
    pub parts: usize,
    /// Cells of a workbook, in all its sheets, empty ones inside a used range included.
    pub cells: u64,
    /// Nesting of elements (XML, HTML) or of values (JSON).
    pub depth: usize,
    /// Pages of a file.
    pub pages: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            unpacked_bytes: 256 << 20,
            unpack_ratio: 250,
            parts: 20_000,
            cells: 5_000_000,
            depth: 512,
            pages: 20_000,
        }
    }
}

/// Why a file could not be read; pages given to the sink before it stay good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .code.name())]
pub struct ReadError {
    /// Stable code of the document's outcome.
    pub code: Code,
    /// In Russian, for people.
    pub message: String,
}

impl ReadError {
    /// An error with this code and a message for people.
    pub fn new(code: Code, message: impl Into<String>) -> ReadError {
        ReadError { code, message: message.into() }
    }

    /// `damaged_file`: the bytes are not what their format promises.
    pub fn damaged(message: impl Into<String>) -> ReadError {
        ReadError::new(Code::DamagedFile, message)
    }
}

/// Where a reader puts what it finds.
pub struct Sink<'a> {
    send: &'a mut dyn FnMut(Message) -> io::Result<()>,
    pages: u32,
}

impl<'a> Sink<'a> {
    /// A sink that passes every message on to `send` (the child's pipe, a test's vector).
    pub fn new(send: &'a mut dyn FnMut(Message) -> io::Result<()>) -> Sink<'a> {
        Sink { send, pages: 0 }
    }

    /// Passes a finished page on.
    pub fn page(&mut self, page: Page) -> Result<(), ReadError> {
        self.pages = self.pages.max(page.number);
        self.pass(Message::Page(page))
    }

    /// Passes properties of the file on; sent more than once, the maps add up.
    pub fn properties(&mut self, properties: BTreeMap<String, String>) -> Result<(), ReadError> {
        if properties.is_empty() { Ok(()) } else { self.pass(Message::Properties(properties)) }
    }

    /// Passes on what a person should know; `message` is in Russian.
    pub fn warning(
        &mut self,
        code: Option<Code>,
        message: impl Into<String>,
    ) -> Result<(), ReadError> {
        self.pass(Message::Warning { code, message: message.into() })
    }

    /// The highest page number so far, 0 before the first page.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    fn pass(&mut self, message: Message) -> Result<(), ReadError> {
        (self.send)(message).map_err(|error| {
            ReadError::new(Code::InternalError, format!("результат чтения не принят: {error}"))
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Limits, ReadError, Sink};
    use crate::model::{Message, Page};
    use shared::outcome::Code;
    use std::io;

    /// The pages that a reader finds, or the code of its refusal, for the tests of the formats.
    pub(crate) fn pages_of(
        read: impl FnOnce(&[u8], &Limits, &mut Sink<'_>) -> Result<(), ReadError>,
        bytes: &[u8],
    ) -> Result<Vec<Page>, Code> {
        let mut pages = Vec::new();
        let mut send = |message: Message| {
            if let Message::Page(page) = message {
                pages.push(page);
            }
            Ok(())
        };
        read(bytes, &Limits::default(), &mut Sink::new(&mut send)).map_err(|error| error.code)?;
        Ok(pages)
    }

    #[test]
    fn counts_pages_and_reports_a_closed_pipe() {
        let mut seen = Vec::new();
        let mut send = |message: Message| {
            seen.push(message);
            Ok(())
        };
        let mut sink = Sink::new(&mut send);
        sink.page(Page { number: 1, ..Page::default() }).unwrap();
        sink.page(Page { number: 7, ..Page::default() }).unwrap();
        assert_eq!(sink.pages(), 7);
        assert_eq!(seen.len(), 2);

        let mut closed = |_: Message| Err(io::Error::from(io::ErrorKind::BrokenPipe));
        let error: ReadError = Sink::new(&mut closed).page(Page::default()).unwrap_err();
        assert_eq!(error.code, Code::InternalError);
    }
}
