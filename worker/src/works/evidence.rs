//! Where a document says what comes before what: lists introduced as sequences, numbered stages,
//! and phrases.

use super::lines::{Kind, Line, sentences};
use super::name::Names;
use crate::rules::{Rule, Rules};
use shared::structure::PageRange;

/// Works that the document puts one after another.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Names in their order, with their pages and sections.
    pub steps: Vec<Step>,
    /// The words that introduce it; empty for stages.
    pub lead: String,
    /// The steps belong to this section alone (steps of an estimate norm).
    pub own: bool,
}

/// A step of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The name of the work.
    pub name: String,
    /// The line as written.
    pub written: String,
    /// Number of the stage; empty for list items.
    pub number: String,
    /// Its pages.
    pub pages: PageRange,
    /// Index into the sections.
    pub section: Option<usize>,
}

/// A sentence that says that one work comes before another.
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase {
    /// The earlier works, in the nominative where that is certain.
    pub earlier: Vec<String>,
    /// The later work.
    pub later: String,
    /// The sentence.
    pub evidence: String,
    /// Its pages.
    pub pages: PageRange,
    /// Index into the sections.
    pub section: Option<usize>,
}

/// Lists whose lead or heading says that they are sequences.
pub fn sequences(rules: &Rules, lines: &[Line<'_>]) -> Vec<Sequence> {
    let topic = rules.topic("works");
    let (lead, heading, own) =
        (topic.rule("sequence_lead"), topic.rule("sequence_heading"), topic.rule("own_steps"));
    let names = Names::of(rules);
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let leads = match line.kind {
            Kind::Heading => heading.is_match(line.text) || lead.is_match(line.text),
            _ => lead.is_match(line.text),
        };
        if !leads {
            continue;
        }
        let steps: Vec<Step> = items(line, &lines[index + 1..])
            .map(|item| step(&names, item, item.text, ""))
            .filter(|step| !step.name.is_empty())
            .collect();
        let works = steps.iter().filter(|step| names.is_work(&step.name)).count();
        // Most items must be works: a sequence of documents or of people is none of works.
        if steps.len() >= 2 && works * 2 >= steps.len() {
            let own = own.is_match(line.text);
            found.push(Sequence { steps, lead: line.text.to_owned(), own });
        }
    }
    found
}

/// The items that a lead introduces: sub-clauses of its clause, or the list below it.
fn items<'l, 'a>(lead: &'l Line<'a>, below: &'l [Line<'a>]) -> impl Iterator<Item = &'l Line<'a>> {
    let prefix = format!("{}.", lead.number);
    let child = move |line: &Line<'_>| !lead.number.is_empty() && line.number.starts_with(&prefix);
    let by_number = below.first().is_some_and(&child);
    below.iter().take_while(move |line| {
        if by_number { child(line) || line.kind == Kind::Item } else { line.kind == Kind::Item }
    })
}

fn step(names: &Names<'_>, line: &Line<'_>, text: &str, number: &str) -> Step {
    let name = sentences(text)
        .into_iter()
        .map(|sentence| names.clean(sentence))
        .find(|name| name.chars().count() > 3);
    Step {
        name: name.unwrap_or_default(),
        written: line.text.to_owned(),
        number: number.to_owned(),
        pages: line.pages,
        section: line.section,
    }
}

/// Numbered stages («Этап 1. …»): each run of numbers 1, 2, 3 … is a sequence.
pub fn stages(rules: &Rules, lines: &[Line<'_>]) -> Vec<Sequence> {
    let rule = rules.topic("works").rule("stage");
    let names = Names::of(rules);
    let mut runs: Vec<Sequence> = Vec::new();
    let mut last = 0;
    for line in lines {
        let Some(captures) = rule.captures(line.text) else { continue };
        let (written, name) = (&captures["number"], &captures["name"]);
        let Some(number) = stage_number(written) else { continue };
        let step = step(&names, line, name, written);
        if step.name.is_empty() || !step.name.chars().any(char::is_alphabetic) {
            continue;
        }
        if number == last + 1 && !runs.is_empty() {
            runs.last_mut().into_iter().for_each(|run| run.steps.push(step.clone()));
        } else if number == 1 {
            runs.push(Sequence { steps: vec![step], lead: String::new(), own: false });
        } else {
            // A stage mentioned again, or a gap: no statement about order.
            continue;
        }
        last = number;
    }
    runs
}

fn stage_number(written: &str) -> Option<u32> {
    let roman = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"];
    let place = roman.iter().position(|number| *number == written.to_uppercase());
    place.and_then(|place| u32::try_from(place + 1).ok()).or_else(|| written.parse().ok())
}

/// All phrases of the text, in reading order.
pub fn phrases(rules: &Rules, lines: &[Line<'_>]) -> Vec<Phrase> {
    let topic = rules.topic("works");
    let kinds = ["depends", "before", "after", "precedes", "starts_with"].map(|id| topic.rule(id));
    let names = Names::of(rules);
    let mut found = Vec::new();
    for line in lines.iter().filter(|line| line.kind != Kind::Heading) {
        for sentence in sentences(line.text) {
            found.extend(phrase(&names, &kinds, sentence, line));
        }
    }
    found
}

fn phrase(names: &Names<'_>, kinds: &[&Rule], sentence: &str, line: &Line<'_>) -> Option<Phrase> {
    let plain = sentence.trim_end_matches(['.', ';', ':']);
    kinds.iter().find_map(|rule| {
        let captures = rule.captures(plain)?;
        let clean = |group: &str| Some(names.clean(captures.name(group)?.as_str()));
        let (earlier, later) = (clean("earlier")?, clean("later")?);
        let later = names.nominative(without_work_on(&later));
        let earlier: Vec<String> = names
            .listed(&earlier)
            .iter()
            .map(|name| names.nominative(without_work_on(name)))
            .filter(|name| is_named(names, name))
            .collect();
        (!earlier.is_empty() && is_named(names, &later)).then(|| Phrase {
            earlier,
            later,
            evidence: sentence.to_owned(),
            pages: line.pages,
            section: line.section,
        })
    })
}

/// «работ по монтажу ферм» is about «монтаж ферм».
fn without_work_on(name: &str) -> &str {
    let prefixes =
        ["Работы по ", "Работу по ", "Работ по ", "Работам по ", "работ по ", "работы по "];
    prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// A work with at least two words: a lone noun or a pronoun says nothing about which work.
fn is_named(names: &Names<'_>, name: &str) -> bool {
    let count = name.split_whitespace().count();
    (2..=16).contains(&count) && names.is_work(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, kind: Kind, number: &'static str) -> Line<'static> {
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        Line { text, number, kind, section: None, pages: [1, 1], part: 0 }
    }

    fn check(sentence: &str, expected: &[(&str, &str)]) {
        let found = phrases(Rules::shipped(), &[line(sentence, Kind::Text, "")]);
        let pairs: Vec<(&str, &str)> = found
            .iter()
            .flat_map(|phrase| {
                phrase.earlier.iter().map(|earlier| (earlier.as_str(), phrase.later.as_str()))
            })
            .collect();
        assert_eq!(pairs, expected, "{sentence}");
    }

    #[test]
    fn phrases_say_what_comes_first() {
        check("Монтаж балок зависит от монтажа стоек.", &[("Монтаж стоек", "Монтаж балок")]);
        check("Сборка щитов предшествует укладке смеси.", &[("Сборка щитов", "Укладка смеси")]);
        check("После вязки сеток выполняют укладку смеси.", &[("Вязка сеток", "Укладка смеси")]);
        check(
            "До начала укладки смеси должны быть выполнены вязка сеток и промывка щитов.",
            &[("Вязка сеток", "Укладка смеси"), ("Промывка щитов", "Укладка смеси")],
        );
        check(
            "Окраску ворот выполняют только после сушки стен.",
            &[("Сушка стен", "Окраска ворот")],
        );
        check("Монтаж рам начинают с разбивки осей.", &[("Разбивка осей", "Монтаж рам")]);
    }

    #[test]
    fn other_sentences_say_nothing() {
        check("Монтаж балок похож на монтаж стоек.", &[]);
        check("После этого выполняют уборку.", &[]);
        check("После дождя следует проверить лотки.", &[]);
        check("Раздел 2 следует за разделом 1.", &[]);
    }

    #[test]
    fn stages_run_from_one() {
        let lines: Vec<Line> = [
            "Этап 1. Рытьё рва. Продолжительность 2 дня.",
            "Текст",
            "Этап 2. Отсыпка дна",
            "Этап 2. Снова",
            "Этап 1. Снос стен",
        ]
        .iter()
        .map(|text| line(text, Kind::Text, ""))
        .collect();
        let runs = stages(Rules::shipped(), &lines);
        assert_eq!(runs.len(), 2);
        assert_eq!(
            runs[0].steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(),
            ["Рытьё рва", "Отсыпка дна"]
        );
    }

    #[test]
    fn lists_are_sequences_only_when_they_say_so() {
        let rules = Rules::shipped();
        let clauses = [
            line("Работы ведут в следующей последовательности:", Kind::Clause, "2.1"),
            line("Разметка осей", Kind::Clause, "2.1.1"),
            line("Монтаж стоек", Kind::Clause, "2.1.2"),
            line("Сдача объекта", Kind::Clause, "2.2"),
        ];
        let found = sequences(rules, &clauses);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].steps.len(), 2);
        let plain = [
            line("В составе работ:", Kind::Text, ""),
            line("- монтаж стоек;", Kind::Item, ""),
            line("- монтаж балок.", Kind::Item, ""),
        ];
        assert!(sequences(rules, &plain).is_empty());
        let steps = [
            line("Состав работ:", Kind::Text, ""),
            line("1. Снятие крышки.", Kind::Item, ""),
            line("2. Установка крышки.", Kind::Item, ""),
        ];
        assert!(sequences(rules, &steps)[0].own);
    }
}
