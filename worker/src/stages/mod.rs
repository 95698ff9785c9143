//! The stages of spec/pipeline.md, one file each. Stages know no Redis, no HTTP and no job.

pub mod document_type;
pub mod structural_analysis;
pub mod work_candidates;
pub mod rubern_markup;
pub mod metadata;
pub mod quality_control;
pub mod chunking;
