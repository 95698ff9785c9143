//! The work graph of a document: nodes are works, edges say what comes before what.

pub mod export;
