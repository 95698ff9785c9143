//! The web page, built by `make dashboard` and carried by the program itself.

use crate::pages;
use crate::state::App;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

mod built {
    include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));
}

/// The page loads nothing from anywhere but this server, and no script is inline.
const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// `/`: the dashboard, or the plain page of a program built without it.
pub(crate) async fn index(State(app): State<App>) -> Response {
    let Some(index) = built::INDEX else {
        return pages::index(&app);
    };
    // It names the assets of this very build: an old copy would ask for files that are gone.
    let headers = [
        POLICY,
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, index).into_response()
}

/// `/assets/{name}`: the name changes with the content, so a copy is good for ever.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    let Some((_, content)) = built::ASSETS.iter().find(|(asset, _)| *asset == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, content_type(&name)),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, *content).into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
