//! Is the text layer of a page usable?

use super::layout::Layout;
use super::letters::{is_letter, is_letter_or_digit};

/// What the text layer of a page is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The words are words.
    Good,
    /// There is text, but it is garbage: a wrong glyph map, a bad recognition, or content that
    /// cannot be decoded.
    Broken,
    /// No text, but something is painted: an image that needs recognition.
    Image,
    /// Nothing is on the page at all.
    Blank,
}

/// The verdict on a page, with the figures behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextLayer {
    /// The verdict.
    pub verdict: Verdict,
    /// Letters and digits on the page.
    pub letters: usize,
    /// Share of the words that can be words, 0..1; 1 when there are too few to judge.
    pub plausible: f32,
    /// Share of the page that its largest image covers, 0..1.
    pub image_cover: f32,
    /// Share of the glyphs that are painted invisibly, 0..1: the layer of a recognition.
    pub hidden: f32,
}

/// Pages with fewer words are judged by their unreadable characters only.
const MIN_WORDS: usize = 12;
/// A page of a text document has 0.97 and more; the scanned standard of the corpus with its
/// spaced-out and misread words has 0.5 to 0.9.
const MIN_PLAUSIBLE: f32 = 0.8;
/// The layer of a recognition over a page image is held to more: recognising again is possible.
const MIN_PLAUSIBLE_HIDDEN: f32 = 0.93;
/// More unreadable characters than this share mean a wrong glyph map.
const MAX_UNREADABLE: f32 = 0.1;
/// A page covered by an image to this share, with next to no letters, is a scan.
const SCAN_COVER: f32 = 0.5;

pub(crate) fn judge(layout: &Layout) -> TextLayer {
    let mut tally = Tally::default();
    for line in &layout.lines {
        line.words.iter().for_each(|word| tally.add(&word.text));
    }
    for cell in layout.tables.iter().flat_map(|table| &table.rows).flatten() {
        cell.split_whitespace().for_each(|word| tally.add(word));
    }
    let plausible =
        if tally.words < MIN_WORDS { 1.0 } else { tally.plausible as f32 / tally.words as f32 };
    let characters = tally.letters + tally.unreadable;
    let unreadable = tally.unreadable as f32 / characters.max(1) as f32;
    // Text on a page image is the layer of a recognition, painted invisibly or under the image.
    let scanned =
        layout.image_cover > 0.8 || (layout.hidden > 0.5 && layout.image_cover > SCAN_COVER);
    let least = if scanned { MIN_PLAUSIBLE_HIDDEN } else { MIN_PLAUSIBLE };
    let verdict = if layout.unread && characters == 0 {
        Verdict::Broken
    } else if characters == 0 || (tally.letters < 25 && layout.image_cover > SCAN_COVER) {
        if layout.image_cover > 0.0 || layout.paths > 0 { Verdict::Image } else { Verdict::Blank }
    } else if unreadable > MAX_UNREADABLE || plausible < least {
        Verdict::Broken
    } else {
        Verdict::Good
    };
    TextLayer {
        verdict,
        letters: tally.letters,
        plausible,
        image_cover: layout.image_cover,
        hidden: layout.hidden,
    }
}

/// Share of the words that can be words, 0..1; `None` when there are too few to judge.
pub(crate) fn plausible_share<'a>(words: impl Iterator<Item = &'a str>) -> Option<f32> {
    let mut tally = Tally::default();
    words.for_each(|word| tally.add(word));
    (tally.words >= MIN_WORDS).then(|| tally.plausible as f32 / tally.words as f32)
}

#[derive(Default)]
struct Tally {
    /// Words of letters that were judged, and how many of them can be words.
    words: usize,
    plausible: usize,
    letters: usize,
    unreadable: usize,
}

impl Tally {
    fn add(&mut self, word: &str) {
        self.letters += word.chars().filter(|c| is_letter_or_digit(*c)).count();
        self.unreadable += word.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
        let core = word.trim_matches(|c: char| !is_letter_or_digit(c) && c != '\u{fffd}');
        if !core.chars().any(|c| is_letter(c) || c == '\u{fffd}') {
            return;
        }
        self.words += 1;
        self.plausible += usize::from(is_plausible(core));
    }
}

/// Can this be a word of a Russian, Kazakh or English text, an abbreviation or a mark?
fn is_plausible(word: &str) -> bool {
    if word.contains('\u{fffd}') {
        return false;
    }
    // Compounds and marks («АБ-12/3»): each part of letters counts.
    word.split(|c: char| !is_letter(c)).filter(|part| !part.is_empty()).all(is_plausible_part)
        && !has_buried_digit(word)
}

/// A digit between small letters («програ110й») is a misread letter.
fn has_buried_digit(word: &str) -> bool {
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let characters: Vec<char> = word.chars().collect();
    let Some(first) = characters.iter().position(|c| c.is_ascii_digit()) else { return false };
    let before = characters.iter().take(first).filter(|c| c.is_lowercase()).count();
    let after = characters.iter().skip(first).filter(|c| c.is_lowercase()).count();
    before >= 3 && after >= 2
}

fn is_plausible_part(part: &str) -> bool {
    let letters: Vec<char> = part.chars().collect();
    let cyrillic = letters.iter().filter(|c| is_cyrillic(**c)).count();
    let latin = letters.iter().filter(|c| c.is_ascii_alphabetic()).count();
    if letters.len() == 1 {
        // Spaced-out words fall into single letters; these few stand alone in a text.
        return letters
            .iter()
            .all(|c| !is_cyrillic(*c) || "авикосуяАВИКОСУЯмгтчсНпПдДхлЛ".contains(*c));
    }
    // A few Cyrillic words hold a look-alike Latin letter by mistake: not more than one.
    if cyrillic > 0 && latin > 1 && letters.len() > 3 {
        return false;
    }
    let upper = letters.iter().filter(|c| c.is_uppercase()).count();
    if upper == letters.len() {
        return letters.len() <= 6 || letters.iter().any(|c| is_vowel(*c));
    }
    // «ГОСТа», «кВт», «МПа», «Iрунпа»: two changes of case are usual in units, three are not.
    let changes = letters
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_lowercase() && b.is_uppercase()))
        .count();
    if changes > 1 {
        return false;
    }
    if letters.len() <= 3 {
        return true;
    }
    let mut run = 0;
    let mut longest = 0;
    for letter in &letters {
        run = if is_vowel(*letter) || "ьъйЬЪЙ".contains(*letter) { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    longest <= 5 && letters.iter().any(|c| is_vowel(*c))
}

fn is_cyrillic(letter: char) -> bool {
    ('\u{400}'..='\u{52f}').contains(&letter)
}

fn is_vowel(letter: char) -> bool {
    "аеёиоуыэюяәіңөұүһaeiouyАЕЁИОУЫЭЮЯӘІӨҰҮAEIOUYäöüéèàáíóúâêîôûαεηιουω".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::{Verdict, is_plausible, judge};
    use crate::pdf::layout::Layout;
    use crate::pdf::lines::{lines, tests::typed};

    #[test]
    fn words_and_garbage_are_told_apart() {
        for word in [
            "котлован",
            "СНиП",
            "ГОСТ",
            "кВт",
            "АБ-12/3",
            "м2",
            "взрыв",
            "II",
            "Жұмыс",
            "method",
            "в",
            "45.13330",
        ] {
            assert!(is_plausible(word), "{word}");
        }
        for word in
            ["нрмтвстщ", "Ж", "йcпeн", "програ110йл", "\u{fffd}\u{fffd}а", "xzqwrtpl", "аБвГдЕ"]
        {
            assert!(!is_plausible(word), "{word}");
        }
    }

    fn verdict(text: &str, hidden: f32, image_cover: f32) -> Verdict {
        let words: Vec<&str> = text.split(' ').collect();
        let glyphs = words
            .chunks(6)
            .enumerate()
            .flat_map(|(row, words)| typed(&words.join(" "), 40.0, 50.0 + row as f32 * 14.0, 10.0))
            .collect();
        let layout = Layout { lines: lines(glyphs), hidden, image_cover, ..Layout::default() };
        judge(&layout).verdict
    }

    #[test]
    fn pages_are_judged() {
        let good = "Настоящий стандарт устанавливает порядок построения и оформления технического задания на разработку программы или изделия";
        assert_eq!(verdict(good, 0.0, 0.0), Verdict::Good);
        let spaced = "П РО ГРАМ М Н О Й ДО КУМ Е НТАЦИ И Ж Г Ш Ф Ы Р Е М Ц";
        assert_eq!(verdict(spaced, 0.0, 0.0), Verdict::Broken);
        let mapped = good.replace(['о', 'а'], "\u{fffd}");
        assert_eq!(verdict(&mapped, 0.0, 0.0), Verdict::Broken);
        assert_eq!(verdict("", 0.0, 0.9), Verdict::Image);
        assert_eq!(verdict("", 0.0, 0.0), Verdict::Blank);
    }
}
