//! Blocks gathered into pages.

use super::Piece;
use crate::model::Page;
use crate::reader::{Limits, ReadError, Sink};
use std::collections::BTreeMap;

/// The page that is being filled, and where finished ones go.
pub(crate) struct Pages<'s, 'a> {
    sink: &'s mut Sink<'a>,
    page: Page,
    max_pages: u32,
}

impl<'s, 'a> Pages<'s, 'a> {
    /// Begins with page 1, which carries the running headers and footers.
    pub(crate) fn new(
        sink: &'s mut Sink<'a>,
        limits: &Limits,
        furniture: Vec<String>,
    ) -> Pages<'s, 'a> {
        let page = Page { number: 1, furniture, ..Page::default() };
        Pages { sink, page, max_pages: limits.pages }
    }

    /// Puts a block on the current page, or goes on to another one.
    pub(crate) fn piece(&mut self, piece: Piece) -> Result<(), ReadError> {
        match piece {
            Piece::Block(block) => self.page.blocks.push(block),
            Piece::Pages(count) => self.advance(count)?,
        }
        Ok(())
    }

    /// Goes on by `count` pages. One break on a page that is still empty is the same break told
    /// twice (as a command and as the layout's record of it).
    fn advance(&mut self, count: u32) -> Result<(), ReadError> {
        if count == 1 && self.page.blocks.is_empty() {
            return Ok(());
        }
        for _ in 0..count {
            if self.page.number >= self.max_pages {
                return Ok(());
            }
            let next = Page { number: self.page.number.saturating_add(1), ..Page::default() };
            self.sink.page(std::mem::replace(&mut self.page, next))?;
        }
        Ok(())
    }

    /// Passes the last page on; returns the number of pages.
    pub(crate) fn finish(self) -> Result<u32, ReadError> {
        if self.page.number == 1 || !self.page.blocks.is_empty() {
            self.sink.page(self.page)?;
        }
        Ok(self.sink.pages())
    }
}

/// Running lines of a document; each is compared with all before it.
const MOST_RUNNING_LINES: usize = 500;

/// Adds a line of a header or footer, unless it is there already.
pub(crate) fn add_running_line(lines: &mut Vec<String>, line: String) {
    if !line.is_empty() && lines.len() < MOST_RUNNING_LINES && !lines.contains(&line) {
        lines.push(line);
    }
}

/// Sets the property `page_numbers` to `approximate` where a person who opens the file finds other
/// pages: no breaks are recorded by the program that laid the text out, or fewer than the property
/// `pages` says that there were.
pub(crate) fn note_page_numbers(
    properties: &mut BTreeMap<String, String>,
    page_count: u32,
    recorded_breaks: u32,
) {
    let counted: u32 = properties.get("pages").and_then(|value| value.parse().ok()).unwrap_or(0);
    // A tenth less is the usual effect of another printer; more means that breaks are missing.
    let complete =
        recorded_breaks > 0 && page_count.saturating_mul(10) >= counted.saturating_mul(9);
    if !complete && (counted > 1 || recorded_breaks == 0) {
        properties.insert("page_numbers".to_owned(), "approximate".to_owned());
    }
}
