//! The worker's side of the extractor: starts limited child processes, reads their messages,
//! sends pages without usable text down the chain, and cleans up whatever happens.
//!
//! Everything here blocks, and runs on the document's own thread. Children die with that thread
//! (`PR_SET_PDEATHSIG`), with the call, and with the process.

pub mod checks;
mod child;
mod picture;
mod recover;
mod tools;
mod slots;

use crate::archive::ArchiveLimits;
use crate::model::{ArchiveEntry, Format, Message, Page};
use crate::request::{ChildLimits, ReadLimits, Request, Task};
use shared::outcome::Code;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use picture::paint;
pub use slots::Slots;

/// What one document may cost.
#[derive(Clone, Debug)]
pub struct ExtractLimits {
    /// The largest input file in bytes.
    pub file_bytes: u64,
    /// Address space of each child in bytes.
    pub memory_bytes: u64,
    /// CPU seconds of the whole parser child.
    pub cpu_seconds: u64,
    /// The longest wait for the next page (wall clock).
    pub page_wait: Duration,
    /// The longest recognition of one page, drawing included (wall clock).
    pub ocr_page_wait: Duration,
    /// CPU seconds of each run of an external tool.
    pub ocr_cpu_seconds: u64,
    /// The largest image given to recognition, in pixels.
    pub ocr_pixels: u64,
    /// Pages, sheets or frames of one document.
    pub pages: u32,
    /// Everything a child may send for one document, in bytes.
    pub output_bytes: u64,
    /// Archives, and the containers of docx and xlsx.
    pub archive: ArchiveLimits,
}

impl Default for ExtractLimits {
    fn default() -> ExtractLimits {
        ExtractLimits {
            file_bytes: 150 << 20,
            memory_bytes: 2 << 30,
            cpu_seconds: 300,
            page_wait: Duration::from_secs(20),
            ocr_page_wait: Duration::from_secs(60),
            ocr_cpu_seconds: 25,
            // An A3 sheet at 300 dpi has 17 million; larger ones are drawn coarser.
            ocr_pixels: 25_000_000,
            pages: 20_000,
            output_bytes: 512 << 20,
            archive: ArchiveLimits::default(),
        }
    }
}

impl ExtractLimits {
    fn child(&self) -> ChildLimits {
        ChildLimits {
            memory_bytes: self.memory_bytes,
            cpu_seconds: self.cpu_seconds,
            file_bytes: self.archive.entry_bytes,
        }
    }

    fn read(&self) -> ReadLimits {
        ReadLimits { file_bytes: self.file_bytes, pages: self.pages, archive: self.archive }
    }
}

/// The programs the client starts, and what is shared by all documents of a worker.
#[derive(Clone, Debug)]
pub struct Tools {
    /// `ragtrain-extractor`.
    pub extractor: PathBuf,
    /// Optical recognition; without it scanned pages stay without text, with a warning.
    pub tesseract: Option<PathBuf>,
    /// The fallback for PDF pages that the own reader fails on.
    pub pdftotext: Option<PathBuf>,
    /// Languages of recognition, as tesseract names them.
    pub ocr_languages: Vec<String>,
    /// Where recognised pages are kept between runs, by the hash of their image.
    pub ocr_cache: Option<PathBuf>,
    /// How many recognitions may run at once in this process.
    pub ocr_slots: Arc<Slots>,
}

impl Tools {
    /// Finds the programs: the extractor beside the running program, the tools in the folders of
    /// `search_path` (the value of `PATH`). A missing tool is `None`; [`checks`] says what to
    /// install.
    pub fn find(search_path: &str, ocr_languages: &[&str], ocr_slots: usize) -> Tools {
        let beside = std::env::current_exe()
            .ok()
            .map(|own| own.with_file_name("ragtrain-extractor"))
            .filter(|path| path.is_file());
        let find = |name| checks::find_program(name, search_path);
        Tools {
            extractor: beside
                .or_else(|| find("ragtrain-extractor"))
                .unwrap_or_else(|| PathBuf::from("ragtrain-extractor")),
            tesseract: find("tesseract"),
            pdftotext: find("pdftotext"),
            ocr_languages: ocr_languages.iter().map(ToString::to_string).collect(),
            ocr_cache: None,
            ocr_slots: Arc::new(Slots::new(ocr_slots)),
        }
    }
}

/// What was read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Extraction {
    /// By content.
    pub format: Format,
    /// In order of their numbers; a page that could not be read is there without blocks.
    pub pages: Vec<Page>,
    /// Pages of the file, read or not.
    pub page_count: u32,
    /// Properties of the file.
    pub properties: BTreeMap<String, String>,
    /// What a person should know, with its stable code where there is one. Warnings of single
    /// pages stand on the pages.
    pub warnings: Vec<(Option<Code>, String)>,
}

/// Why a file could not be read to its end.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExtractError {
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The child could not be started, or the source not opened: not the document's fault.
    #[error("{0}")]
    Unavailable(String),
    /// The document cannot be read, at least not to its end.
    #[error("{0}")]
    Failed(Box<ExtractFailure>),
}

/// The document's own fault.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct ExtractFailure {
    /// Stable code.
    pub code: Code,
    /// In Russian, for people.
    pub message: String,
    /// Whatever was read before the failure, if its format was found and a page was finished.
    pub partial: Option<Extraction>,
}

impl ExtractError {
    pub(crate) fn failed(code: Code, message: impl Into<String>) -> ExtractError {
        let message = message.into();
        ExtractError::Failed(Box::new(ExtractFailure { code, message, partial: None }))
    }
}

/// Reads a file into pages; calls `on_page` once for every page when it is final (recognised
/// pages come late, so not always in order).
///
/// `name` is the file's name for people: its extension breaks ties in the format's detection.
/// `cancel` is asked several times a second.
pub fn extract(
    path: &Path,
    name: &str,
    limits: &ExtractLimits,
    tools: &Tools,
    cancel: &(dyn Fn() -> bool + Sync),
    on_page: &(dyn Fn(&Page) + Sync),
) -> Result<Extraction, ExtractError> {
    let source = open(path, limits)?;
    let task = Task::Read { name: name.to_owned(), limits: limits.read() };
    let mut reading = Reading::default();
    let read = converse(&source, task, limits, tools, cancel, &mut |message| {
        if let Message::Page(page) = &message
            && !recover::needs_help(page)
        {
            on_page(page);
        }
        reading.take(message)
    });
    let mut failure = match read {
        Ok(()) => reading.failure.take(),
        Err(ExtractError::Failed(failure)) => Some((failure.code, failure.message)),
        Err(other) => return Err(other),
    };
    let Some(format) = reading.format else {
        let (code, message) = failure.unwrap_or_else(|| {
            (Code::ParserCrashed, "программа чтения закончилась, ничего не сообщив".to_owned())
        });
        return Err(ExtractError::failed(code, message));
    };
    let is_mismatch = |warning: &(Option<Code>, String)| warning.0 == Some(Code::ExtensionMismatch);
    let mismatch = reading.warnings.iter().any(is_mismatch);
    // The caller has it from `detect` already.
    reading.warnings.retain(|warning| !is_mismatch(warning));
    if let Some((code @ Code::DamagedFile, message)) = &mut failure
        && mismatch
        && reading.pages.is_empty()
    {
        // Neither what the name promises nor what the first bytes do.
        *code = Code::ExtensionMismatch;
        message.push_str("; расширение файла тоже не соответствует содержимому");
    }
    if failure.is_none() && reading.page_count.is_none() {
        let message = "программа чтения закончилась, не дочитав файл".to_owned();
        failure = Some((Code::ParserCrashed, message));
    }
    let mut extraction = Extraction {
        format,
        page_count: reading.page_count.unwrap_or(reading.pages.len() as u32),
        pages: reading.pages,
        properties: reading.properties,
        warnings: reading.warnings,
    };
    let deadline = Instant::now() + limits.ocr_page_wait;
    let runs = tools::Runs { source: &source, name, limits, tools, cancel, deadline };
    if let Some((code, message)) = &failure
        && !FINAL.contains(code)
        && recover::continue_after(&runs, &mut extraction)?
    {
        extraction.warnings.push((Some(*code), format!("{message}; прочитано запасным способом")));
        failure = None;
    }
    recover::recover(&runs, &mut extraction, on_page)?;
    match failure {
        None => Ok(extraction),
        Some((code, message)) => {
            let partial = (!extraction.pages.is_empty()).then_some(extraction);
            Err(ExtractError::Failed(Box::new(ExtractFailure { code, message, partial })))
        }
    }
}

/// Failures that no other tool can mend.
const FINAL: [Code; 6] = [
    Code::PasswordProtected,
    Code::UnsupportedFormat,
    Code::FileTooLarge,
    Code::ArchiveLimits,
    Code::XmlExternalEntity,
    Code::EmptyFile,
];

/// What an archive held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unpacked {
    /// The entries that may become documents, in the archive's order.
    pub entries: Vec<ArchiveEntry>,
    /// What was left out and why, in Russian, with its stable code where there is one.
    pub warnings: Vec<(Option<Code>, String)>,
}

/// Unpacks an archive into `folder` (existing and empty), under file names made by the child. When
/// this fails the folder may hold some files; it is the caller's to remove.
pub fn unpack(
    path: &Path,
    folder: &Path,
    limits: &ExtractLimits,
    tools: &Tools,
    cancel: &(dyn Fn() -> bool + Sync),
) -> Result<Unpacked, ExtractError> {
    let source = open(path, limits)?;
    let task = Task::Unpack { folder: folder.to_owned(), limits: limits.archive };
    let mut unpacked = Unpacked::default();
    let mut failure = None;
    let mut finished = false;
    converse(&source, task, limits, tools, cancel, &mut |message| {
        match message {
            Message::Entry(entry) => unpacked.entries.push(entry),
            Message::Warning { code, message } => unpacked.warnings.push((code, message)),
            Message::Finished { .. } => finished = true,
            Message::Failed { code, message } => failure = Some((code, message)),
            Message::Started { .. } | Message::Page(_) | Message::Properties(_) => {}
        }
        ControlFlow::Continue(())
    })?;
    match failure {
        Some((code, message)) => Err(ExtractError::failed(code, message)),
        None if finished => Ok(unpacked),
        None => Err(ExtractError::failed(
            Code::ParserCrashed,
            "распаковка закончилась, ничего не сообщив",
        )),
    }
}

/// What the messages of a reading child add up to.
#[derive(Default)]
struct Reading {
    format: Option<Format>,
    pages: Vec<Page>,
    page_count: Option<u32>,
    properties: BTreeMap<String, String>,
    warnings: Vec<(Option<Code>, String)>,
    failure: Option<(Code, String)>,
}

impl Reading {
    fn take(&mut self, message: Message) -> ControlFlow<()> {
        match message {
            Message::Started { format } => self.format = Some(format),
            Message::Page(page) => self.pages.push(page),
            Message::Properties(properties) => self.properties.extend(properties),
            Message::Warning { code, message } => self.warnings.push((code, message)),
            Message::Finished { pages } => self.page_count = Some(pages),
            Message::Failed { code, message } => self.failure = Some((code, message)),
            Message::Entry(_) => {}
        }
        ControlFlow::Continue(())
    }
}

fn open(path: &Path, limits: &ExtractLimits) -> Result<File, ExtractError> {
    let unavailable = |error: std::io::Error| ExtractError::Unavailable(format!("{error}"));
    let source = File::open(path).map_err(unavailable)?;
    let metadata = source.metadata().map_err(unavailable)?;
    if !metadata.is_file() {
        return Err(ExtractError::Unavailable("not a regular file".to_owned()));
    }
    match metadata.len() {
        0 => Err(ExtractError::failed(Code::EmptyFile, "файл пуст (0 байт)")),
        size if size > limits.file_bytes => Err(ExtractError::failed(
            Code::FileTooLarge,
            format!("файл больше допустимого: {size} из {} байт", limits.file_bytes),
        )),
        _ => Ok(source),
    }
}

/// Runs a child that sends messages, to its end.
fn converse(
    source: &File,
    task: Task,
    limits: &ExtractLimits,
    tools: &Tools,
    cancel: &(dyn Fn() -> bool + Sync),
    on_message: &mut dyn FnMut(Message) -> ControlFlow<()>,
) -> Result<(), ExtractError> {
    let request = Request { parent: std::process::id(), limits: limits.child(), task };
    child::converse(
        &tools.extractor,
        &request,
        source,
        child::Patience { message_wait: limits.page_wait, output_bytes: limits.output_bytes },
        cancel,
        on_message,
    )
}
