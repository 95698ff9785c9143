//! Cuts a text at sentences, then, where a sentence is too long, at words, then at letters.

use shared::chunk::Chunk;

/// How long chunks may be.
pub(super) struct Room<'a> {
    /// Counts tokens as the model does.
    pub(super) count: &'a dyn Fn(&str) -> usize,
    /// No chunk has more tokens, its path included.
    pub(super) window: usize,
    /// The longest wanted, in tokens.
    pub(super) target: usize,
}

/// A leading sentence is repeated before the items of its list when it is no longer than this
/// share of the window.
const LEAD_SHARE: usize = 8;

/// The text of each chunk; `place` has the path and the caption that are counted with it.
pub(super) fn split(place: &Chunk, text: &str, room: &Room) -> Vec<String> {
    let count_whole =
        |text: &str| (room.count)(&Chunk { text: text.to_owned(), ..place.clone() }.indexed_text());
    let fits = |text: &str| count_whole(text) <= room.window;
    if count_whole(text) <= room.target.min(room.window) {
        return vec![text.to_owned()];
    }
    let frame = (room.count)("");
    let cost = |text: &str| (room.count)(text).saturating_sub(frame).saturating_add(1);
    let space = room.target.saturating_sub(count_whole(""));
    let mut parts: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut used = 0usize;
    let mut lead: Option<&str> = None;
    for piece in pieces(text) {
        let length = cost(piece.text);
        if !current.is_empty() && used.saturating_add(length) > space {
            parts.extend(halves(&current, &fits));
            current.clear();
            used = 0;
            if let Some(lead) = lead.filter(|_| piece.item) {
                current.push_str(lead);
                used = cost(lead);
            }
        }
        if !current.is_empty() {
            current.push(if piece.new_line { '\n' } else { ' ' });
        }
        current.push_str(piece.text);
        used = used.saturating_add(length);
        if piece.text.ends_with(':') && length <= room.window / LEAD_SHARE {
            lead = Some(piece.text);
        } else if !piece.item {
            lead = None;
        }
    }
    parts.extend(halves(&current, &fits));
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Words up to a number of characters, with «…» when some are left out.
pub(super) fn abridged(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let mut short = String::new();
    for word in text.split_whitespace() {
        if short.chars().count() + word.chars().count() + 2 > length {
            break;
        }
        short.push_str(word);
        short.push(' ');
    }
    if short.is_empty() {
        short = text.chars().take(length).collect();
    }
    short.trim_end().to_owned() + "…"
}

/// Halves a text at the word nearest its middle until each part fits; a text of one letter is
/// left as it is.
fn halves(text: &str, fits: &dyn Fn(&str) -> bool) -> Vec<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length <= 1 || fits(text) {
        return vec![text.to_owned()];
    }
    let middle = text.char_indices().nth(length / 2).map_or(0, |(place, _)| place);
    let (before, after) = text.split_at(middle);
    let left = before.rfind(char::is_whitespace).map(|place| (middle - place, place));
    let right = after.find(char::is_whitespace).map(|place| (place, middle + place));
    let cut = left.into_iter().chain(right).min().map(|(_, place)| place);
    let cut = cut.filter(|&place| place > 0 && place < text.len()).unwrap_or(middle);
    let (first, second) = text.split_at(cut);
    let mut parts = halves(first, fits);
    parts.extend(halves(second, fits));
    parts
}

/// A sentence or a line of a text.
#[derive(Debug, PartialEq)]
struct Piece<'t> {
    text: &'t str,
    /// It starts a line.
    new_line: bool,
    /// It is (part of) an item of a list.
    item: bool,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let item = is_item(line);
        for (index, sentence) in sentences(line).into_iter().enumerate() {
            pieces.push(Piece { text: sentence, new_line: index == 0, item });
        }
    }
    pieces
}

fn is_item(line: &str) -> bool {
    let marked = line.starts_with(['-', '–', '—', '•', '·', '●', '▪']);
    let lettered = line.split_once(')').is_some_and(|(marker, _)| {
        (1..=4).contains(&marker.chars().count()) && marker.chars().all(char::is_alphanumeric)
    });
    marked || lettered || line.starts_with(char::is_lowercase)
}

/// Words with a full stop that end no sentence.
const ABBREVIATIONS: [&str; 22] = [
    "т", "д", "п", "г", "с", "см", "рис", "табл", "др", "пр", "им", "ст", "гл", "разд", "прил",
    "пп", "напр", "ред", "обл", "ул", "изд", "тыс",
];

/// Cuts a line after full stops, question and exclamation marks and semicolons that a space and
/// a capital letter, a quotation mark or a digit follow.
fn sentences(line: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (place, sign) in line.char_indices() {
        if !matches!(sign, '.' | '!' | '?' | ';') {
            continue;
        }
        let end = place + sign.len_utf8();
        let Some(after) = line.get(end..).filter(|after| after.starts_with(char::is_whitespace))
        else {
            continue;
        };
        let next = after.trim_start().chars().next();
        let opens = next.is_some_and(|next| {
            next.is_uppercase() || next.is_ascii_digit() || "«\"(–—-".contains(next)
        });
        let before = line.get(start..place).unwrap_or_default();
        let word: String =
            before.chars().rev().take_while(|sign| sign.is_alphabetic()).collect::<String>();
        let word: String = word.chars().rev().collect::<String>().to_lowercase();
        let initial = before.ends_with(char::is_uppercase) && word.chars().count() == 1;
        let abbreviated = sign == '.' && (initial || ABBREVIATIONS.contains(&word.as_str()));
        if (opens || sign == ';') && !abbreviated {
            sentences.push(line.get(start..end).unwrap_or_default().trim());
            start = end;
        }
    }
    sentences.push(line.get(start..).unwrap_or_default().trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

#[cfg(test)]
mod tests {
    use super::{abridged, halves, sentences};
    use proptest::prelude::*;

    #[test]
    fn sentences_end_where_people_end_them() {
        assert_eq!(sentences("Первое. Второе; третье."), ["Первое.", "Второе;", "третье."]);
        assert_eq!(
            sentences("См. рис. А.1 и табл. 3. Далее"),
            ["См. рис. А.1 и табл. 3.", "Далее"]
        );
        assert_eq!(sentences("по п. 5.10 и т. д."), ["по п. 5.10 и т. д."]);
        assert_eq!(sentences("А. И. Иванов принял."), ["А. И. Иванов принял."]);
        assert_eq!(sentences("до 20 м. Откачку ведут"), ["до 20 м.", "Откачку ведут"]);
    }

    #[test]
    fn long_headings_are_abridged_at_words() {
        assert_eq!(abridged("Монтаж колонн", 50), "Монтаж колонн");
        assert_eq!(abridged("Монтаж сборных колонн", 16), "Монтаж сборных…");
    }

    proptest! {
        #[test]
        fn halves_keep_every_letter(text in "[а-я .]{1,60}", limit in 1usize..20) {
            let parts = halves(&text, &|part| part.chars().count() <= limit);
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&parts.concat()), letters(&text));
            prop_assert!(parts.iter().all(|part| part.chars().count() <= limit));
        }

        #[test]
        fn sentences_keep_every_letter(line in "\\PC{0,60}") {
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&sentences(&line).concat()), letters(&line));
        }
    }
}
