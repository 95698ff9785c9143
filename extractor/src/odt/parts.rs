//! The parts beside the text: styles, lists, running headers and footers, properties.

use super::lists::Lists;
use super::styles::Styles;
use crate::encoding;
use crate::flow::add_running_line;
use crate::package::Package;
use crate::reader::{Limits, ReadError};
use crate::tidy::tidy_line;
use crate::xml::{self, Element};
use shared::outcome::Code;
use std::collections::BTreeMap;

/// What is read before the text.
pub(super) struct Parts {
    pub(super) styles: Styles,
    pub(super) lists: Lists,
    pub(super) furniture: Vec<String>,
    pub(super) properties: BTreeMap<String, String>,
}

/// Reads `styles.xml` and `meta.xml`; a file without them is still a text.
pub(super) fn read(package: &mut Package<'_>, limits: &Limits) -> Result<Parts, ReadError> {
    if let Some(manifest) = part(package, "META-INF/manifest.xml", limits)?
        && manifest.all("file-entry").any(|entry| entry.child("encryption-data").is_some())
    {
        return Err(ReadError::new(Code::PasswordProtected, "файл защищён паролем"));
    }
    let (mut styles, mut lists, mut furniture) = (Styles::default(), Lists::default(), Vec::new());
    if let Some(root) = part(package, "styles.xml", limits)? {
        for group in root.elements() {
            match &*group.name {
                "styles" => {
                    styles.add(group);
                    lists.add(group);
                }
                "master-styles" => furniture = running_lines(group),
                _ => {}
            }
        }
    }
    let meta = part(package, "meta.xml", limits)?;
    let properties = meta.as_ref().map(properties).unwrap_or_default();
    Ok(Parts { styles, lists, furniture, properties })
}

fn part(
    package: &mut Package<'_>,
    name: &str,
    limits: &Limits,
) -> Result<Option<Element>, ReadError> {
    let Some(bytes) = package.read(name)? else { return Ok(None) };
    xml::parse(&encoding::decode(&bytes, None).text, limits).map(Some)
}

/// The lines of all headers and footers, each once.
fn running_lines(master: &Element) -> Vec<String> {
    let mut lines = Vec::new();
    for page in master.all("master-page") {
        let running = page
            .elements()
            .filter(|part| part.name.starts_with("header") || part.name.starts_with("footer"));
        for paragraph in running.flat_map(Element::elements) {
            add_running_line(&mut lines, tidy_line(&paragraph.text()));
        }
    }
    lines
}

fn properties(root: &Element) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    let Some(meta) = root.child("meta") else { return properties };
    for (name, element) in [("title", "title"), ("author", "creator"), ("subject", "subject")] {
        if let Some(text) = meta.child_text(element) {
            properties.insert(name.to_owned(), text);
        }
    }
    let statistic = meta.child("document-statistic");
    if let Some(count) = statistic.and_then(|statistic| statistic.attribute("page-count")) {
        properties.insert("pages".to_owned(), count.to_owned());
    }
    properties
}
