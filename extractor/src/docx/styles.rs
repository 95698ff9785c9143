//! Paragraph and character styles: their inherited properties, resolved along `basedOn`.

use crate::xml::Element;
use std::collections::HashMap;

/// What this reader needs of paragraph and run properties, wherever they are set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Properties {
    /// Outline level from 0; 9 is body text.
    pub(crate) outline: Option<u8>,
    /// Number list; 0 switches numbering off.
    pub(crate) number_list: Option<i32>,
    /// Level in the number list, from 0.
    pub(crate) number_level: Option<u8>,
    /// Set in bold.
    pub(crate) bold: Option<bool>,
    /// Hidden text.
    pub(crate) hidden: Option<bool>,
    /// Centred.
    pub(crate) centered: Option<bool>,
    /// Begins a new page.
    pub(crate) page_before: Option<bool>,
}

impl Properties {
    /// Reads `w:pPr` and `w:rPr` of a style or paragraph.
    pub(crate) fn read(paragraph: Option<&Element>, run: Option<&Element>) -> Properties {
        let numbering = paragraph.and_then(|element| element.child("numPr"));
        let number = |name| numbering.and_then(|element| element.value_of(name));
        Properties {
            outline: paragraph.and_then(|e| e.value_of("outlineLvl")).and_then(|v| v.parse().ok()),
            number_list: number("numId").and_then(|value| value.parse().ok()),
            number_level: number("ilvl").and_then(|value| value.parse().ok()),
            bold: run.and_then(|element| switch(element, "b")),
            hidden: run.and_then(|element| switch(element, "vanish")),
            centered: paragraph.and_then(|e| e.value_of("jc")).map(|value| value == "center"),
            page_before: paragraph.and_then(|element| switch(element, "pageBreakBefore")),
        }
    }

    /// These properties, and those of `base` where these say nothing.
    pub(crate) fn over(self, base: &Properties) -> Properties {
        Properties {
            outline: self.outline.or(base.outline),
            number_list: self.number_list.or(base.number_list),
            number_level: self.number_level.or(base.number_level),
            bold: self.bold.or(base.bold),
            hidden: self.hidden.or(base.hidden),
            centered: self.centered.or(base.centered),
            page_before: self.page_before.or(base.page_before),
        }
    }
}

/// The value of an on/off property: present means on, unless it says otherwise.
pub(crate) fn switch(properties: &Element, name: &str) -> Option<bool> {
    let value = properties.child(name)?.attribute("val");
    Some(!matches!(value, Some("0" | "false" | "off" | "none")))
}

/// What a paragraph style is for, known by its built-in or localised name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing special.
    #[default]
    Body,
    /// A heading of this level, from 1; 0 for a title.
    Heading(u8),
    /// An entry or the heading of a table of contents.
    Contents,
    /// A caption of a table or figure.
    Caption,
}

/// A style with everything it inherits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Style {
    /// What it is for.
    pub(crate) role: Role,
    /// Its properties.
    pub(crate) properties: Properties,
    /// The style, itself or an ancestor, that set the number list: numbering levels name it.
    pub(crate) numbering_style: Option<String>,
}

/// All styles of a document by id.
#[derive(Debug, Default)]
pub(crate) struct Styles {
    by_id: HashMap<String, Style>,
    default_paragraph: Style,
}

impl Styles {
    /// Reads `word/styles.xml`.
    pub(crate) fn read(root: &Element) -> Styles {
        let raw: HashMap<&str, &Element> = root
            .all("style")
            .filter_map(|style| Some((style.attribute("styleId")?, style)))
            .collect();
        let by_id: HashMap<String, Style> =
            raw.keys().map(|id| ((*id).to_owned(), resolve(id, &raw))).collect();
        let default_paragraph = root
            .all("style")
            .find(|style| {
                style.attribute("type") == Some("paragraph")
                    && matches!(style.attribute("default"), Some("1" | "true" | "on"))
            })
            .and_then(|style| by_id.get(style.attribute("styleId")?))
            .cloned()
            .unwrap_or_default();
        Styles { by_id, default_paragraph }
    }

    /// The style of a paragraph; the default one when it names none.
    pub(crate) fn paragraph(&self, id: Option<&str>) -> &Style {
        id.and_then(|id| self.by_id.get(id)).unwrap_or(&self.default_paragraph)
    }

    /// A character style.
    pub(crate) fn character(&self, id: &str) -> Option<&Style> {
        self.by_id.get(id)
    }
}

/// A style may name its base, and a hostile file a circle or a long chain of them.
const MOST_BASES: usize = 32;

/// Walks from a style to its ancestors.
fn resolve(id: &str, raw: &HashMap<&str, &Element>) -> Style {
    let mut style = Style::default();
    let mut next = raw.get_key_value(id);
    for _ in 0..MOST_BASES {
        let Some((id, element)) = next else { break };
        let own = Properties::read(element.child("pPr"), element.child("rPr"));
        if style.properties.number_list.is_none() && own.number_list.is_some() {
            style.numbering_style = Some((*id).to_owned());
        }
        style.properties = style.properties.over(&own);
        if style.role == Role::Body {
            style.role = role(element.value_of("name").unwrap_or(id));
        }
        next = element.value_of("basedOn").and_then(|base| raw.get_key_value(base));
    }
    style
}

/// The role behind a style's name, as Word writes it in English and as Russian programs do.
fn role(name: &str) -> Role {
    let name = name.trim().to_lowercase();
    let level_after = |prefix: &str| -> Option<u8> {
        let level: u8 = name.strip_prefix(prefix)?.trim().parse().ok()?;
        (1..=9).contains(&level).then_some(level)
    };
    if let Some(level) = level_after("heading").or_else(|| level_after("заголовок")) {
        return Role::Heading(level);
    }
    if name == "title" || name == "название" || name == "заголовок" {
        return Role::Heading(0);
    }
    if name == "caption" || name == "название объекта" {
        return Role::Caption;
    }
    let contents = ["toc heading", "заголовок оглавления", "table of figures"];
    if contents.contains(&name.as_str())
        || level_after("toc").is_some()
        || level_after("оглавление").is_some()
    {
        return Role::Contents;
    }
    Role::Body
}

#[cfg(test)]
mod tests {
    use super::{Role, Styles, role};
    use crate::reader::Limits;
    use crate::xml::parse;

    #[test]
    fn names_in_both_languages() {
        assert_eq!(role("heading 2"), Role::Heading(2));
        assert_eq!(role("Заголовок 3"), Role::Heading(3));
        assert_eq!(role("toc 1"), Role::Contents);
        assert_eq!(role("Оглавление 2"), Role::Contents);
        assert_eq!(role("Название объекта"), Role::Caption);
        assert_eq!(role("heading 12"), Role::Body);
        assert_eq!(role("Заголовок таблицы"), Role::Body);
    }

    #[test]
    fn a_long_chain_is_not_walked_to_its_end_for_every_style() {
        let style = |number: u32| {
            format!("<style styleId=\"{number}\"><basedOn val=\"{}\"/></style>", number + 1)
        };
        let xml = format!("<styles>{}</styles>", (0..20_000).map(style).collect::<String>());
        assert!(Styles::read(&parse(&xml, &Limits::default()).unwrap()).character("0").is_some());
    }

    #[test]
    fn inherits_and_survives_a_loop() {
        let xml = r#"<styles>
            <style styleId="a" type="paragraph" default="1"><name val="Normal"/><basedOn val="c"/>
              <pPr><numPr><numId val="7"/></numPr></pPr></style>
            <style styleId="b"><name val="Пункт"/><basedOn val="a"/><rPr><b/></rPr></style>
            <style styleId="c"><name val="heading 1"/><basedOn val="b"/><rPr><b val="0"/></rPr></style>
            </styles>"#;
        let styles = Styles::read(&parse(xml, &Limits::default()).unwrap());
        let clause = styles.paragraph(Some("b"));
        assert_eq!(clause.properties.number_list, Some(7));
        assert_eq!(clause.numbering_style.as_deref(), Some("a"));
        assert_eq!(clause.properties.bold, Some(true));
        assert_eq!(clause.role, Role::Heading(1));
        assert_eq!(styles.paragraph(None).properties.bold, Some(false));
    }
}
