//! The title page and what runs along every page: where a document says what it is.

use crate::extracted::Extracted;
use crate::norms::fold::fold;
use crate::rules::Rules;
use extractor::model::BlockKind;
use std::collections::BTreeMap;

/// No title page is longer than this many lines.
const TITLE_LINES: usize = 45;
/// Title page, foreword and whatever else stands before the body.
const FRONT_LINES: usize = 160;
/// A line of a title page is cut here, in characters; longer ones are body text.
const LINE_CHARS: usize = 600;

/// A line near the beginning of a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// As written, white space trimmed; the cells of a table row parted by tabs.
    pub text: String,
    /// Folded (see `norms::fold`), for rules.
    pub folded: String,
    /// From 1.
    pub page: u32,
    /// The format or the layout sets the line off: a heading, bold or centred.
    pub prominent: bool,
}

/// Where a document says what it is.
#[derive(Clone, Debug, Default)]
pub struct TitlePage {
    /// The lines before the contents, the first section or the first numbered clause.
    pub title: Vec<Line>,
    /// The lines after the title page that may still belong to the front matter (foreword,
    /// approval); they begin where `title` ends.
    pub front: Vec<Line>,
    /// Running headers and footers, each with the number of pages it stands on.
    pub furniture: BTreeMap<String, u32>,
}

impl TitlePage {
    /// Reads the beginning of a document.
    pub fn read(rules: &Rules, extracted: &Extracted) -> TitlePage {
        let end = rules.topic("title_page").rule("end");
        let mut page = TitlePage::default();
        let mut open = true;
        for line in lines(extracted).take(FRONT_LINES) {
            open &= page.title.len() < TITLE_LINES && !end.is_match(&line.folded);
            if open {
                page.title.push(line);
            } else {
                page.front.push(line);
            }
        }
        for furniture in extracted.pages.iter().flat_map(|page| &page.furniture) {
            *page.furniture.entry(furniture.trim().to_owned()).or_default() += 1;
        }
        page
    }

    /// Title page and front matter.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.title.iter().chain(&self.front)
    }
}

fn lines(extracted: &Extracted) -> impl Iterator<Item = Line> {
    extracted.blocks().flat_map(|(page, block)| {
        let heading = matches!(block.kind, BlockKind::Heading { .. });
        let prominent = heading || block.bold || block.centered;
        let lines = block.text.split('\n').map(str::trim).filter(|line| !line.is_empty());
        lines.map(move |line| {
            let text: String = line.chars().take(LINE_CHARS).collect();
            Line { folded: fold(&text), text, page, prominent }
        })
    })
}
