//! Claims documents and runs the 14 stages.

pub mod rules;
pub mod extracted;
pub mod norms;
pub mod title_page;
pub mod structure;
pub mod stages;
