//! The text of one paragraph: runs, fields, links, tracked changes, formulas, text boxes.

use super::math;
use super::styles::{Properties, Styles, switch};
use crate::xml::{Element, Node};

/// Fields within each other; all are asked for every piece of text.
const MOST_FIELDS: usize = 64;

/// A complex field that is open; fields may span paragraphs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    instruction: String,
    in_result: bool,
}

impl Field {
    fn is_contents(&self) -> bool {
        let code = self.instruction.trim_start().to_ascii_uppercase();
        self.in_result && code.starts_with("TOC")
    }

    fn is_internal_link(&self) -> bool {
        let code = self.instruction.trim_start().to_ascii_uppercase();
        code.starts_with("PAGEREF") || (code.starts_with("HYPERLINK") && code.contains("\\L"))
    }
}

/// What a paragraph's content amounts to.
#[derive(Debug, Default)]
pub(crate) struct Inline<'a> {
    /// The text, not yet tidied; tabs and line breaks as they stand.
    pub(crate) text: String,
    /// Every visible character is bold.
    pub(crate) bold: bool,
    /// Text boxes anchored here: their `txbxContent` elements.
    pub(crate) boxes: Vec<&'a Element>,
    /// Footnotes and endnotes referred to: kind (`footnote`, `endnote`) and id.
    pub(crate) notes: Vec<(&'static str, String)>,
    /// A page begins before the first character.
    pub(crate) break_before: bool,
    /// Pages that begin after the first character.
    pub(crate) breaks_after: u32,
    /// Breaks that Word recorded when it last laid the text out.
    pub(crate) rendered_breaks: u32,
    /// Characters inside links to another place of the document.
    pub(crate) linked: usize,
    /// Inside a table of contents, or ends in a reference to a page.
    pub(crate) is_contents: bool,
    visible: usize,
    not_bold: usize,
    text_since_break: bool,
}

/// Collects the content of a paragraph.
pub(crate) struct Collector<'a, 'b> {
    styles: &'b Styles,
    fields: &'b mut Vec<Field>,
    base: Properties,
    inline: Inline<'a>,
    link_depth: usize,
}

/// Reads a paragraph's content; `base` are the properties that its style gives to its runs.
pub(crate) fn read<'a>(
    paragraph: &'a Element,
    base: &Properties,
    styles: &Styles,
    fields: &mut Vec<Field>,
) -> Inline<'a> {
    let inline = Inline { is_contents: fields.iter().any(Field::is_contents), ..Inline::default() };
    let mut collector = Collector { styles, fields, base: base.clone(), inline, link_depth: 0 };
    collector.children(paragraph);
    let mut inline = collector.inline;
    inline.bold = inline.visible > 0 && inline.not_bold == 0;
    inline
}

impl<'a> Collector<'a, '_> {
    fn children(&mut self, parent: &'a Element) {
        parent.elements().for_each(|element| self.element(element));
    }

    fn element(&mut self, element: &'a Element) {
        match &*element.name {
            "r" => self.run(element),
            // Accepted changes: what was deleted or moved away is not read.
            "del" | "moveFrom" | "pPr" | "rPr" | "sdtPr" | "customXmlPr" | "smartTagPr" => {}
            "hyperlink" => {
                let internal = element.attribute("anchor").is_some()
                    && !element
                        .attributes
                        .iter()
                        .any(|(name, value)| &**name == "id" && !value.is_empty());
                self.linked(internal, element);
            }
            "fldSimple" => {
                let field = Field {
                    instruction: element.attribute("instr").unwrap_or_default().to_owned(),
                    in_result: true,
                };
                self.inline.is_contents |= field.is_contents();
                self.linked(field.is_internal_link(), element);
            }
            "oMath" => {
                let formula = math::linear(element);
                self.push(&formula, None);
            }
            "ruby" => element.child("rubyBase").into_iter().for_each(|base| self.children(base)),
            "AlternateContent" => {
                if let Some(form) = form_with_text(element) {
                    self.children(form);
                }
            }
            _ => self.children(element),
        }
    }

    fn linked(&mut self, internal: bool, element: &'a Element) {
        self.link_depth = self.link_depth.saturating_add(usize::from(internal));
        self.children(element);
        self.link_depth = self.link_depth.saturating_sub(usize::from(internal));
    }

    fn run(&mut self, run: &'a Element) {
        let properties = run.child("rPr");
        let own = Properties::read(None, properties);
        let style = properties
            .and_then(|properties| properties.value_of("rStyle"))
            .and_then(|id| self.styles.character(id));
        let mut effective = own.over(style.map_or(&self.base, |style| &style.properties));
        effective = effective.over(&self.base);
        let hidden = effective.hidden == Some(true);
        let symbol_font = properties
            .and_then(|properties| properties.child("rFonts"))
            .and_then(|fonts| fonts.attribute("ascii"))
            .is_some_and(|font| font.eq_ignore_ascii_case("symbol"));
        let vertical = properties.and_then(|properties| properties.value_of("vertAlign"));
        let bold = Some(effective.bold == Some(true));

        for child in run.elements() {
            match &*child.name {
                "fldChar" => self.field_mark(child),
                "instrText" => {
                    if let Some(field) = self.fields.last_mut().filter(|field| !field.in_result) {
                        field.instruction.push_str(&child.text());
                    }
                }
                "lastRenderedPageBreak" => {
                    self.inline.rendered_breaks = self.inline.rendered_breaks.saturating_add(1);
                    self.page_break();
                }
                "br" if child.attribute("type") == Some("page") => self.page_break(),
                _ if hidden || self.in_instruction() => {}
                "t" => {
                    let text = child.text();
                    let text = if symbol_font { symbols(&text) } else { text };
                    self.aligned(&text, vertical, bold);
                }
                "tab" | "ptab" => self.push("\t", None),
                "br" | "cr" => self.push("\n", None),
                "noBreakHyphen" => self.push("-", bold),
                "sym" => {
                    let code =
                        child.attribute("char").and_then(|c| u32::from_str_radix(c, 16).ok());
                    let text = code.and_then(char::from_u32).map(String::from).unwrap_or_default();
                    let symbol =
                        child.attribute("font").is_none_or(|font| font.starts_with("Symbol"));
                    self.push(&if symbol { symbols(&text) } else { dingbat(&text) }, bold);
                }
                "footnoteReference" => self.note("footnote", child),
                "endnoteReference" => self.note("endnote", child),
                "drawing" | "pict" | "object" => self.drawing(child),
                "AlternateContent" => {
                    if let Some(form) = form_with_text(child) {
                        self.drawing(form);
                    }
                }
                "ruby" => self.element(child),
                _ => {}
            }
        }
    }

    fn note(&mut self, kind: &'static str, reference: &Element) {
        if let Some(id) = reference.attribute("id") {
            self.inline.notes.push((kind, id.to_owned()));
        }
    }

    /// Finds the text boxes of a drawing, however deep in groups and canvases.
    fn drawing(&mut self, element: &'a Element) {
        for child in element.elements() {
            match &*child.name {
                "txbxContent" => self.inline.boxes.push(child),
                "AlternateContent" => {
                    if let Some(form) = form_with_text(child) {
                        self.drawing(form);
                    }
                }
                _ => self.drawing(child),
            }
        }
    }

    fn field_mark(&mut self, mark: &Element) {
        match mark.attribute("fldCharType") {
            Some("begin") if self.fields.len() < MOST_FIELDS => {
                self.fields.push(Field::default());
            }
            Some("separate") => {
                if let Some(field) = self.fields.last_mut() {
                    field.in_result = true;
                    self.inline.is_contents |= field.is_contents();
                }
            }
            Some("end") => {
                self.fields.pop();
            }
            _ => {}
        }
    }

    fn in_instruction(&self) -> bool {
        self.fields.iter().any(|field| !field.in_result)
    }

    fn page_break(&mut self) {
        if !self.inline.text.trim().is_empty() {
            if self.inline.text_since_break {
                self.inline.breaks_after = self.inline.breaks_after.saturating_add(1);
            }
        } else {
            self.inline.break_before = true;
        }
        self.inline.text_since_break = false;
    }

    /// Raised and lowered text: a power after a digit must not read as more digits («10^5»), a
    /// note mark must not stick to a number («15 1)»); «м2» and «Rb» are written as people type.
    fn aligned(&mut self, text: &str, vertical: Option<&str>, bold: Option<bool>) {
        let after_digit = self.inline.text.ends_with(|last: char| last.is_ascii_digit());
        let power = text.trim().trim_start_matches(['-', '–', '−', '+']);
        if vertical == Some("superscript") && after_digit && !text.trim().is_empty() {
            let is_power = !power.is_empty() && power.chars().all(|c| c.is_alphanumeric());
            self.push(if is_power { "^" } else { " " }, None);
        }
        self.push(text, bold);
    }

    fn push(&mut self, text: &str, bold: Option<bool>) {
        self.inline.text.push_str(text);
        let visible = text.chars().filter(|character| !character.is_whitespace()).count();
        self.inline.visible = self.inline.visible.saturating_add(visible);
        self.inline.text_since_break |= visible > 0;
        if bold == Some(false) {
            self.inline.not_bold = self.inline.not_bold.saturating_add(visible);
        }
        let in_link = self.link_depth > 0
            || self.fields.iter().any(|field| field.in_result && field.is_internal_link());
        if in_link {
            self.inline.linked = self.inline.linked.saturating_add(visible);
        }
        let page_reference = |field: &Field| {
            field.in_result
                && field.instruction.trim_start().to_ascii_uppercase().starts_with("PAGEREF")
        };
        self.inline.is_contents |= visible > 0 && self.fields.iter().any(page_reference);
    }
}

/// Whether a paragraph's mark was deleted: accepting that joins it with the next paragraph.
pub(crate) fn mark_deleted(paragraph: &Element) -> bool {
    let mark = paragraph.child("pPr").and_then(|properties| properties.child("rPr"));
    mark.is_some_and(|mark| mark.child("del").is_some() || mark.child("moveFrom").is_some())
}

/// Whether the mark of a paragraph is hidden, so that it is not numbered either.
pub(crate) fn mark_hidden(paragraph: &Element) -> bool {
    let mark = paragraph.child("pPr").and_then(|properties| properties.child("rPr"));
    mark.and_then(|mark| switch(mark, "vanish")) == Some(true)
}

/// The same drawing in two forms: the first that holds text counts, never both.
fn form_with_text(element: &Element) -> Option<&Element> {
    element.all("Choice").chain(element.all("Fallback")).find(|form| has_text(form))
}

fn has_text(element: &Element) -> bool {
    element.children.iter().any(|node| match node {
        Node::Text(text) => !text.trim().is_empty(),
        Node::Element(child) => has_text(child),
    })
}

/// A sign of a picture font (Wingdings): a tick, or else a bullet.
fn dingbat(text: &str) -> String {
    let tick = matches!(text.chars().next(), Some('\u{f0fc}' | '\u{f0fe}' | '\u{f052}'));
    if tick { "✓".to_owned() } else { "•".to_owned() }
}

/// Characters of the Symbol font, plain or in the private area, as Unicode.
fn symbols(text: &str) -> String {
    text.chars()
        .map(|character| {
            let code = u32::from(character);
            let low =
                if (0xF020..=0xF0FF).contains(&code) { code.saturating_sub(0xF000) } else { code };
            match low {
                0x61..=0x7A => "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"
                    .chars()
                    .nth(low.saturating_sub(0x61) as usize)
                    .unwrap_or(character),
                0x44 => 'Δ',
                0x46 => 'Φ',
                0x47 => 'Γ',
                0x4C => 'Λ',
                0x50 => 'Π',
                0x51 => 'Θ',
                0x53 => 'Σ',
                0x57 => 'Ω',
                0x59 => 'Ψ',
                0xA3 => '≤',
                0xA5 => '∞',
                0xB0 => '°',
                0xB1 => '±',
                0xB3 => '≥',
                0xB4 => '×',
                0xB7 => '•',
                0xB8 => '÷',
                0xB9 => '≠',
                0xBB => '≈',
                0xC6 => 'Ø',
                0xD6 => '√',
                0xD7 => '·',
                0xE5 => '∑',
                0x20..=0x7E => char::from_u32(low).unwrap_or(character),
                _ => character,
            }
        })
        .collect()
}
