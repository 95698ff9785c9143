//! `ragtrain train`: submit, then watch.

use crate::client::{Client, Refusal};
use crate::language::say;
use crate::watch;
use anyhow::{Context, bail};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use shared::settings::ClientSettings;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use uuid::Uuid;

/// What to train.
#[derive(clap::Args, Debug)]
pub(crate) struct TrainArguments {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Collection to train into
    #[arg(long, default_value = "default")]
    collection: String,
    /// Train again what is already trained
    #[arg(long)]
    force: bool,
    /// high, normal or low
    #[arg(long, default_value = "normal", value_parser = ["high", "normal", "low"])]
    priority: String,
    /// At most this many documents
    #[arg(long)]
    max_files: Option<u64>,
    /// Let the job fail once more documents than this have failed
    #[arg(long)]
    max_failed: Option<u64>,
    /// At most this many of its documents at once
    #[arg(long)]
    max_inflight: Option<u32>,
    /// Only what matches this glob (may be repeated)
    #[arg(long)]
    include: Vec<String>,
    /// Submit and leave
    #[arg(long)]
    detach: bool,
    /// Events as JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// Submits the paths; uploads them when the server may not read them itself.
pub(crate) async fn train(arguments: TrainArguments) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.server);
    let mut paths = Vec::new();
    for path in &arguments.paths {
        let found = path.canonicalize().with_context(|| path.display().to_string())?;
        paths.push(found);
    }
    let by_path = paths.iter().map(|path| json!({ "path": path })).collect::<Vec<_>>();
    let submitted = match submit(&client, &arguments, by_path).await {
        Err(error) if is_outside_roots(&error) => {
            eprintln!(
                "{}",
                say(
                    "папка не лежит под корнями сервера, загружаю файлы…",
                    "the folder is not below a root of the server, uploading the files…",
                )
            );
            let upload = upload(&client, &paths).await?;
            submit(&client, &arguments, vec![json!({ "upload": upload })]).await?
        }
        submitted => submitted?,
    };
    let job: Uuid = submitted["job_id"].as_str().context("the answer has no job_id")?.parse()?;
    if arguments.detach {
        println!("{job}");
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.json {
        eprintln!("{} {job}", say("задача", "job"));
    }
    watch::follow(&client, job, arguments.json).await
}

async fn submit(
    client: &Client,
    arguments: &TrainArguments,
    sources: Vec<Value>,
) -> anyhow::Result<Value> {
    let mut body = json!({
        "sources": sources,
        "collection": arguments.collection,
        "force": arguments.force,
        "priority": arguments.priority,
        "include": arguments.include,
    });
    if let Some(most) = arguments.max_files {
        body["max_files"] = most.into();
    }
    if let Some(most) = arguments.max_failed {
        body["max_failed"] = most.into();
    }
    if let Some(most) = arguments.max_inflight {
        body["max_inflight"] = most.into();
    }
    client.call(Method::POST, "/train", Some(&body)).await
}

fn is_outside_roots(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.code == "source_outside_roots")
}

/// Sends all files below the paths, streamed from the disk.
async fn upload(client: &Client, paths: &[PathBuf]) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, path.parent().unwrap_or(path), &mut files)?;
    }
    if files.is_empty() {
        bail!("{}", say("в папке нет файлов", "no files in the folder"));
    }
    let mut form = Form::new();
    for (path, name) in files {
        let file =
            tokio::fs::File::open(&path).await.with_context(|| path.display().to_string())?;
        let size = file.metadata().await?.len();
        let body = reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::new(file));
        form = form.part("files", Part::stream_with_length(body, size).file_name(name));
    }
    client.upload(form).await
}

/// Regular files in the order of their names, hidden ones left out; names relative to `base`.
fn collect(path: &Path, base: &Path, files: &mut Vec<(PathBuf, String)>) -> anyhow::Result<()> {
    if path.is_file() {
        let name = path.strip_prefix(base).unwrap_or(path).to_string_lossy().into_owned();
        files.push((path.to_owned(), name));
        return Ok(());
    }
    let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let hidden = entry.file_name().to_string_lossy().starts_with(['.', '~']);
        if !hidden && !entry.file_type()?.is_symlink() {
            collect(&entry.path(), base, files)?;
        }
    }
    Ok(())
}
