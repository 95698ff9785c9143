//! The registry of norms: trained, cited, replaced.

use super::documents::PageQuery;
use super::page_limit;
use crate::extract::Query;
use crate::problem::{Problem, problem};
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use stores::database::{Direction, Norm, NormReference, StoredChunk};
use utoipa::IntoParams;

/// Norms in the order of their ids.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NormList {
    /// The norms of this page.
    pub(crate) norms: Vec<Norm>,
    /// The next page begins here.
    pub(crate) next_cursor: Option<String>,
}

/// Norms that are trained or cited.
#[utoipa::path(
    get, path = "/norms", tag = "norms", params(PageQuery),
    responses((status = 200, body = NormList), (status = 503, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<NormList>, Problem> {
    let limit = page_limit(query.limit)?;
    let page = app.database(move |database| database.norms(limit, query.cursor.as_deref())).await?;
    Ok(Json(NormList { norms: page.items, next_cursor: page.next_cursor }))
}

fn norm_not_found(id: &str) -> Problem {
    let shown: String = id.chars().take(100).collect();
    problem(StatusCode::NOT_FOUND, "norm_not_found", format!("норматив «{shown}» не найден"))
}

async fn find(app: &App, id: &str) -> Result<Norm, Problem> {
    let wanted = id.to_owned();
    let found = app.database(move |database| database.norm(&wanted)).await?;
    found.ok_or_else(|| norm_not_found(id))
}

/// One norm, by its canonical id or a designation with an edition.
#[utoipa::path(
    get, path = "/norms/{id}", tag = "norms", params(("id" = String, Path, description = "«СП 45.13330»")),
    responses((status = 200, body = Norm), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Norm>, Problem> {
    Ok(Json(find(&app, &id).await?))
}

/// A clause of a norm.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NormClause {
    /// Canonical id of the norm.
    pub(crate) norm: String,
    /// The address that was asked for.
    pub(crate) address: String,
    /// Its chunks in order; several when the clause is long.
    pub(crate) chunks: Vec<StoredChunk>,
}

/// A clause (or «таблица 3») of a trained norm.
#[utoipa::path(
    get, path = "/norms/{id}/clauses/{address}", tag = "norms",
    params(("id" = String, Path, description = "«СП 45.13330»"), ("address" = String, Path, description = "«5.10»")),
    responses((status = 200, body = NormClause), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn clause(
    State(app): State<App>,
    Path((id, address)): Path<(String, String)>,
) -> Result<Json<NormClause>, Problem> {
    let norm = find(&app, &id).await?.id;
    let (wanted, place) = (norm.clone(), address.clone());
    let chunks = app.database(move |database| database.norm_clause(&wanted, &place)).await?;
    if chunks.is_empty() {
        let shown: String = address.chars().take(100).collect();
        return Err(problem(
            StatusCode::NOT_FOUND,
            "clause_not_found",
            format!("в нормативе «{norm}» нет пункта «{shown}»"),
        ));
    }
    Ok(Json(NormClause { norm, address, chunks }))
}

/// The query of `GET /norms/{id}/references`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReferencesQuery {
    /// `in` (default): who cites it; `out`: what it cites.
    pub(crate) direction: Option<Direction>,
    /// Rows of a page, 1 to 1,000.
    pub(crate) limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the one before.
    pub(crate) cursor: Option<String>,
}

/// References of a norm.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ReferenceList {
    /// The references of this page.
    pub(crate) references: Vec<NormReference>,
    /// The next page begins here.
    pub(crate) next_cursor: Option<String>,
}

/// Who cites a norm, or what it cites.
#[utoipa::path(
    get, path = "/norms/{id}/references", tag = "norms",
    params(("id" = String, Path, description = "«СП 45.13330»"), ReferencesQuery),
    responses((status = 200, body = ReferenceList), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn references(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ReferencesQuery>,
) -> Result<Json<ReferenceList>, Problem> {
    let limit = page_limit(query.limit)?;
    let norm = find(&app, &id).await?.id;
    let direction = query.direction.unwrap_or(Direction::In);
    let page = app
        .database(move |database| {
            database.norm_references(&norm, direction, limit, query.cursor.as_deref())
        })
        .await?;
    Ok(Json(ReferenceList { references: page.items, next_cursor: page.next_cursor }))
}
