//! One file per stage, in the order in which a document passes them.

pub mod initial_validation;
pub mod duplicate_check;
pub mod text_extraction;
pub mod document_type;
pub mod structural_analysis;
pub mod work_candidates;
pub mod rubern_markup;
pub mod metadata;
pub mod quality_control;
pub mod type_specific;
pub mod work_sequences;
pub mod save_sequences;
pub mod chunking;
pub mod save_vectors;
