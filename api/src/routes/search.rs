//! `POST /search`, and `POST /query` for the first clients.

use crate::extract::Json as JsonBody;
use crate::problem::Problem;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::structure::PageRange;
use std::sync::Arc;
use stores::search::{Filters, Mode, SearchRequest, SearchResponse};
use uuid::Uuid;

/// Length of a question in characters.
const MAX_QUERY: usize = 2000;

/// Searches the knowledge base; answers carry citations down to the clause.
#[utoipa::path(
    post, path = "/search", tag = "search", request_body = SearchRequest,
    responses(
        (status = 200, body = SearchResponse),
        (status = 409, description = "`model_missing`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`unknown_field`, `invalid_field`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn search(
    State(app): State<App>,
    JsonBody(request): JsonBody<SearchRequest>,
) -> Result<Json<SearchResponse>, Problem> {
    Ok(Json(run(&app, request).await?))
}

async fn run(app: &App, request: SearchRequest) -> Result<SearchResponse, Problem> {
    if request.query.trim().is_empty() {
        return Err(Problem::invalid_field("query", "вопрос пуст"));
    }
    if request.query.chars().count() > MAX_QUERY {
        return Err(Problem::invalid_field("query", format!("вопрос длиннее {MAX_QUERY} знаков")));
    }
    if !(1..=100).contains(&request.k) {
        return Err(Problem::invalid_field("k", "k — от 1 до 100"));
    }
    let embedder = app.embedder.get().map(Arc::clone);
    let found = app
        .database(move |database| stores::search::search(database, embedder.as_deref(), &request))
        .await?;
    app.metrics.searches.increment();
    Ok(found)
}

/// The body of `POST /query`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LegacyQuery {
    /// The question.
    pub(crate) query: String,
    /// How many results, 1..=100; 5 if absent.
    pub(crate) k: Option<usize>,
    /// Only documents of this category.
    pub(crate) category: Option<String>,
}

/// The answer of `POST /query`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LegacyResults {
    /// Best first.
    pub(crate) results: Vec<LegacyHit>,
}

/// A result of `POST /query`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LegacyHit {
    /// The text.
    pub(crate) chunk: String,
    /// Where it is from.
    pub(crate) meta: LegacyMeta,
    /// The true score of the search.
    pub(crate) score: f64,
}

/// Where a result of `POST /query` is from.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LegacyMeta {
    pub(crate) citation: String,
    pub(crate) document_id: Uuid,
    pub(crate) name: String,
    pub(crate) designation: Option<String>,
    pub(crate) family: String,
    pub(crate) category: String,
    pub(crate) collection: String,
    pub(crate) address: String,
    #[schema(value_type = Vec<u32>)]
    pub(crate) pages: PageRange,
}

/// Search in the form of the first clients.
#[utoipa::path(
    post, path = "/query", tag = "search", request_body = LegacyQuery,
    responses((status = 200, body = LegacyResults), (status = 422, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn query(
    State(app): State<App>,
    JsonBody(query): JsonBody<LegacyQuery>,
) -> Result<Json<LegacyResults>, Problem> {
    let category = query.category.filter(|category| !category.trim().is_empty());
    let request = SearchRequest {
        query: query.query,
        k: query.k.unwrap_or(5),
        mode: Mode::Hybrid,
        filters: Filters { category, ..Filters::default() },
        explain: false,
    };
    let found = run(&app, request).await?;
    let results = found.results.into_iter().map(|hit| LegacyHit {
        chunk: hit.text,
        meta: LegacyMeta {
            citation: hit.citation,
            document_id: hit.document.id,
            name: hit.document.name,
            designation: hit.document.designation,
            family: hit.document.family,
            category: hit.document.category,
            collection: hit.document.collection,
            address: hit.address,
            pages: hit.pages,
        },
        score: hit.score,
    });
    Ok(Json(LegacyResults { results: results.collect() }))
}
