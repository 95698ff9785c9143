//! The tokens of RTF: groups, control words, characters.

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `\name` or `\name-12`.
    Word(&'a str, Option<i32>),
    /// `\~`, `\-`, `\*` and their like.
    Sign(u8),
    /// A byte of text in the current code page, plain or as `\'xx`.
    Byte(u8),
}

/// Reads tokens; bytes that mean nothing are passed over, and the end of the file is the end.
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Tokens<'a> {
        Tokens { bytes, place: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.place).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.place = self.place.saturating_add(1);
        Some(byte)
    }

    fn take_while(&mut self, most: usize, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.bytes.get(self.place..).unwrap_or_default();
        let length = rest.iter().take(most).take_while(|byte| wanted(**byte)).count();
        self.place = self.place.saturating_add(length);
        rest.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = self.peek()?;
        if !first.is_ascii_alphabetic() {
            self.place = self.place.saturating_add(1);
            return match first {
                b'\'' => {
                    let digits = self.take_while(2, |byte| byte.is_ascii_hexdigit());
                    Some(Token::Byte(u8::from_str_radix(digits, 16).unwrap_or(b'?')))
                }
                // An escaped line end is a paragraph mark.
                b'\n' | b'\r' => Some(Token::Word("par", None)),
                b'\\' | b'{' | b'}' => Some(Token::Byte(first)),
                sign => Some(Token::Sign(sign)),
            };
        }
        let name = self.take_while(32, |byte| byte.is_ascii_alphabetic());
        let negative = self.peek() == Some(b'-');
        if negative {
            self.place = self.place.saturating_add(1);
        }
        let digits = self.take_while(10, |byte| byte.is_ascii_digit());
        let number =
            digits.parse::<i64>().ok().map(|number| if negative { -number } else { number });
        let number =
            number.map(|n| i32::try_from(n).unwrap_or(if n < 0 { i32::MIN } else { i32::MAX }));
        if self.peek() == Some(b' ') {
            self.place = self.place.saturating_add(1);
        }
        if name == "bin" {
            let length = number.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
            self.place = self.place.saturating_add(length);
        }
        Some(Token::Word(name, number))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            return Some(match self.take()? {
                b'{' => Token::Open,
                b'}' => Token::Close,
                b'\\' => self.control()?,
                // Line ends of the file mean nothing.
                b'\r' | b'\n' | 0 => continue,
                byte => Token::Byte(byte),
            });
        }
    }
}
