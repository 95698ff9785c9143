//! Lines that start with a number: a clause, a heading, an item, or text.

use super::Reader;
use crate::structure::candidate::Candidate;
use crate::structure::heading::{self, Heading, NUMBERED};
use crate::structure::line::{ClauseStart, Role};
use crate::structure::number::End;
use crate::structure::rules::is_one_of;
use crate::structure::scope::Scope;
use crate::structure::sequence::Fit;

impl Reader<'_> {
    /// «5.10 …», «А.1 …».
    pub(super) fn dotted(&mut self, index: usize, candidate: &Candidate) -> Role {
        if candidate.foreign || self.front_matter && !candidate.strong {
            return Role::Text;
        }
        let (first, set_apart) = (self.lines[index].first, self.lines[index].looks_like_heading());
        let parts = candidate.number.parts.as_slice();
        let is_heading = self.dotted_heading(index, candidate);
        let scope = match candidate.number.letter.map(heading::cyrillic) {
            Some(letter) if self.scopes[self.scope].prefix != letter.to_string() => {
                if !self.candidates.supported(index, candidate) {
                    return Role::Text;
                }
                self.enter(Scope { prefix: letter.to_string(), ..Scope::default() })
            }
            _ => self.scope,
        };
        let address = candidate.number.address();
        let own_numbers = self.act && is_heading;
        let sequence = if own_numbers { &mut self.headings } else { &mut self.clauses };
        let fit = sequence.fit(parts);
        let repeated = sequence.seen.contains(&address);
        let supported = self.candidates.supported(index, candidate);
        let mut expected = None;
        let accepted = match fit {
            Fit::Next => first || candidate.capital,
            Fit::Near => candidate.strong,
            Fit::Far => {
                expected = (candidate.strong && parts.len() > 2)
                    .then(|| self.candidates.next_parts(index))
                    .flatten()
                    .and_then(|following| sequence.misprinted(parts, following));
                candidate.strong && (supported || expected.is_some())
            }
        };
        let quoted = repeated && !(set_apart || fit == Fit::Next);
        if !accepted || quoted {
            return Role::Text;
        }
        sequence.last = expected.clone().unwrap_or_else(|| parts.to_vec());
        sequence.seen.insert(address.clone());
        let expected = expected.map(|parts| join(&parts));
        let start = ClauseStart { address: address.clone(), scope, expected };
        if !is_heading {
            return Role::Clause(start);
        }
        let depth = i32::try_from(parts.len()).unwrap_or_default();
        Role::Heading(Heading {
            number: self.scopes[scope].letter_address(&address),
            title: candidate.rest.clone(),
            written: self.lines[index].text.clone(),
            rank: NUMBERED + depth + i32::from(candidate.number.letter.is_some()),
            clause: Some(start),
            ..Heading::default()
        })
    }

    /// «4.2 Функциональные требования» is a heading by its look or by its sub-clauses.
    fn dotted_heading(&self, index: usize, candidate: &Candidate) -> bool {
        if !heading::is_title(&candidate.rest) || candidate.number.end == End::Bracket {
            return false;
        }
        let line = &self.lines[index];
        let length = candidate.rest.chars().count();
        let has_children = self.candidates.next_is_child(index, candidate);
        let sentence = candidate.rest.ends_with('.');
        if line.looks_like_heading() {
            return length <= 120 || !sentence;
        }
        length <= 120 && !sentence && has_children
    }

    /// «5 Водопонижение», «5. Text», «5) item».
    pub(super) fn single(&mut self, index: usize, candidate: &Candidate) -> Role {
        let line = &self.lines[index];
        let dashed = candidate.rest.starts_with(['-', '–', '—']);
        if candidate.number.end == End::Bracket || dashed {
            return Role::Item;
        }
        if candidate.foreign || !line.first || candidate.rest.is_empty() {
            return Role::Text;
        }
        if self.rules.front_matter_item.is_match(&candidate.rest) {
            return Role::Item;
        }
        if self.single_heading(index, candidate) {
            return Role::Heading(self.numbered_heading(index, candidate));
        }
        if self.act && (candidate.number.end == End::Dot || candidate.number.inserted.is_some()) {
            return self.point(index, candidate);
        }
        Role::Item
    }

    fn single_heading(&self, index: usize, candidate: &Candidate) -> bool {
        let line = &self.lines[index];
        if !heading::is_title(&candidate.rest) || !candidate.capital {
            return false;
        }
        let number = candidate.number.parts[0];
        let sequence = if self.act { &self.headings } else { &self.clauses };
        let expected = sequence.section().map_or(1, |section| section.saturating_add(1));
        let known = is_one_of(self.rules.titles, &candidate.rest);
        let children = self.candidates.next_is_child(index, candidate);
        if self.front_matter && !known && !children && number != 1 {
            return false;
        }
        if line.looks_like_heading() {
            let sentence = candidate.rest.ends_with('.') && candidate.rest.chars().count() > 100;
            let section = sequence.section().unwrap_or_default();
            let near = number > section && number <= section.saturating_add(3);
            return !sentence && (number == expected || near || known && number > section);
        }
        let follower = self.candidates.next_heading_is(&self.lines, index, number + 1);
        let follower = self.trust_numbers && follower && candidate.rest.chars().count() <= 120;
        let sentence = candidate.rest.ends_with('.');
        number == expected && (known || !sentence && (children || follower))
    }

    fn numbered_heading(&mut self, index: usize, candidate: &Candidate) -> Heading {
        let parts = candidate.number.parts.clone();
        let address = candidate.number.address();
        let sequence = if self.act { &mut self.headings } else { &mut self.clauses };
        sequence.last = parts;
        Heading {
            number: self.scopes[self.scope].letter_address(&address),
            title: candidate.rest.clone(),
            written: self.lines[index].text.clone(),
            rank: NUMBERED + 1,
            ..Heading::default()
        }
    }

    /// A point of an act or a part of an article: «5. Text».
    fn point(&mut self, index: usize, candidate: &Candidate) -> Role {
        let parts = candidate.number.parts.as_slice();
        let inserted = candidate.number.inserted.is_some()
            && self.clauses.section() == candidate.number.parts.first().copied();
        let fit = if inserted { Fit::Next } else { self.clauses.fit(parts) };
        let address = candidate.number.address();
        let restarts = parts == [1] && !self.clauses.last.is_empty();
        if restarts {
            let title = self.candidates.next_parts(index).is_some_and(|next| next == [2]);
            if self.approved && title {
                self.approved = false;
                let prefix = "приложение".to_owned();
                self.enter(Scope { prefix, unit: "пункт", approved: true });
            } else if title && !self.section_label.is_empty() {
                let prefix = std::mem::take(&mut self.section_label).to_lowercase();
                self.enter(Scope { prefix, unit: "пункт", ..Scope::default() });
            } else {
                return Role::Item;
            }
        } else {
            let accepted = match fit {
                Fit::Next => candidate.strong,
                Fit::Near => candidate.strong && !self.clauses.seen.contains(&address),
                Fit::Far => candidate.strong && self.clauses.last.is_empty(),
            };
            if !accepted || self.clauses.seen.contains(&address) {
                return Role::Item;
            }
        }
        self.clauses.last = parts.to_vec();
        self.clauses.seen.insert(address.clone());
        self.section_label.clear();
        Role::Clause(ClauseStart { address, scope: self.scope, expected: None })
    }
}

fn join(parts: &[u32]) -> String {
    parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}
