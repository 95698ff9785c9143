//! The HTTP side of the client commands.

use anyhow::Context;
use reqwest::{Method, Response};
use serde_json::Value;
use shared::settings::ClientSettings;

/// A running server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// The server's own words about a refused request (`application/problem+json`).
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Stable code.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} [{}]", self.detail, self.code)
    }
}

impl std::error::Error for Refusal {}

impl Client {
    /// A client of the configured server.
    pub(crate) fn new(settings: &ClientSettings) -> Client {
        Client { http: reqwest::Client::new(), base: settings.url.trim_end_matches('/').to_owned() }
    }

    /// The address of a socket: `ws://…` for `http://…`.
    pub(crate) fn socket(&self, path: &str) -> String {
        format!("{}{path}", self.base.replacen("http", "ws", 1))
    }

    /// `GET` with an answer in JSON.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}{path}", self.base)).query(query);
        Ok(self.send(request).await?.json().await?)
    }

    /// Any method, with a JSON body if there is one; an empty answer is `null`.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let text = self.send(request).await?.text().await?;
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }

    /// `POST /uploads` with files; answers the upload's id.
    pub(crate) async fn upload(&self, form: reqwest::multipart::Form) -> anyhow::Result<String> {
        let request = self.http.post(format!("{}/uploads", self.base)).multipart(form);
        let answer: Value = self.send(request).await?.json().await?;
        Ok(answer["upload_id"].as_str().context("the answer has no upload_id")?.to_owned())
    }

    /// All rows of a listing.
    pub(crate) async fn rows(
        &self,
        path: &str,
        field: &str,
        query: &[(&str, String)],
    ) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            query.push(("limit", "1000".to_owned()));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let mut page = self.get(path, &query).await?;
            if let Some(more) = page[field].as_array_mut() {
                rows.append(more);
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(rows),
            }
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.with_context(|| {
            format!(
                "{} {} (ragtrain up, RAGTRAIN_URL)",
                crate::language::say("сервер не отвечает:", "no answer from"),
                self.base
            )
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let problem: Value = response.json().await.unwrap_or_default();
        let text = |name: &str| problem[name].as_str().map(str::to_owned);
        let detail = text("detail").or_else(|| text("title")).unwrap_or_else(|| status.to_string());
        let code = text("code").unwrap_or_else(|| status.as_u16().to_string());
        Err(Refusal { code, detail }.into())
    }
}
