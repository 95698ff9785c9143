//! What a machine has of what the extractor needs, for `ragtrain doctor` and start-up.

use super::{ExtractError, ExtractLimits, Tools, child};
use crate::model::Message;
use crate::probe::SUCCEEDED;
use crate::request::{Probe, Request, Task};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of this name in the folders of a search path (the value of `PATH`).
pub fn find_program(name: &str, search_path: &str) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        // Links of update-alternatives lead out of the folders that the sandbox knows.
        .and_then(|path| path.canonicalize().ok())
}

/// The languages that this tesseract has, or why that cannot be found out.
pub fn tesseract_languages(tesseract: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(tesseract)
        .arg("--list-langs")
        .output()
        .map_err(|error| format!("программа {} не запускается: {error}", tesseract.display()))?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let languages = listed.lines().skip(1).map(|line| line.trim().to_owned());
    Ok(languages.filter(|language| !language.is_empty()).collect())
}

/// The wanted languages of recognition (and `osd`, which finds the orientation) that are not
/// installed.
pub fn missing_languages(tools: &Tools) -> Result<Vec<String>, String> {
    let Some(tesseract) = &tools.tesseract else {
        return Err("нет программы распознавания: установите пакет tesseract-ocr".to_owned());
    };
    let installed = tesseract_languages(tesseract)?;
    let wanted = tools.ocr_languages.iter().map(String::as_str).chain(["osd"]);
    Ok(wanted
        .filter(|one| !installed.iter().any(|other| other == one))
        .map(str::to_owned)
        .collect())
}

/// The apt package of a language of recognition.
pub fn language_package(language: &str) -> String {
    format!("tesseract-ocr-{}", language.replace('_', "-"))
}

/// What the sandbox of this machine lets through: the names of attempts that a child made to
/// escape and that succeeded. Empty is good.
pub fn sandbox_leaks(tools: &Tools) -> Result<Vec<String>, ExtractError> {
    let mut leaks = Vec::new();
    let mut attempts = 0;
    probe(Probe::Escape, &ExtractLimits::default(), tools, &|| false, &mut |message| {
        if let Message::Warning { message, .. } = message {
            attempts += 1;
            if message.ends_with(SUCCEEDED) {
                leaks.push(message);
            }
        }
    })?;
    if attempts == 0 {
        return Err(ExtractError::Unavailable("the probe made no attempt".to_owned()));
    }
    Ok(leaks)
}

/// Runs a child that attempts something forbidden or deadly.
pub fn probe(
    probe: Probe,
    limits: &ExtractLimits,
    tools: &Tools,
    cancel: &(dyn Fn() -> bool + Sync),
    on_message: &mut dyn FnMut(Message),
) -> Result<(), ExtractError> {
    let nothing = File::open("/dev/null")
        .map_err(|error| ExtractError::Unavailable(format!("/dev/null: {error}")))?;
    let request =
        Request { parent: std::process::id(), limits: limits.child(), task: Task::Probe(probe) };
    let patience =
        child::Patience { message_wait: limits.page_wait, output_bytes: limits.output_bytes };
    child::converse(&tools.extractor, &request, &nothing, patience, cancel, &mut |message| {
        on_message(message);
        ControlFlow::Continue(())
    })
}
