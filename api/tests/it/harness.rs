//! A server on a free port with its own redis-server, data folder and documents root.

use clap::Parser;
use serde_json::Value;
use shared::queue::{Queue, QueueTimes};
use std::path::{Path, PathBuf};
use std::time::Duration;
use stores::{Blobs, ModelFolder};
use tempfile::TempDir;
use testkit::RedisServer;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const LIMIT: Duration = Duration::from_secs(30);

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: api::Settings,
}

pub(crate) struct Server {
    pub(crate) redis: RedisServer,
    pub(crate) queue: Queue,
    pub(crate) http: reqwest::Client,
    pub(crate) address: String,
    pub(crate) folder: TempDir,
    shutdown: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<anyhow::Result<()>>>,
}

/// What a test changes of the settings.
#[derive(Default)]
pub(crate) struct Options {
    /// Further command line arguments.
    pub(crate) arguments: Vec<String>,
    /// Where the server finds Redis, when not directly.
    pub(crate) redis_url: Option<String>,
    pub(crate) relay: api::RelayTimes,
}

impl Server {
    pub(crate) async fn start() -> Server {
        Server::start_with(RedisServer::start(), Options::default()).await
    }

    pub(crate) async fn start_with(redis: RedisServer, options: Options) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let docs = folder.path().join("docs");
        std::fs::create_dir_all(&docs).unwrap();
        std::fs::write(docs.join("a.txt"), "Текст документа").unwrap();
        let redis_url = options.redis_url.unwrap_or_else(|| redis.url());
        let data = folder.path().join("data");
        let model = folder.path().join("no model");
        let mut arguments = vec![
            "test".to_owned(),
            format!("--data={}", data.display()),
            format!("--model={}", model.display()),
            format!("--redis-url={redis_url}"),
            format!("--docs-root={}", docs.display()),
        ];
        arguments.extend(options.arguments);
        let mut settings = Arguments::try_parse_from(arguments).unwrap().settings;
        settings.relay = options.relay;
        let api = Path::new(env!("CARGO_BIN_EXE_ragtrain-api"));
        settings.extractor = Some(api.with_file_name("ragtrain-extractor"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (shutdown, stopped) = oneshot::channel();
        let serving =
            tokio::spawn(api::serve(settings, ModelFolder::new(&model, 1), listener, async move {
                let _ = stopped.await;
            }));
        Server {
            queue: Queue::open(&redis.url(), QueueTimes::default()).unwrap(),
            redis,
            http: reqwest::Client::new(),
            address,
            folder,
            shutdown: Some(shutdown),
            serving: Some(serving),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn docs(&self) -> PathBuf {
        self.folder.path().join("docs").canonicalize().unwrap()
    }

    pub(crate) fn blobs(&self) -> Blobs {
        Blobs::in_folder(&self.folder.path().join("data/blobs")).unwrap()
    }

    /// GET: status and JSON.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.http.get(self.url(path)).send().await.unwrap()).await
    }

    /// A counter or gauge without labels.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let (_, metrics) = self.get("/metrics").await;
        let mut lines = metrics.as_str().unwrap().lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    }

    /// POST with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.http.post(self.url(path)).json(body).send().await.unwrap()).await
    }

    /// Makes a job over the root and answers its id.
    pub(crate) async fn train(&self) -> uuid::Uuid {
        let (status, accepted) = self.post("/train", &serde_json::json!({})).await;
        assert_eq!(status, 202, "{accepted}");
        accepted["job_id"].as_str().unwrap().parse().unwrap()
    }

    /// Begins the drain.
    pub(crate) fn stop(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(());
        }
    }

    /// Waits for the end of the drain.
    pub(crate) async fn stopped(&mut self) -> anyhow::Result<()> {
        let serving = self.serving.take().unwrap();
        testkit::within(LIMIT, serving).await.unwrap()
    }
}

/// Cuts the stream of a job down to its newest events; answers how many were removed.
pub(crate) fn trim(redis: &RedisServer, job: uuid::Uuid, keep: u64) -> u64 {
    redis::cmd("XTRIM")
        .arg(format!("{{tq:00}}:ev:{job}"))
        .arg("MAXLEN")
        .arg(keep)
        .query(&mut redis.connection())
        .unwrap()
}

pub(crate) async fn answer(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    if status >= 400 {
        let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(media_type, "application/problem+json");
    }
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
