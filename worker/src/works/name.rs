//! Names of works: which phrases are works, and which two phrases mean the same work.

use crate::rules::{Rule, Rules};
use rust_stemmers::{Algorithm, Stemmer};
use std::collections::BTreeSet;

/// So many leading words may stand before the noun of a work («контрольная профильная съёмка»).
const WORDS_BEFORE_NOUN: usize = 4;

/// A name is never longer, in characters; the rest is explanation.
const MAX_NAME: usize = 200;

/// The rules about names, looked up once per stage.
#[derive(Debug)]
pub struct Names<'r> {
    noun: &'r Rule,
    no_noun: &'r Rule,
    adjective: &'r Rule,
    no_work: &'r Rule,
    tail: &'r Rule,
    marker: &'r Rule,
}

impl<'r> Names<'r> {
    /// Looks the rules of the topic «works» up.
    pub fn of(rules: &'r Rules) -> Names<'r> {
        let topic = rules.topic("works");
        Names {
            noun: topic.rule("work_noun"),
            no_noun: topic.rule("no_work_noun"),
            adjective: topic.rule("adjective"),
            no_work: topic.rule("no_work"),
            tail: topic.rule("tail"),
            marker: topic.rule("marker"),
        }
    }

    /// Whether a phrase names a work: a noun of action, perhaps after adjectives.
    pub fn is_work(&self, phrase: &str) -> bool {
        !self.no_work.is_match(phrase) && self.noun_place(phrase).is_some()
    }

    fn noun_place(&self, phrase: &str) -> Option<usize> {
        for (place, word) in words(phrase).iter().take(WORDS_BEFORE_NOUN).enumerate() {
            let is_noun = self.noun.is_match(word) && !self.no_noun.is_match(word);
            if is_noun {
                return Some(place);
            }
            if !is_noun && !self.adjective.is_match(word) {
                return None;
            }
        }
        None
    }

    /// A phrase cut to the name of a work: without a marker, explanations and a final stop, its
    /// noun in the nominative where that is certain.
    pub fn clean(&self, phrase: &str) -> String {
        let mut name = phrase.trim();
        if let Some(marker) = self.marker.patterns.iter().find_map(|pattern| pattern.find(name)) {
            name = &name[marker.end()..];
        }
        if let Some(tail) = self.tail.patterns.iter().find_map(|pattern| pattern.find(name)) {
            name = &name[..tail.start()];
        }
        let name = name.trim_matches(|c: char| c.is_whitespace() || ".,;:–—-".contains(c));
        let short: String = name.chars().take(MAX_NAME).collect();
        let joined = short.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut letters = joined.chars();
        match letters.next() {
            Some(first) => first.to_uppercase().collect::<String>() + letters.as_str(),
            None => joined,
        }
    }

    /// The name of a work that a sentence mentions in some case («монтажа ферм» → «Монтаж ферм»).
    pub fn nominative(&self, phrase: &str) -> String {
        let name = self.clean(phrase);
        let Some(noun) = self.noun_place(&name) else { return name };
        let written: Vec<&str> = name.split(' ').collect();
        let adjectives = written.get(..noun).unwrap_or_default();
        // Of adjectives only the accusative of the feminine is certain («контрольную проверку»).
        if !adjectives.iter().all(|word| word.ends_with("ую")) {
            return name;
        }
        let adjective = |word: &&str| format!("{}ая", word.strip_suffix("ую").unwrap_or(word));
        let rest = written.iter().skip(noun + 1).map(|word| (*word).to_owned());
        let noun = written.get(noun).map(|word| nominative(word));
        adjectives.iter().map(adjective).chain(noun).chain(rest).collect::<Vec<_>>().join(" ")
    }

    /// The works that a phrase lists («приёмка арматуры и составление акта»).
    pub fn listed(&self, phrase: &str) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for piece in phrase.split(", ").flat_map(|piece| piece.split(" и ")) {
            match parts.last_mut() {
                Some(last) if !(self.is_work(piece) && self.is_work(last)) => {
                    let joint =
                        if phrase.contains(&format!("{last}, {piece}")) { ", " } else { " и " };
                    last.push_str(joint);
                    last.push_str(piece);
                }
                _ => parts.push(piece.to_owned()),
            }
        }
        parts
    }
}

/// Lower-case words with «е» for «ё»; hyphens stay inside words.
pub fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace('ё', "е");
    let words = lower.split(|c: char| !(c.is_alphanumeric() || c == '-'));
    words.map(|word| word.trim_matches('-').to_owned()).filter(|word| !word.is_empty()).collect()
}

/// The stems of the words that carry meaning: no prepositions, no «работы».
pub fn stems(text: &str) -> Vec<String> {
    let stemmer = Stemmer::create(Algorithm::Russian);
    let empty =
        ["для", "при", "под", "над", "или", "работ", "работы", "работа", "работам", "работе"];
    let words = words(text).into_iter().filter(|word| {
        let number = word.chars().all(|c| c.is_ascii_digit());
        number || (word.chars().count() > 2 && !empty.contains(&word.as_str()))
    });
    words.map(|word| stemmer.stem(&word).into_owned()).collect()
}

/// The form in which names are compared: stems in their order.
pub fn normal_form(text: &str) -> String {
    stems(text).join(" ")
}

/// Whether two names mean the same work: the same first noun, and every word of the shorter one
/// in the longer one. A single word means nothing by itself.
pub fn same_work(left: &[String], right: &[String]) -> bool {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    if short.len() < 2 {
        return short == long && !short.is_empty();
    }
    let long: BTreeSet<&String> = long.iter().collect();
    short.iter().all(|stem| long.contains(stem)) && left.first() == right.first()
}

/// The nominative of a verbal noun, for endings that allow one reading only.
fn nominative(word: &str) -> String {
    let endings = [
        ("ания", "ание"),
        ("анию", "ание"),
        ("анием", "ание"),
        ("ании", "ание"),
        ("ения", "ение"),
        ("ению", "ение"),
        ("ением", "ение"),
        ("ении", "ение"),
        ("ятия", "ятие"),
        ("ятию", "ятие"),
        ("ятием", "ятие"),
        ("монтажа", "монтаж"),
        ("монтажу", "монтаж"),
        ("монтажом", "монтаж"),
        ("устройства", "устройство"),
        ("устройству", "устройство"),
        ("устройством", "устройство"),
        ("набора", "набор"),
        ("ухода", "уход"),
        ("осмотра", "осмотр"),
        ("ремонта", "ремонт"),
        ("ки", "ка"),
        ("ке", "ка"),
        ("ку", "ка"),
        ("кой", "ка"),
        ("защиты", "защита"),
        ("защиту", "защита"),
        ("замены", "замена"),
        ("замену", "замена"),
        ("ляции", "ляция"),
        ("ляцию", "ляция"),
        ("ляцией", "ляция"),
    ];
    let lower = word.to_lowercase();
    for (ending, nominative) in endings {
        if lower.ends_with(ending) {
            let kept = word.chars().count().saturating_sub(ending.chars().count());
            let mut letters: String = word.chars().take(kept).collect();
            let first_is_upper = word.chars().next().is_some_and(char::is_uppercase);
            if letters.is_empty() && first_is_upper {
                let mut ending = nominative.chars();
                letters.extend(ending.next().into_iter().flat_map(char::to_uppercase));
                return letters + ending.as_str();
            }
            return letters + nominative;
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Names, normal_form, same_work, stems};
    use crate::rules::Rules;

    #[test]
    fn works_and_things() {
        let names = Names::of(Rules::shipped());
        for work in [
            "Монтаж ферм",
            "Контрольная профильная съемка стенок",
            "Антикоррозионная защита швов",
            "Укрупнительная сборка ферм",
            "разбивка осей",
            "уход за бетоном",
            "Приёмка арматуры",
        ] {
            assert!(names.is_work(work), "{work}");
        }
        for thing in [
            "Кран КС-55713",
            "Основание под фундамент",
            "Общие положения",
            "Перекрытие первого этажа",
            "Песок природный",
            "Требования к монтажу",
            "Критическая прочность",
        ] {
            assert!(!names.is_work(thing), "{thing}");
        }
    }

    #[test]
    fn names_are_cut_and_put_in_the_nominative() {
        let names = Names::of(Rules::shipped());
        assert_eq!(names.clean("2.1.3 Монтаж связей; болты М20"), "Монтаж связей");
        assert_eq!(names.nominative("монтажа ферм согласно проекту"), "Монтаж ферм");
        assert_eq!(names.nominative("бетонирования плиты."), "Бетонирование плиты");
        assert_eq!(names.nominative("укладкой смеси"), "Укладка смеси");
        assert_eq!(names.nominative("контрольную проверку швов"), "Контрольная проверка швов");
        let listed = names.listed("приёмка арматуры и составление акта о скрытых работах и швах");
        assert_eq!(listed, ["приёмка арматуры", "составление акта о скрытых работах и швах"]);
    }

    #[test]
    fn the_same_work_in_other_words() {
        assert_eq!(normal_form("Приёмка  АРМАТУРЫ"), normal_form("приемки арматуры"));
        let same = |left: &str, right: &str| same_work(&stems(left), &stems(right));
        assert!(same("бетонирования плиты", "Бетонирование плиты бетоном В25"));
        assert!(!same("Монтаж колонн", "Монтаж ферм"));
        assert!(!same("монтаж", "Монтаж ферм"));
        assert!(!same("устройство колонн", "Бетонирование: устройство колонн"));
    }
}
