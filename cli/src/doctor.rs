//! `ragtrain doctor`: what works, what is missing and how to get it.

use crate::language::say;
use extractor::client::checks::{find_program, tesseract_languages};
use extractor::client::{ExtractLimits, Tools, extract};
use shared::settings::{
    DocumentSettings, ModelSettings, QueueSettings, StorageSettings, search_path,
};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use stores::Database;

/// Where to look.
#[derive(clap::Args, Debug)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    storage: StorageSettings,
    #[command(flatten)]
    model: ModelSettings,
    #[command(flatten)]
    document: DocumentSettings,
    #[command(flatten)]
    queue: QueueSettings,
    /// Redis with the queue [default: redis-server on the search path]
    #[arg(long, env = "REDIS_URL", value_name = "REDIS_URL")]
    redis_url: Option<String>,
}

/// One finding: what, whether it is well, what was seen or what to do.
struct Finding {
    what: &'static str,
    /// `None`: it works without, but less well.
    well: Option<bool>,
    words: String,
}

/// Prints the findings; 1 when something needed is missing.
pub(crate) async fn doctor(arguments: DoctorArguments) -> anyhow::Result<ExitCode> {
    let mut findings = vec![redis(&arguments).await];
    findings.push(data_folder(&arguments.storage.data));
    findings.push(knowledge_base(&arguments.storage.data));
    findings.push(extractor(&arguments.storage.data));
    findings.extend(recognition(&arguments.document));
    findings.push(tool("pdftotext", "poppler-utils"));
    findings.push(sandbox());
    findings.push(model(arguments.model.clone()).await);
    for finding in &findings {
        let mark = match finding.well {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "!",
        };
        println!("{mark} {:<12} {}", finding.what, finding.words);
    }
    let broken = findings.iter().any(|finding| finding.well == Some(false));
    Ok(if broken { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

async fn redis(arguments: &DoctorArguments) -> Finding {
    let what = "Redis";
    let Some(url) = arguments.redis_url.as_deref().filter(|url| !url.trim().is_empty()) else {
        return match find_program("redis-server", &search_path()) {
            Some(_) => Finding { what, well: Some(true), words: "redis-server".to_owned() },
            None => Finding {
                what,
                well: Some(false),
                words: "apt-get install redis-server".to_owned(),
            },
        };
    };
    let checked = async {
        let queue = shared::queue::Queue::open(url, arguments.queue.times())?;
        queue.check_policy().await
    };
    match tokio::time::timeout(Duration::from_secs(5), checked).await {
        Ok(Ok(())) => Finding { what, well: Some(true), words: url.to_owned() },
        Ok(Err(error)) => Finding { what, well: Some(false), words: format!("{url}: {error}") },
        Err(_) => Finding {
            what,
            well: Some(false),
            words: format!("{url}: {}", say("не отвечает", "no answer")),
        },
    }
}

fn data_folder(data: &Path) -> Finding {
    let what = "data";
    let probe = data.join(".doctor");
    let written = std::fs::create_dir_all(data).and_then(|()| std::fs::write(&probe, b"?"));
    let _ = std::fs::remove_file(&probe);
    if let Err(error) = written {
        return Finding { what, well: Some(false), words: format!("{}: {error}", data.display()) };
    }
    match rustix::fs::statvfs(data) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize) / (1 << 30);
            let words = format!("{} · {} {free} GiB", data.display(), say("свободно", "free"));
            // Less than this and a large upload fills the disk.
            Finding { what, well: if free >= 2 { Some(true) } else { None }, words }
        }
        Err(error) => Finding { what, well: None, words: error.to_string() },
    }
}

/// Looking neither makes a knowledge base nor takes an older one over.
fn knowledge_base(data: &Path) -> Finding {
    let what = "store";
    if !data.join("knowledge.sqlite").exists() {
        let words = say("ещё пусто", "still empty").to_owned();
        return Finding { what, well: Some(true), words };
    }
    match Database::inspect(data) {
        Ok(schema) => Finding { what, well: Some(true), words: format!("SQLite, {schema}") },
        Err(error) => Finding { what, well: Some(false), words: error.to_string() },
    }
}

/// Reads a file of one line as a worker would: in a limited child process.
fn extractor(data: &Path) -> Finding {
    let what = "extractor";
    let tools = Tools::find(&search_path(), &[], 1);
    let probe = data.join(".doctor.txt");
    let read = std::fs::write(&probe, "Проверка чтения").map_err(|error| error.to_string());
    let read = read.and_then(|()| {
        let limits = ExtractLimits::default();
        let read = extract(&probe, "doctor.txt", &limits, &tools, &|| false, &|_| {});
        read.map_err(|error| error.to_string())
    });
    let _ = std::fs::remove_file(&probe);
    match read {
        Ok(_) => Finding { what, well: Some(true), words: tools.extractor.display().to_string() },
        Err(error) => {
            let words = format!("{}: {error}", tools.extractor.display());
            Finding { what, well: Some(false), words }
        }
    }
}

fn recognition(document: &DocumentSettings) -> Vec<Finding> {
    let what = "OCR";
    let Some(tesseract) = find_program("tesseract", &search_path()) else {
        let words = "apt-get install tesseract-ocr tesseract-ocr-rus tesseract-ocr-eng".to_owned();
        return vec![Finding { what, well: None, words }];
    };
    let installed = match tesseract_languages(&tesseract) {
        Ok(installed) => installed,
        Err(error) => return vec![Finding { what, well: None, words: error }],
    };
    document
        .ocr_languages
        .split('+')
        .map(|language| match installed.iter().any(|name| name == language) {
            true => Finding { what, well: Some(true), words: language.to_owned() },
            false => Finding {
                what,
                well: None,
                words: format!("apt-get install tesseract-ocr-{language}"),
            },
        })
        .collect()
}

fn tool(name: &'static str, package: &str) -> Finding {
    match find_program(name, &search_path()) {
        Some(path) => Finding { what: name, well: Some(true), words: path.display().to_string() },
        None => Finding { what: name, well: None, words: format!("apt-get install {package}") },
    }
}

/// The parsers' cage, as far as this kernel offers it.
fn sandbox() -> Finding {
    let modules = std::fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    let landlock = modules.split(',').any(|module| module.trim() == "landlock");
    let words = match landlock {
        true => "Landlock, seccomp".to_owned(),
        false => say(
            "в этом ядре нет Landlock: разборщики ограничены seccomp и лимитами",
            "no Landlock in this kernel: parsers are limited by seccomp and rlimits",
        )
        .to_owned(),
    };
    Finding { what: "sandbox", well: if landlock { Some(true) } else { None }, words }
}

async fn model(settings: ModelSettings) -> Finding {
    let folder = settings.model.clone();
    let checked = tokio::task::spawn_blocking(move || stores::model::check(&folder)).await;
    match checked {
        Ok(Ok(report)) => Finding { what: "model", well: Some(true), words: report.model_id },
        Ok(Err(_)) | Err(_) => {
            Finding { what: "model", well: None, words: "ragtrain model fetch".to_owned() }
        }
    }
}
