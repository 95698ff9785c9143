//! What control words do.

use super::group::{Group, Place};
use super::paragraph::Layout;
use super::reading::Reading;
use crate::flow::Piece;
use crate::flow::edges::RowShape;
use crate::reader::ReadError;

impl Reading<'_> {
    pub(super) fn word(&mut self, name: &str, number: Option<i32>) -> Result<(), ReadError> {
        let group = self.group();
        if group.is_new && self.destination(name, group) {
            self.no_longer_new();
            return Ok(());
        }
        self.no_longer_new();
        if group.place == Place::Nowhere {
            return Ok(());
        }
        let on = number != Some(0);
        match name {
            "u" => self.unicode(number.unwrap_or(0)),
            "uc" => {
                let count = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(16);
                self.change(|group| group.replacements = count);
            }
            "ansicpg" => self.charsets.set_file(number.unwrap_or(0)),
            "f" => self.change(|group| group.font = number.unwrap_or(0)),
            "fcharset" if group.place == Place::Fonts => {
                self.charsets.set_font(group.font, number.unwrap_or(0));
            }
            "b" => self.change(|group| group.bold = on),
            "v" => self.change(|group| group.hidden = on),
            "deleted" => self.change(|group| group.deleted = on),
            "plain" => self.change(|group| {
                (group.bold, group.hidden, group.deleted) = (false, false, false);
            }),
            "s" if group.place == Place::Styles => self.style.0 = number.unwrap_or(0),
            "outlinelevel" if group.place == Place::Styles => {
                self.style.1.outline = number.and_then(|level| u8::try_from(level).ok());
            }
            "nofpages" => {
                let pages = number.unwrap_or(0).to_string();
                self.properties.insert("pages".to_owned(), pages);
            }
            "sectd" if self.section.is_some() => self.section = Some(true),
            "sbknone" if self.section.is_some() => self.section = Some(false),
            _ if character(name).is_some() => self.text(character(name).unwrap_or_default()),
            _ => {
                self.layout_word(name, number);
                return self.structure_word(name, number);
            }
        }
        Ok(())
    }

    fn layout_word(&mut self, name: &str, number: Option<i32>) {
        self.change(|group| match name {
            "pard" => group.layout = Layout::default(),
            "s" => group.layout.style = number.unwrap_or(0),
            "qc" => group.layout.centered = true,
            "ql" | "qr" | "qj" => group.layout.centered = false,
            "intbl" => group.layout.in_table = true,
            "itap" => group.layout.in_table = number.unwrap_or(0) > 0,
            "pagebb" => group.layout.page_before = number != Some(0),
            "outlinelevel" => {
                group.layout.outline = number.and_then(|level| u8::try_from(level).ok());
            }
            _ => {}
        });
    }

    fn structure_word(&mut self, name: &str, number: Option<i32>) -> Result<(), ReadError> {
        let layout = self.group().layout;
        match name {
            "par" => self.end_paragraph(layout)?,
            "sect" => {
                self.end_paragraph(layout)?;
                self.section = Some(true);
            }
            "page" => {
                if !self.flow.current.is_blank() {
                    self.flow.current.after.push(Piece::Pages(1));
                } else {
                    if !layout.in_table {
                        self.end_table()?;
                    }
                    self.flow.pieces.push(Piece::Pages(1));
                }
            }
            "cell" => {
                self.end_paragraph(Layout { in_table: true, ..layout })?;
                self.flow.table.end_cell();
            }
            "nestcell" => self.end_paragraph(Layout { in_table: true, ..layout })?,
            "row" => self.flow.table.end_row(&self.row),
            "trowd" => self.row = RowShape::default(),
            "trleft" => self.row.left = number.unwrap_or(0),
            "trhdr" => self.row.is_header = true,
            "clmrg" => self.row.next.joins_left = true,
            "clvmrg" => self.row.next.joins_above = true,
            "cellx" => self.row.cell_to(number.unwrap_or(0)),
            _ => {}
        }
        Ok(())
    }

    /// The first word of a group may say that its text goes elsewhere.
    fn destination(&mut self, name: &str, group: Group) -> bool {
        let place = match name {
            "fonttbl" => Place::Fonts,
            "stylesheet" => Place::Styles,
            "info" => Place::Info,
            "title" if group.place == Place::Info => Place::Property("title"),
            "author" if group.place == Place::Info => Place::Property("author"),
            "subject" if group.place == Place::Info => Place::Property("subject"),
            "listtext" | "pntext" => Place::Number,
            "fldinst" => Place::Instruction,
            "footnote" => {
                self.open_flow(Place::Note);
                return true;
            }
            "shptxt" => {
                self.open_flow(Place::Box);
                return true;
            }
            "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl" | "footerr"
            | "footerf" => {
                self.open_flow(Place::Running);
                return true;
            }
            "field" => {
                self.fields.push(String::new());
                self.change(|group| group.has_field = true);
                return true;
            }
            "fldrslt" => {
                self.field_result();
                return true;
            }
            // Groups whose own text counts, although they are optional.
            "shp" | "shpinst" | "upr" | "object" => Place::Nowhere,
            // What a text box or a Unicode form shows goes to where the outer text went.
            "ud" | "result" => self.outer_place(),
            "pict" | "colortbl" | "listtable" | "listoverridetable" | "revtbl" | "rsidtbl"
            | "generator" | "bkmkstart" | "bkmkend" | "nonshppict" | "shppict" | "themedata"
            | "datastore" | "latentstyles" | "xmlnstbl" | "annotation" | "atnid" | "atnauthor"
            | "objdata" | "objclass" | "fchars" | "lchars" | "userprops" | "falt" | "panose" => {
                Place::Nowhere
            }
            _ if group.is_optional => Place::Nowhere,
            _ => return false,
        };
        self.change(|group| group.place = place);
        true
    }

    /// Where the text goes that surrounds the groups which show nothing themselves.
    fn outer_place(&self) -> Place {
        let shown = self.groups.iter().rev().map(|group| group.place);
        shown.into_iter().find(|place| *place != Place::Nowhere).unwrap_or(Place::Body)
    }

    fn field_result(&mut self) {
        let code = self.fields.last().map(|code| code.trim().to_ascii_uppercase());
        let code = code.unwrap_or_default();
        let within =
            code.starts_with("HYPERLINK") && (code.contains("\\L") || code.contains("\"#"));
        if code.starts_with("PAGEREF") || code.starts_with("TOC") {
            self.flow.current.is_contents = true;
        }
        self.change(|group| group.linked = group.linked || within);
    }

    fn unicode(&mut self, number: i32) {
        // Signed sixteen bits in the file.
        let unit = u16::try_from(number.rem_euclid(0x1_0000)).unwrap_or_default();
        self.skip = self.group().replacements;
        let character = match (self.high_surrogate.take(), unit) {
            (_, 0xD800..=0xDBFF) => {
                self.high_surrogate = Some(unit);
                return;
            }
            (Some(high), 0xDC00..=0xDFFF) => {
                char::decode_utf16([high, unit]).next().and_then(Result::ok)
            }
            // Signs of the symbol fonts stand in the private area.
            (_, 0xF000..=0xF0FF) => Some('•'),
            (_, unit) => char::from_u32(u32::from(unit)),
        };
        if let Some(character) = character {
            self.text(character.encode_utf8(&mut [0; 4]));
        }
    }
}

/// Words that stand for characters.
fn character(name: &str) -> Option<&'static str> {
    Some(match name {
        "tab" => "\t",
        "line" | "lbr" => "\n",
        "emdash" => "—",
        "endash" => "–",
        "lquote" => "‘",
        "rquote" => "’",
        "ldblquote" => "“",
        "rdblquote" => "”",
        "bullet" => "•",
        "emspace" | "enspace" | "qmspace" => " ",
        _ => return None,
    })
}
