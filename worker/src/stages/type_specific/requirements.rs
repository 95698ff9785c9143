//! What a norm requires: sentences with their modality and limits, terms, and the act that
//! approved the norm.

use crate::rules::{Rule, Rules};
use crate::stages::rubern_markup::Markup;
use crate::structure::StructureRules;
use crate::works::lines::{Kind, Line, sentences};
use serde::Serialize;
use shared::structure::PageRange;

/// One requirement of a clause.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Requirement {
    /// Number of the clause; empty for text outside clauses.
    pub clause: String,
    /// The sentence; an item of a list with the words that introduce the list.
    pub text: String,
    /// `must`, `should`, `may` or `prohibited`.
    pub modality: String,
    /// Limits that the sentence sets.
    pub limits: Vec<Limit>,
    /// First and last page.
    pub pages: PageRange,
}

/// A parameter with its limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Limit {
    /// What is limited, as written; empty when the sentence does not begin with it.
    pub parameter: String,
    /// «не более», «не менее», …, as written.
    pub relation: String,
    /// A number or a range, as written.
    pub value: String,
    /// As written.
    pub unit: String,
}

/// A term and what it means.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Term {
    /// Number of the clause; empty when there is none.
    pub clause: String,
    /// The term.
    pub term: String,
    /// Its definition.
    pub definition: String,
    /// First and last page.
    pub pages: PageRange,
}

/// The act above a norm that put it in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ApprovingAct {
    /// Its first line.
    pub title: String,
    /// All of it.
    pub text: String,
    /// First and last page.
    pub pages: PageRange,
    /// So many parts of the body belong to it.
    #[serde(skip)]
    pub parts: usize,
}

/// All requirements, in reading order, from the part `start` of the body on.
pub(super) fn requirements(rules: &Rules, markup: &Markup, start: usize) -> Vec<Requirement> {
    let topic = rules.topic("modality");
    let binding: Vec<&Rule> =
        topic.rules.iter().filter(|rule| !rule.field("modality").is_empty()).collect();
    let modality = |text: &str| {
        binding.iter().find(|rule| rule.is_match(text)).map(|rule| rule.field("modality"))
    };
    let lines = super::texts(markup).lines(rules.topic("works").rule("marker"));
    let mut found: Vec<Requirement> = Vec::new();
    let mut clause = String::new();
    let mut part = usize::MAX;
    // The words that introduce a list, while its items last.
    let mut lead: Option<(String, &str)> = None;
    let about =
        |line: &&Line<'_>| line.kind != Kind::Heading && !about_terms(rules, markup, line.section);
    for line in lines.iter().filter(|line| line.part >= start).filter(about) {
        if line.part != part {
            (part, lead) = (line.part, None);
            clause = line.number.to_owned();
        }
        if line.kind == Kind::Item
            && let Some((words, binding)) = &lead
        {
            let text = format!("{words}: {}", line.text.trim_end_matches([';', '.']));
            // The item may forbid what the list allows; its own word counts.
            let modality = modality(line.text).unwrap_or(binding);
            found.push(requirement(
                topic.rule("value"),
                topic.rule("subject_end"),
                &clause,
                text,
                modality,
                line.pages,
            ));
            continue;
        }
        lead = None;
        for sentence in sentences(line.text) {
            let limits = limits(topic.rule("value"), topic.rule("subject_end"), sentence);
            let strict =
                limits.iter().any(|limit| limit.relation.to_lowercase().starts_with("не "));
            let Some(modality) = modality(sentence).or(strict.then_some("must")) else { continue };
            if let Some(words) = sentence.strip_suffix(':') {
                lead = Some((words.to_owned(), modality));
            }
            found.push(Requirement {
                clause: clause.clone(),
                text: sentence.to_owned(),
                modality: modality.to_owned(),
                limits,
                pages: line.pages,
            });
        }
    }
    // The words above a list are no requirement of their own once its items are.
    let introduces = |found: &[Requirement], place: usize| {
        let words = found[place].text.strip_suffix(':');
        words.is_some_and(|words| {
            found.get(place + 1).is_some_and(|next| next.text.starts_with(words))
        })
    };
    let kept: Vec<bool> = (0..found.len()).map(|place| !introduces(&found, place)).collect();
    let mut kept = kept.into_iter();
    found.retain(|_| kept.next().unwrap_or(true));
    found
}

fn requirement(
    value: &Rule,
    end: &Rule,
    clause: &str,
    text: String,
    modality: &str,
    pages: PageRange,
) -> Requirement {
    let mut limits = limits(value, end, &text);
    // «не должна превышать: - 5 °С/ч при …»: the relation stands before the colon.
    if limits.is_empty()
        && let Some((words, item)) = text.split_once(": ")
    {
        let relation = [
            "не должна превышать",
            "не должно превышать",
            "не должны превышать",
            "не должен превышать",
            "не более",
            "не менее",
        ]
        .into_iter()
        .find(|relation| words.to_lowercase().ends_with(relation));
        if let Some(relation) = relation {
            let item = item.trim_start_matches(['-', '–', '—', ' ']);
            limits = self::limits(value, end, &format!("{words} {item}"));
            limits.retain(|limit| limit.relation.to_lowercase().ends_with(relation));
        }
    }
    Requirement { clause: clause.to_owned(), text, modality: modality.to_owned(), limits, pages }
}

fn limits(value: &Rule, end: &Rule, sentence: &str) -> Vec<Limit> {
    let Some(pattern) = value.patterns.first() else { return Vec::new() };
    let subject = end.patterns.iter().find_map(|pattern| pattern.find(sentence));
    let subject = subject.map_or("", |end| &sentence[..end.start()]).trim();
    let short = subject.split_whitespace().count() <= 14;
    let limit = |found: regex::Captures<'_>| Limit {
        parameter: if short { subject.to_owned() } else { String::new() },
        relation: found["relation"].split_whitespace().collect::<Vec<_>>().join(" "),
        value: found["value"].to_owned(),
        unit: found["unit"].to_owned(),
    };
    pattern.captures_iter(sentence).map(limit).collect()
}

/// Definitions in the sections about terms.
pub(super) fn terms(rules: &Rules, markup: &Markup) -> Vec<Term> {
    let topic = rules.topic("modality");
    let lines = super::texts(markup).lines(rules.topic("works").rule("marker"));
    let lines = lines
        .iter()
        .filter(|line| line.kind != Kind::Heading && about_terms(rules, markup, line.section));
    lines
        .filter_map(|line| {
            let found = topic.rule("term").captures(line.text)?;
            let term =
                found["term"].trim_matches(|c: char| !c.is_alphanumeric() && c != ')').to_owned();
            // «применены следующие термины: …» introduces terms and defines none.
            let introduces = topic.rule("terms_section").is_match(&term);
            (!introduces && term.split_whitespace().count() <= 12).then(|| Term {
                clause: line.number.to_owned(),
                term,
                definition: found["definition"].trim().to_owned(),
                pages: line.pages,
            })
        })
        .collect()
}

/// Whether a section or one above it defines terms.
fn about_terms(rules: &Rules, markup: &Markup, section: Option<usize>) -> bool {
    let title = rules.topic("modality").rule("terms_section");
    let mut next = section;
    while let Some(section) = next.and_then(|index| markup.sections.get(index)) {
        if title.is_match(&section.title) {
            return true;
        }
        // A parent always stands before its child.
        next = section.parent.filter(|parent| Some(*parent) < next);
    }
    false
}

/// The act above the approved text, when there is one.
pub(super) fn approving_act(rules: &Rules, markup: &Markup) -> Option<ApprovingAct> {
    let title = rules.topic("modality").rule("approving_act");
    let approval = StructureRules::of(rules).approval;
    let lines = super::texts(markup).lines(rules.topic("works").rule("marker"));
    let end = lines.iter().position(|line| approval.is_match(line.text.trim()))?;
    let above = &lines[..end];
    let first = above.iter().position(|line| title.is_match(line.text.trim()))?;
    let (first_line, last) = (above.get(first)?, above.last()?);
    let text = above[first..].iter().map(|line| match line.number {
        "" => line.text.to_owned(),
        number => format!("{number} {}", line.text),
    });
    Some(ApprovingAct {
        title: first_line.text.trim().to_owned(),
        text: text.collect::<Vec<_>>().join("\n"),
        pages: [first_line.pages[0], last.pages[1]],
        parts: last.part + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::{approving_act, requirements, terms};
    use crate::rules::Rules;
    use crate::stages::rubern_markup::{Markup, Part, Passage};
    use shared::structure::{Clause, Section};

    fn clauses(clauses: &[(&str, &str)]) -> Markup {
        let clause = |(number, text): &(&str, &str)| Clause {
            number: (*number).to_owned(),
            text: (*text).to_owned(),
            section: Some(0),
            pages: [7, 7],
        };
        Markup {
            sections: vec![Section { title: "Рвы".to_owned(), level: 1, ..Section::default() }],
            clauses: clauses.iter().map(clause).collect(),
            parts: (0..clauses.len()).map(Part::Clause).collect(),
            ..Markup::default()
        }
    }

    fn check(text: &str, modality: &str, limit: Option<(&str, &str, &str, &str)>) {
        let found = requirements(Rules::shipped(), &clauses(&[("5.1", text)]), 0);
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(
            (found[0].modality.as_str(), found[0].clause.as_str()),
            (modality, "5.1"),
            "{text}"
        );
        let first = found[0].limits.first();
        let first = first.map(|l| {
            (l.parameter.as_str(), l.relation.as_str(), l.value.as_str(), l.unit.as_str())
        });
        assert_eq!(first, limit, "{text}");
    }

    #[test]
    fn modality_and_limits() {
        check(
            "Глубина рва не должна превышать 4,5 м.",
            "must",
            Some(("Глубина рва", "не должна превышать", "4,5", "м")),
        );
        check(
            "Толщина слоя — не менее 20 мм.",
            "must",
            Some(("Толщина слоя", "не менее", "20", "мм")),
        );
        check("Дно рва следует уплотнять.", "must", None);
        check("Рвы рекомендуется обсаживать.", "should", None);
        check("Допускается вести рытьё вручную.", "may", None);
        check("Запрещается ходить по дну.", "prohibited", None);
        check("Откосы не должны осыпаться.", "prohibited", None);
    }

    #[test]
    fn items_carry_the_words_of_their_lead() {
        let found = requirements(
            Rules::shipped(),
            &clauses(&[("5.4", "Уклон дна не должен превышать:\n- 5 % в песке;\n- 9 % в глине.")]),
            0,
        );
        let texts: Vec<&str> = found.iter().map(|found| found.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "Уклон дна не должен превышать: - 5 % в песке",
                "Уклон дна не должен превышать: - 9 % в глине"
            ]
        );
        assert_eq!(
            (found[1].limits[0].value.as_str(), found[1].limits[0].unit.as_str()),
            ("9", "%")
        );
    }

    #[test]
    fn plain_statements_require_nothing() {
        assert!(
            requirements(
                Rules::shipped(),
                &clauses(&[("1.1", "Нормы касаются рвов глубиной от 2 до 5 м.")]),
                0
            )
            .is_empty()
        );
    }

    #[test]
    fn terms_of_their_section_only() {
        let mut markup = clauses(&[
            ("3.1", "Ров: Выемка с двумя откосами."),
            ("3.2", "В нормах применены термины: следующие ниже."),
        ]);
        markup.sections[0].title = "Термины и определения".to_owned();
        let found = terms(Rules::shipped(), &markup);
        assert_eq!(found.len(), 1);
        assert!(requirements(Rules::shipped(), &markup, 0).is_empty());
        assert_eq!(
            (found[0].term.as_str(), found[0].definition.as_str()),
            ("Ров", "Выемка с двумя откосами.")
        );
        let other = clauses(&[("4.1", "Ров: Выемка с двумя откосами.")]);
        assert!(terms(Rules::shipped(), &other).is_empty());
    }

    #[test]
    fn the_act_is_split_off() {
        let passage = |text: &str| {
            Part::Passage(Passage { text: text.to_owned(), section: None, pages: [1, 1] })
        };
        let markup = Markup {
            parts: vec![
                passage("ПРИКАЗ\nо рвах\nКонтроль должен вести отдел."),
                passage("УТВЕРЖДЕНЫ\nНормы о рвах"),
                passage("Дно рва следует уплотнять."),
            ],
            ..Markup::default()
        };
        let act = approving_act(Rules::shipped(), &markup).unwrap();
        assert_eq!((act.title.as_str(), act.parts), ("ПРИКАЗ", 1));
        let found = requirements(Rules::shipped(), &markup, act.parts);
        assert_eq!(found.len(), 1);
        assert_eq!(approving_act(Rules::shipped(), &Markup::default()), None);
    }
}
