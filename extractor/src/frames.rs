//! Messages over a pipe: a length of four bytes (little-endian), then that many bytes of JSON.

use crate::model::Message;
use std::io::{self, Read, Write};

/// The largest message in bytes. A page of text is some kilobytes and the largest sheet of the
/// corpus 2 MB; whatever is larger is a fault of the sender.
pub const MAX_FRAME: usize = 64 << 20;

/// Writes one message. A message over [`MAX_FRAME`] is refused before a byte is written, so the
/// stream stays readable.
pub fn write_message(sink: &mut impl Write, message: &Message) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_FRAME);
    let Some(length) = length else {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("a message of {} bytes is over the limit of {MAX_FRAME}", body.len()),
        ));
    };
    sink.write_all(&length.to_le_bytes())?;
    sink.write_all(&body)?;
    sink.flush()
}

/// Reads one message, and its size in bytes; `None` at a clean end between two messages. A stream
/// cut inside a message is `UnexpectedEof`.
pub fn read_message(source: &mut impl Read) -> io::Result<Option<(Message, usize)>> {
    let mut length = [0; 4];
    if !fill(source, &mut length)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a message announces {length} bytes, the limit is {MAX_FRAME}"),
        ));
    }
    // Grown as bytes arrive: an announced length alone must not cost memory.
    let mut body = Vec::new();
    source.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((serde_json::from_slice(&body)?, length)))
}

/// Fills the buffer; false when the stream ended before its first byte.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{MAX_FRAME, read_message, write_message};
    use crate::model::{Block, BlockKind, Message, Page};
    use proptest::prelude::*;
    use std::io::ErrorKind;

    fn page(number: u32, text: &str) -> Message {
        let blocks = vec![Block::new(BlockKind::Paragraph, text)];
        Message::Page(Page { number, blocks, ..Page::default() })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(texts in prop::collection::vec(".{0,60}", 0..6)) {
            let sent: Vec<_> = (1..).zip(&texts).map(|(number, text)| page(number, text)).collect();
            let mut pipe = Vec::new();
            for message in &sent {
                write_message(&mut pipe, message).unwrap();
            }
            let mut source = pipe.as_slice();
            let mut received = Vec::new();
            while let Some((message, _)) = read_message(&mut source).unwrap() {
                received.push(message);
            }
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut source = bytes.as_slice();
            while let Ok(Some(_)) = read_message(&mut source) {}
        }
    }

    #[test]
    fn a_cut_message_is_an_error_and_a_cut_between_messages_is_the_end() {
        let mut pipe = Vec::new();
        write_message(&mut pipe, &page(1, "текст")).unwrap();
        for cut in 1..pipe.len() {
            let error = read_message(&mut &pipe[..cut]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "cut at {cut}");
        }
        assert_eq!(read_message(&mut [].as_slice()).unwrap(), None);
    }

    #[test]
    fn an_announced_length_over_the_limit_is_refused() {
        let mut pipe = u32::try_from(MAX_FRAME + 1).unwrap().to_le_bytes().to_vec();
        pipe.extend([b' '; 16]);
        assert_eq!(read_message(&mut pipe.as_slice()).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
