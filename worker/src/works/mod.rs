//! The work graph of a document: nodes are works, edges say what comes before what.
//!
//! An edge exists only where the document says so: a phrase, the numbers of stages, a list that is
//! introduced as a sequence, or the rows of a chart of operations ([`evidence`]). Names are
//! compared by their stems ([`name`]); [`graph`] puts nodes and edges together and breaks cycles.

pub mod name;
pub mod lines;
pub mod columns;
pub mod duration;
pub mod operations;
pub mod evidence;
pub mod graph;
pub mod critical_path;
pub mod export;

pub use graph::{WorkGraph, graph};
