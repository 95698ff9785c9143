//! The body: paragraphs, lists, tables, sections, notes and text boxes as blocks.

use super::inline::{self, Inline};
use super::lists::{Lists, Thread};
use super::styles::{Family, Style, Styles};
use crate::flow::Piece;
use crate::flow::numerals::Label;
use crate::flow::paragraph::{Paragraph, join_soft_breaks, spaced_number};
use crate::flow::table::{self, Cell, Row};
use crate::model::{Block, BlockKind};
use crate::reader::{Limits, ReadError};
use crate::tidy::{tidy, tidy_line};
use crate::xml::Element;
use std::collections::HashSet;

/// Rows or columns that one element may repeat: more are the empty rest of a sheet.
const MOST_REPEATED: usize = 64;

/// Bytes that repeated rows and cells may cost in all.
const REPETITIONS: usize = 16 << 20;

/// The state that goes from element to element.
pub(super) struct Reading<'l> {
    styles: Styles,
    lists: Lists,
    limits: &'l Limits,
    /// The open lists, outermost first: their counting and style.
    open: Vec<(Thread, String)>,
    note_count: u32,
    /// Text boxes seen: the frame of a drawing form stands on every page.
    boxes: HashSet<String>,
    /// Cells of all tables so far.
    cells: u64,
    /// Bytes that repeated rows and cells may still cost.
    repetitions_left: usize,
    /// Breaks recorded by the program that laid the text out.
    pub(super) recorded_breaks: u32,
}

impl<'l> Reading<'l> {
    /// Begins a document.
    pub(super) fn new(styles: Styles, lists: Lists, limits: &'l Limits) -> Reading<'l> {
        Reading {
            styles,
            lists,
            limits,
            open: Vec::new(),
            note_count: 0,
            boxes: HashSet::new(),
            cells: 0,
            repetitions_left: REPETITIONS,
            recorded_breaks: 0,
        }
    }

    /// Adds the styles that the text part brings itself.
    pub(super) fn add_styles(&mut self, group: &Element) {
        self.styles.add(group);
        self.lists.add(group);
    }

    /// Reads one child of the body, a cell, a section or a text box.
    pub(super) fn child(&mut self, element: &Element) -> Result<Vec<Piece>, ReadError> {
        match &*element.name {
            "p" | "h" => self.paragraph(element, None),
            "list" => self.list(element),
            "table" => self.table(element),
            "soft-page-break" => {
                self.recorded_breaks = self.recorded_breaks.saturating_add(1);
                Ok(vec![Piece::Pages(1)])
            }
            "table-of-content" | "illustration-index" | "table-index" | "object-index"
            | "alphabetical-index" | "user-index" => {
                let pieces = match element.child("index-body") {
                    Some(body) => self.container(body)?,
                    None => Vec::new(),
                };
                Ok(pieces.into_iter().map(as_contents).collect())
            }
            "section" | "index-title" | "bibliography" | "index-body" | "numbered-paragraph"
            | "text-box" | "text" => self.container(element),
            "frame" | "custom-shape" | "rect" | "g" => self.text_box(element),
            _ => Ok(Vec::new()),
        }
    }

    fn container(&mut self, container: &Element) -> Result<Vec<Piece>, ReadError> {
        let mut pieces = Vec::new();
        for child in container.elements() {
            pieces.extend(self.child(child)?);
        }
        Ok(pieces)
    }

    fn list(&mut self, list: &Element) -> Result<Vec<Piece>, ReadError> {
        let inherited = self.open.last().cloned();
        let (thread, style) = match (list.attribute("style-name"), inherited) {
            (None, Some(outer)) => outer,
            (Some(style), Some((thread, outer))) if style == outer => (thread, outer),
            (style, _) => {
                let style = style.unwrap_or_default().to_owned();
                (self.lists.open(list, &style), style)
            }
        };
        self.open.push((thread, style));
        let mut pieces = Vec::new();
        for item in list.elements() {
            match &*item.name {
                "list-item" => pieces.extend(self.item(item)?),
                "list-header" => pieces.extend(self.container(item)?),
                "soft-page-break" => pieces.extend(self.child(item)?),
                _ => {}
            }
        }
        self.open.pop();
        Ok(pieces)
    }

    /// The number stands before the first paragraph of an item.
    fn item(&mut self, item: &Element) -> Result<Vec<Piece>, ReadError> {
        let mut start = item.attribute("start-value").and_then(|value| value.parse().ok());
        let mut is_first = true;
        let mut pieces = Vec::new();
        for child in item.elements() {
            let numbered = is_first && matches!(&*child.name, "p" | "h");
            let label = match self.open.last().cloned() {
                Some((thread, style)) if numbered => {
                    let level = self.open.len().saturating_sub(1);
                    self.lists.next(thread, &style, level, start.take())
                }
                _ => None,
            };
            if numbered {
                is_first = false;
                pieces.extend(self.paragraph(child, label)?);
            } else {
                pieces.extend(self.child(child)?);
            }
        }
        Ok(pieces)
    }

    fn paragraph(
        &mut self,
        element: &Element,
        label: Option<Label>,
    ) -> Result<Vec<Piece>, ReadError> {
        let style = self.styles.resolved(Family::Paragraph, element.attribute("style-name"));
        let inline = inline::read(element, &self.styles, style.bold == Some(true));
        let breaks = inline.breaks_before.saturating_add(inline.breaks_after);
        self.recorded_breaks = self.recorded_breaks.saturating_add(breaks);
        let text = spaced_number(join_soft_breaks(&tidy(&inline.text)));
        let heading = if &*element.name == "h" {
            element.attribute("outline-level").and_then(|level| level.parse().ok()).or(Some(1))
        } else {
            None
        };
        // An empty heading takes no number.
        let label = match (label, heading) {
            (None, Some(level)) if self.open.is_empty() && !text.is_empty() => {
                self.lists.heading(level)
            }
            (label, _) => label,
        };

        let mut pieces = Vec::new();
        if style.page_before == Some(true) || inline.breaks_before > 0 {
            pieces.push(Piece::Pages(1));
        }
        let role = style.name.as_deref().unwrap_or_default();
        let paragraph = Paragraph {
            text,
            label,
            heading: heading.or(style.outline.filter(|level| *level > 0)),
            is_contents: role.starts_with("Contents") && !role.ends_with("Heading"),
            is_caption: matches!(role, "Caption" | "Table" | "Illustration" | "Figure"),
            linked: inline.linked,
            bold: inline.is_bold(),
            centered: style.centered == Some(true),
        };
        pieces.extend(paragraph.blocks().into_iter().map(Piece::Block));
        pieces.extend(self.anchored(&inline)?);
        let after = inline.breaks_after.saturating_add(u32::from(style.page_after == Some(true)));
        if after > 0 {
            pieces.push(Piece::Pages(after));
        }
        Ok(pieces)
    }

    /// Notes and text boxes that hang on a paragraph.
    fn anchored(&mut self, inline: &Inline<'_>) -> Result<Vec<Piece>, ReadError> {
        let mut pieces = Vec::new();
        for note in &inline.notes {
            self.note_count = self.note_count.saturating_add(1);
            let paragraphs = note.child("note-body").into_iter().flat_map(Element::elements);
            let lines: Vec<String> = paragraphs.map(|line| tidy_line(&line.text())).collect();
            let text = format!("{} {}", self.note_count, lines.join(" "));
            pieces.push(Piece::Block(Block::new(BlockKind::Footnote, text.trim())));
        }
        for shape in &inline.boxes {
            pieces.extend(self.text_box(shape)?);
        }
        Ok(pieces)
    }

    /// The text of a frame or shape, once: the form of a drawing stands on every page.
    fn text_box(&mut self, shape: &Element) -> Result<Vec<Piece>, ReadError> {
        let open = std::mem::take(&mut self.open);
        let inside = self.container(shape);
        self.open = open;
        let mut pieces = Vec::new();
        for piece in inside? {
            if let Piece::Block(block) = piece
                && block.text.chars().any(char::is_alphabetic)
                && self.boxes.insert(block.text.clone())
            {
                pieces.push(Piece::Block(block));
            }
        }
        Ok(pieces)
    }

    fn table(&mut self, element: &Element) -> Result<Vec<Piece>, ReadError> {
        let style = self.styles.resolved(Family::Table, element.attribute("style-name"));
        let open = std::mem::take(&mut self.open);
        let mut rows = Vec::new();
        let filled = self.rows(element, false, &mut rows);
        self.open = open;
        filled?;
        let mut pieces = around(&style);
        pieces.extend(table::pieces(rows, &mut self.cells, self.limits)?);
        Ok(pieces)
    }

    fn rows(
        &mut self,
        container: &Element,
        is_header: bool,
        rows: &mut Vec<Row>,
    ) -> Result<(), ReadError> {
        let mut page_ends = false;
        for element in container.elements() {
            match &*element.name {
                "table-row" => {
                    for _ in 0..self.repeated(element, "number-rows-repeated") {
                        let mut cells = self.row(element)?;
                        if std::mem::take(&mut page_ends)
                            && let Some(first) = cells.first_mut()
                        {
                            first.pieces.insert(0, Piece::Pages(1));
                        }
                        rows.push(Row { cells, before: 0, is_header });
                    }
                }
                "table-header-rows" => self.rows(element, true, rows)?,
                "table-rows" | "table-row-group" => self.rows(element, is_header, rows)?,
                "soft-page-break" => {
                    self.recorded_breaks = self.recorded_breaks.saturating_add(1);
                    page_ends = true;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Element) -> Result<Vec<Cell>, ReadError> {
        let mut cells = Vec::new();
        // Cells that are covered by a merged one stand there, too; the grid knows them already.
        for element in row.all("table-cell") {
            let span = |name: &str| {
                element.attribute(name).and_then(|value| value.parse().ok()).unwrap_or(1)
            };
            for _ in 0..self.repeated(element, "number-columns-repeated") {
                let pieces = self.container(element)?;
                cells.push(Cell {
                    pieces,
                    columns: span("number-columns-spanned"),
                    rows: span("number-rows-spanned"),
                    merged: false,
                });
            }
        }
        Ok(cells)
    }

    /// How often a row or cell stands there. In tables within tables the repetitions multiply: when
    /// they have cost their share, each stands there once.
    fn repeated(&mut self, element: &Element, name: &str) -> usize {
        let times: usize =
            element.attribute(name).and_then(|value| value.parse().ok()).unwrap_or(1);
        let more = times.saturating_sub(1);
        if more == 0 || times > MOST_REPEATED {
            return 1;
        }
        let cost = element.text().len().saturating_add(64).saturating_mul(more);
        match self.repetitions_left.checked_sub(cost) {
            Some(left) => {
                self.repetitions_left = left;
                times
            }
            None => 1,
        }
    }
}

fn around(style: &Style) -> Vec<Piece> {
    if style.page_before == Some(true) { vec![Piece::Pages(1)] } else { Vec::new() }
}

fn as_contents(piece: Piece) -> Piece {
    match piece {
        Piece::Block(block) => Piece::Block(Block { kind: BlockKind::Contents, ..block }),
        pages => pages,
    }
}
