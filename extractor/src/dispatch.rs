//! Which reader reads which format.

use extractor::detect::detect;
use extractor::model::{Format, Message};
use extractor::reader::{Limits, ReadError, Sink};
use extractor::request::ReadLimits;
use shared::outcome::Code;
use std::io::{self, Cursor};

/// Reads a document and sends all its messages, the last one included.
pub(crate) fn read(
    bytes: &[u8],
    name: &str,
    limits: &ReadLimits,
    send: &mut dyn FnMut(Message) -> io::Result<()>,
) -> io::Result<()> {
    let detected = match detect(&mut Cursor::new(bytes), name)? {
        Ok(detected) => detected,
        Err(refusal) => {
            return send(Message::Failed { code: refusal.code, message: refusal.message });
        }
    };
    send(Message::Started { format: detected.format })?;
    if let Some(message) = detected.mismatch {
        send(Message::Warning { code: Some(Code::ExtensionMismatch), message })?;
    }
    let limits = Limits { pages: limits.pages, ..Limits::default() };
    let mut sink = Sink::new(send);
    let read = read_format(detected.format, bytes, &limits, &mut sink);
    let pages = sink.pages();
    send(match read {
        Ok(()) => Message::Finished { pages },
        Err(error) => Message::Failed { code: error.code, message: error.message },
    })
}

fn read_format(
    format: Format,
    _bytes: &[u8],
    _limits: &Limits,
    _sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    Err(ReadError::new(Code::UnsupportedFormat, format!("формат пока не читается: {format:?}")))
}

/// Draws one page as a grey PGM image.
pub(crate) fn render(
    _bytes: &[u8],
    _name: &str,
    _page: u32,
    _dpi: u32,
    _quarter_turns: u8,
    _max_pixels: u64,
) -> Result<Vec<u8>, ReadError> {
    Err(ReadError::new(Code::UnsupportedFormat, "страница не рисуется"))
}
