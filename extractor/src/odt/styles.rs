//! Styles: what paragraphs and spans inherit.

use crate::xml::Element;
use std::collections::HashMap;

/// A style may name its parent, and a hostile file a circle of them.
const MOST_PARENTS: usize = 32;

/// What a style says; what it leaves open is its parent's.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    parent: Option<String>,
    pub(super) bold: Option<bool>,
    pub(super) hidden: Option<bool>,
    pub(super) centered: Option<bool>,
    /// A page begins before the paragraph or table.
    pub(super) page_before: Option<bool>,
    pub(super) page_after: Option<bool>,
    /// The level of a heading, from 1.
    pub(super) outline: Option<u8>,
    /// «Contents 1», «Table», «Illustration»: what the style is for.
    pub(super) name: Option<String>,
}

/// The styles of a document by family and name.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: HashMap<(Family, String), Style>,
}

/// What a style is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Family {
    Paragraph,
    Span,
    Table,
}

impl Styles {
    /// Adds the styles of `office:styles` or `office:automatic-styles`.
    pub(super) fn add(&mut self, group: &Element) {
        for element in group.all("style") {
            let family = match element.attribute("family") {
                Some("paragraph") => Family::Paragraph,
                Some("text") => Family::Span,
                Some("table") => Family::Table,
                _ => continue,
            };
            if let Some(name) = element.attribute("name") {
                self.styles.insert((family, name.to_owned()), read(element));
            }
        }
    }

    /// A style with everything that it inherits.
    pub(super) fn resolved(&self, family: Family, name: Option<&str>) -> Style {
        let mut resolved = Style::default();
        let mut next = name.map(str::to_owned);
        for _ in 0..MOST_PARENTS {
            let Some(name) = next.take() else { break };
            let Some(style) = self.styles.get(&(family, name)) else { break };
            resolved.bold = resolved.bold.or(style.bold);
            resolved.hidden = resolved.hidden.or(style.hidden);
            resolved.centered = resolved.centered.or(style.centered);
            resolved.page_before = resolved.page_before.or(style.page_before);
            resolved.page_after = resolved.page_after.or(style.page_after);
            resolved.outline = resolved.outline.or(style.outline);
            resolved.name = resolved.name.or_else(|| style.name.clone());
            next.clone_from(&style.parent);
        }
        resolved
    }
}

fn read(element: &Element) -> Style {
    let text = element.child("text-properties");
    let paragraph = element.child("paragraph-properties");
    let layout = paragraph.or_else(|| element.child("table-properties"));
    let page = |name: &str| layout.and_then(|p| p.attribute(name)).map(|value| value == "page");
    let master = element.attribute("master-page-name").filter(|name| !name.is_empty());
    let automatic = element.attribute("parent-style-name").is_some()
        && element.attribute("display-name").is_none()
        && element.attribute("class").is_none();
    Style {
        parent: element.attribute("parent-style-name").map(str::to_owned),
        bold: text.and_then(|t| t.attribute("font-weight")).map(is_bold),
        hidden: text.and_then(|t| t.attribute("display")).map(|value| value == "none"),
        centered: paragraph.and_then(|p| p.attribute("text-align")).map(|align| align == "center"),
        page_before: master.map(|_| true).or_else(|| page("break-before")),
        page_after: page("break-after"),
        outline: element.attribute("default-outline-level").and_then(|level| level.parse().ok()),
        name: if automatic { None } else { element.attribute("name").map(unescaped) },
    }
}

fn is_bold(weight: &str) -> bool {
    weight == "bold" || weight.parse().is_ok_and(|weight: u32| weight >= 600)
}

/// «`Contents_20_1`» is «Contents 1».
fn unescaped(name: &str) -> String {
    name.replace("_20_", " ")
}
