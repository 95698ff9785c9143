//! The documents of a job: ended ones from their rows, running ones from their leases, untouched
//! ones from the manifest.

use super::jobs::{find, running};
use super::page_limit;
use crate::extract::{Query, parse_id};
use crate::problem::{Problem, problem};
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::job::{JobDocument, ManifestEntry};
use shared::outcome::Outcome;
use shared::queue::{RunningDocument, Unit};
use std::collections::HashMap;
use stores::Manifest;
use utoipa::IntoParams;
use uuid::Uuid;

/// The query of `GET /jobs/{id}/documents`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobDocumentsQuery {
    /// Only documents that ended so.
    pub(crate) outcome: Option<Outcome>,
    /// Rows of a page, 1 to 1,000.
    pub(crate) limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the one before.
    pub(crate) cursor: Option<String>,
}

/// Documents of a job by their index.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct JobDocumentList {
    /// The documents of this page.
    pub(crate) documents: Vec<JobDocument>,
    /// The next page begins here.
    pub(crate) next_cursor: Option<String>,
}

/// A document of a job with its report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct JobDocumentDetails {
    /// The document.
    #[serde(flatten)]
    pub(crate) document: JobDocument,
    /// Stages with their times, counts and issues; `null` until the document has ended.
    #[schema(value_type = Option<Object>)]
    pub(crate) report: Option<Value>,
}

/// Documents of a job: ended, running and still waiting.
#[utoipa::path(
    get, path = "/jobs/{id}/documents", tag = "jobs",
    params(("id" = Uuid, Path), JobDocumentsQuery),
    responses((status = 200, body = JobDocumentList), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<JobDocumentsQuery>,
) -> Result<Json<JobDocumentList>, Problem> {
    let job = parse_id(&id, Problem::job_not_found)?;
    let limit = page_limit(query.limit)?;
    find(&app, job).await?;
    if let Some(outcome) = query.outcome {
        let page = app
            .database(move |database| {
                database.job_documents(job, Some(outcome), limit, query.cursor.as_deref())
            })
            .await?;
        return Ok(Json(JobDocumentList { documents: page.items, next_cursor: page.next_cursor }));
    }
    let from = match query.cursor.as_deref().map(str::parse::<u64>) {
        None => 0,
        Some(Ok(from)) => from,
        Some(Err(_)) => {
            return Err(Problem::invalid_field("cursor", "такого курсора сервер не выдавал"));
        }
    };
    // One more tells whether there is a next page.
    let manifest = Manifest::of(&app.stores()?.blobs, job);
    let mut entries = manifest.slice(from, limit as usize + 1).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next_cursor = more.then(|| (from + u64::from(limit)).to_string());
    // Leases first: a document that ends in between is then found among the rows.
    let leases = leases(running(&app, job).await?);
    let ended = ended_from(&app, job, from, limit).await?;
    let documents = entries.iter().map(|entry| merged(entry, &ended, &leases)).collect();
    Ok(Json(JobDocumentList { documents, next_cursor }))
}

/// Rows of ended documents from an index on, by index.
async fn ended_from(
    app: &App,
    job: Uuid,
    from: u64,
    limit: u32,
) -> Result<HashMap<u64, JobDocument>, Problem> {
    // The store's cursor is the last index of the page before.
    let cursor = from.checked_sub(1).map(|last| last.to_string());
    let page = app
        .database(move |database| database.job_documents(job, None, limit, cursor.as_deref()))
        .await?;
    Ok(page.items.into_iter().map(|row| (row.index, row)).collect())
}

fn leases(running: Vec<RunningDocument>) -> HashMap<u64, RunningDocument> {
    let documents = running.into_iter().filter_map(|held| match held.unit {
        Unit::Document { index } => Some((index, held)),
        Unit::List | Unit::Finish => None,
    });
    documents.collect()
}

fn merged(
    entry: &ManifestEntry,
    ended: &HashMap<u64, JobDocument>,
    leases: &HashMap<u64, RunningDocument>,
) -> JobDocument {
    if let Some(row) = ended.get(&entry.index) {
        return row.clone();
    }
    let lease = leases.get(&entry.index);
    JobDocument {
        id: entry.document_id,
        name: entry.name.clone(),
        path: entry.path.clone(),
        index: entry.index,
        outcome: None,
        code: None,
        message: None,
        stage: format!("{}/14", lease.map_or(0, |lease| lease.stage)),
        attempts: lease.map_or(0, |lease| lease.attempt),
        pages: None,
        chunks: None,
        duration_ms: None,
        quality: None,
        issues: Vec::new(),
    }
}

/// One document of a job, by its id or its index.
#[utoipa::path(
    get, path = "/jobs/{id}/documents/{document}", tag = "jobs",
    params(("id" = Uuid, Path), ("document" = String, Path, description = "the document's id, or its index in the job")),
    responses((status = 200, body = JobDocumentDetails), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn one(
    State(app): State<App>,
    Path((id, document)): Path<(String, String)>,
) -> Result<Json<JobDocumentDetails>, Problem> {
    let job = parse_id(&id, Problem::job_not_found)?;
    find(&app, job).await?;
    let manifest = Manifest::of(&app.stores()?.blobs, job);
    let entry = match document.parse::<u64>() {
        Ok(index) => manifest.slice(index, 1).await?.into_iter().next(),
        Err(_) => {
            let document_id = parse_id(&document, Problem::document_not_found)?;
            if let Some(found) = ended(&app, job, document_id).await? {
                return Ok(Json(found));
            }
            find_entry(&manifest, document_id).await?
        }
    };
    let entry = entry.ok_or_else(|| Problem::document_not_found(&document))?;
    // Again leases before rows, for a document that ends in between.
    let leases = leases(running(&app, job).await?);
    if let Some(found) = ended(&app, job, entry.document_id).await? {
        return Ok(Json(found));
    }
    let document = merged(&entry, &HashMap::new(), &leases);
    Ok(Json(JobDocumentDetails { document, report: None }))
}

async fn ended(
    app: &App,
    job: Uuid,
    document: Uuid,
) -> Result<Option<JobDocumentDetails>, Problem> {
    let row = app.database(move |database| database.job_document(job, document)).await?;
    Ok(row.map(|(document, report)| JobDocumentDetails { document, report: Some(report) }))
}

/// Entries that are looked through for an id that has no row yet.
const SEARCHED: u64 = 100_000;

async fn find_entry(manifest: &Manifest, id: Uuid) -> Result<Option<ManifestEntry>, Problem> {
    let mut from = 0;
    while from < SEARCHED {
        let entries = manifest.slice(from, 1000).await?;
        if entries.is_empty() {
            return Ok(None);
        }
        from += entries.len() as u64;
        if let Some(found) = entries.into_iter().find(|entry| entry.document_id == id) {
            return Ok(Some(found));
        }
    }
    Err(problem(
        StatusCode::NOT_FOUND,
        "document_not_found",
        "в большом задании ещё не начатый документ находят по индексу, а не по id",
    ))
}
