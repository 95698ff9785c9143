//! A running system for one test: its own Redis, data folder and processes.

use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use testkit::{Process, RedisServer, free_port};

/// Generous for a shared machine; a test that needs it all has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

/// The api, and workers started one by one, over a redis-server or another Redis `R`.
pub(crate) struct System<R = RedisServer> {
    pub redis: R,
    redis_url: String,
    pub folder: tempfile::TempDir,
    pub url: String,
    pub http: reqwest::Client,
    api: Process,
    workers: Vec<Process>,
}

impl System {
    /// An api over its own Redis, allowed to read `documents()`.
    pub(crate) async fn start() -> System {
        let redis = RedisServer::start();
        let redis_url = redis.url();
        System::start_on(redis, redis_url).await
    }
}

impl<R> System<R> {
    /// Likewise, over this Redis.
    pub(crate) async fn start_on(redis: R, redis_url: String) -> System<R> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("documents")).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut environment = environment(&redis_url, folder.path());
        environment.push(("RAGTRAIN_LISTEN", address.to_string()));
        environment
            .push(("RAGTRAIN_DOCS_ROOT", folder.path().join("documents").display().to_string()));
        let api = start(program("ragtrain-api"), &environment);
        let url = format!("http://{address}");
        let http = reqwest::Client::new();
        let system = System { redis, redis_url, folder, url, http, api, workers: Vec::new() };
        let deadline = Instant::now() + LIMIT;
        while !system.is_ready().await {
            assert!(Instant::now() < deadline, "the api is not ready: {}", system.api.output());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        system
    }

    async fn is_ready(&self) -> bool {
        let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Starts a worker process; answers its number.
    pub(crate) fn worker(&mut self) -> usize {
        self.worker_with(program("ragtrain-worker"), &[])
    }

    /// Starts another program as a worker process, with more settings.
    pub(crate) fn worker_with(
        &mut self,
        program: PathBuf,
        settings: &[(&'static str, &str)],
    ) -> usize {
        let mut environment = environment(&self.redis_url, self.folder.path());
        environment.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.workers.push(start(program, &environment));
        self.workers.len() - 1
    }

    /// A running worker.
    pub(crate) fn worker_process(&mut self, number: usize) -> &mut Process {
        &mut self.workers[number]
    }

    /// What all processes said.
    pub(crate) fn output(&self) -> String {
        let processes = [&self.api].into_iter().chain(&self.workers);
        processes.map(Process::output).collect::<Vec<_>>().join("\n---\n")
    }

    /// Where the documents are.
    pub(crate) fn documents(&self) -> PathBuf {
        self.folder.path().join("documents").canonicalize().unwrap()
    }

    /// Where the system keeps what it knows.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What a client command prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let mut command = std::process::Command::new(program("ragtrain"));
        let output = command.args(arguments).env("RAGTRAIN_URL", &self.url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `GET` with an answer in JSON.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// `POST` with an answer in JSON.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let answer =
            self.http.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {:?}", answer.text().await);
        answer.json().await.unwrap()
    }

    /// Submits the documents folder (or other sources) and answers the job's id.
    pub(crate) async fn train(&self, body: Value) -> String {
        self.post("/train", body).await["job_id"].as_str().unwrap().to_owned()
    }

    /// Waits until the job has ended.
    pub(crate) async fn ended(&self, job: &str) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            let view = self.get(&format!("/jobs/{job}")).await;
            let status = view["status"].as_str().unwrap();
            if ["completed", "completed_with_errors", "failed", "cancelled"].contains(&status) {
                return view;
            }
            assert!(Instant::now() < deadline, "the job does not end: {view} {}", self.output());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// All events of a job.
    pub(crate) async fn events(&self, job: &str) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        loop {
            let since = events.last().map_or(0, |event| event["seq"].as_u64().unwrap());
            let page =
                self.get(&format!("/jobs/{job}/events?format=json&limit=1000&since={since}")).await;
            let more = page["events"].as_array().unwrap().clone();
            if more.is_empty() {
                return events;
            }
            events.extend(more);
        }
    }
}

/// A program of this workspace, built by the same cargo run or before it.
pub(crate) fn program(name: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_BIN_EXE_ragtrain"));
    let path = own.with_file_name(name);
    assert!(path.exists(), "build {name} first: cargo build --release --workspace");
    path
}

fn environment(redis_url: &str, folder: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("REDIS_URL", redis_url.to_owned()),
        ("RAGTRAIN_DATA", folder.join("data").display().to_string()),
        ("RAGTRAIN_MODEL", folder.join("no-model").display().to_string()),
        ("RAGTRAIN_WORKERS", "2".to_owned()),
        ("RAGTRAIN_LOG", "info".to_owned()),
    ]
}

fn start(program: PathBuf, environment: &[(&'static str, String)]) -> Process {
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Process::start(program, &[] as &[&str], &environment)
}
