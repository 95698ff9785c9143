//! Turns the opening and closing of elements into blocks.

use crate::flow::paragraph::{begins_item, begins_numbered, is_caption};
use crate::grid::{Grid, is_number};
use crate::model::{Block, BlockKind};
use crate::reader::{Limits, ReadError};
use crate::tidy::{tidy, tidy_line};
use scraper::node::Element;

struct Table {
    grid: Grid,
    /// Only arranges the page: its cells are text of their own.
    layout: bool,
    /// The open cell: its text, and the columns and rows it covers.
    cell: Option<(String, usize, usize)>,
    /// Rows inside `thead`.
    head_rows: usize,
    in_head: bool,
}

/// The state of a walk through a page.
pub(super) struct Writer<'l> {
    limits: &'l Limits,
    /// For every table in document order, whether it is layout.
    layout: Vec<bool>,
    tables_seen: usize,
    /// Cells of all finished tables.
    cells: u64,
    tables: Vec<Table>,
    blocks: Vec<Block>,
    furniture: Vec<String>,
    text: String,
    heading: Option<u8>,
    /// Numbers of open lists; `None` for bullets.
    lists: Vec<Option<u32>>,
    marker: Option<String>,
    bold: usize,
    bold_text: bool,
    plain_text: bool,
    centered: usize,
    preformatted: usize,
    navigation: usize,
    caption: bool,
}

impl<'l> Writer<'l> {
    pub(super) fn new(limits: &'l Limits, layout: Vec<bool>) -> Writer<'l> {
        Writer {
            limits,
            layout,
            tables_seen: 0,
            cells: 0,
            tables: Vec::new(),
            blocks: Vec::new(),
            furniture: Vec::new(),
            text: String::new(),
            heading: None,
            lists: Vec::new(),
            marker: None,
            bold: 0,
            bold_text: false,
            plain_text: false,
            centered: 0,
            preformatted: 0,
            navigation: 0,
            caption: false,
        }
    }

    /// An element begins; false when nothing inside it is read.
    pub(super) fn open(&mut self, element: &Element) -> Result<bool, ReadError> {
        let name = element.name();
        match name {
            "script" | "style" | "noscript" | "template" | "svg" | "iframe" | "object"
            | "select" | "button" | "canvas" | "audio" | "video" => return Ok(false),
            "b" | "strong" => self.bold = self.bold.saturating_add(1),
            "br" => self.text.push('\n'),
            "sup" if self.text.ends_with(|last: char| last.is_ascii_digit()) => self.text.push('^'),
            "table" => {
                self.flush();
                let layout = self.layout.get(self.tables_seen).copied().unwrap_or(false);
                self.tables_seen = self.tables_seen.saturating_add(1);
                let grid = Grid::new(self.limits.cells.saturating_sub(self.cells));
                self.tables.push(Table { grid, layout, cell: None, head_rows: 0, in_head: false });
            }
            "thead" => {
                self.tables.iter_mut().next_back().into_iter().for_each(|t| t.in_head = true)
            }
            "tr" => {
                self.flush();
                if let Some(table) = self.tables.last_mut().filter(|table| !table.layout) {
                    table.grid.row()?;
                    table.head_rows = table.head_rows.saturating_add(usize::from(table.in_head));
                }
            }
            "td" | "th" => {
                self.flush();
                let span =
                    |name| element.attr(name).and_then(|n| n.trim().parse().ok()).unwrap_or(1);
                let cell = (String::new(), span("colspan"), span("rowspan"));
                if let Some(table) = self.tables.last_mut().filter(|table| !table.layout) {
                    table.cell = Some(cell);
                }
            }
            "ul" => self.lists.push(None),
            "ol" => {
                let start = element.attr("start").and_then(|n| n.trim().parse().ok()).unwrap_or(1);
                self.lists.push(Some(start));
            }
            "hr" => self.flush(),
            _ => {}
        }
        if is_block(name) {
            self.flush();
            self.centered = self.centered.saturating_add(usize::from(is_centered(element)));
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading = name.get(1..).and_then(|level| level.parse().ok());
            }
            "li" => self.marker = Some(self.next_marker()),
            "pre" => self.preformatted = self.preformatted.saturating_add(1),
            "nav" => self.navigation = self.navigation.saturating_add(1),
            "caption" | "figcaption" => self.caption = true,
            _ => {}
        }
        Ok(true)
    }

    /// The text between tags.
    pub(super) fn text(&mut self, text: &str) {
        if self.preformatted > 0 {
            self.text.push_str(text);
        } else {
            self.text.extend(text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }));
        }
        if !text.trim().is_empty() {
            *(if self.bold > 0 { &mut self.bold_text } else { &mut self.plain_text }) = true;
        }
    }

    /// An element ends.
    pub(super) fn close(&mut self, element: &Element) -> Result<(), ReadError> {
        let name = element.name();
        match name {
            "b" | "strong" => self.bold = self.bold.saturating_sub(1),
            "td" | "th" => {
                self.flush();
                if let Some(table) = self.tables.last_mut()
                    && let Some((text, columns, rows)) = table.cell.take()
                {
                    table.grid.cell(text, columns, rows)?;
                }
            }
            "thead" => {
                self.tables.iter_mut().next_back().into_iter().for_each(|t| t.in_head = false)
            }
            "table" => {
                self.flush();
                if let Some(table) = self.tables.pop() {
                    self.table(table);
                }
            }
            _ => {}
        }
        if is_block(name) {
            self.flush();
            self.centered = self.centered.saturating_sub(usize::from(is_centered(element)));
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = None,
            "ul" | "ol" => {
                self.lists.pop();
            }
            "li" => self.marker = None,
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            "nav" => self.navigation = self.navigation.saturating_sub(1),
            "caption" | "figcaption" => self.caption = false,
            _ => {}
        }
        Ok(())
    }

    /// The blocks, and the lines of navigation.
    pub(super) fn finish(mut self) -> (Vec<Block>, Vec<String>) {
        self.flush();
        (self.blocks, self.furniture)
    }

    fn next_marker(&mut self) -> String {
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}.");
                *number = number.saturating_add(1);
                marker
            }
            _ => "•".to_owned(),
        }
    }

    /// Ends the paragraph that was being gathered.
    fn flush(&mut self) {
        let text = tidy(&std::mem::take(&mut self.text));
        let bold = self.bold_text && !self.plain_text;
        (self.bold_text, self.plain_text) = (false, false);
        if text.is_empty() {
            return;
        }
        let cell = self.tables.iter_mut().rev().find_map(|table| table.cell.as_mut());
        if let Some((cell, _, _)) = cell
            && !self.caption
        {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(&tidy_line(&text));
            return;
        }
        if self.navigation > 0 {
            self.furniture.push(tidy_line(&text));
            return;
        }
        let (kind, text) = if let Some(level) = self.heading {
            (BlockKind::Heading { level }, tidy_line(&text))
        } else if self.caption || is_caption(&text) {
            (BlockKind::Caption, text)
        } else if let Some(marker) = self.marker.take() {
            let marked = begins_item(&text) || begins_numbered(&text);
            (BlockKind::ListItem, if marked { text } else { format!("{marker} {text}") })
        } else if begins_item(&text) {
            (BlockKind::ListItem, text)
        } else {
            (BlockKind::Paragraph, text)
        };
        let mut block = Block::new(kind, text);
        block.bold = bold;
        block.centered = self.centered > 0;
        self.blocks.push(block);
    }

    fn table(&mut self, table: Table) {
        if table.layout {
            return;
        }
        let head_rows = table.head_rows;
        self.cells = self.cells.saturating_add(table.grid.area());
        let (rows, guessed) = table.grid.finish();
        if let Some((cell, _, _)) = self.tables.iter_mut().rev().find_map(|t| t.cell.as_mut()) {
            // A table inside a cell of a real table is text of that cell.
            let text = rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join("; ");
            cell.push_str(&text);
        } else if self.is_form_head(&rows) {
            let line = |row: &Vec<String>| {
                let mark = row.first().is_some_and(|label| label.ends_with([':', '№']));
                Block::new(BlockKind::Paragraph, row.join(if mark { " " } else { ": " }))
            };
            self.blocks.extend(rows.iter().map(line));
        } else if !rows.is_empty() {
            let header_rows = if head_rows > 0 { head_rows.min(rows.len()) } else { guessed };
            self.blocks.push(Block::table(rows, header_rows));
        }
    }

    /// «Label – value» pairs at the very top are the head of a form, not a table of the text.
    fn is_form_head(&self, rows: &[Vec<String>]) -> bool {
        let at_top = self.blocks.len() < 30
            && self.blocks.iter().all(|block| block.kind == BlockKind::Paragraph);
        at_top
            && rows.len() <= 30
            && rows.iter().all(|row| {
                row.len() == 2
                    && row.first().is_some_and(|label| !label.is_empty() && !is_number(label))
            })
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "li"
            | "ul"
            | "ol"
            | "dl"
            | "dt"
            | "dd"
            | "pre"
            | "blockquote"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "aside"
            | "nav"
            | "form"
            | "fieldset"
            | "center"
            | "address"
            | "caption"
            | "figure"
            | "figcaption"
            | "body"
            | "details"
            | "summary"
    )
}

fn is_centered(element: &Element) -> bool {
    let style = element.attr("style").unwrap_or_default().replace(' ', "").to_lowercase();
    element.name() == "center"
        || element.attr("align").is_some_and(|align| align.eq_ignore_ascii_case("center"))
        || style.contains("text-align:center")
        || element.classes().any(|class| class == "center")
}
