//! The codes inside texts: `%%c`, `\U+0416`, and the formatting of MTEXT.

/// A plain text with its codes resolved.
pub(super) fn plain(text: &str) -> String {
    percent_codes(&unicode_codes(text))
}

/// The text of an MTEXT without its formatting; paragraphs become lines.
pub(super) fn formatted(text: &str) -> String {
    let text = unicode_codes(text);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '{' | '}' => {}
            '^' => match rest.clone().next() {
                Some('I') => {
                    rest.next();
                    clean.push(' ');
                }
                Some('J' | 'M') => {
                    rest.next();
                    clean.push('\n');
                }
                _ => clean.push('^'),
            },
            '\\' => match rest.next() {
                Some('P' | 'X') => clean.push('\n'),
                Some('~') => clean.push(' '),
                Some(escaped @ ('\\' | '{' | '}')) => clean.push(escaped),
                Some('L' | 'l' | 'O' | 'o' | 'K' | 'k' | 'N') => {}
                Some('S') => {
                    // A stacked fraction: «1^2», «1/2», «1#2».
                    let stack: String = rest.by_ref().take_while(|c| *c != ';').collect();
                    clean.push_str(stack.replace(['^', '#'], "/").trim_end_matches('/'));
                }
                Some('A' | 'C' | 'c' | 'F' | 'f' | 'H' | 'p' | 'Q' | 'T' | 'W') => {
                    rest.by_ref().take_while(|c| *c != ';').for_each(drop);
                }
                Some(other) => {
                    clean.push('\\');
                    clean.push(other);
                }
                None => {}
            },
            other => clean.push(other),
        }
    }
    percent_codes(&clean)
}

/// `\U+0416` and `\M+nXXXX` (whose code page is not known here; it is dropped).
fn unicode_codes(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = unicode_code(rest) {
        let (before, code) = rest.split_at(at);
        clean.push_str(before);
        let value = code.get(3..7).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match value.and_then(char::from_u32) {
            Some(character) => {
                clean.push(character);
                rest = code.get(7..).unwrap_or_default();
            }
            None => {
                clean.push('\\');
                rest = code.get(1..).unwrap_or_default();
            }
        }
    }
    clean.push_str(rest);
    clean
}

/// Where the next `\U+` begins.
fn unicode_code(text: &str) -> Option<usize> {
    let mut backslashes = text.match_indices('\\').map(|(at, _)| at);
    backslashes.find(|at| {
        matches!(text.get(at.saturating_add(1)..).and_then(|t| t.get(..2)), Some("U+" | "u+"))
    })
}

fn percent_codes(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, code)) = rest.split_once("%%") {
        clean.push_str(before);
        let mut after = code.chars();
        rest = match after.next() {
            Some('c' | 'C') => {
                clean.push('Ø');
                after.as_str()
            }
            Some('d' | 'D') => {
                clean.push('°');
                after.as_str()
            }
            Some('p' | 'P') => {
                clean.push('±');
                after.as_str()
            }
            Some('%') => {
                clean.push('%');
                after.as_str()
            }
            Some('u' | 'U' | 'o' | 'O' | 'k' | 'K') => after.as_str(),
            Some('0'..='9') => {
                let digits = code.get(..3).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
                let number = digits.and_then(|digits| digits.parse::<u32>().ok());
                match number.filter(|number| (32..127).contains(number)).and_then(char::from_u32) {
                    Some(character) => clean.push(character),
                    None => clean.push_str("%%"),
                }
                if clean.ends_with("%%") { code } else { code.get(3..).unwrap_or_default() }
            }
            _ => {
                clean.push_str("%%");
                code
            }
        };
    }
    clean.push_str(rest);
    clean
}
