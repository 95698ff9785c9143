//! The title page and what runs along every page: where a document says what it is.

use crate::extracted::Extracted;
use crate::norms::fold::fold;
use crate::rules::Rules;
use extractor::model::{BlockKind, TextSource};
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
    /// Running headers and footers in the order of their first page, each with the number of
    /// pages it stands on.
    pub furniture: Vec<(Line, u32)>,
    /// The first page was recognised from a picture: its letters and digits may be wrong.
    pub recognised: bool,
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
        page.recognised =
            extracted.pages.first().is_some_and(|page| page.source == TextSource::Ocr);
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for read in &extracted.pages {
            for text in read.furniture.iter().flat_map(|text| text.split('\n')).map(str::trim) {
                let index = *known.entry(text).or_insert_with(|| {
                    page.furniture.push((line(text, read.number, false), 0));
                    page.furniture.len() - 1
                });
                if let Some((_, pages)) = page.furniture.get_mut(index) {
                    *pages += 1;
                }
            }
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
        lines.map(move |text| line(text, page, prominent))
    })
}

fn line(text: &str, page: u32, prominent: bool) -> Line {
    let text: String = text.chars().take(LINE_CHARS).collect();
    Line { folded: fold(&text), text, page, prominent }
}
