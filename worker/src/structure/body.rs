//! Builds the section tree, the clauses, tables, figures and lists from an outline.

mod parts;

use super::heading::Heading;
use super::line::{ClauseStart, Line, Role};
use super::outline::Outline;
use super::table;
use crate::extracted::Extracted;
use shared::structure::{Clause, Section, Table};
use std::collections::HashMap;

pub use parts::{Body, Figure, List, Part, Passage};

/// Builds the body.
pub fn body(extracted: &Extracted, outline: &Outline) -> Body {
    let mut builder = Builder::new(extracted, outline);
    for (index, line) in outline.lines.iter().enumerate() {
        builder.take(index, line);
    }
    builder.close();
    builder.body
}

/// What the next line of text is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Clause(usize),
    /// Index into the parts.
    Passage(usize),
    List(usize),
}

struct Builder<'a> {
    extracted: &'a Extracted,
    outline: &'a Outline,
    body: Body,
    /// Open sections with their rank.
    stack: Vec<(i32, usize)>,
    open: Open,
    /// How often an address was used, and the clause that had it first.
    used: HashMap<String, (usize, usize)>,
    /// The clause that the line is in or follows, for tables.
    clause: Option<usize>,
    /// Line and caption of the captions that wait for their table.
    captions: HashMap<usize, (String, String)>,
    /// The last table and its line.
    last_table: Option<(usize, usize)>,
}

impl<'a> Builder<'a> {
    fn new(extracted: &'a Extracted, outline: &'a Outline) -> Builder<'a> {
        let mut captions: HashMap<usize, (String, String)> = HashMap::new();
        for line in &outline.lines {
            if let Role::TableCaption { table, number } = &line.role {
                let (known_number, caption) = captions.entry(*table).or_default();
                if known_number.is_empty() {
                    known_number.clone_from(number);
                }
                if !caption.is_empty() {
                    caption.push(' ');
                }
                caption.push_str(&line.text);
            }
        }
        Builder {
            extracted,
            outline,
            body: Body::default(),
            stack: Vec::new(),
            open: Open::Nothing,
            used: HashMap::new(),
            clause: None,
            captions,
            last_table: None,
        }
    }

    fn take(&mut self, index: usize, line: &Line) {
        if line.role != Role::Contents {
            for &(_, section) in &self.stack {
                let pages = &mut self.body.sections[section].pages;
                pages[1] = pages[1].max(line.page);
            }
        }
        match &line.role {
            Role::Heading(heading) => self.open_section(heading, line),
            Role::Clause(start) => {
                self.close();
                let text = clause_text(&line.text);
                self.open_clause(start, text, line.page);
            }
            Role::Table => self.add_table(index, line),
            Role::Text => self.add_text(&line.text, line),
            Role::Item => self.add_item(line),
            Role::FigureCaption { number } => {
                self.body.figures.push(Figure {
                    number: number.clone(),
                    caption: line.text.clone(),
                    section: self.section(),
                    page: line.page,
                });
                self.add_text(&line.text, line);
            }
            Role::Break => {
                self.close();
                self.clause = None;
                self.add_text(&line.text, line);
            }
            Role::Contents
            | Role::HeadingRest
            | Role::TableCaption { .. }
            | Role::TableContinued => {}
        }
        self.note_clause(line);
    }

    /// Notes the clause of a block; with several clauses in a block, the first of them.
    fn note_clause(&mut self, line: &Line) {
        let clause = match (&line.role, self.open) {
            (Role::Contents, _) => None,
            (Role::Table, _) => self.clause,
            (_, Open::Clause(clause)) => Some(clause),
            _ => None,
        };
        let noted = self.body.block_clauses.last().map(|(block, _)| *block);
        if let Some(clause) = clause.filter(|_| noted != Some(line.block)) {
            self.body.block_clauses.push((line.block, clause));
        }
    }

    fn section(&self) -> Option<usize> {
        self.stack.last().map(|&(_, section)| section)
    }

    fn open_section(&mut self, heading: &Heading, line: &Line) {
        self.close();
        self.clause = None;
        while self.stack.last().is_some_and(|&(rank, _)| heading.top || rank >= heading.rank) {
            self.stack.pop();
        }
        let section = self.body.sections.len();
        self.body.sections.push(Section {
            number: heading.number.clone(),
            title: heading.title.clone(),
            level: u32::try_from(self.stack.len()).unwrap_or(u32::MAX).saturating_add(1),
            pages: [line.page, line.page],
            parent: self.section(),
        });
        self.body.headings.push(heading.written.clone());
        self.body.parts.push(Part::Section(section));
        self.stack.push((heading.rank, section));
        if let Some(start) = &heading.clause {
            self.open_clause(start, heading.title.clone(), line.page);
        }
    }

    fn open_clause(&mut self, start: &ClauseStart, text: String, page: u32) {
        let scope = self.outline.scopes.get(start.scope);
        let address = scope.map_or_else(|| start.address.clone(), |s| s.address(&start.address));
        let clause = self.body.clauses.len();
        let (times, _) = self.used.entry(address.clone()).or_insert((0, clause));
        *times += 1;
        let number = match *times {
            1 => address.clone(),
            2 => format!("{address} (повтор)"),
            more => format!("{address} (повтор {})", more - 1),
        };
        if let Some(expected) = &start.expected {
            self.body.issues.push(format!("номер {address} стоит на месте {expected}"));
        }
        self.body.clauses.push(Clause {
            number,
            text,
            section: self.section(),
            pages: [page, page],
        });
        self.body.parts.push(Part::Clause(clause));
        self.open = Open::Clause(clause);
        self.clause = Some(clause);
    }

    fn add_text(&mut self, text: &str, line: &Line) {
        let starts_line = line.first;
        match self.open {
            Open::Clause(clause) => {
                let clause = &mut self.body.clauses[clause];
                append(&mut clause.text, text, starts_line);
                clause.pages[1] = clause.pages[1].max(line.page);
                return;
            }
            Open::List(list) if !line.first => {
                let list = &mut self.body.lists[list];
                list.pages[1] = list.pages[1].max(line.page);
                if let Some(item) = list.items.last_mut() {
                    append(item, text, false);
                }
                return;
            }
            Open::List(_) => self.close(),
            Open::Nothing | Open::Passage(_) => {}
        }
        if let Open::Passage(part) = self.open
            && let Some(Part::Passage(passage)) = self.body.parts.get_mut(part)
        {
            append(&mut passage.text, text, starts_line);
            passage.pages[1] = passage.pages[1].max(line.page);
            return;
        }
        self.open = Open::Passage(self.body.parts.len());
        self.body.parts.push(Part::Passage(Passage {
            text: text.to_owned(),
            section: self.section(),
            pages: [line.page, line.page],
        }));
    }

    fn add_item(&mut self, line: &Line) {
        match self.open {
            Open::Clause(clause) => {
                let clause = &mut self.body.clauses[clause];
                append(&mut clause.text, &line.text, true);
                clause.pages[1] = clause.pages[1].max(line.page);
                return;
            }
            Open::List(list) => {
                let list = &mut self.body.lists[list];
                list.items.push(line.text.clone());
                list.pages[1] = list.pages[1].max(line.page);
                return;
            }
            Open::Nothing | Open::Passage(_) => {}
        }
        let (lead, first_page) = self.take_lead().unwrap_or((String::new(), line.page));
        let list = self.body.lists.len();
        self.body.lists.push(List {
            lead,
            items: vec![line.text.clone()],
            section: self.section(),
            pages: [first_page, line.page],
        });
        self.body.parts.push(Part::List(list));
        self.open = Open::List(list);
    }

    /// Takes the paragraph that introduces a list («…:») out of the open passage.
    fn take_lead(&mut self) -> Option<(String, u32)> {
        let Open::Passage(part) = self.open else { return None };
        let Some(Part::Passage(passage)) = self.body.parts.get_mut(part) else { return None };
        if !passage.text.trim_end().ends_with(':') {
            return None;
        }
        let page = passage.pages[1];
        match passage.text.rsplit_once('\n') {
            Some((before, lead)) => {
                let lead = lead.to_owned();
                passage.text = before.to_owned();
                Some((lead, page))
            }
            None => {
                let lead = std::mem::take(&mut passage.text);
                self.body.parts.truncate(part);
                Some((lead, page))
            }
        }
    }

    fn add_table(&mut self, index: usize, line: &Line) {
        let Some(cells) = table::cells_of(self.extracted, line) else { return };
        let caption = self.captions.remove(&index);
        if caption.is_none() && table::is_layout(cells) {
            for text in table::layout_lines(cells) {
                self.add_text(&text, line);
            }
            return;
        }
        if caption.is_none()
            && let Some((last, last_line)) = self.last_table
            && table::goes_on(&self.outline.lines, last_line, index)
            && table::append(&mut self.body.tables[last], cells)
        {
            let pages = &mut self.body.tables[last].pages;
            pages[1] = pages[1].max(line.page);
            self.last_table = Some((last, index));
            return;
        }
        if let Open::List(_) | Open::Passage(_) = self.open {
            self.close();
        }
        let (number, caption) = caption.unwrap_or_default();
        let table = self.body.tables.len();
        self.body.tables.push(Table {
            number,
            caption,
            header_rows: table::header_rows(cells),
            rows: table::even_rows(cells),
            pages: [line.page, line.page],
            section: self.section(),
            clause: self.clause.map(|clause| self.body.clauses[clause].number.clone()),
        });
        self.body.parts.push(Part::Table(table));
        self.last_table = Some((table, index));
    }

    /// Ends what is open. A repeated number without words of its own is no clause of its own.
    fn close(&mut self) {
        match self.open {
            Open::Clause(clause) => self.close_clause(clause),
            Open::List(list) => self.close_list(list),
            Open::Passage(_) | Open::Nothing => {}
        }
        self.open = Open::Nothing;
    }

    fn close_clause(&mut self, clause: usize) {
        let Some((address, _)) = self.body.clauses[clause].number.split_once(" (повтор")
        else {
            return;
        };
        let address = address.to_owned();
        let first = self.used.get(&address).map_or(0, |&(_, first)| first);
        let text = self.body.clauses[clause].text.clone();
        let only_heading = self.section().is_some_and(|s| self.body.sections[s].title == text);
        let same = self.body.clauses[first].text == text;
        let last = self.body.parts.last() == Some(&Part::Clause(clause));
        if (only_heading || same) && last && clause + 1 == self.body.clauses.len() {
            self.body.clauses.pop();
            self.body.parts.pop();
            while self.body.block_clauses.pop_if(|(_, noted)| *noted == clause).is_some() {}
            self.clause = None;
        } else {
            self.body.issues.push(format!("номер {address} встречается не один раз"));
        }
    }

    /// One item is no list.
    fn close_list(&mut self, list: usize) {
        let is_last = self.body.parts.last() == Some(&Part::List(list));
        if self.body.lists[list].items.len() > 1 || !is_last {
            return;
        }
        let Some(List { lead, items, section, pages }) = self.body.lists.pop() else { return };
        self.body.parts.pop();
        let lines = std::iter::once(lead).chain(items).filter(|text| !text.is_empty());
        let text = lines.collect::<Vec<_>>().join("\n");
        if let Some(Part::Passage(passage)) = self.body.parts.last_mut()
            && passage.section == section
        {
            append(&mut passage.text, &text, true);
            passage.pages[1] = passage.pages[1].max(pages[1]);
        } else {
            self.body.parts.push(Part::Passage(Passage { text, section, pages }));
        }
    }
}

/// The text of a clause's first line, after its number.
fn clause_text(line: &str) -> String {
    super::number::leading_number(line).map_or(line, |(_, rest)| rest).trim().to_owned()
}

/// Adds a line: on a line of its own, or, when it only goes on, after a space.
fn append(text: &mut String, line: &str, starts_line: bool) {
    if !text.is_empty() {
        let new_line = starts_line || text.ends_with([':', ';']);
        text.push(if new_line { '\n' } else { ' ' });
    }
    text.push_str(line);
}
