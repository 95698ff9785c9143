//! Groups: what they change, and where their text goes.

use super::paragraph::Layout;

/// Where the text of a group goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Body,
    /// Nowhere: pictures, colours, everything unknown.
    Nowhere,
    Fonts,
    Styles,
    /// Between the properties of the file.
    Info,
    /// A property of the file.
    Property(&'static str),
    /// A list's number, as it was printed.
    Number,
    /// What a field is: `HYPERLINK "#sub1"`.
    Instruction,
    Note,
    Running,
    /// A text box.
    Box,
}

/// What a group changes and its end takes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) place: Place,
    pub(super) layout: Layout,
    pub(super) bold: bool,
    pub(super) hidden: bool,
    pub(super) deleted: bool,
    pub(super) linked: bool,
    pub(super) font: i32,
    /// Characters that follow a Unicode character for readers that do not know it.
    pub(super) replacements: usize,
    /// The first token of a group may name its destination.
    pub(super) is_new: bool,
    /// `\*`: who does not know the destination passes over it.
    pub(super) is_optional: bool,
    /// A field begins here.
    pub(super) has_field: bool,
    /// This group opened a flow of its own (a note, a header, a text box).
    pub(super) has_flow: bool,
}

impl Default for Group {
    fn default() -> Group {
        Group {
            place: Place::Body,
            layout: Layout::default(),
            bold: false,
            hidden: false,
            deleted: false,
            linked: false,
            font: 0,
            replacements: 1,
            is_new: false,
            is_optional: false,
            has_field: false,
            has_flow: false,
        }
    }
}
