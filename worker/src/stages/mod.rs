//! The stages of spec/pipeline.md, one file each. Stages know no Redis, no HTTP and no job.

pub mod structural_analysis;
pub mod work_candidates;
pub mod rubern_markup;
pub mod chunking;
