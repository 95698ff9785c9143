//! The relay as a process of its own.

use crate::harness::LIMIT;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use testkit::{Process, RedisServer, free_port, wait_until};
use uuid::Uuid;

/// `ragtrain-api` on a free port; killed on drop.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    arguments: Vec<String>,
    pub(crate) process: Process,
}

impl Api {
    pub(crate) async fn start(redis: &RedisServer, folder: &Path) -> Api {
        Api::start_with(redis, folder, &[]).await
    }

    /// With further arguments.
    pub(crate) async fn start_with(redis: &RedisServer, folder: &Path, more: &[&str]) -> Api {
        let docs = folder.join("docs");
        std::fs::create_dir_all(&docs).unwrap();
        std::fs::write(docs.join("a.txt"), "Текст документа").unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut arguments = vec![
            format!("--listen={address}"),
            format!("--data={}", folder.join("data").display()),
            format!("--model={}", folder.join("no model").display()),
            format!("--redis-url={}", redis.url()),
            format!("--docs-root={}", docs.display()),
        ];
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        let process = Process::start(env!("CARGO_BIN_EXE_ragtrain-api"), &arguments, &[]);
        let api = Api { address, arguments, process };
        api.ready().await;
        api
    }

    /// Again on the same port, after it ended.
    pub(crate) async fn restart(&mut self) {
        self.process = Process::start(env!("CARGO_BIN_EXE_ragtrain-api"), &self.arguments, &[]);
        self.ready().await;
    }

    /// `http://…` of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn ready(&self) {
        let url = self.url("/readyz");
        wait_until(LIMIT, async || {
            reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    pub(crate) async fn train(&self) -> Uuid {
        let post = reqwest::Client::new().post(self.url("/train"));
        let answer = post.json(&serde_json::json!({})).send().await.unwrap();
        let accepted: Value = answer.json().await.unwrap();
        accepted["job_id"].as_str().unwrap().parse().unwrap()
    }
}
