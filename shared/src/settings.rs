//! Every setting of every program: an environment variable and a flag of the same name.
//!
//! This is the only place that reads the environment. Programs flatten the structs they need into
//! their own `clap::Parser`; the value names are the variables, so that an error about a wrong
//! value names the variable.

use crate::queue::QueueTimes;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Where things are kept.
#[derive(Args, Clone, Debug)]
pub struct StorageSettings {
    /// Folder of everything that is kept: stores, blobs, the own Redis of `ragtrain up`
    #[arg(long, env = "RAGTRAIN_DATA", value_name = "RAGTRAIN_DATA", default_value = "data")]
    pub data: PathBuf,
    /// Blob store for manifests, reports and uploads [default: the folder `blobs` below the data folder]
    #[arg(long, env = "BLOBS_URL", value_name = "BLOBS_URL", value_parser = text)]
    pub blobs_url: Option<String>,
}

/// Where the embedding model is.
#[derive(Args, Clone, Debug)]
pub struct ModelSettings {
    /// Folder with `config.json`, `tokenizer.json` and the ONNX model
    #[arg(
        long,
        env = "RAGTRAIN_MODEL",
        value_name = "RAGTRAIN_MODEL",
        default_value_os_t = default_model()
    )]
    pub model: PathBuf,
}

/// The Redis that carries queue and events.
#[derive(Args, Clone, Debug)]
pub struct RedisSettings {
    /// Redis with the queue and the event log
    ///
    /// `redis://host:6379/0`, `unix:/path/of/the/socket`, `redis+sentinel://host:26379,host:26379/mymaster/0`
    /// or `redis+cluster://host:7000,host:7001`; `user:password@` may stand before the first host
    #[arg(
        long,
        env = "REDIS_URL",
        value_name = "REDIS_URL",
        default_value = "redis://127.0.0.1:6379/0",
        value_parser = text
    )]
    pub redis_url: String,
}

/// Periods of the queue. All processes of an installation must use the same ones.
#[derive(Args, Clone, Debug)]
pub struct QueueSettings {
    /// Seconds after which a document of a silent worker is given to another one
    #[arg(long, env = "RAGTRAIN_LEASE_S", value_name = "RAGTRAIN_LEASE_S", default_value = "10", value_parser = seconds)]
    pub lease_s: Duration,
    /// Seconds between two signs of life of a worker
    #[arg(long, env = "RAGTRAIN_BEAT_S", value_name = "RAGTRAIN_BEAT_S", default_value = "2.5", value_parser = seconds)]
    pub beat_s: Duration,
    /// Seconds between two sweeps for documents of dead workers
    #[arg(long, env = "RAGTRAIN_REAP_S", value_name = "RAGTRAIN_REAP_S", default_value = "1", value_parser = seconds)]
    pub reap_s: Duration,
    /// Seconds between two checks of the queue's own books
    #[arg(long, env = "RAGTRAIN_SCRUB_S", value_name = "RAGTRAIN_SCRUB_S", default_value = "60", value_parser = seconds)]
    pub scrub_s: Duration,
    /// Hours for which events and counters are kept after a job's end
    #[arg(long, env = "RAGTRAIN_KEEP_EVENTS_H", value_name = "RAGTRAIN_KEEP_EVENTS_H", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=8760))]
    pub keep_events_h: u64,
    /// How many jobs may be open at once; more are refused with 503
    #[arg(long, env = "RAGTRAIN_MAX_JOBS", value_name = "RAGTRAIN_MAX_JOBS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_jobs: u64,
}

impl QueueSettings {
    /// The periods as the queue takes them.
    pub fn times(&self) -> QueueTimes {
        QueueTimes {
            lease: self.lease_s,
            beat: self.beat_s,
            reap: self.reap_s,
            scrub: self.scrub_s,
            retention: Duration::from_secs(self.keep_events_h * 3600),
            max_open_jobs: self.max_jobs,
            ..QueueTimes::default()
        }
    }
}

/// What the api needs besides storage, Redis and queue.
#[derive(Args, Clone, Debug)]
pub struct ApiSettings {
    /// Address and port of the HTTP server
    #[arg(
        long,
        env = "RAGTRAIN_LISTEN",
        value_name = "RAGTRAIN_LISTEN",
        default_value = "127.0.0.1:8000"
    )]
    pub listen: SocketAddr,
    /// Folder below which `POST /train` may name paths; several with `:` between them
    #[arg(
        long = "docs-root",
        env = "RAGTRAIN_DOCS_ROOT",
        value_name = "RAGTRAIN_DOCS_ROOT",
        value_delimiter = ':'
    )]
    pub docs_roots: Vec<PathBuf>,
    /// Origins of other sites whose pages may open sockets; several with `,` between them
    #[arg(
        long = "origins",
        env = "RAGTRAIN_ORIGINS",
        value_name = "RAGTRAIN_ORIGINS",
        value_delimiter = ','
    )]
    pub origins: Vec<String>,
    /// Listen on other addresses than loopback without any key configured
    #[arg(long, env = "RAGTRAIN_TRUSTED_NETWORK", value_name = "RAGTRAIN_TRUSTED_NETWORK", default_value = "0", default_missing_value = "1", num_args = 0..=1, require_equals = true, value_parser = switch)]
    pub trusted_network: bool,
    /// Largest upload in megabytes, all files of a request together
    #[arg(long, env = "RAGTRAIN_UPLOAD_MB", value_name = "RAGTRAIN_UPLOAD_MB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub upload_mb: u64,
    /// Most files in one upload
    #[arg(long, env = "RAGTRAIN_UPLOAD_FILES", value_name = "RAGTRAIN_UPLOAD_FILES", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub upload_files: u64,
    /// Seconds between two comparisons of live views with the event log
    #[arg(long, env = "RAGTRAIN_SWEEP_S", value_name = "RAGTRAIN_SWEEP_S", default_value = "2", value_parser = seconds)]
    pub sweep_s: Duration,
    /// Most open sockets and event streams of one process
    #[arg(
        long,
        env = "RAGTRAIN_MAX_SOCKETS",
        value_name = "RAGTRAIN_MAX_SOCKETS",
        default_value_t = 50_000
    )]
    pub max_sockets: u32,
    /// Most open sockets and event streams from one address
    #[arg(
        long,
        env = "RAGTRAIN_MAX_SOCKETS_PER_ADDRESS",
        value_name = "RAGTRAIN_MAX_SOCKETS_PER_ADDRESS",
        default_value_t = 200
    )]
    pub max_sockets_per_address: u32,
    /// Seconds between the 503 of `/readyz` and the first goodbye of a server that ends [default: 3 with `RAGTRAIN_TRUSTED_NETWORK`, else none]
    #[arg(long, env = "RAGTRAIN_DRAIN_NOTICE_S", value_name = "RAGTRAIN_DRAIN_NOTICE_S", value_parser = seconds)]
    pub drain_notice_s: Option<Duration>,
    /// Seconds from the signal to the hard stop; goodbyes are spread over most of it
    #[arg(long, env = "RAGTRAIN_DRAIN_LIMIT_S", value_name = "RAGTRAIN_DRAIN_LIMIT_S", default_value = "28", value_parser = seconds)]
    pub drain_limit_s: Duration,
}

impl ApiSettings {
    /// How long a server that ends still lets sockets in. Behind a load balancer it does until the
    /// 503 of `/readyz` was seen; on one's own machine there is nobody to wait for.
    pub fn drain_notice(&self) -> Duration {
        let default = if self.trusted_network { Duration::from_secs(3) } else { Duration::ZERO };
        self.drain_notice_s.unwrap_or(default)
    }
}

/// Limits on one document; api (uploads) and worker share them.
#[derive(Args, Clone, Debug)]
pub struct DocumentSettings {
    /// Largest file in megabytes; larger ones end as `file_too_large`
    #[arg(long, env = "RAGTRAIN_MAX_FILE_MB", value_name = "RAGTRAIN_MAX_FILE_MB", default_value_t = 150, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub max_file_mb: u64,
    /// Languages of text recognition, as tesseract names them
    #[arg(long, env = "RAGTRAIN_OCR_LANGUAGES", value_name = "RAGTRAIN_OCR_LANGUAGES", default_value = "rus+eng", value_parser = text)]
    pub ocr_languages: String,
}

impl DocumentSettings {
    /// The size limit in bytes.
    pub fn max_file_bytes(&self) -> u64 {
        self.max_file_mb * 1024 * 1024
    }
}

/// Limits of the sandboxed parser child.
#[derive(Args, Clone, Debug)]
pub struct ParserSettings {
    /// Memory of one parser in megabytes
    #[arg(long, env = "RAGTRAIN_PARSER_MB", value_name = "RAGTRAIN_PARSER_MB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(64..=1_048_576))]
    pub parser_mb: u64,
    /// Seconds without a finished page after which a parser is stopped
    #[arg(long, env = "RAGTRAIN_PARSER_IDLE_S", value_name = "RAGTRAIN_PARSER_IDLE_S", default_value = "20", value_parser = seconds)]
    pub parser_idle_s: Duration,
}

/// What the worker needs besides storage, Redis, queue, document and parser limits.
#[derive(Args, Clone, Debug)]
pub struct WorkerSettings {
    /// How many documents one process handles at once; by default as many as there are processor cores
    #[arg(long, env = "RAGTRAIN_WORKERS", value_name = "RAGTRAIN_WORKERS", default_value_t = cores(), value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub workers: u32,
    /// How many text recognitions run at once [default: as many as documents]
    #[arg(long, env = "RAGTRAIN_OCR_PARALLEL", value_name = "RAGTRAIN_OCR_PARALLEL")]
    pub ocr_parallel: Option<u32>,
    /// Seconds without any progress after which a document is taken away from a hung stage
    #[arg(long, env = "RAGTRAIN_STALL_S", value_name = "RAGTRAIN_STALL_S", default_value = "900", value_parser = seconds)]
    pub stall_s: Duration,
    /// Seconds that running documents get to end after SIGTERM
    #[arg(long, env = "RAGTRAIN_GRACE_S", value_name = "RAGTRAIN_GRACE_S", default_value = "25", value_parser = seconds)]
    pub grace_s: Duration,
}

/// Where client commands find the server.
#[derive(Args, Clone, Debug)]
pub struct ClientSettings {
    /// Address of the server
    #[arg(long, env = "RAGTRAIN_URL", value_name = "RAGTRAIN_URL", default_value = "http://127.0.0.1:8000", value_parser = text)]
    pub url: String,
}

/// The language of messages: `ru` unless `LC_ALL`, `LC_MESSAGES` or `LANG` says `en`.
pub fn language() -> &'static str {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(variable);
    match locale {
        Some(locale) if locale.to_string_lossy().starts_with("en") => "en",
        _ => "ru",
    }
}

/// The filter of log lines (`RAGTRAIN_LOG`, else `RUST_LOG`), as tracing-subscriber reads it.
pub fn log_filter() -> String {
    ["RAGTRAIN_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(variable)
        .map(|filter| filter.to_string_lossy().into_owned())
        .unwrap_or_else(|| "info".to_owned())
}

/// The machine's name, for lists of workers.
pub fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| variable("HOSTNAME").map(|name| name.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Where programs are looked for (`PATH`).
pub fn search_path() -> String {
    variable("PATH").map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `ragtrain/model` in the user's cache folder.
fn default_model() -> PathBuf {
    let cache = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    cache.join("ragtrain").join("model")
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn cores() -> u32 {
    std::thread::available_parallelism()
        .ok()
        .and_then(|cores| u32::try_from(cores.get()).ok())
        .unwrap_or(1)
}

fn text(value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() { Err("must not be empty".to_owned()) } else { Ok(value.to_owned()) }
}

fn seconds(value: &str) -> Result<Duration, String> {
    value
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|seconds| (0.001..=1e9).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "not a number of seconds above 0".to_owned())
}

fn switch(value: &str) -> Result<bool, String> {
    match value.trim() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("neither 1 nor 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    /// What the program does
    #[derive(Parser, Debug)]
    struct Everything {
        #[command(flatten)]
        storage: StorageSettings,
        #[command(flatten)]
        model: ModelSettings,
        #[command(flatten)]
        redis: RedisSettings,
        #[command(flatten)]
        queue: QueueSettings,
        #[command(flatten)]
        api: ApiSettings,
        #[command(flatten)]
        document: DocumentSettings,
        #[command(flatten)]
        parser: ParserSettings,
        #[command(flatten)]
        worker: WorkerSettings,
        #[command(flatten)]
        client: ClientSettings,
    }

    #[test]
    fn every_setting_is_a_flag_named_like_its_variable() {
        let command = Everything::command();
        command.clone().debug_assert();
        // The descriptions of the flattened structs must not take its place.
        assert_eq!(command.get_about().map(ToString::to_string).unwrap(), "What the program does");
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
            let variable = argument.get_env().and_then(|name| name.to_str()).unwrap();
            let flag = variable.trim_start_matches("RAGTRAIN_").to_lowercase().replace('_', "-");
            assert_eq!(argument.get_long(), Some(flag.as_str()));
            assert_eq!(argument.get_value_names().unwrap(), [variable]);
        }
    }

    #[test]
    fn defaults_and_values() {
        let given = Everything::try_parse_from([
            "program",
            "--docs-root",
            "/a:/b",
            "--lease-s",
            "0.5",
            "--trusted-network",
        ]);
        let given = given.unwrap();
        assert_eq!(given.api.docs_roots, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert!(given.api.trusted_network);
        assert_eq!(given.queue.times().lease, Duration::from_millis(500));
        assert_eq!(given.document.max_file_bytes(), 150 << 20);
        assert_eq!(given.client.url, "http://127.0.0.1:8000");
    }

    #[test]
    fn a_wrong_value_names_the_variable() {
        for (flag, value, variable) in [
            ("--workers", "many", "RAGTRAIN_WORKERS"),
            ("--lease-s", "0", "RAGTRAIN_LEASE_S"),
            ("--listen", "here", "RAGTRAIN_LISTEN"),
        ] {
            let error = Everything::try_parse_from(["program", flag, value]).unwrap_err();
            assert!(error.to_string().contains(variable), "{error}");
        }
    }
}
