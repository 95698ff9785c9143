//! Jobs: list, one, cancel, pause, resume, retry, report.

use super::page_limit;
use super::train::{Accepted, accept, accepted, hash, trace_of};
use crate::extract::{Query, parse_id};
use crate::pages;
use crate::problem::{Problem, problem};
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::job::{JobSpec, JobStatus, JobView, ManifestEntry, Source};
use shared::outcome::Outcome;
use shared::queue::QueueError;
use stores::Manifest;
use time::OffsetDateTime;
use utoipa::IntoParams;
use uuid::Uuid;

/// Failed documents that one retry takes.
const MAX_RETRIED: usize = 100_000;

/// The query of `GET /jobs`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsQuery {
    /// Only jobs with this status.
    pub(crate) status: Option<JobStatus>,
    /// Rows of a page, 1 to 1,000.
    pub(crate) limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the one before.
    pub(crate) cursor: Option<String>,
}

/// Jobs, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct JobList {
    /// The jobs of this page.
    pub(crate) jobs: Vec<JobView>,
    /// The next page begins here.
    pub(crate) next_cursor: Option<String>,
}

/// Lists the jobs that the queue knows: all open ones and those that ended within its retention.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", params(JobsQuery),
    responses((status = 200, body = JobList), (status = 503, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<JobsQuery>,
) -> Result<Json<JobList>, Problem> {
    let limit = page_limit(query.limit)? as usize;
    let page = app.queue.jobs(query.status, limit, query.cursor.as_deref()).await?;
    Ok(Json(JobList { jobs: page.jobs, next_cursor: page.next_cursor }))
}

/// One job; one that ended long ago is answered from its durable record.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    Ok(Json(find(&app, parse_id(&id, Problem::job_not_found)?).await?))
}

/// The job from the queue, else from its record.
pub(crate) async fn find(app: &App, job: Uuid) -> Result<JobView, Problem> {
    if let Some(view) = app.queue.job(job).await? {
        return Ok(view);
    }
    let record = crate::live::record_of(&app.stores()?.blobs, job).await?;
    let record = record.ok_or_else(|| Problem::job_not_found(job))?;
    Ok(record.view())
}

/// Stops a job. Running documents stop within 3 s; ended ones stay trained.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem, content_type = "application/problem+json"), (status = 409, description = "`job_ended`", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    let job = open_job(&app, &id).await?;
    app.queue.cancel(job).await?;
    Ok(Json(find(&app, job).await?))
}

/// Gives out no more documents of the job; running ones go on.
#[utoipa::path(
    post, path = "/jobs/{id}/pause", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem, content_type = "application/problem+json"), (status = 409, description = "`job_ended`", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn pause(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    let job = open_job(&app, &id).await?;
    app.queue.pause(job).await?;
    Ok(Json(find(&app, job).await?))
}

/// Lets a paused job go on.
#[utoipa::path(
    post, path = "/jobs/{id}/resume", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem, content_type = "application/problem+json"), (status = 409, description = "`job_ended`", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn resume(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    let job = open_job(&app, &id).await?;
    app.queue.resume(job).await?;
    Ok(Json(find(&app, job).await?))
}

/// The id of a job that has not ended.
async fn open_job(app: &App, id: &str) -> Result<Uuid, Problem> {
    let job = parse_id(id, Problem::job_not_found)?;
    let status = find(app, job).await?.status;
    if status.is_final() {
        return Err(problem(
            StatusCode::CONFLICT,
            "job_ended",
            format!("задание {job} уже завершено ({})", status.name()),
        ));
    }
    Ok(job)
}

/// Makes a new job over the documents of an ended job that failed.
#[utoipa::path(
    post, path = "/jobs/{id}/retry", tag = "jobs", params(("id" = Uuid, Path)),
    responses(
        (status = 202, body = Accepted, headers(("Location" = String))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`job_not_ended`, `nothing_to_retry`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn retry(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = parse_id(&id, Problem::job_not_found)?;
    let view = find(&app, job).await?;
    if !view.status.is_final() {
        return Err(problem(
            StatusCode::CONFLICT,
            "job_not_ended",
            format!("задание {job} ещё не завершено ({})", view.status.name()),
        ));
    }
    let blobs = &app.stores()?.blobs;
    let spec = blobs.read_job(job).await?.ok_or_else(|| Problem::job_not_found(job))?;
    let entries = failed_entries(&app, job).await?;
    if entries.is_empty() {
        return Err(problem(
            StatusCode::CONFLICT,
            "nothing_to_retry",
            format!("в задании {job} нет документов с ошибкой"),
        ));
    }
    let sources = vec![Source::Entries(entries)];
    let spec = JobSpec {
        id: Uuid::now_v7(),
        request_hash: hash(&(job, &sources))?,
        sources,
        // Remembered outcomes would be answered at once; a retry tries again.
        force: true,
        max_files: None,
        // They have failed once: a budget that stopped the job would stop it again.
        max_failed: None,
        include: Vec::new(),
        retry_of: Some(job),
        created_at: OffsetDateTime::now_utc(),
        traceparent: Some(trace_of(&headers)),
        ..spec
    };
    let status = accept(&app, &spec, false).await?;
    Ok(accepted(&headers, spec.id, status))
}

async fn failed_entries(app: &App, job: Uuid) -> Result<Vec<ManifestEntry>, Problem> {
    let manifest = Manifest::of(&app.stores()?.blobs, job);
    let mut entries = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = app
            .database(move |database| {
                database.job_documents(job, Some(Outcome::Failed), 1000, cursor.as_deref())
            })
            .await?;
        for row in &page.items {
            entries.push(manifest.get(row.index).await?);
        }
        if entries.len() > MAX_RETRIED {
            return Err(problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too_many_documents",
                format!("документов с ошибкой больше {MAX_RETRIED}: отправьте папку заново"),
            ));
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(entries),
        }
    }
}

/// The query of `GET /jobs/{id}/report`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// `html` for a page; JSON otherwise.
    pub(crate) format: Option<String>,
}

/// The report that ended the job.
#[utoipa::path(
    get, path = "/jobs/{id}/report", tag = "jobs", params(("id" = Uuid, Path), ReportQuery),
    responses(
        (status = 200, body = Object, description = "totals, failures, pages/s, chunks, time per stage"),
        (status = 404, description = "`job_not_found`, `report_not_ready`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn report(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    let job = parse_id(&id, Problem::job_not_found)?;
    let Some(report) = app.stores()?.blobs.read_report(job).await? else {
        let view = find(&app, job).await?;
        return Err(problem(
            StatusCode::NOT_FOUND,
            "report_not_ready",
            format!("отчёт задания {job} ещё не составлен ({})", view.status.name()),
        ));
    };
    formatted(&format!("Отчёт задания {job}"), report, query.format.as_deref())
}

/// A report as JSON or as a page.
pub(crate) fn formatted(
    title: &str,
    report: Value,
    format: Option<&str>,
) -> Result<Response, Problem> {
    match format {
        None | Some("json") => Ok(Json(report).into_response()),
        Some("html") => Ok(pages::report(title, &report)),
        Some(_) => Err(Problem::invalid_field("format", "format — json или html")),
    }
}

/// Whether the queue knows the job; documents of others come from the store alone.
pub(crate) async fn running(
    app: &App,
    job: Uuid,
) -> Result<Vec<shared::queue::RunningDocument>, Problem> {
    match app.queue.running_documents(job).await {
        Err(QueueError::NoSuchJob) => Ok(Vec::new()),
        running => Ok(running?),
    }
}
