//! Reads the outline of a document: one pass over its lines that decides, from what a line looks
//! like and from the numbers before and after it, which lines open sections and clauses.

mod numbers;
mod opening;

use self::opening::opens_approved_text;
use super::candidate::Candidates;
use super::heading;
use super::line::{self, Line, Role, Shape};
use super::scope::{Scope, name_approved_texts};
use super::sequence::Sequence;
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
}

#[cfg(test)]
mod tests;
