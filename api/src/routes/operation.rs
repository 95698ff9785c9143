//! Is it alive, is it ready, what does it do: `/healthz`, `/readyz`, `/metrics`, `/status`.

use crate::metrics::{describe, sample};
use crate::problem::{Problem, problem};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::identity::PIPELINE_VERSION;
use shared::outcome::Outcome;
use shared::queue::{JobShare, QueueDepth, WorkerView};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;
use stores::database::StoreCounts;
use tokio::time::timeout;

/// A dependency that does not answer within this counts as away.
const PATIENCE: Duration = Duration::from_secs(3);

/// Alive or ready.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    pub(crate) status: &'static str,
}

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Redis and the stores answer.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses((status = 200, body = Health), (status = 503, description = "`not_ready`: the reason is in `detail`", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn readyz(State(app): State<App>) -> Result<Json<Health>, Problem> {
    let mut reasons = Vec::new();
    if app.draining.is_cancelled() {
        reasons.push("сервер завершает работу".to_owned());
    }
    reasons.extend(redis_trouble(&app).await.map(|reason| format!("Redis: {reason}")));
    reasons.extend(stores_trouble(&app).await.map(|reason| format!("хранилище: {reason}")));
    if reasons.is_empty() {
        return Ok(Json(Health { status: "ok" }));
    }
    Err(problem(StatusCode::SERVICE_UNAVAILABLE, "not_ready", reasons.join("; ")).retry_after(5))
}

async fn redis_trouble(app: &App) -> Option<String> {
    match timeout(PATIENCE, app.queue.check_policy()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("не отвечает".to_owned()),
    }
}

async fn stores_trouble(app: &App) -> Option<String> {
    let Some(stores) = app.stores.get() else {
        let trouble = app.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        return Some(trouble.unwrap_or_else(|| "ещё не открыто".to_owned()));
    };
    match timeout(PATIENCE, stores.database.call(|database| database.check())).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("не отвечает".to_owned()),
    }
}

/// Open jobs that the status names.
const SHOWN_JOBS: u32 = 50;

/// What the installation does now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Status {
    /// Version of the program.
    pub(crate) version: &'static str,
    /// Version of the pipeline: a higher one trains again.
    pub(crate) pipeline_version: u32,
    /// The embedding model; `null` when search uses words only.
    pub(crate) model: Option<String>,
    /// Workers that are alive; `null` while Redis is away.
    #[schema(value_type = Option<Vec<Object>>)]
    pub(crate) workers: Option<Vec<WorkerView>>,
    /// How much there is to do; `null` while Redis is away.
    #[schema(value_type = Option<Object>)]
    pub(crate) queue: Option<QueueDepth>,
    /// The open jobs and their shares, running ones first; `null` while Redis is away.
    #[schema(value_type = Option<Vec<Object>>)]
    pub(crate) jobs: Option<Vec<JobShare>>,
    /// What is stored; `null` while the stores are away.
    pub(crate) stores: Option<StoreCounts>,
    /// Open sockets and event streams of this process.
    pub(crate) sockets: u32,
    /// Folders that jobs may take documents from.
    pub(crate) roots: Vec<String>,
    /// What is wrong, for a person; empty when all is well.
    pub(crate) problems: Vec<String>,
}

/// Workers, queue depth, stores, versions.
#[utoipa::path(get, path = "/status", tag = "operation", responses((status = 200, body = Status)))]
pub(crate) async fn status(State(app): State<App>) -> Json<Status> {
    let mut problems = Vec::new();
    problems.extend(redis_trouble(&app).await.map(|reason| format!("Redis: {reason}")));
    problems.extend(stores_trouble(&app).await.map(|reason| format!("хранилище: {reason}")));
    let workers = timeout(PATIENCE, app.queue.workers()).await.ok().and_then(Result::ok);
    let queue = timeout(PATIENCE, app.queue.queue_depth()).await.ok().and_then(Result::ok);
    let jobs = timeout(PATIENCE, app.queue.shares(SHOWN_JOBS)).await.ok().and_then(Result::ok);
    if workers.as_ref().is_some_and(Vec::is_empty) {
        problems.push("нет ни одного исполнителя: задания ждут (ragtrain-worker)".to_owned());
    }
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        pipeline_version: PIPELINE_VERSION,
        model: app.embedder.get().map(|embedder| embedder.model_id().to_owned()),
        workers,
        queue,
        jobs,
        stores: app.database(|database| database.counts()).await.ok(),
        sockets: app.sockets.open(),
        roots: app.roots.iter().map(|root| root.to_string_lossy().into_owned()).collect(),
        problems,
    })
}

/// Everything that is counted, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let mut out = app.metrics.render();
    describe(&mut out, "ragtrain_sockets", "gauge", "Open sockets and event streams");
    sample(&mut out, "ragtrain_sockets", &[], f64::from(app.sockets.open()));
    let up = redis_metrics(&app, &mut out).await.is_some();
    describe(&mut out, "ragtrain_redis_up", "gauge", "Whether Redis answers");
    sample(&mut out, "ragtrain_redis_up", &[], f64::from(u8::from(up)));
    if let Ok(counts) = app.database(|database| database.counts()).await {
        store_metrics(counts, &mut out);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response()
}

/// The counters of the queue (see `QueueDepth::counters`), present from the start at 0.
const COUNTED: [&str; 8] =
    ["claimed", "already", "lost", "expired", "retried", "dead", "released", "repaired"];

async fn redis_metrics(app: &App, out: &mut String) -> Option<()> {
    let depth = timeout(PATIENCE, app.queue.queue_depth()).await.ok()?.ok()?;
    let workers = timeout(PATIENCE, app.queue.workers()).await.ok()?.ok()?;
    describe(out, "ragtrain_jobs", "gauge", "Jobs known to the queue by status");
    for (status, count) in depth.jobs.iter().collect::<BTreeMap<_, _>>() {
        sample(out, "ragtrain_jobs", &[("status", status)], *count as f64);
    }
    for (name, help, value) in [
        ("ragtrain_queue_ready_jobs", "Jobs with something claimable now", depth.ready),
        ("ragtrain_queue_waiting_jobs", "Jobs that wait for a back-off", depth.waiting),
        ("ragtrain_queue_leased_units", "Units that a worker holds", depth.leased),
        ("ragtrain_workers", "Workers that are alive", workers.len() as u64),
    ] {
        describe(out, name, "gauge", help);
        sample(out, name, &[], value as f64);
    }
    let name = "ragtrain_queue_oldest_queued_seconds";
    describe(out, name, "gauge", "Age of the oldest job that no worker has begun");
    sample(out, name, &[], depth.oldest_queued_ms as f64 / 1000.0);
    let name = "ragtrain_queue_virtual_time_spread_seconds";
    describe(out, name, "gauge", "How far the shares of ready jobs differ at most");
    sample(out, name, &[], depth.virtual_time_spread_s);
    let name = "ragtrain_queue_units_total";
    describe(out, name, "counter", "What happened to units since the start of this Redis");
    for what in COUNTED {
        let count = depth.counters.get(what).copied().unwrap_or(0);
        sample(out, name, &[("what", what)], count as f64);
    }
    let mut totals: BTreeMap<Outcome, u64> = BTreeMap::new();
    let page = timeout(PATIENCE, app.queue.jobs(None, 1000, None)).await.ok()?.ok()?;
    for mut job in page.jobs {
        for outcome in Outcome::ALL {
            *totals.entry(outcome).or_default() += *job.documents.of(outcome);
        }
    }
    let name = "ragtrain_job_documents";
    describe(out, name, "gauge", "Documents of the newest 1000 kept jobs by outcome");
    for (outcome, count) in totals {
        sample(out, name, &[("outcome", outcome.name())], count as f64);
    }
    Some(())
}

fn store_metrics(counts: StoreCounts, out: &mut String) {
    describe(out, "ragtrain_stored", "gauge", "Rows of the knowledge base by kind");
    for (kind, count) in [
        ("documents", counts.documents),
        ("chunks", counts.chunks),
        ("vectors", counts.vectors),
        ("works", counts.works),
        ("edges", counts.edges),
        ("references", counts.references),
        ("norms", counts.norms),
        ("cached_embeddings", counts.cached_embeddings),
        ("staged_versions", counts.staged),
    ] {
        sample(out, "ragtrain_stored", &[("kind", kind)], count as f64);
    }
    describe(out, "ragtrain_stored_bytes", "gauge", "Size of the knowledge base");
    sample(out, "ragtrain_stored_bytes", &[], counts.bytes as f64);
}
