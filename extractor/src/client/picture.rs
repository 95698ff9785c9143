//! The picture of one page, painted by a limited child.

use super::child::ToolInput;
use super::tools::Runs;
use super::{ExtractError, ExtractLimits, Tools};
use crate::picture::{MAX_BYTES, Picture};
use crate::request::{PageLook, Task};
use shared::outcome::Code;
use std::fs::File;
use std::time::Instant;

/// Paints a page of an open file. `cancel` is asked several times a second.
///
/// # Errors
/// The document's own fault under the code that reading it would have, or a child that cannot be
/// started.
pub fn paint(
    source: &File,
    look: &PageLook,
    limits: &ExtractLimits,
    tools: &Tools,
    cancel: &(dyn Fn() -> bool + Sync),
) -> Result<Picture, ExtractError> {
    let wait = limits.page_wait;
    let deadline = Instant::now() + wait;
    let runs = Runs { source, name: &look.name, limits, tools, cancel, deadline };
    let task = Task::Picture(look.clone());
    let bytes = runs.run(task, ToolInput::File(source), wait, MAX_BYTES)?;
    match Picture::read(bytes) {
        Ok(Ok(picture)) => Ok(picture),
        Ok(Err(refused)) => Err(ExtractError::failed(refused.code, refused.message)),
        Err(error) => Err(ExtractError::failed(Code::ParserCrashed, error.to_string())),
    }
}
