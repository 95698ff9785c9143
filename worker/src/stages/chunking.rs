//! Stage 13, the pure part: one clause is one chunk.
//!
//! A clause, a table, a list and the running text of a section are chunks of their own; a chunk
//! never crosses a clause's border. What is longer than the model's window is cut at sentences
//! (tables: at rows) with the address, the path and, for lists, the leading sentence repeated. A
//! heading without words of its own has no chunk: it stands in the path of those below it.

mod address;
mod split;

use crate::extracted::Extracted;
use crate::stages::rubern_markup::{Markup, Part};
use address::Addresses;
use aho_corasick::AhoCorasick;
use shared::chunk::{Chunk, ChunkKind};
use shared::structure::{PageRange, Reference, Table};
use split::Room;
use std::collections::BTreeSet;

/// Running text without clauses is cut into windows of this share of the model's window: a
/// paragraph is found better when it is not drowned in its neighbours.
const PASSAGE_SHARE: (usize, usize) = (3, 5);
/// The path takes at most this share of the window; longer headings are abridged.
const PATH_SHARE: usize = 3;
/// A heading in a path is abridged to so many characters; its full words have a chunk then.
const MAX_HEADING: usize = 160;

/// Cuts a document into chunks. `count_tokens` counts as the embedding model does; no chunk's
/// `indexed_text` has more than `window` tokens, unless a single letter already has.
pub fn chunking(
    markup: &Markup,
    extracted: &Extracted,
    cited: &[Reference],
    count_tokens: &dyn Fn(&str) -> usize,
    window: usize,
) -> Vec<Chunk> {
    let mut cutter = Cutter {
        markup,
        count_tokens,
        window,
        addresses: Addresses::new(markup, extracted),
        shown: BTreeSet::new(),
        chunks: Vec::new(),
    };
    for (index, part) in markup.parts.iter().enumerate() {
        cutter.cut(index, part);
    }
    cutter.add_hidden_headings();
    let mut chunks: Vec<Chunk> = cutter.chunks.into_iter().map(|(_, chunk)| chunk).collect();
    let citations = Citations::new(cited);
    for (ordinal, chunk) in chunks.iter_mut().enumerate() {
        chunk.ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        chunk.cited = citations.of(chunk);
    }
    chunks
}

struct Cutter<'a> {
    markup: &'a Markup,
    count_tokens: &'a dyn Fn(&str) -> usize,
    window: usize,
    addresses: Addresses,
    /// Sections whose whole heading stands in some path.
    shown: BTreeSet<usize>,
    /// With the index of the part that each was cut from.
    chunks: Vec<(usize, Chunk)>,
}

impl Cutter<'_> {
    fn cut(&mut self, index: usize, part: &Part) {
        match part {
            Part::Section(_) => {}
            Part::Clause(clause) => self.cut_clause(index, *clause),
            Part::Table(table) => self.cut_table(index, *table),
            Part::List(list) => {
                let list = &self.markup.lists[*list];
                let lead = std::iter::once(list.lead.as_str()).filter(|lead| !lead.is_empty());
                let lines: Vec<&str> = lead.chain(list.items.iter().map(String::as_str)).collect();
                let text = lines.join("\n");
                let place = self.place(list.section, ChunkKind::List, list.pages);
                self.cut_text(index, place, &text, self.window);
            }
            Part::Passage(passage) => {
                let kind = match passage.section {
                    Some(_) => ChunkKind::Section,
                    None => ChunkKind::Window,
                };
                let place = self.place(passage.section, kind, passage.pages);
                let target = self.window * PASSAGE_SHARE.0 / PASSAGE_SHARE.1;
                self.cut_text(index, place, &passage.text, target);
            }
        }
    }

    fn cut_clause(&mut self, index: usize, clause: usize) {
        let clause = &self.markup.clauses[clause];
        let own_section = clause.section.filter(|&section| {
            let heading = &self.markup.sections[section];
            let number = clause.number.split(" (повтор").next().unwrap_or_default();
            index > 0
                && self.markup.parts[index - 1] == Part::Section(section)
                && number.to_lowercase().ends_with(&heading.number.to_lowercase())
                && clause.text.starts_with(&heading.title)
        });
        if let Some(section) = own_section
            && clause.text == self.markup.sections[section].title
            && self.has_more(index, section)
        {
            return;
        }
        let above = match own_section {
            Some(section) => {
                self.shown.insert(section);
                self.markup.sections[section].parent
            }
            None => clause.section,
        };
        let mut path = self.path(above);
        path.push(clause.number.clone());
        let place = Chunk {
            ordinal: 0,
            kind: ChunkKind::Clause,
            address: clause.number.clone(),
            path,
            pages: clause.pages,
            text: String::new(),
            table: None,
            caption: None,
            cited: Vec::new(),
        };
        self.cut_text(index, place, &clause.text, self.window);
    }

    /// Whether the section goes on after the part at `index`.
    fn has_more(&self, index: usize, section: usize) -> bool {
        let next = self.markup.parts.get(index + 1);
        let inside = |mut place: Option<usize>| {
            while let Some(current) = place {
                if current == section {
                    return true;
                }
                place = self.markup.sections[current].parent;
            }
            false
        };
        next.is_some_and(|part| match part {
            Part::Section(next) => inside(Some(*next)),
            Part::Clause(clause) => inside(self.markup.clauses[*clause].section),
            Part::Table(table) => inside(self.markup.tables[*table].section),
            Part::List(list) => inside(self.markup.lists[*list].section),
            Part::Passage(passage) => inside(passage.section),
        })
    }

    fn place(&mut self, section: Option<usize>, kind: ChunkKind, pages: PageRange) -> Chunk {
        Chunk {
            ordinal: 0,
            kind,
            address: section.map_or_else(String::new, |s| self.addresses.section(s)),
            path: self.path(section),
            pages,
            text: String::new(),
            table: None,
            caption: None,
            cited: Vec::new(),
        }
    }

    /// The headings from the top down to a section, abridged where they would crowd out the text.
    fn path(&mut self, section: Option<usize>) -> Vec<String> {
        let mut path = Vec::new();
        let mut place = section;
        while let Some(current) = place {
            let heading = &self.markup.headings[current];
            if heading.chars().count() <= MAX_HEADING {
                self.shown.insert(current);
                path.push(heading.clone());
            } else {
                path.push(split::abridged(heading, MAX_HEADING));
            }
            place = self.markup.sections[current].parent;
        }
        path.reverse();
        while (self.count_tokens)(&path.join("\n")) > self.window / PATH_SHARE && !path.is_empty() {
            // the nearest heading says most
            let dropped = path.remove(0);
            self.shown.retain(|&section| self.markup.headings[section] != dropped);
        }
        path
    }

    /// Cuts a text into as many chunks as it needs; `target` is the longest wanted, in tokens.
    fn cut_text(&mut self, index: usize, mut place: Chunk, text: &str, target: usize) {
        if text.trim().is_empty() {
            return;
        }
        self.fit_path(&mut place);
        let room = Room { count: self.count_tokens, window: self.window, target };
        for text in split::split(&place, text, &room) {
            self.chunks.push((index, Chunk { text, ..place.clone() }));
        }
    }

    /// Drops the path's upper headings until there is room for text.
    fn fit_path(&self, place: &mut Chunk) {
        while !place.path.is_empty()
            && (self.count_tokens)(&place.indexed_text()) > self.window * 2 / PATH_SHARE
        {
            place.path.remove(0);
        }
        if (self.count_tokens)(&place.indexed_text()) > self.window * 2 / PATH_SHARE {
            place.caption = None;
        }
    }

    /// A table in bands of rows, each with the header and the caption.
    fn cut_table(&mut self, index: usize, number: usize) {
        let table = &self.markup.tables[number];
        let mut place = self.place(table.section, ChunkKind::Table, table.pages);
        place.path.extend(table.clause.clone());
        place.address = self.addresses.table(number);
        place.caption = (!table.caption.is_empty()).then(|| table.caption.clone());
        self.fit_path(&mut place);
        if place.caption.is_none() && !table.caption.is_empty() {
            // the caption is too long to be repeated
            self.cut_text(index, place.clone(), &table.caption, self.window);
        }
        let header = &table.rows[..table.header_rows.min(table.rows.len())];
        let with_header = |rows: &[Vec<String>]| Chunk {
            text: rows_text(header.iter().chain(rows)),
            table: Some(header.iter().chain(rows).cloned().collect()),
            ..place.clone()
        };
        let fits = |chunk: &Chunk| (self.count_tokens)(&chunk.indexed_text()) <= self.window;
        if !header.is_empty() && !fits(&with_header(&[])) {
            let whole = Table { header_rows: 0, ..table.clone() };
            return self.cut_rows(index, &place, &whole.rows, &[]);
        }
        let body = &table.rows[header.len()..];
        if fits(&with_header(body)) {
            let chunk = with_header(body);
            if !chunk.text.is_empty() {
                self.chunks.push((index, chunk));
            }
            return;
        }
        self.cut_rows(index, &place, body, header);
    }

    /// Bands of as many rows as fit below the header; a row that is too long alone is cut as text.
    fn cut_rows(
        &mut self,
        index: usize,
        place: &Chunk,
        rows: &[Vec<String>],
        header: &[Vec<String>],
    ) {
        let band = |rows: &[Vec<String>]| Chunk {
            text: rows_text(header.iter().chain(rows)),
            table: Some(header.iter().chain(rows).cloned().collect()),
            ..place.clone()
        };
        let mut header_shown = header.is_empty();
        let mut rest = rows;
        while !rest.is_empty() {
            let fits = |count: usize| {
                (self.count_tokens)(&band(&rest[..count]).indexed_text()) <= self.window
            };
            // the largest band that fits, by halving: longer bands have more tokens
            let (mut low, mut high) = (0, rest.len());
            while low < high {
                let middle = low + (high - low).div_ceil(2);
                if fits(middle) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            if low == 0 {
                let hidden = if header_shown { &[][..] } else { header };
                header_shown = true;
                let text = rows_text(hidden.iter().chain(&rest[..1]));
                self.cut_text(index, place.clone(), &text, self.window);
                rest = &rest[1..];
            } else {
                header_shown = true;
                let chunk = band(&rest[..low]);
                if !chunk.text.is_empty() {
                    self.chunks.push((index, chunk));
                }
                rest = &rest[low..];
            }
        }
    }

    /// Headings that stand whole in no path (nothing below them, or too long) get chunks.
    fn add_hidden_headings(&mut self) {
        let markup = self.markup;
        for (index, part) in markup.parts.iter().enumerate() {
            let Part::Section(section) = part else { continue };
            if self.shown.contains(section) {
                continue;
            }
            let section_pages = markup.sections[*section].pages;
            let pages = [section_pages[0], section_pages[0]];
            let mut place = self.place(markup.sections[*section].parent, ChunkKind::Section, pages);
            place.address = self.addresses.section(*section);
            let heading = markup.headings[*section].clone();
            self.cut_text(index, place, &heading, self.window);
        }
        self.chunks.sort_by_key(|(index, _)| *index);
    }
}

/// Rows as lines, cells parted by bars; empty cells at the end are left out.
fn rows_text<'r>(rows: impl Iterator<Item = &'r Vec<String>>) -> String {
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let used = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        cells[..used].join(" | ")
    };
    let lines: Vec<String> = rows.map(line).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// Finds which of the document's references stand in a chunk.
struct Citations<'a> {
    references: &'a [Reference],
    finder: Option<AhoCorasick>,
}

impl Citations<'_> {
    fn new(references: &[Reference]) -> Citations<'_> {
        let texts = references.iter().map(|reference| folded(&reference.text));
        let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(texts).ok();
        Citations { references, finder }
    }

    fn of(&self, chunk: &Chunk) -> Vec<String> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let text = folded(&chunk.indexed_text());
        let mut ids = BTreeSet::new();
        for hit in finder.find_overlapping_iter(&text) {
            let goes_on = text.get(hit.end()..).unwrap_or_default();
            let longer = goes_on.starts_with(|sign: char| sign.is_ascii_digit());
            let reference = &self.references[hit.pattern().as_usize()];
            if !longer && !reference.text.trim().is_empty() {
                ids.insert(reference.id.clone());
            }
        }
        ids.into_iter().collect()
    }
}

/// Single spaces, so that a designation is found across a line break.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
