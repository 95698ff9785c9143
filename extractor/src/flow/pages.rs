//! Blocks gathered into pages.

use crate::model::{Block, Page};
use crate::reader::{Limits, ReadError, Sink};

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

    /// Puts a block on the current page.
    pub(crate) fn block(&mut self, block: Block) {
        self.page.blocks.push(block);
    }

    /// Goes on by `count` pages. One break on a page that is still empty is the same break told
    /// twice (as a command and as the layout's record of it).
    pub(crate) fn advance(&mut self, count: u32) -> Result<(), ReadError> {
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
