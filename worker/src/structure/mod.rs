//! How a document is built: numbers, headings, contents, clauses, tables, lists, appendices.

pub mod rules;
pub mod number;
pub mod line;
pub mod heading;
pub mod scope;

pub use rules::StructureRules;
