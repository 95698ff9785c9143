//! The text: pieces of the main stream, each in one byte or two bytes a character.

use super::file::{Table, WordFile, u16_at, u32_at};
use crate::reader::ReadError;

/// A stretch of text that lies in one place.
#[derive(Clone, Copy, Debug)]
struct PieceOfText {
    /// The first character and the one behind the last, by their number in the document.
    from: u32,
    to: u32,
    /// Where it begins in the main stream.
    offset: u32,
    /// One byte a character.
    is_narrow: bool,
}

/// A character: its number in the document, its place in the main stream, its UTF-16 unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub(super) number: u32,
    pub(super) offset: u32,
    pub(super) unit: u16,
}

/// Where the text of a document lies.
pub(super) struct Text<'f> {
    main: &'f [u8],
    pieces: Vec<PieceOfText>,
}

impl<'f> Text<'f> {
    /// Reads the table of pieces ([MS-DOC] 2.9.38, Clx).
    pub(super) fn new(file: &'f WordFile) -> Result<Text<'f>, ReadError> {
        let damaged = || ReadError::damaged("нет таблицы фрагментов текста");
        let mut clx = file.table(Table::Pieces);
        // Property changes of a quick save stand before the table.
        while clx.first() == Some(&1) {
            let length = usize::from(u16_at(clx, 1).ok_or_else(damaged)?);
            clx = clx.get(3 + length..).ok_or_else(damaged)?;
        }
        if clx.first() != Some(&2) {
            return Err(damaged());
        }
        let table = clx.get(5..).ok_or_else(damaged)?;
        let length = u32_at(clx, 1).unwrap_or_default() as usize;
        let table = table.get(..length).unwrap_or(table);
        let count = table.len().saturating_sub(4) / 12;
        let piece = |index: usize| {
            let packed = u32_at(table, 4 * (count + 1) + 8 * index + 2)?;
            let is_narrow = packed & 0x4000_0000 != 0;
            let offset = packed & 0x3FFF_FFFF;
            Some(PieceOfText {
                from: u32_at(table, 4 * index)?,
                to: u32_at(table, 4 * index + 4)?,
                offset: if is_narrow { offset / 2 } else { offset },
                is_narrow,
            })
        };
        // No character lies in two pieces, so all of them together are no longer than the stream.
        let mut left = u32::try_from(file.main.len()).unwrap_or(u32::MAX);
        let mut last = 0;
        let mut pieces = Vec::new();
        for piece in (0..count).filter_map(piece).filter(|piece| piece.from < piece.to) {
            let to = piece.to.min(piece.from.saturating_add(left));
            if piece.from >= last && to > piece.from {
                left = left.saturating_sub(to - piece.from);
                last = to;
                pieces.push(PieceOfText { to, ..piece });
            }
        }
        Ok(Text { main: &file.main, pieces })
    }

    /// The characters from one number up to another.
    pub(super) fn units(&self, from: u32, to: u32) -> impl Iterator<Item = Unit> + '_ {
        let first = self.pieces.partition_point(|piece| piece.to <= from);
        let pieces = self.pieces.iter().skip(first).take_while(move |piece| piece.from < to);
        pieces.flat_map(move |piece| {
            let width = if piece.is_narrow { 1 } else { 2 };
            let (first, last) = (from.max(piece.from), to.min(piece.to));
            (first..last.max(first)).map_while(move |number| {
                let within = (number - piece.from).checked_mul(width)?;
                let offset = piece.offset.checked_add(within)?;
                let unit = if piece.is_narrow {
                    narrow(*self.main.get(offset as usize)?)
                } else {
                    u16_at(self.main, offset as usize)?
                };
                Some(Unit { number, offset, unit })
            })
        })
    }
}

/// A byte of a narrow piece: code page 1252.
fn narrow(byte: u8) -> u16 {
    match byte {
        0x80..=0x9F => {
            let text =
                encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0.into_owned();
            text.encode_utf16().next().unwrap_or_default()
        }
        other => u16::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::narrow;

    #[test]
    fn narrow_text_is_of_code_page_1252() {
        let text: Vec<u16> = b"\x93A\xE9\x94\x96".iter().map(|byte| narrow(*byte)).collect();
        assert_eq!(String::from_utf16(&text).unwrap(), "“Aé”–");
    }
}
