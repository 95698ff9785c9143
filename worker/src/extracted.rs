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
    /// and web pages have none; a DOCX or ODT has those of its last print, if it recorded them all.
    pub fn paginated(&self) -> bool {
        match self.format {
            Format::Pdf | Format::Png | Format::Jpeg | Format::Tiff | Format::Bmp => true,
            Format::Docx | Format::Odt | Format::Doc | Format::Rtf => {
                !self.properties.contains_key("page_numbers")
            }
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

#[cfg(test)]
mod tests {
    use super::Extracted;
    use extractor::model::Format;
    use std::collections::BTreeMap;

    #[test]
    fn only_pages_that_a_person_finds_are_told() {
        let paginated = |format, approximate: bool| {
            let property = ("page_numbers".to_owned(), "approximate".to_owned());
            let properties: BTreeMap<_, _> = approximate.then_some(property).into_iter().collect();
            let (pages, warnings) = (Vec::new(), Vec::new());
            Extracted { format, pages, page_count: 3, properties, warnings }.paginated()
        };
        assert!(paginated(Format::Pdf, false) && paginated(Format::Docx, false));
        assert!(paginated(Format::Odt, false));
        assert!(!paginated(Format::Odt, true) && !paginated(Format::Doc, true));
        // Storeys and sheets are numbered by us.
        assert!(!paginated(Format::Ifc, false) && !paginated(Format::Xlsx, false));
    }
}
