//! The artifact of stage 3: the pages of a document, as every later stage reads them.

use extractor::client::Extraction;
use extractor::model::{Block, Format, Page};
use shared::outcome::Code;
use std::collections::BTreeMap;

/// What stage 3 read from a file.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// Decided by content.
    pub format: Format,
    /// In order; a page that could not be read is there without blocks.
    pub pages: Vec<Page>,
    /// Pages of the file, read or not.
    pub page_count: u32,
    /// Properties of the file (title, author, header fields of a state estimate).
    pub properties: BTreeMap<String, String>,
    /// What a person should know, with its stable code where there is one.
    pub warnings: Vec<(Option<Code>, String)>,
}

impl Extracted {
    /// All blocks in reading order, each with its page number.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, &Block)> {
        self.pages.iter().flat_map(|page| page.blocks.iter().map(move |block| (page.number, block)))
    }

    /// Whether a person who opens the file finds the pages that were counted. Sheets, plain text
    /// and web pages have none; a DOCX has those of its last print, if it recorded them all.
    pub fn paginated(&self) -> bool {
        match self.format {
            Format::Pdf | Format::Png | Format::Jpeg | Format::Tiff | Format::Bmp => true,
            Format::Docx => !self.properties.contains_key("page_numbers"),
            _ => false,
        }
    }

    /// The text as `GET /documents/{id}/text` returns it: blocks by lines, pages by form feeds.
    pub fn text(&self) -> String {
        let page_text = |page: &Page| {
            page.blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n")
        };
        self.pages.iter().map(page_text).collect::<Vec<_>>().join("\u{c}")
    }
}

impl From<Extraction> for Extracted {
    fn from(extraction: Extraction) -> Extracted {
        let Extraction { format, pages, page_count, properties, warnings } = extraction;
        Extracted { format, pages, page_count, properties, warnings }
    }
}
