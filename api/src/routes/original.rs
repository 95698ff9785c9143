//! `GET /documents/{id}/original`: the file itself, for download only.

use super::sources::resolve_path;
use crate::extract::parse_id;
use crate::problem::{Problem, problem};
use crate::state::App;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use shared::job::Location;
use std::fmt::Write;
use stores::StoreError;
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

/// The original file, as it is now.
#[utoipa::path(
    get, path = "/documents/{id}/original", tag = "documents", params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "the bytes", content_type = "application/octet-stream"),
        (status = 403, description = "`source_outside_roots`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`document_not_found`, `original_gone`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn original(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = parse_id(&id, Problem::document_not_found)?;
    let found = app.database(move |database| database.original(id)).await?;
    let original = found.ok_or_else(|| Problem::document_not_found(id))?;
    let (body, size) = match original.location {
        Location::File(path) => {
            let (file, size) = below_roots(&app, id, &path).await?;
            (Body::from_stream(ReaderStream::with_capacity(file, 64 * 1024)), size)
        }
        Location::Blob(key) => {
            let blobs = &app.stores()?.blobs;
            let size = match blobs.size(&key).await {
                Err(StoreError::NotFound(_)) => return Err(gone(id)),
                size => size?,
            };
            (Body::from_stream(blobs.stream(&key).await?.boxed()), size)
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let disposition = format!("attachment; filename*=UTF-8''{}", percent_encoded(&original.name));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// Opens an original that is a file of this machine.
pub(crate) async fn open(app: &App, id: Uuid, location: &Location) -> Result<File, Problem> {
    match location {
        Location::File(path) => Ok(below_roots(app, id, path).await?.0),
        Location::Blob(key) => match app.stores()?.blobs.local_path(key)? {
            Some(path) => File::open(path).await.map_err(|_| gone(id)),
            None => Err(Problem::store_unavailable("the blobs are not on this machine")),
        },
    }
}

/// Opens a file below a root and answers its size. The roots may have changed since it was
/// trained, and so may links on the way.
async fn below_roots(app: &App, id: Uuid, path: &str) -> Result<(File, u64), Problem> {
    let path = resolve_path(&app.roots, path, "path")
        .await
        .map_err(|refusal| if refusal.code == "source_not_found" { gone(id) } else { refusal })?;
    let file = File::open(&path).await.map_err(|_| gone(id))?;
    let metadata = file.metadata().await.map_err(|_| gone(id))?;
    if metadata.is_file() { Ok((file, metadata.len())) } else { Err(gone(id)) }
}

fn gone(id: Uuid) -> Problem {
    problem(
        StatusCode::NOT_FOUND,
        "original_gone",
        format!("исходного файла документа {id} больше нет"),
    )
}

/// RFC 5987: everything but letters, digits and a few marks as `%XX`.
fn percent_encoded(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.rsplit('/').next().unwrap_or(name).bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn names_for_headers() {
        assert_eq!(percent_encoded("a/СП 1.pdf"), "%D0%A1%D0%9F%201.pdf");
        assert_eq!(percent_encoded("x\r\n\"y"), "x%0D%0A%22y");
    }
}
