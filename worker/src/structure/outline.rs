//! Reads the outline of a document: one pass over its lines that decides, from what a line looks
//! like and from the numbers before and after it, which lines open sections and clauses.

use super::candidate::{Candidate, Candidates};
use super::heading::{self, Form, Heading, NUMBERED};
use super::line::{self, ClauseStart, Line, Role, Shape};
use super::number::End;
use super::rules::{is_one_of, title_form};
use super::scope::{Scope, name_approved_texts};
use super::sequence::{Fit, Sequence};
use super::{StructureRules, caption, contents};
use crate::extracted::Extracted;
use crate::rules::Rules;
use extractor::model::BlockKind;
use shared::structure::DocumentType;

/// The lines of a document with their roles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// In reading order.
    pub lines: Vec<Line>,
    /// The numbering spaces; the first is that of the document's start.
    pub scopes: Vec<Scope>,
}

/// Reads the outline. Without `trust_numbers` a plain line with a number is a heading only when
/// clauses of that number follow or its words are known as a title.
pub fn outline(
    rules: &Rules,
    extracted: &Extracted,
    document_type: &DocumentType,
    trust_numbers: bool,
) -> Outline {
    let rules = StructureRules::of(rules);
    let mut lines = line::lines(extracted);
    contents::mark(&rules, &mut lines, |line| cells(extracted, line));
    caption::mark(&rules, &mut lines);
    let candidates = Candidates::of(&rules, &lines);
    let acts_possible = !rules.families_without_acts.contains(&document_type.family);
    let act = acts_possible && candidates.speak_for_an_act(&rules, &lines);
    let numbered = act || candidates.speak_for_numbered_sections(&rules, &lines);
    let mut reader = Reader {
        rules,
        extracted,
        lines,
        candidates,
        act,
        numbered,
        trust_numbers,
        started: false,
        front_matter: false,
        approved: false,
        scopes: vec![Scope::default()],
        scope: 0,
        outer_scope: 0,
        headings: Sequence::default(),
        clauses: Sequence::default(),
        roman: None,
        section_label: String::new(),
    };
    reader.read();
    name_approved_texts(&rules, &reader.lines, &mut reader.scopes);
    Outline { lines: reader.lines, scopes: reader.scopes }
}

/// The texts of the cells of a table's line.
pub(super) fn cells<'e>(extracted: &'e Extracted, line: &Line) -> Vec<&'e str> {
    let (page, block) = line.block;
    match extracted.pages.get(page).and_then(|page| page.blocks.get(block)).map(|b| &b.kind) {
        Some(BlockKind::Table(table)) => table
            .rows
            .iter()
            .flatten()
            .map(String::as_str)
            .filter(|cell| !cell.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}

/// Tables with more text than this are no place for «Утверждён приказом …».
const APPROVAL_CELLS: usize = 4;
/// How many lines a heading may have.
const HEADING_LINES: usize = 8;

struct Reader<'a> {
    rules: StructureRules<'a>,
    extracted: &'a Extracted,
    lines: Vec<Line>,
    candidates: Candidates,
    /// «1. Text …» is a clause, not a list.
    act: bool,
    /// The document numbers its sections.
    numbered: bool,
    trust_numbers: bool,
    /// The title page is over.
    started: bool,
    /// Under «Предисловие»: numbered lines tell who made the document.
    front_matter: bool,
    /// «УТВЕРЖДЕНО» was read: the next title opens a text of its own.
    approved: bool,
    scopes: Vec<Scope>,
    scope: usize,
    /// The scope in which the articles stand.
    outer_scope: usize,
    /// Numbers of headings; in an act apart from those of clauses.
    headings: Sequence,
    clauses: Sequence,
    roman: Option<u32>,
    /// The number of the section, for clauses that are counted anew in it.
    section_label: String,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut index = 0;
        while index < self.lines.len() {
            let taken = match self.lines[index].role {
                Role::Text => self.read_line(index),
                Role::Table => self.read_table(index),
                _ => 1,
            };
            index += taken;
        }
    }

    fn read_table(&mut self, index: usize) -> usize {
        if self.act && !self.approved && !self.clauses.last.is_empty() {
            let cells = cells(self.extracted, &self.lines[index]);
            let approval = cells.len() <= APPROVAL_CELLS
                && cells.iter().any(|cell| cell.lines().any(|l| self.rules.approval.is_match(l)));
            self.approved = approval;
        }
        1
    }

    /// Decides about a line; returns how many lines it took.
    fn read_line(&mut self, index: usize) -> usize {
        let line = &self.lines[index];
        if let Some(heading) = heading::appendix(&self.rules, line) {
            return self.open(index, heading);
        }
        if self.act && !self.clauses.last.is_empty() {
            if self.rules.approval.is_match(&line.text) {
                self.approved = true;
                self.lines[index].role = Role::Break;
                return 1;
            }
            if self.rules.signature.is_match(&line.text) {
                self.lines[index].role = Role::Break;
                return 1;
            }
            if self.approved && opens_approved_text(line) {
                return self.open_approved(index);
            }
        }
        if let Some(heading) = heading::chapter(&self.rules, line) {
            return self.open(index, heading);
        }
        if let Some(candidate) = self.candidates.at(index).cloned() {
            let role = if candidate.number.is_dotted() {
                self.dotted(index, &candidate)
            } else {
                self.single(index, &candidate)
            };
            return match role {
                Role::Heading(heading) => self.open(index, heading),
                role => {
                    if let Role::Clause(_) = role {
                        self.started = true;
                    }
                    self.lines[index].role = role;
                    1
                }
            };
        }
        if let Some((heading, value)) = heading::roman_section(&self.rules, line, self.roman) {
            self.roman = Some(value);
            return self.open(index, heading);
        }
        if let Some(heading) = heading::titled(&self.rules, line, self.numbered, self.started) {
            return self.open(index, heading);
        }
        if line.shape == Shape::ListItem || self.rules.list_item.is_match(&line.text) {
            self.lines[index].role = Role::Item;
        }
        1
    }

    /// «5.10 …», «А.1 …».
    fn dotted(&mut self, index: usize, candidate: &Candidate) -> Role {
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
    fn single(&mut self, index: usize, candidate: &Candidate) -> Role {
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
        number == expected && !candidate.rest.ends_with('.') && (children || known || follower)
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

    /// The title of the text that was approved: a section at the top with its own numbers.
    fn open_approved(&mut self, index: usize) -> usize {
        self.approved = false;
        let line = &self.lines[index];
        let heading = Heading {
            title: line.text.clone(),
            written: line.text.clone(),
            top: true,
            form: Form::Titled,
            ..Heading::default()
        };
        let name = line.text.split_whitespace().next().unwrap_or_default();
        let scope = Scope { prefix: title_form(name), unit: "пункт", approved: true };
        self.enter(scope);
        self.outer_scope = self.scope;
        self.headings = Sequence::default();
        self.roman = None;
        self.open(index, heading)
    }

    /// Starts a numbering space.
    fn enter(&mut self, scope: Scope) -> usize {
        self.scopes.push(scope);
        self.scope = self.scopes.len() - 1;
        self.clauses = Sequence::default();
        self.scope
    }

    /// Opens a section at this line and takes the lines that its heading goes on in.
    fn open(&mut self, index: usize, mut heading: Heading) -> usize {
        self.started = true;
        match heading.form {
            Form::Appendix => {
                let unit = if heading.number.chars().count() == 1 { "" } else { "пункт" };
                let prefix = match unit {
                    "" => heading.number.clone(),
                    _ => heading.number.to_lowercase(),
                };
                self.enter(Scope { prefix, unit, ..Scope::default() });
                self.headings = Sequence::default();
                self.roman = None;
                self.approved = false;
            }
            Form::Article => {
                let number = heading.number.to_lowercase();
                let prefix = self.scopes[self.outer_scope].address(&number);
                heading.clause =
                    Some(ClauseStart { address: number, scope: self.outer_scope, expected: None });
                self.enter(Scope { prefix, unit: "часть", ..Scope::default() });
            }
            Form::Chapter | Form::Roman => {
                self.section_label = match heading.form {
                    Form::Roman => format!("раздел {}", heading.number),
                    _ => heading.number.clone(),
                };
                if !self.act && !self.numbered {
                    self.clauses = Sequence::default();
                }
                if heading.form == Form::Chapter {
                    self.roman = None;
                }
            }
            Form::Numbered | Form::Titled => {}
        }
        self.front_matter = match heading.form {
            Form::Titled => {
                is_one_of(self.rules.front_matter, &heading.title)
                    || (self.front_matter && !heading.top)
            }
            _ => false,
        };
        let mut end = index + 1;
        while end < self.lines.len().min(index + HEADING_LINES)
            && self.goes_on(index, end, &heading)
        {
            let text = self.lines[end].text.clone();
            for part in [&mut heading.title, &mut heading.written] {
                if !part.is_empty() {
                    part.push(' ');
                }
                part.push_str(&text);
            }
            self.lines[end].role = Role::HeadingRest;
            end += 1;
        }
        self.lines[index].role = Role::Heading(heading);
        end - index
    }

    /// Whether the line at `next` belongs to the heading that starts at `index`.
    fn goes_on(&self, index: usize, next: usize, heading: &Heading) -> bool {
        let (first, line) = (&self.lines[index], &self.lines[next]);
        if line.role != Role::Text
            || self.candidates.at(next).is_some_and(|candidate| candidate.first)
            || self.rules.list_item.is_match(&line.text)
            || heading::appendix(&self.rules, line).is_some()
            || heading::chapter(&self.rules, line).is_some()
            || heading.written.chars().count() + line.text.chars().count() > heading::MAX_TITLE
        {
            return false;
        }
        let belongs_to = line.text.starts_with("к ") && line.text.chars().count() <= 80;
        if heading.form == Form::Appendix
            && (belongs_to || self.rules.appendix_status.is_match(&line.text))
        {
            return true;
        }
        let untitled = heading.title.is_empty()
            || (heading.form == Form::Appendix
                && self.rules.appendix_status.is_match(&heading.title));
        let capital =
            line.text.starts_with(|sign: char| sign.is_uppercase() || "«\"".contains(sign));
        let words = line.text.trim_end_matches(',');
        if !heading::is_title(words) || words.ends_with('.') {
            return false;
        }
        if untitled {
            return line.looks_like_heading() || capital;
        }
        if !line.first {
            let apart = first.looks_like_heading()
                || matches!(heading.form, Form::Chapter | Form::Article | Form::Appendix);
            return apart && (!capital || line::is_capitals(&line.text));
        }
        let same_setting = line.centered == first.centered && line.bold == first.bold;
        let roman = heading::roman_section(&self.rules, line, self.roman).is_some();
        let known = is_one_of(self.rules.titles, &line.text)
            || is_one_of(self.rules.top_titles, &line.text);
        let set = first.centered || (first.bold && !capital);
        let appendix_title = heading.form == Form::Appendix && line.looks_like_heading();
        !roman
            && !known
            && ((same_setting && set && !matches!(line.shape, Shape::Heading(_)))
                || (appendix_title && next <= index + 3))
    }
}

/// The title of an approved text: centred, bold or in capitals («ПРАВИЛА»).
fn opens_approved_text(line: &Line) -> bool {
    let starts_well =
        line.text.starts_with(|sign: char| sign.is_uppercase() || "«\"".contains(sign));
    starts_well && line.looks_like_heading() && heading::is_title(line.text.trim_end_matches(','))
}

fn join(parts: &[u32]) -> String {
    parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}
