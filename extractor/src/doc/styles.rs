//! The style sheet: what paragraphs inherit ([MS-DOC] 2.9.271, STSH).

use super::file::{Table, WordFile, u16_at};
use super::properties::ParagraphProperties;

/// A style may name its base, and a hostile file a circle of them.
const MOST_BASES: usize = 32;
/// «This style has no base.»
const NO_BASE: u16 = 0x0FFF;

/// Built-in styles by their number (sti).
const HEADINGS: std::ops::RangeInclusive<u16> = 1..=9;
const CONTENTS: std::ops::RangeInclusive<u16> = 19..=27;
const CAPTION: u16 = 34;

#[derive(Debug)]
struct Style {
    built_in: u16,
    base: u16,
    properties: ParagraphProperties,
}

/// What a style, with all that it inherits, says of a paragraph.
#[derive(Clone, Debug, Default)]
pub(super) struct Inherited {
    pub(super) properties: ParagraphProperties,
    /// The level of a heading, from 1.
    pub(super) heading: Option<u8>,
    pub(super) is_contents: bool,
    pub(super) is_caption: bool,
}

/// The styles by their number.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: Vec<Option<Style>>,
}

impl Styles {
    pub(super) fn read(file: &WordFile) -> Styles {
        let sheet = file.table(Table::Styles);
        let header = usize::from(u16_at(sheet, 0).unwrap_or_default());
        let count = usize::from(u16_at(sheet, 2).unwrap_or_default());
        let base_size = usize::from(u16_at(sheet, 4).unwrap_or(10));
        let mut rest = sheet.get(2 + header..).unwrap_or_default();
        let mut styles = Vec::new();
        for _ in 0..count {
            let Some(length) = u16_at(rest, 0).map(usize::from) else { break };
            let Some(bytes) = rest.get(2..2 + length) else { break };
            styles.push(style(bytes, base_size));
            // Definitions begin at even offsets.
            rest = rest.get(2 + length + length % 2..).unwrap_or_default();
        }
        Styles { styles }
    }

    /// Everything that a paragraph of this style inherits.
    pub(super) fn inherited(&self, style: u16) -> Inherited {
        let mut inherited = Inherited::default();
        let mut next = style;
        for _ in 0..MOST_BASES {
            let Some(Some(style)) = self.styles.get(usize::from(next)) else { break };
            let (own, base) = (&mut inherited.properties, &style.properties);
            own.list = own.list.or(base.list);
            own.list_level = own.list_level.or(base.list_level);
            own.centered = own.centered.or(base.centered);
            own.outline = own.outline.or(base.outline);
            own.page_before = own.page_before.or(base.page_before);
            let built_in = style.built_in;
            if inherited.heading.is_none() && HEADINGS.contains(&built_in) {
                inherited.heading = u8::try_from(built_in).ok();
            }
            inherited.is_contents |= CONTENTS.contains(&built_in);
            inherited.is_caption |= built_in == CAPTION;
            if style.base == NO_BASE {
                break;
            }
            next = style.base;
        }
        inherited
    }
}

/// One definition; `None` for an empty place.
fn style(bytes: &[u8], base_size: usize) -> Option<Style> {
    let built_in = u16_at(bytes, 0)? & 0x0FFF;
    let kind_and_base = u16_at(bytes, 2)?;
    let is_paragraph = kind_and_base & 0xF == 1;
    let mut properties = ParagraphProperties::default();
    // The name: its length, its characters, a zero.
    let name_length = usize::from(u16_at(bytes, base_size)?);
    let start = base_size + 2 + 2 * name_length + 2;
    if is_paragraph && let Some(length) = u16_at(bytes, start).map(usize::from) {
        // The style's own number, then the changes.
        let changes = bytes.get(start + 4..start + 2 + length).unwrap_or_default();
        properties.apply(changes);
    }
    Some(Style { built_in, base: kind_and_base >> 4, properties })
}
