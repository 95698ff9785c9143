//! What was read from the pages of a document, and the pages themselves with it marked.

use super::documents::artifact;
use super::{original, page_limit};
use crate::extract::{Query, parse_id};
use crate::problem::{Problem, problem};
use crate::routes::documents::PageQuery;
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use extractor::model::Format;
use extractor::picture::Picture;
use extractor::request::PageLook;
use serde::{Deserialize, Serialize};
use shared::reading::{ReadDocument, ReadKind, ReadPage};
use stores::database::ArtifactKind;
use utoipa::IntoParams;

/// Dots per inch when the client does not say: an A4 page is as wide as a window.
const DEFAULT_DPI: u32 = 110;
/// Running headers and footers.
const FURNITURE: [u8; 3] = [117, 117, 117];

/// What was read, page by page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PageList {
    /// The pages of this answer.
    pub(crate) pages: Vec<ReadPage>,
    /// The next answer begins here.
    pub(crate) next_cursor: Option<String>,
}

/// What was read from the pages: blocks with kind, clause, text and place, and how each page was
/// read.
#[utoipa::path(
    get, path = "/documents/{id}/pages", tag = "documents", params(("id" = Uuid, Path), PageQuery),
    responses(
        (status = 200, body = PageList),
        (status = 404, description = "`document_not_found`, `artifact_not_found` (trained by an older version)", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<PageList>, Problem> {
    let limit = page_limit(query.limit)? as usize;
    let unknown = |_| Problem::invalid_field("cursor", "такого курсора сервер не выдавал");
    let shown: u32 = query.cursor.as_deref().map_or(Ok(0), str::parse).map_err(unknown)?;
    let mut pages = reading(&app, &id).await?.pages;
    pages.retain(|page| page.number > shown);
    let more = pages.len() > limit;
    pages.truncate(limit);
    let last = pages.last().filter(|_| more);
    let next_cursor = last.map(|page| page.number.to_string());
    Ok(Json(PageList { pages, next_cursor }))
}

/// The query of a page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PictureQuery {
    /// Dots per inch, 30 to 200; 110 by default. Very large sheets are painted coarser.
    pub(crate) dpi: Option<u32>,
}

/// `/documents/{id}/pages/14` and `/documents/{id}/pages/14.png`: the router knows no parameters
/// with an ending.
pub(crate) async fn page_or_picture(
    State(app): State<App>,
    Path((id, page)): Path<(String, String)>,
    Query(query): Query<PictureQuery>,
) -> Result<Response, Problem> {
    match (page.strip_suffix(".png"), query.dpi) {
        (Some(number), _) => picture(app, id, number, query).await,
        (None, None) => Ok(one(app, id, &page).await?.into_response()),
        (None, Some(_)) => {
            Err(Problem::invalid_field("dpi", "dpi есть только у картинки страницы (….png)"))
        }
    }
}

/// What was read from one page.
#[utoipa::path(
    get, path = "/documents/{id}/pages/{page}", tag = "documents", params(("id" = Uuid, Path), ("page" = u32, Path)),
    responses(
        (status = 200, body = ReadPage),
        (status = 404, description = "`document_not_found`, `page_not_found`, `artifact_not_found` (trained by an older version)", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(app: App, id: String, page: &str) -> Result<Json<ReadPage>, Problem> {
    let reading = reading(&app, &id).await?;
    let number = number(page, &reading)?;
    let found = reading.pages.into_iter().find(|page| page.number == number);
    found.map(Json).ok_or_else(|| page_not_found(page))
}

/// The picture of a page with outlines around what was read from it: headings blue, paragraphs
/// green, list items turquoise, tables orange, captions violet, footnotes brown, lines of the
/// table of contents pink, running headers and footers grey.
#[utoipa::path(
    get, path = "/documents/{id}/pages/{page}.png", tag = "documents", params(("id" = Uuid, Path), ("page" = u32, Path), PictureQuery),
    responses(
        (status = 200, description = "the picture", content_type = "image/png"),
        (status = 403, description = "`source_outside_roots`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`document_not_found`, `page_not_found`, `no_page_pictures` (a format without fixed pages), `original_gone`, `artifact_not_found` (trained by an older version)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`original_changed` after it was trained", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_field`, or the code of a document that cannot be painted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`painter_busy`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn picture(
    app: App,
    id: String,
    page: &str,
    query: PictureQuery,
) -> Result<Response, Problem> {
    let dpi = query.dpi.unwrap_or(DEFAULT_DPI);
    if !(30..=200).contains(&dpi) {
        return Err(Problem::invalid_field("dpi", "dpi — от 30 до 200"));
    }
    let reading = reading(&app, &id).await?;
    if !is_paintable(&reading.format) {
        return Err(problem(
            StatusCode::NOT_FOUND,
            "no_page_pictures",
            format!("у формата {} нет страниц, которые у всех выглядят одинаково", reading.format),
        ));
    }
    let number = number(page, &reading)?;
    let id = parse_id(&id, Problem::document_not_found)?;
    let found = app.database(move |database| database.original(id)).await?;
    let original = found.ok_or_else(|| Problem::document_not_found(id))?;
    let file = original::open(&app, id, &original.location).await?.into_std().await;
    // A page of which nothing was read is shown as it is: that, too, must be seen.
    let read = reading.pages.into_iter().find(|page| page.number == number).unwrap_or_default();
    let look = PageLook {
        name: original.name,
        page: number,
        quarter_turns: read.quarter_turns,
        dpi: dpi as f32,
    };
    let png = app.painter.png(file, original.sha256, look, move |picture| mark(picture, &read));
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        // Whoever trains the document again wants to see the new outlines soon.
        (header::CACHE_CONTROL, "private, max-age=60"),
    ];
    Ok((headers, png.await?).into_response())
}

async fn reading(app: &App, id: &str) -> Result<ReadDocument, Problem> {
    let stored = artifact(app, id, ArtifactKind::Reading).await?;
    serde_json::from_str(&stored).map_err(Problem::internal)
}

fn is_paintable(format: &str) -> bool {
    serde_json::from_value(format.into()).is_ok_and(Format::is_paintable)
}

/// The number of a page that the document has.
fn number(page: &str, reading: &ReadDocument) -> Result<u32, Problem> {
    let digits = page.bytes().all(|byte| byte.is_ascii_digit());
    let number = page.parse().ok().filter(|_| digits);
    let last = reading.pages.last().map_or(0, |page| page.number).max(reading.page_count);
    number.filter(|number| (1..=last).contains(number)).ok_or_else(|| page_not_found(page))
}

fn page_not_found(page: &str) -> Problem {
    let shown: String = page.chars().take(20).collect();
    problem(StatusCode::NOT_FOUND, "page_not_found", format!("страницы «{shown}» в документе нет"))
}

fn mark(picture: &mut Picture, page: &ReadPage) {
    let Some(size) = page.size else { return };
    for bounds in &page.furniture_bounds {
        picture.outline(size, *bounds, FURNITURE, 1);
    }
    for block in &page.blocks {
        for bounds in &block.bounds {
            // The ruling lines of a table would hide a thinner one.
            let weight = if block.kind == ReadKind::Table { 3 } else { 1 };
            picture.outline(size, *bounds, colour(block.kind), weight);
        }
    }
}

/// Colours that differ on white paper and in grey.
fn colour(kind: ReadKind) -> [u8; 3] {
    match kind {
        ReadKind::Heading => [21, 80, 200],
        ReadKind::Paragraph => [40, 150, 60],
        ReadKind::ListItem => [0, 160, 170],
        ReadKind::Table => [235, 110, 0],
        ReadKind::Caption => [135, 50, 180],
        ReadKind::Footnote => [120, 80, 60],
        ReadKind::Contents => [225, 70, 140],
    }
}
