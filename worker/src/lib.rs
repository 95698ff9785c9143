//! Claims documents and runs the 14 stages.

pub mod settings;
pub mod services;
pub mod service;
pub mod heartbeat;
pub mod listing;
pub mod document;
pub mod task;
pub mod run;
pub mod stop;
pub mod pipeline;
pub mod stages;
pub mod extracted;
pub mod reading;
pub mod structure;
pub mod rubern;
pub mod works;
pub mod norms;
pub mod title_page;
pub mod embedding;
pub mod trained;
pub mod narration;
pub mod report;
pub mod finishing;
pub mod rules;
