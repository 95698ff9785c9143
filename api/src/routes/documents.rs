//! Trained documents and everything that came of them.

use super::page_limit;
use crate::extract::{Query, parse_id};
use crate::problem::{Problem, problem};
use crate::routes::jobs::{ReportQuery, formatted};
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::job::Location;
use shared::structure::Structure;
use stores::OcrCache;
use stores::database::{
    ArtifactKind, Deleted, DocumentFilter, Estimate, StoredChunk, TrainedDocument,
};
use utoipa::IntoParams;
use uuid::Uuid;

/// The query of `GET /documents`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DocumentsQuery {
    /// Only of this collection.
    pub(crate) collection: Option<String>,
    /// Only of this family.
    pub(crate) family: Option<String>,
    /// Only of this subtype.
    pub(crate) subtype: Option<String>,
    /// Only with this own designation, with or without the edition.
    pub(crate) designation: Option<String>,
    /// Only with this status.
    pub(crate) status: Option<String>,
    /// Rows of a page, 1 to 1,000.
    pub(crate) limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the one before.
    pub(crate) cursor: Option<String>,
}

/// Trained documents, oldest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DocumentList {
    /// The documents of this page.
    pub(crate) documents: Vec<TrainedDocument>,
    /// The next page begins here.
    pub(crate) next_cursor: Option<String>,
}

/// Lists the trained documents.
#[utoipa::path(
    get, path = "/documents", tag = "documents", params(DocumentsQuery),
    responses((status = 200, body = DocumentList), (status = 503, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<DocumentsQuery>,
) -> Result<Json<DocumentList>, Problem> {
    let limit = page_limit(query.limit)?;
    let filter = DocumentFilter {
        collection: query.collection,
        family: query.family,
        subtype: query.subtype,
        designation: query.designation,
        status: query.status,
    };
    let cursor = query.cursor;
    let page =
        app.database(move |database| database.documents(&filter, limit, cursor.as_deref())).await?;
    Ok(Json(DocumentList { documents: page.items, next_cursor: page.next_cursor }))
}

/// One trained document.
#[utoipa::path(
    get, path = "/documents/{id}", tag = "documents", params(("id" = Uuid, Path)),
    responses((status = 200, body = TrainedDocument), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<TrainedDocument>, Problem> {
    let id = parse_id(&id, Problem::document_not_found)?;
    let found = app.database(move |database| database.document(id)).await?;
    found.map(Json).ok_or_else(|| Problem::document_not_found(id))
}

/// What a delete removed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeletedDocument {
    /// The document.
    pub(crate) id: Uuid,
    /// Rows that were removed; afterwards none is left.
    pub(crate) deleted: Deleted,
    /// Files of ours that were removed (an upload, an unpacked archive entry, a backup, recognised pages).
    pub(crate) files: u64,
}

/// Removes a document with its chunks, graph and files; the source folder is never touched.
#[utoipa::path(
    delete, path = "/documents/{id}", tag = "documents", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeletedDocument), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<DeletedDocument>, Problem> {
    let id = parse_id(&id, Problem::document_not_found)?;
    let original = app.database(move |database| database.original(id)).await?;
    let deleted = app.database(move |database| database.delete_document(id)).await?;
    let deleted = deleted.ok_or_else(|| Problem::document_not_found(id))?;
    let blobs = &app.stores()?.blobs;
    let mut files = 0;
    let mut keys = vec![format!("work_sequences/{id}.json")];
    let sha256 = original.as_ref().map(|original| original.sha256.clone());
    if let Some(Location::Blob(key)) = original.map(|original| original.location) {
        keys.push(key);
    }
    for key in keys {
        if blobs.find(&key).await?.is_some() {
            blobs.delete(&key).await?;
            files += 1;
        }
    }
    if let Some(sha256) = sha256 {
        let cache = OcrCache::of(&app.settings.storage.data);
        match tokio::task::spawn_blocking(move || cache.remove(&sha256)).await {
            Ok(Ok(removed)) => files += u64::from(removed),
            // The document is gone all the same; workers remove what stays behind by its age.
            Ok(Err(error)) => tracing::warn!(document.id = %id, "recognised pages stay: {error}"),
            Err(panic) => tracing::error!(document.id = %id, "recognised pages stay: {panic}"),
        }
    }
    tracing::info!(document.id = %id, "document {id} deleted");
    Ok(Json(DeletedDocument { id, deleted, files }))
}

pub(crate) async fn artifact(app: &App, id: &str, kind: ArtifactKind) -> Result<String, Problem> {
    let id = parse_id(id, Problem::document_not_found)?;
    let found = app.database(move |database| database.artifact(id, kind)).await?;
    if let Some(text) = found {
        return Ok(text);
    }
    match app.database(move |database| database.document(id)).await? {
        Some(_) => Err(problem(
            StatusCode::NOT_FOUND,
            "artifact_not_found",
            format!("у документа {id} этого нет"),
        )),
        None => Err(Problem::document_not_found(id)),
    }
}

/// Stored JSON or text with its media type; documents are strangers, so nothing is sniffed.
pub(crate) fn stored(text: String, media_type: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";

/// The extracted text, pages divided by form feeds.
#[utoipa::path(
    get, path = "/documents/{id}/text", tag = "documents", params(("id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn text(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(stored(artifact(&app, &id, ArtifactKind::Text).await?, PLAIN))
}

/// Type, designation, sections, clauses, tables, references, works.
#[utoipa::path(
    get, path = "/documents/{id}/structure", tag = "documents", params(("id" = Uuid, Path)),
    responses((status = 200, body = Structure), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn structure(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(stored(artifact(&app, &id, ArtifactKind::Structure).await?, JSON))
}

/// The report of the document: stages with times, counts, issues.
#[utoipa::path(
    get, path = "/documents/{id}/report", tag = "documents", params(("id" = Uuid, Path), ReportQuery),
    responses((status = 200, body = Object), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn report(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    let report = artifact(&app, &id, ArtifactKind::Report).await?;
    if query.format.is_none() {
        return Ok(stored(report, JSON));
    }
    let report: Value = serde_json::from_str(&report).map_err(Problem::internal)?;
    formatted(&format!("Отчёт документа {id}"), report, query.format.as_deref())
}

/// The query of a listing without filters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Rows of a page, 1 to 1,000.
    pub(crate) limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the one before.
    pub(crate) cursor: Option<String>,
}

/// Chunks of a document in order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ChunkList {
    /// The chunks of this page.
    pub(crate) chunks: Vec<StoredChunk>,
    /// The next page begins here.
    pub(crate) next_cursor: Option<String>,
}

/// The chunks with their addresses.
#[utoipa::path(
    get, path = "/documents/{id}/chunks", tag = "documents", params(("id" = Uuid, Path), PageQuery),
    responses((status = 200, body = ChunkList), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn chunks(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<ChunkList>, Problem> {
    let id = parse_id(&id, Problem::document_not_found)?;
    let limit = page_limit(query.limit)?;
    let page = app
        .database(move |database| match database.document(id)? {
            Some(_) => database.chunks(id, limit, query.cursor.as_deref()).map(Some),
            None => Ok(None),
        })
        .await?;
    let page = page.ok_or_else(|| Problem::document_not_found(id))?;
    Ok(Json(ChunkList { chunks: page.items, next_cursor: page.next_cursor }))
}

/// The document in Rubern markup.
#[utoipa::path(
    get, path = "/documents/{id}/rubern", tag = "documents", params(("id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn rubern(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(stored(artifact(&app, &id, ArtifactKind::Rubern).await?, PLAIN))
}

/// The query of `GET /documents/{id}/graph`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GraphQuery {
    /// `json` (default), `mermaid` or `graphml`.
    pub(crate) format: Option<String>,
}

/// The work graph.
#[utoipa::path(
    get, path = "/documents/{id}/graph", tag = "documents", params(("id" = Uuid, Path), GraphQuery),
    responses((status = 200, body = Object), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn graph(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<GraphQuery>,
) -> Result<Response, Problem> {
    let (kind, media_type) = match query.format.as_deref() {
        None | Some("json") => (ArtifactKind::Graph, JSON),
        Some("mermaid") => (ArtifactKind::Mermaid, PLAIN),
        Some("graphml") => (ArtifactKind::GraphMl, "application/graphml+xml"),
        Some(_) => {
            return Err(Problem::invalid_field("format", "format — json, mermaid или graphml"));
        }
    };
    Ok(stored(artifact(&app, &id, kind).await?, media_type))
}

/// Sequences with the critical path (stage 11).
#[utoipa::path(
    get, path = "/works/{document}/critical-path", tag = "documents", params(("document" = Uuid, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn critical_path(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(stored(artifact(&app, &id, ArtifactKind::Sequences).await?, JSON))
}

/// Positions and totals of an estimate (stage 10).
#[utoipa::path(
    get, path = "/estimates/{document}", tag = "documents", params(("document" = Uuid, Path)),
    responses((status = 200, body = Estimate), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn estimate(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Estimate>, Problem> {
    let id = parse_id(&id, Problem::document_not_found)?;
    if let Some(found) = app.database(move |database| database.estimate(id)).await? {
        return Ok(Json(found));
    }
    match app.database(move |database| database.document(id)).await? {
        Some(_) => Err(problem(
            StatusCode::NOT_FOUND,
            "not_an_estimate",
            format!("документ {id} — не смета"),
        )),
        None => Err(Problem::document_not_found(id)),
    }
}
