//! The text of one paragraph: spans, links, fields, notes, frames.

use super::styles::{Family, Styles};
use crate::xml::{Element, Node};

/// What a paragraph's content amounts to.
#[derive(Debug, Default)]
pub(super) struct Inline<'a> {
    /// The text, not yet tidied; tabs and line breaks as they stand.
    pub(super) text: String,
    /// Notes that hang on the paragraph.
    pub(super) notes: Vec<&'a Element>,
    /// Text boxes and shapes anchored here.
    pub(super) boxes: Vec<&'a Element>,
    /// Pages that begin before the first character, and after it.
    pub(super) breaks_before: u32,
    pub(super) breaks_after: u32,
    /// Visible characters inside links to another place of the document.
    pub(super) linked: usize,
    visible: usize,
    bold: usize,
}

impl Inline<'_> {
    /// Every visible character is bold.
    pub(super) fn is_bold(&self) -> bool {
        self.visible > 0 && self.bold == self.visible
    }
}

/// How the text at a place is set.
#[derive(Clone, Copy, Debug)]
struct Setting {
    bold: bool,
    hidden: bool,
    linked: bool,
}

/// Collects the content of a paragraph; `bold` is what its own style says.
pub(super) fn read<'a>(paragraph: &'a Element, styles: &Styles, bold: bool) -> Inline<'a> {
    let mut inline = Inline::default();
    collect(paragraph, styles, Setting { bold, hidden: false, linked: false }, &mut inline);
    inline
}

fn collect<'a>(parent: &'a Element, styles: &Styles, setting: Setting, inline: &mut Inline<'a>) {
    for node in &parent.children {
        match node {
            Node::Text(text) => push(text, setting, inline),
            Node::Element(element) => child(element, styles, setting, inline),
        }
    }
}

fn child<'a>(element: &'a Element, styles: &Styles, setting: Setting, inline: &mut Inline<'a>) {
    match &*element.name {
        "span" => {
            let style = styles.resolved(Family::Span, element.attribute("style-name"));
            let setting = Setting {
                bold: style.bold.unwrap_or(setting.bold),
                hidden: style.hidden.unwrap_or(setting.hidden),
                ..setting
            };
            collect(element, styles, setting, inline);
        }
        "a" => {
            let within = element.attribute("href").is_some_and(|target| target.starts_with('#'));
            collect(
                element,
                styles,
                Setting { linked: setting.linked || within, ..setting },
                inline,
            );
        }
        "s" | "tab" => inline.text.push(' '),
        "line-break" => inline.text.push('\n'),
        "soft-page-break" if inline.visible == 0 => inline.breaks_before = 1,
        "soft-page-break" => inline.breaks_after = inline.breaks_after.saturating_add(1),
        "note" => inline.notes.push(element),
        "frame" | "custom-shape" | "rect" | "ellipse" | "polygon" | "path" | "g" => {
            inline.boxes.push(element);
        }
        // Comments and the reading aids of ruby text are not part of what is written.
        "annotation" | "annotation-end" | "ruby-text" | "hidden-text" | "hidden-paragraph"
        | "tracked-changes" | "script" => {}
        // Fields, references and marks show their text.
        _ => collect(element, styles, setting, inline),
    }
}

fn push(text: &str, setting: Setting, inline: &mut Inline<'_>) {
    if setting.hidden {
        return;
    }
    let visible = text.chars().filter(|character| !character.is_whitespace()).count();
    inline.visible = inline.visible.saturating_add(visible);
    if setting.bold {
        inline.bold = inline.bold.saturating_add(visible);
    }
    if setting.linked {
        inline.linked = inline.linked.saturating_add(visible);
    }
    // Line ends of the file are spaces; those of the text are elements.
    inline.text.extend(text.chars().map(|c| if c.is_ascii_control() { ' ' } else { c }));
}
