//! Every address of the server.

use crate::live::{socket_io, sse, websocket};
use crate::metrics::count_requests;
use crate::origin::refuse_foreign_pages;
use crate::problem::{every_error_is_a_problem, panic_response};
use crate::routes::{
    document_pages, documents, job_documents, jobs, norms, operation, original, search, train,
    uploads,
};
use crate::state::App;
use crate::{dashboard, openapi, pages};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// Bytes of a JSON body.
const MAX_BODY: usize = 1024 * 1024;

/// All routes with their layers.
pub(crate) fn router(app: App) -> Router {
    let uploads = Router::new()
        .route("/uploads", post(uploads::upload))
        // Counted while it streams, by the limits of the settings.
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/", get(dashboard::index))
        .route("/assets/{name}", get(dashboard::asset))
        .route("/docs", get(pages::docs))
        .route("/openapi.json", get(openapi::openapi_json))
        .route("/train", post(train::train))
        .route("/api/train", post(train::legacy_train))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::one))
        .route("/jobs/{id}/documents", get(job_documents::list))
        .route("/jobs/{id}/documents/{document}", get(job_documents::one))
        .route("/jobs/{id}/cancel", post(jobs::cancel))
        .route("/jobs/{id}/pause", post(jobs::pause))
        .route("/jobs/{id}/resume", post(jobs::resume))
        .route("/jobs/{id}/retry", post(jobs::retry))
        .route("/jobs/{id}/report", get(jobs::report))
        .route("/jobs/{id}/events", get(sse::events))
        .route("/ws", get(websocket::all_events))
        .route("/ws/{job_id}", get(websocket::job_events))
        .route("/documents", get(documents::list))
        .route("/documents/{id}", get(documents::one).delete(documents::delete))
        .route("/documents/{id}/text", get(documents::text))
        .route("/documents/{id}/pages", get(document_pages::list))
        .route("/documents/{id}/pages/{page}", get(document_pages::page_or_picture))
        .route("/documents/{id}/structure", get(documents::structure))
        .route("/documents/{id}/report", get(documents::report))
        .route("/documents/{id}/chunks", get(documents::chunks))
        .route("/documents/{id}/rubern", get(documents::rubern))
        .route("/documents/{id}/graph", get(documents::graph))
        .route("/documents/{id}/original", get(original::original))
        .route("/works/{document}/critical-path", get(documents::critical_path))
        .route("/estimates/{document}", get(documents::estimate))
        .route("/search", post(search::search))
        .route("/query", post(search::query))
        .route("/norms", get(norms::list))
        .route("/norms/{id}", get(norms::one))
        .route("/norms/{id}/clauses/{address}", get(norms::clause))
        .route("/norms/{id}/references", get(norms::references))
        .route("/healthz", get(operation::healthz))
        .route("/readyz", get(operation::readyz))
        .route("/metrics", get(operation::metrics))
        .route("/status", get(operation::status))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .merge(uploads)
        .merge(socket_io::router(app.clone()))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(CatchPanicLayer::custom(panic_response))
        .layer(from_fn_with_state(app.clone(), refuse_foreign_pages))
        .layer(from_fn(every_error_is_a_problem))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(from_fn_with_state(app.clone(), count_requests))
        .with_state(app)
}
