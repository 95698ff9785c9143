//! Headings and where they stand in the tree.

use super::line::ClauseStart;

/// A heading as read from its lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heading {
    /// «5», «4.2», «А», «I», «Глава 2», «Статья 1»; empty when it has no number.
    pub number: String,
    /// Without the number; lines of a long heading joined by spaces.
    pub title: String,
    /// As written, lines joined by spaces.
    pub written: String,
    /// The smaller, the higher in the tree.
    pub rank: i32,
    /// The clause that it opens, for a dotted number or an article.
    pub clause: Option<ClauseStart>,
    /// It opens an appendix.
    pub appendix: bool,
}
