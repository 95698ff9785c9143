//! `POST /train`: a request becomes a durable record, then a job in the queue, then a 202.

use super::sources::{SourceRequest, resolve, resolve_path};
use crate::extract::{Query, json_or_default};
use crate::problem::{Problem, problem};
use crate::state::{App, idempotency_conflict};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use globset::Glob;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::identity::job_id_for_key;
use shared::job::{JobSpec, JobStatus, Priority, Source};
use shared::queue::{NewJob, QueueError};
use time::OffsetDateTime;
use unicode_normalization::UnicodeNormalization;
use utoipa::IntoParams;
use uuid::Uuid;

/// Sources of one request.
const MAX_SOURCES: usize = 1000;
/// Globs and tags of one request.
const MAX_LABELS: usize = 100;
/// Length of a glob or tag in characters.
const MAX_LABEL: usize = 500;
/// Length of a collection's name in characters.
const MAX_COLLECTION: usize = 64;

/// The body of `POST /train`; every field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TrainRequest {
    /// Where the documents are; without any the first configured root is trained.
    pub(crate) sources: Option<Vec<SourceRequest>>,
    /// The collection they are trained into: letters, digits, `-`, `_`, `.`; `default` if absent.
    pub(crate) collection: Option<String>,
    /// Train again what is already trained.
    pub(crate) force: Option<bool>,
    /// The job's share of the workers.
    pub(crate) priority: Option<Priority>,
    /// At most this many documents.
    pub(crate) max_files: Option<u64>,
    /// The job fails once more documents than this have failed; no limit if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_failed: Option<u64>,
    /// At most this many of its documents are worked on at once; no limit if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_inflight: Option<u32>,
    /// Globs relative to the source (`**/*.pdf`); without any everything is taken.
    pub(crate) include: Option<Vec<String>>,
    /// Free labels.
    pub(crate) tags: Option<Vec<String>>,
    /// Legacy: a folder.
    pub(crate) custom_dir: Option<String>,
    /// Legacy: a folder.
    pub(crate) base_dir: Option<String>,
    /// Legacy: as `force`.
    pub(crate) force_retrain: Option<bool>,
}

/// The query of `POST /train`.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrainQuery {
    /// Legacy: a folder.
    pub(crate) custom_dir: Option<String>,
}

/// The answer to an accepted job.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Accepted {
    /// The job.
    pub(crate) job_id: Uuid,
    /// `queued`, or how far the job has come when the request was repeated.
    pub(crate) status: JobStatus,
    /// For people.
    pub(crate) message: String,
    /// Where its events are pushed.
    pub(crate) ws_url: String,
    /// Where its events are streamed or read page by page.
    pub(crate) events_url: String,
}

/// Makes a job. The body is optional.
#[utoipa::path(
    post, path = "/train", tag = "jobs",
    params(
        TrainQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "the same key and body give the same job"),
    ),
    request_body(content = Option<TrainRequest>, content_type = "application/json"),
    responses(
        (status = 202, body = Accepted, headers(("Location" = String))),
        (status = 400, description = "`invalid_json`, `invalid_idempotency_key`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`source_outside_roots`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`source_not_found`, `upload_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency_conflict`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`unknown_field`, `invalid_field`, `no_source`, `s3_not_configured`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`queue_full`, `queue_unavailable`, `store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn train(
    State(app): State<App>,
    Query(query): Query<TrainQuery>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let request = normalized(json_or_default(&body?)?, query)?;
    let key = idempotency_key(&headers)?;
    let mut spec = specify(&app, &request, key.as_deref()).await?;
    // A repetition keeps the trace of the first request.
    spec.traceparent.get_or_insert_with(|| trace_of(&headers));
    let status = accept(&app, &spec, key.is_some()).await?;
    Ok(accepted(&headers, spec.id, status))
}

/// The same as `POST /train`, under the address of the first clients.
#[utoipa::path(
    post, path = "/api/train", tag = "jobs",
    params(TrainQuery),
    request_body(content = Option<TrainRequest>, content_type = "application/json"),
    responses((status = 202, body = Accepted), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn legacy_train(
    state: State<App>,
    query: Query<TrainQuery>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    train(state, query, headers, body).await
}

/// Folds the legacy forms into the present one and checks what needs no file system.
fn normalized(mut request: TrainRequest, query: TrainQuery) -> Result<TrainRequest, Problem> {
    let legacy = [
        ("custom_dir", request.custom_dir.take()),
        ("base_dir", request.base_dir.take()),
        ("custom_dir", query.custom_dir),
    ];
    let mut sources = request.sources.take().unwrap_or_default();
    for (field, path) in legacy {
        let Some(path) = path.filter(|path| !path.trim().is_empty()) else { continue };
        let folder = SourceRequest { path: Some(path), ..SourceRequest::default() };
        if sources.contains(&folder) {
            continue;
        }
        if !sources.is_empty() {
            return Err(Problem::invalid_field(field, "источник указан дважды и по-разному"));
        }
        sources.push(folder);
    }
    if sources.len() > MAX_SOURCES {
        return Err(Problem::invalid_field("sources", format!("источников — до {MAX_SOURCES}")));
    }
    let collection = request.collection.take().unwrap_or_else(|| "default".to_owned());
    let force = request.force.or(request.force_retrain.take()).unwrap_or(false);
    if request.max_files == Some(0) {
        return Err(Problem::invalid_field("max_files", "max_files — от 1"));
    }
    if request.max_inflight == Some(0) {
        return Err(Problem::invalid_field("max_inflight", "max_inflight — от 1"));
    }
    let include = request.include.take().unwrap_or_default();
    let tags = request.tags.take().unwrap_or_default();
    for (field, labels) in [("include", &include), ("tags", &tags)] {
        let fits = |label: &String| {
            let length = label.chars().count();
            (1..=MAX_LABEL).contains(&length) && !label.chars().any(char::is_control)
        };
        if labels.len() > MAX_LABELS || !labels.iter().all(fits) {
            let limit = format!("до {MAX_LABELS} строк, каждая до {MAX_LABEL} знаков");
            return Err(Problem::invalid_field(field, limit));
        }
    }
    if let Some(error) = include.iter().find_map(|glob| Glob::new(glob).err()) {
        return Err(Problem::invalid_field("include", format!("шаблон не разобран: {error}")));
    }
    Ok(TrainRequest {
        sources: Some(sources),
        collection: Some(collection_name(&collection)?),
        force: Some(force),
        priority: Some(request.priority.unwrap_or_default()),
        max_files: request.max_files,
        max_failed: request.max_failed,
        max_inflight: request.max_inflight,
        include: Some(include),
        tags: Some(tags),
        custom_dir: None,
        base_dir: None,
        force_retrain: None,
    })
}

/// A collection's name in normal form C.
pub(crate) fn collection_name(name: &str) -> Result<String, Problem> {
    let name: String = name.nfc().collect();
    let begins = name.chars().next().is_some_and(char::is_alphanumeric);
    let fits = name.chars().count() <= MAX_COLLECTION
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if begins && fits {
        Ok(name)
    } else {
        Err(Problem::invalid_field(
            "collection",
            format!(
                "имя коллекции — до {MAX_COLLECTION} букв, цифр и знаков - _ . (первой — буква или цифра)"
            ),
        ))
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(problem(
            StatusCode::BAD_REQUEST,
            "invalid_idempotency_key",
            "Idempotency-Key — от 1 до 255 печатных знаков ASCII",
        )),
    }
}

/// The trace that a request belongs to.
pub(crate) fn trace_of(headers: &HeaderMap) -> String {
    let header = headers.get("traceparent").and_then(|value| value.to_str().ok());
    shared::trace::accept(header)
}

/// The durable record of a normalized request.
async fn specify(app: &App, request: &TrainRequest, key: Option<&str>) -> Result<JobSpec, Problem> {
    let request_hash = hash(request)?;
    let id = key.map_or_else(Uuid::now_v7, job_id_for_key);
    if key.is_some()
        && let Some(stored) = app.stores()?.blobs.read_job(id).await?
    {
        // A repetition is answered even when the folder is gone meanwhile.
        return if stored.request_hash == request_hash {
            Ok(stored)
        } else {
            Err(idempotency_conflict())
        };
    }
    let mut sources = Vec::new();
    for (position, source) in request.sources.iter().flatten().enumerate() {
        sources.push(resolve(app, position, source).await?);
    }
    if sources.is_empty() {
        let root = app.roots.first().and_then(|root| root.to_str()).ok_or_else(|| {
            problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no_source",
                "источник не указан, а папка по умолчанию (RAGTRAIN_DOCS_ROOT) не настроена",
            )
        })?;
        let root = resolve_path(&app.roots, root, "sources").await?;
        sources.push(Source::Path(root.to_string_lossy().into_owned()));
    }
    Ok(JobSpec {
        id,
        sources,
        collection: request.collection.clone().unwrap_or_default(),
        force: request.force.unwrap_or_default(),
        priority: request.priority.unwrap_or_default(),
        max_files: request.max_files,
        max_failed: request.max_failed,
        max_inflight: request.max_inflight,
        include: request.include.clone().unwrap_or_default(),
        tags: request.tags.clone().unwrap_or_default(),
        retry_of: None,
        request_hash,
        created_at: OffsetDateTime::now_utc(),
        traceparent: None,
    })
}

/// SHA-256 of a request in its one canonical form.
pub(crate) fn hash(request: &impl Serialize) -> Result<String, Problem> {
    let canonical = serde_json::to_vec(request).map_err(Problem::internal)?;
    Ok(Sha256::digest(canonical).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes the record, then submits; answers the job's status. When the job is refused, the record
/// goes too, so that a refused job never runs after a restart.
pub(crate) async fn accept(app: &App, spec: &JobSpec, keyed: bool) -> Result<JobStatus, Problem> {
    let blobs = &app.stores()?.blobs;
    // Most outages are found here, before anything is written.
    app.queue.ping().await?;
    let _one_at_a_time = if keyed { Some(app.keyed_submissions.lock().await) } else { None };
    match blobs.write_job(spec).await {
        Err(stores::StoreError::AlreadyExists(_)) => return Err(idempotency_conflict()),
        written => written?,
    }
    match app.queue.submit(&NewJob::from_spec(spec)).await {
        Ok(submitted) if submitted.created => {
            app.metrics.jobs_submitted.increment();
            let trace = spec.traceparent.as_deref();
            tracing::info!(job.id = %spec.id, trace, "job {} accepted", spec.id);
            Ok(JobStatus::Queued)
        }
        Ok(_) => {
            let job = app.queue.job(spec.id).await?;
            Ok(job.map_or(JobStatus::Queued, |job| job.status))
        }
        Err(error) => {
            // After a lost reply the job may be in the queue: then its record must stay.
            if !matches!(error, QueueError::Redis(_)) {
                blobs.forget_job(spec.id).await?;
            }
            Err(error.into())
        }
    }
}

/// The 202.
pub(crate) fn accepted(headers: &HeaderMap, job: Uuid, status: JobStatus) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or("localhost");
    let secure = text("x-forwarded-proto") == Some("https");
    let scheme = |plain: &str| if secure { format!("{plain}s") } else { plain.to_owned() };
    let answer = Accepted {
        job_id: job,
        status,
        message: format!("Задание {job} принято"),
        ws_url: format!("{}://{host}/ws/{job}", scheme("ws")),
        events_url: format!("{}://{host}/jobs/{job}/events", scheme("http")),
    };
    let mut response = (StatusCode::ACCEPTED, Json(answer)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/jobs/{job}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{SourceRequest, TrainQuery, TrainRequest, collection_name, normalized};

    fn request(json: &str) -> TrainRequest {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn legacy_forms_mean_the_same() {
        let none = TrainQuery::default();
        let present =
            normalized(request(r#"{"sources":[{"path":"/d"}],"force":true}"#), none.clone());
        for legacy in [
            r#"{"custom_dir":"/d","force_retrain":true}"#,
            r#"{"base_dir":"/d","force":true}"#,
            r#"{"custom_dir":"/d","base_dir":"/d","force_retrain":true,"max_files":null}"#,
        ] {
            let folded = normalized(request(legacy), none.clone()).unwrap();
            assert_eq!(Some(&folded), present.as_ref().ok(), "{legacy}");
        }
        let query = TrainQuery { custom_dir: Some("/d".into()) };
        let folded = normalized(request(r#"{"force":true}"#), query).unwrap();
        assert_eq!(Some(folded), present.ok());
        let empty = normalized(request(r#"{"custom_dir":" "}"#), none.clone()).unwrap();
        assert_eq!(empty.sources, Some(Vec::<SourceRequest>::new()));
        let twice = request(r#"{"custom_dir":"/d","base_dir":"/e"}"#);
        assert_eq!(normalized(twice, none).unwrap_err().field.as_deref(), Some("base_dir"));
    }

    #[test]
    fn names_of_collections() {
        for good in ["default", "нормы-2024", "a.b_c", "7"] {
            assert_eq!(collection_name(good).unwrap(), good);
        }
        // The same name typed with a combining breve is the same collection.
        assert_eq!(collection_name("и\u{306}").unwrap(), "й");
        for bad in ["", ".hidden", "-x", "a/b", "a b", "..", "a\0", &"x".repeat(65)] {
            assert!(collection_name(bad).is_err(), "{bad:?}");
        }
    }
}
