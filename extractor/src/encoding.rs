//! Which encoding a text file is in: byte order marks, UTF-8 by validity, UTF-16 by its pattern of
//! high bytes, the three Russian single-byte encodings by the frequency of letters.

use encoding_rs::{Encoding, IBM866, KOI8_R, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251};

/// How much of a file the detection looks at.
const SAMPLE: usize = 64 << 10;

/// Text and the encoding it was in.
pub(crate) struct Decoded {
    /// The text, without a byte order mark.
    pub(crate) text: String,
    /// Name of the encoding, for the document's properties.
    pub(crate) encoding: &'static str,
}

/// Decodes a file; `declared` is what the file says of itself (HTML meta, XML declaration). The
/// declaration is believed unless the bytes are plainly UTF-8 or UTF-16, as half of the old pages
/// that were converted still declare what they were.
pub(crate) fn decode(bytes: &[u8], declared: Option<&str>) -> Decoded {
    let encoding = detect(bytes, declared);
    let (text, encoding, _) = encoding.decode(bytes);
    Decoded { text: text.into_owned(), encoding: encoding.name() }
}

fn detect(bytes: &[u8], declared: Option<&str>) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if let Some(encoding) = detect_utf16(bytes) {
        return encoding;
    }
    if is_utf8(bytes) {
        return UTF_8;
    }
    let declared = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    if let Some(encoding) = declared.filter(|encoding| !is_unicode(encoding)) {
        return encoding;
    }
    let sample = sample(bytes);
    detect_russian(sample).unwrap_or_else(|| {
        let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
        detector.feed(sample, true);
        detector.guess(None, chardetng::Utf8Detection::Deny)
    })
}

fn is_unicode(encoding: &'static Encoding) -> bool {
    encoding == UTF_8 || encoding == UTF_16LE || encoding == UTF_16BE
}

fn sample(bytes: &[u8]) -> &[u8] {
    bytes.get(..SAMPLE).unwrap_or(bytes)
}

/// Valid UTF-8 throughout; a character cut at the very end is forgiven.
fn is_utf8(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    }
}

/// UTF-16 without a mark: nearly every second byte is the high byte of Latin, Cyrillic or
/// general punctuation or line drawing.
fn detect_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = bytes.get(..4096).unwrap_or(bytes);
    if sample.len() < 8 {
        return None;
    }
    let share = |offset: usize| {
        let high: Vec<u8> = sample.iter().skip(offset).step_by(2).copied().collect();
        let fitting = high.iter().filter(|byte| matches!(byte, 0x00 | 0x04 | 0x20..=0x25)).count();
        let signs = high.iter().filter(|byte| matches!(byte, 0x20..=0x25)).count();
        let telling = fitting.saturating_sub(signs);
        (fitting.saturating_mul(100) >= high.len().saturating_mul(97))
            && telling.saturating_mul(100) >= high.len().saturating_mul(50)
    };
    match (share(1), share(0)) {
        (true, false) => Some(UTF_16LE),
        (false, true) => Some(UTF_16BE),
        _ => None,
    }
}

/// The single-byte encoding under which the text looks most like Russian, if it does at all.
fn detect_russian(sample: &[u8]) -> Option<&'static Encoding> {
    let high = sample.iter().filter(|byte| **byte >= 0x80).count();
    [WINDOWS_1251, IBM866, KOI8_R]
        .into_iter()
        .map(|encoding| (russian_score(&encoding.decode_without_bom_handling(sample).0), encoding))
        // The first wins a draw: CP1251 is by far the most common.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .filter(|(score, _)| *score > i64::try_from(high).unwrap_or(i64::MAX))
        .map(|(_, encoding)| encoding)
}

/// Adds up how Russian the non-ASCII characters look: frequent letters count most, letters whose
/// case jumps inside a word and foreign signs count against it. Line-drawing characters are
/// neutral: CP866 tables are full of them.
fn russian_score(text: &str) -> i64 {
    let mut score = 0i64;
    let mut previous = ' ';
    for character in text.chars() {
        let upper = character.is_uppercase();
        let value: i64 = match character.to_lowercase().next().unwrap_or(character) {
            'о' | 'е' | 'а' | 'и' | 'н' | 'т' | 'с' | 'р' => 6,
            'в' | 'л' | 'к' | 'м' | 'д' | 'п' | 'у' => 4,
            'я' | 'ы' | 'ь' | 'г' | 'з' | 'б' | 'ч' | 'й' => 2,
            'а'..='я' | 'ё' => 0,
            '─'..='╿' | '\u{a0}' | '№' | '«' | '»' | '–' | '—' | '•' | '°' | '·' => {
                0
            }
            character if character.is_ascii() => 0,
            _ => -6,
        };
        let case_jump = upper && previous.is_lowercase() && !character.is_ascii();
        // «ДДДД» is the frame of a table in another encoding.
        let value = match (character == previous && value > 0, case_jump) {
            (_, true) => -6,
            (true, false) => -1,
            (false, false) => value.saturating_sub(i64::from(upper && value > 0)),
        };
        score = score.saturating_add(value);
        previous = character;
    }
    score
}

#[cfg(test)]
mod tests {
    use super::decode;
    use encoding_rs::{Encoding, IBM866, KOI8_R, UTF_8, WINDOWS_1251};
    use proptest::prelude::*;

    const TEXT: &str = "5.10 Котлованы и траншеи следует разрабатывать по проекту. ТАБЛИЦА № 1\r\n\
                        ┌──────┬─────┐\r\n│ Грунт│ 1:0,5│\r\n└──────┴─────┘ СНиП";

    fn check(encoding: &'static Encoding, text: &str) {
        let (bytes, _, _) = encoding.encode(text);
        let decoded = decode(&bytes, None);
        assert_eq!(decoded.text, text, "{}", encoding.name());
        assert_eq!(decoded.encoding, encoding.name());
    }

    #[test]
    fn russian_encodings_are_told_apart() {
        check(UTF_8, TEXT);
        check(IBM866, TEXT);
        check(KOI8_R, &TEXT.replace('№', "N"));
        check(WINDOWS_1251, "5.10 Котлованы следует разрабатывать по проекту «ПОС» № 1");
        check(WINDOWS_1251, "АКТ ОСВИДЕТЕЛЬСТВОВАНИЯ СКРЫТЫХ РАБОТ");
        check(WINDOWS_1251, "да");
    }

    #[test]
    fn utf16_with_and_without_a_mark() {
        let plain: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&plain, None).text, TEXT);
        let marked: Vec<u8> = [0xFF, 0xFE].into_iter().chain(plain).collect();
        assert_eq!(decode(&marked, None).text, TEXT);
        let big: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&big, None).text, TEXT);
    }

    #[test]
    fn a_declaration_helps_but_does_not_override_the_bytes() {
        assert_eq!(decode("проект".as_bytes(), Some("windows-1251")).text, "проект");
        let (bytes, _, _) = WINDOWS_1251.encode("узел");
        assert_eq!(decode(&bytes, Some("utf-8")).text, "узел");
        assert_eq!(decode(&bytes, Some("windows-1251")).text, "узел");
    }

    proptest! {
        #[test]
        fn any_bytes_decode(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            decode(&bytes, None);
        }
    }
}
