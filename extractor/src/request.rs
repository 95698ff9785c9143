//! What the parent asks of one child process: the child's only argument, as JSON. The input file
//! is the child's standard input, so that a child never opens a file of the user by its path.

use crate::archive::ArchiveLimits;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A child's whole task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The parent's process id; a child whose parent is another by now ends at once.
    pub parent: u32,
    /// What the child may use.
    pub limits: ChildLimits,
    /// What the child is to do.
    pub task: Task,
}

/// Hard limits the child sets on itself before it reads a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildLimits {
    /// Address space in bytes (`RLIMIT_AS`).
    pub memory_bytes: u64,
    /// CPU time of the whole process in seconds (`RLIMIT_CPU`).
    pub cpu_seconds: u64,
    /// The largest file the child may write, in bytes (`RLIMIT_FSIZE`).
    pub file_bytes: u64,
}

/// What a child is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Read the file into pages.
    Read {
        /// The file's name; its extension breaks ties in the detection of the format.
        name: String,
        /// What the readers may spend.
        limits: ReadLimits,
    },
    /// Draw one page on standard output, for recognition (`ocr::Rendered`).
    Render {
        /// The file's name, as for `Read`.
        name: String,
        /// From 1.
        page: u32,
        /// Clockwise quarter turns applied to the image: 0..4.
        quarter_turns: u8,
        /// The largest image in pixels; a larger page is drawn smaller.
        max_pixels: u64,
    },
    /// Paint one page on standard output, for people (`picture::Picture`).
    Picture(PageLook),
    /// Unpack an archive into an existing, empty folder.
    Unpack {
        /// Where to; the only place where the child may write.
        folder: PathBuf,
        /// What the archive may cost.
        limits: ArchiveLimits,
    },
    /// Replace the child by an external tool under the child's limits.
    RunTool {
        /// Absolute path of the tool.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
        /// Files and folders it may read besides the system's libraries.
        readable: Vec<PathBuf>,
    },
    /// Do something forbidden or deadly under the limits, to prove that they hold.
    Probe(Probe),
}

/// Which page a person wants to see, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageLook {
    /// The file's name; its extension breaks ties in the detection of the format.
    pub name: String,
    /// From 1.
    pub page: u32,
    /// Clockwise quarter turns of the painted page: 0..4.
    pub quarter_turns: u8,
    /// Dots per inch; a very large page is painted coarser.
    pub dpi: f32,
}

/// What the readers of the child may spend on one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadLimits {
    /// The most bytes of the input file.
    pub file_bytes: u64,
    /// The most pages, sheets or frames.
    pub pages: u32,
    /// Limits of zip containers (docx, xlsx).
    pub archive: ArchiveLimits,
}

/// Attempts of a child that has gone over to the enemy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// Try sockets, foreign files, writing, programs and signals; report each as refused or not.
    Escape,
    /// Send one page, then compute without end.
    Spin,
    /// Send one page, then wait without end.
    Hang,
    /// Send one page, then take memory without end.
    Memory,
    /// Send one page, then panic.
    Panic,
    /// Send one page, then recurse without end.
    Overflow,
    /// Send one page, then a message that is no message.
    Garbage,
}
