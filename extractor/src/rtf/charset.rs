//! Bytes as text: the code page of the file, and those of its fonts.

use encoding_rs::{Encoding, WINDOWS_1252};
use std::collections::HashMap;

/// What a font's bytes mean.
#[derive(Clone, Copy, Debug)]
enum Page {
    Text(&'static Encoding),
    /// A font of signs, in which bytes are no letters.
    Signs,
}

/// The code pages of a file.
#[derive(Debug)]
pub(super) struct Charsets {
    of_file: &'static Encoding,
    of_fonts: HashMap<i32, Page>,
}

impl Charsets {
    pub(super) fn new() -> Charsets {
        Charsets { of_file: WINDOWS_1252, of_fonts: HashMap::new() }
    }

    /// `\ansicpg1251`
    pub(super) fn set_file(&mut self, code_page: i32) {
        if let Some(encoding) = by_number(code_page) {
            self.of_file = encoding;
        }
    }

    /// `\f4\fcharset204`
    pub(super) fn set_font(&mut self, font: i32, charset: i32) {
        // Numbers of the Windows API (CreateFont); 0 and 1 leave it to the file.
        let code_page = match charset {
            2 => {
                self.of_fonts.insert(font, Page::Signs);
                return;
            }
            77 => 10000,
            128 => 932,
            129 => 949,
            134 => 936,
            136 => 950,
            161 => 1253,
            162 => 1254,
            163 => 1258,
            177 => 1255,
            178 => 1256,
            186 => 1257,
            204 => 1251,
            222 => 874,
            238 => 1250,
            255 => 866,
            _ => return,
        };
        if let Some(encoding) = by_number(code_page) {
            self.of_fonts.insert(font, Page::Text(encoding));
        }
    }

    /// Text of a font.
    pub(super) fn decode(&self, font: i32, bytes: &[u8]) -> String {
        match self.of_fonts.get(&font) {
            Some(Page::Signs) => bytes.iter().map(|byte| sign(*byte)).collect(),
            Some(Page::Text(encoding)) => {
                encoding.decode_without_bom_handling(bytes).0.into_owned()
            }
            None => self.of_file.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }
}

/// A byte of a font of signs: spaces and what is the same in all of them; the rest are bullets.
fn sign(byte: u8) -> char {
    match byte {
        b' ' | b'\t' | 0xA0 => ' ',
        b'-' | b'.' | b'(' | b')' | b'0'..=b'9' => char::from(byte),
        _ => '•',
    }
}

fn by_number(code_page: i32) -> Option<&'static Encoding> {
    u16::try_from(code_page).ok().and_then(codepage::to_encoding)
}
