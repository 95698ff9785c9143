//! How a document is built: numbers, headings, contents, clauses, tables, lists, appendices.
//!
//! The lines of a document ([`line`]) get roles in [`outline`]: first the table of contents and
//! the captions, then, in one pass, headings and clauses. A number is believed when it continues
//! the numbers before it or is continued by those after it ([`sequence`]), so that «1.5 м» or
//! «п. 5.1 настоящего» at the start of a line opens nothing. [`body`] then builds the section tree,
//! the clauses, tables, lists and figures.

pub mod rules;
pub mod number;
mod sequence;
pub mod scope;
pub mod line;
mod contents;
mod caption;
mod table;
mod candidate;
pub mod heading;
pub mod outline;
pub mod body;

pub use rules::StructureRules;
