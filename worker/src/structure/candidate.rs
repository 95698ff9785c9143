//! Lines that start with a number, and what the numbers after them say about them.

use super::StructureRules;
use super::line::{Line, Role, Shape};
use super::number::{End, Number, leading_number};
use super::sequence::follows;

/// A line that may open a clause or a section.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) number: Number,
    /// The text after the number.
    pub(super) rest: String,
    /// The first line of its block.
    pub(super) first: bool,
    /// The text starts with a capital letter or a quotation mark.
    pub(super) capital: bool,
    /// First in its block and followed by a capital.
    pub(super) strong: bool,
    /// A quantity, or the rest of a reference from the line above.
    pub(super) foreign: bool,
}

/// The candidates of a document, by line.
#[derive(Clone, Debug)]
pub(super) struct Candidates {
    by_line: Vec<Option<Candidate>>,
    /// Lines of candidates that are neither foreign nor items, in order.
    order: Vec<usize>,
}

/// How many following numbers are asked.
const LOOK_AHEAD: usize = 4;

impl Candidates {
    pub(super) fn of(rules: &StructureRules, lines: &[Line]) -> Candidates {
        let by_line: Vec<Option<Candidate>> =
            lines.iter().map(|line| candidate(rules, line)).collect();
        let countable = |candidate: &Candidate| {
            !candidate.foreign && candidate.number.end != End::Bracket && candidate.first
        };
        let order = by_line
            .iter()
            .enumerate()
            .filter(|(_, candidate)| candidate.as_ref().is_some_and(countable))
            .map(|(index, _)| index)
            .collect();
        Candidates { by_line, order }
    }

    pub(super) fn at(&self, line: usize) -> Option<&Candidate> {
        self.by_line.get(line)?.as_ref()
    }

    /// The candidates after a line, nearest first.
    fn after(&self, line: usize) -> impl Iterator<Item = (usize, &Candidate)> {
        let start = self.order.partition_point(|&index| index <= line);
        self.order[start..].iter().filter_map(|&index| Some((index, self.at(index)?)))
    }

    /// The number of the next candidate.
    pub(super) fn next_parts(&self, line: usize) -> Option<&[u32]> {
        self.after(line).next().map(|(_, next)| next.number.parts.as_slice())
    }

    /// Whether one of the next numbers goes on from this one.
    pub(super) fn supported(&self, line: usize, candidate: &Candidate) -> bool {
        self.after(line).take(LOOK_AHEAD).any(|(_, next)| {
            next.number.letter == candidate.number.letter
                && next.strong
                && follows(&candidate.number.parts, &next.number.parts)
        })
    }

    /// Whether the next number is the first child of this one («5» … «5.1»).
    pub(super) fn next_is_child(&self, line: usize, candidate: &Candidate) -> bool {
        self.after(line).next().is_some_and(|(_, next)| {
            let parts = next.number.parts.strip_prefix(candidate.number.parts.as_slice());
            next.number.letter == candidate.number.letter
                && parts.is_some_and(|rest| !rest.is_empty() && rest.iter().all(|&part| part <= 1))
        })
    }

    /// Whether the next candidate is a heading by its look with this number.
    pub(super) fn next_heading_is(&self, lines: &[Line], line: usize, number: u32) -> bool {
        self.after(line).next().is_some_and(|(index, next)| {
            next.number.parts == [number] && lines[index].looks_like_heading()
        })
    }

    /// Whether points («1. Text») and articles outweigh clauses with dots.
    pub(super) fn speak_for_an_act(&self, rules: &StructureRules, lines: &[Line]) -> bool {
        let articles = lines
            .iter()
            .filter(|line| line.role == Role::Text && rules.article.is_match(&line.text))
            .count();
        if articles >= 2 {
            return true;
        }
        let (mut dotted, mut points, mut last) = (0usize, 0usize, 0u32);
        for &index in &self.order {
            let Some(candidate) = self.at(index) else { continue };
            if lines[index].looks_like_heading() || !candidate.capital {
                continue;
            }
            if candidate.number.is_dotted() {
                dotted += 1;
            } else if candidate.number.end == End::Dot {
                let number = candidate.number.parts[0];
                points += usize::from(number == last.saturating_add(1));
                last = number;
            }
        }
        points >= 3 && dotted < points
    }

    /// Whether the document numbers its sections, so that bold lines are subheadings at most.
    pub(super) fn speak_for_numbered_sections(
        &self,
        rules: &StructureRules,
        lines: &[Line],
    ) -> bool {
        let dotted = self.order.iter().filter_map(|&index| self.at(index));
        let dotted = dotted.filter(|candidate| candidate.number.is_dotted() && candidate.capital);
        let chapters = lines.iter().filter(|line| {
            line.role == Role::Text
                && (rules.chapter.is_match(&line.text) || rules.article.is_match(&line.text))
        });
        dotted.count() >= 3 || chapters.count() >= 2
    }
}

fn candidate(rules: &StructureRules, line: &Line) -> Option<Candidate> {
    if line.role != Role::Text || line.shape == Shape::Footnote {
        return None;
    }
    let (number, rest) = leading_number(&line.text)?;
    let capital = rest.starts_with(|sign: char| sign.is_uppercase() || "«\"“„".contains(sign));
    let foreign = rules.quantity.is_match(rest) || rules.reference_start.is_match(rest);
    Some(Candidate {
        rest: rest.to_owned(),
        first: line.first,
        capital,
        strong: capital && line.first,
        foreign,
        number,
    })
}
