//! What a machine has of what the extractor needs, for `ragtrain doctor` and start-up.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of this name in the folders of a search path (the value of `PATH`).
pub fn find_program(name: &str, search_path: &str) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// The languages that this tesseract has, or why that cannot be found out.
pub fn tesseract_languages(tesseract: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(tesseract)
        .arg("--list-langs")
        .output()
        .map_err(|error| format!("cannot start {}: {error}", tesseract.display()))?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut languages: Vec<_> = listed.lines().skip(1).map(|line| line.trim().to_owned()).collect();
    languages.retain(|language| !language.is_empty());
    Ok(languages)
}
