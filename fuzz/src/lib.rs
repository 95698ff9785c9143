//! What the fuzz targets share: which panics are findings, what every message must be like, and
//! mutations that leave a container whole.

mod archives;
mod containers;
mod documents;
mod files;
mod panics;
mod pdf;

pub use archives::unpack;
pub use containers::{mutate_container, mutate_in_place};
pub use documents::{check, read};
pub use files::AsFile;
pub use panics::{guarded, watch_panics};
pub use pdf::{around, read_pdf};
