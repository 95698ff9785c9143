//! The external tools as limited children: drawing and recognising one page, and the fallback text
//! of PDF pages.

use super::child::{self, Patience, ToolInput};
use super::{ExtractError, ExtractLimits, Tools};
use crate::ocr::{self, Recognised, Rendered, Word};
use crate::request::{ChildLimits, Request, Task};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What one document's tool runs share.
pub(crate) struct Runs<'a> {
    pub(crate) source: &'a File,
    pub(crate) name: &'a str,
    pub(crate) limits: &'a ExtractLimits,
    pub(crate) tools: &'a Tools,
    pub(crate) cancel: &'a (dyn Fn() -> bool + Sync),
    /// When the work on the current page must end.
    pub(crate) deadline: Instant,
}

/// Output of a tool that is text, in bytes.
const TEXT_BYTES: u64 = 64 << 20;
/// Changes when the preparation of images or the way tesseract is called does.
const CACHE_VERSION: &str = "1";

impl<'a> Runs<'a> {
    /// The same for one page, whose time begins now.
    pub(crate) fn for_page(&self) -> Runs<'a> {
        let deadline = Instant::now() + self.limits.ocr_page_wait;
        let Runs { source, name, limits, tools, cancel, .. } = *self;
        Runs { source, name, limits, tools, cancel, deadline }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1))
    }

    /// Draws a page; the index of quarter turns is clockwise.
    pub(crate) fn render(&self, page: u32, quarter_turns: u8) -> Result<Rendered, ExtractError> {
        let task = Task::Render {
            name: self.name.to_owned(),
            page,
            quarter_turns,
            max_pixels: self.limits.ocr_pixels,
        };
        // The head with its ruling lines takes some hundred kilobytes at most.
        let cap = self.limits.ocr_pixels.saturating_add(4 << 20);
        let bytes = self.run(task, ToolInput::File(self.source), self.left(), cap)?;
        Rendered::read(bytes).map_err(|error| {
            ExtractError::failed(shared::outcome::Code::ParserCrashed, format!("{error}"))
        })
    }

    /// The words of an image.
    pub(crate) fn words(
        &self,
        tesseract: &Path,
        image: &Rendered,
    ) -> Result<Vec<Word>, ExtractError> {
        let languages = self.tools.ocr_languages.join("+");
        let cached = self.cache_path(&languages, image);
        if let Some(tsv) = cached.as_ref().and_then(|path| fs::read_to_string(path).ok()) {
            return Ok(ocr::words(&tsv));
        }
        let dpi = format!("{}", image.head.dpi.round().max(70.0));
        let arguments = ["-", "-", "-l", &languages, "--dpi", &dpi, "--psm", "3"];
        let tsv = self.tesseract(tesseract, &arguments, &["-c", "tessedit_create_tsv=1"], image)?;
        if let Some(path) = cached {
            // A cache that cannot be written only costs time.
            let _not_cached = write_atomically(&path, &tsv);
        }
        Ok(ocr::words(&tsv))
    }

    /// How many clockwise quarter turns would set the image upright; 0 when that is not clear.
    pub(crate) fn quarter_turns(
        &self,
        tesseract: &Path,
        image: &Rendered,
    ) -> Result<u8, ExtractError> {
        // The tool's own minimum of 50 letters is too many for a short page.
        let arguments = ["-", "-", "-l", "osd", "--psm", "0", "-c", "min_characters_to_try=20"];
        // With too few letters the tool ends with an error: not clear.
        let found = match self.tesseract(tesseract, &arguments, &[], image) {
            Ok(found) => found,
            Err(ExtractError::Failed(_)) => return Ok(0),
            Err(other) => return Err(other),
        };
        let field = |name: &str| {
            let line = found.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse::<f32>().ok()
        };
        let degrees = field("Rotate:").unwrap_or(0.0);
        let sure = field("Orientation confidence:").is_some_and(|confidence| confidence >= 2.0);
        Ok(if sure { ((degrees / 90.0).round() as i32).rem_euclid(4) as u8 } else { 0 })
    }

    fn tesseract(
        &self,
        program: &Path,
        arguments: &[&str],
        more: &[&str],
        image: &Rendered,
    ) -> Result<String, ExtractError> {
        let mut all: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        all.extend(more.iter().map(ToString::to_string));
        let task =
            Task::RunTool { program: program.to_owned(), arguments: all, readable: Vec::new() };
        let head = image.pgm_head();
        let parts = [head.as_slice(), image.grey()];
        let output = self.run(task, ToolInput::Bytes(&parts), self.left(), TEXT_BYTES)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// The words of PDF pages by pdftotext, from one number to another (or to the end).
    pub(crate) fn fallback(
        &self,
        pdftotext: &Path,
        first: u32,
        last: Option<u32>,
    ) -> Result<Vec<Recognised>, ExtractError> {
        let mut arguments = vec!["-bbox-layout".to_owned(), "-f".to_owned(), first.to_string()];
        arguments.extend(last.into_iter().flat_map(|last| ["-l".to_owned(), last.to_string()]));
        arguments.extend(["-".to_owned(), "-".to_owned()]);
        let task = Task::RunTool { program: pdftotext.to_owned(), arguments, readable: Vec::new() };
        let wait = self.limits.page_wait;
        let output = self.run(task, ToolInput::File(self.source), wait, TEXT_BYTES)?;
        Ok(ocr::bbox_pages(&String::from_utf8_lossy(&output), first))
    }

    pub(crate) fn run(
        &self,
        task: Task,
        input: ToolInput<'_>,
        wait: Duration,
        output_bytes: u64,
    ) -> Result<Vec<u8>, ExtractError> {
        // On a busy machine a tool gets less CPU than time; it never needs more.
        let cpu_seconds = wait.as_secs().clamp(1, self.limits.ocr_cpu_seconds);
        let limits = ChildLimits { cpu_seconds, ..self.limits.child() };
        let request = Request { parent: std::process::id(), limits, task };
        let patience = Patience { message_wait: wait, output_bytes };
        child::run_tool(&self.tools.extractor, &request, input, patience, self.cancel)
    }

    fn cache_path(&self, languages: &str, image: &Rendered) -> Option<PathBuf> {
        let folder = self.tools.ocr_cache.as_ref()?;
        let mut hash = Sha256::new();
        hash.update(format!("{CACHE_VERSION} {languages} {:?} ", image.head));
        hash.update(image.grey());
        let name: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Some(folder.join(format!("{name}.tsv")))
    }
}

fn write_atomically(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let thread = format!("{:?}", std::thread::current().id());
    let digits: String = thread.chars().filter(char::is_ascii_digit).collect();
    let draft = path.with_extension(format!("{}-{digits}.part", std::process::id()));
    fs::write(&draft, text)?;
    fs::rename(&draft, path)
}
