//! `POST /uploads`: files streamed into the blob store. Either the whole upload exists or nothing.

use crate::problem::{Problem, problem};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::time::Duration;
use stores::Blobs;
use stores::ledger::{Upload, UploadedFile, upload_key};
use tokio::time::timeout;
use uuid::Uuid;

/// How long the rest of a refused upload is read.
const DRAIN: Duration = Duration::from_secs(5);
/// Length of a part of a file's name, in bytes of UTF-8.
const MAX_PART: usize = 200;
/// Folders in a file's name.
const MAX_PARTS: usize = 32;

/// The answer: pass `upload_id` as a source to `POST /train`.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Uploaded {
    /// The upload.
    pub(crate) upload_id: Uuid,
    /// Its files as they were stored.
    pub(crate) files: Vec<UploadedName>,
}

/// A stored file.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct UploadedName {
    /// The name after cleaning.
    pub(crate) name: String,
    /// Size in bytes.
    pub(crate) size: u64,
}

/// The form of an upload: any number of files under any field names.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct UploadForm {
    /// The files.
    #[schema(value_type = Vec<String>, format = Binary)]
    files: Vec<u8>,
}

/// Stores files for training.
#[utoipa::path(
    post, path = "/uploads", tag = "jobs",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = Uploaded),
        (status = 400, description = "`invalid_multipart`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`file_too_large`, `upload_too_large`, `too_many_files`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`no_files`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn upload(
    State(app): State<App>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<Uploaded>), Problem> {
    refuse_declared_size(&app, &headers)?;
    let mut form = form.map_err(|_| invalid("ожидается тело multipart/form-data"))?;
    let blobs = app.stores()?.blobs.clone();
    let mut unfinished = Unfinished { blobs: Some(blobs.clone()), upload: Uuid::now_v7() };
    let upload = match receive(&app, &blobs, unfinished.upload, &mut form).await {
        Ok(upload) => upload,
        Err(refusal) => {
            // A client that is still sending would see a broken connection and not the answer.
            let _ = timeout(DRAIN, discard(&mut form)).await;
            return Err(refusal);
        }
    };
    blobs.write_upload(&upload).await?;
    unfinished.blobs = None;
    let files = upload.files.into_iter().map(|f| UploadedName { name: f.name, size: f.size });
    Ok((StatusCode::CREATED, Json(Uploaded { upload_id: upload.id, files: files.collect() })))
}

/// Refuses a body that says itself that it is too large, before any of it is read.
fn refuse_declared_size(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let limit = app.settings.api.upload_mb;
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let declared: u64 = declared.and_then(|value| value.parse().ok()).unwrap_or(0);
    // The form around the files is allowed a megabyte.
    if declared > (limit + 1) * 1024 * 1024 {
        return Err(too_large("upload_too_large", format!("загрузка больше {limit} МБ")));
    }
    Ok(())
}

/// Reads the rest of a refused form and forgets it.
async fn discard(form: &mut Multipart) {
    while let Ok(Some(mut field)) = form.next_field().await {
        while let Ok(Some(_)) = field.chunk().await {}
    }
}

async fn receive(
    app: &App,
    blobs: &Blobs,
    upload: Uuid,
    form: &mut Multipart,
) -> Result<Upload, Problem> {
    let mut files = Vec::new();
    let mut names = HashSet::new();
    let mut left = app.settings.api.upload_mb * 1024 * 1024;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let Some(given) = field.file_name().map(str::to_owned) else {
            let field = field.name().unwrap_or_default().to_owned();
            return Err(problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown_field",
                format!("поле формы «{field}» — не файл"),
            )
            .with_field(field));
        };
        if files.len() as u64 >= app.settings.api.upload_files {
            return Err(too_large(
                "too_many_files",
                format!("в одной загрузке — до {} файлов", app.settings.api.upload_files),
            ));
        }
        let name = unique(clean_name(&given), &mut names);
        let key = upload_key(upload, files.len());
        let size = store(app, blobs, &key, &name, field, left).await?;
        left -= size;
        files.push(UploadedFile { name, key, size });
    }
    if files.is_empty() {
        return Err(problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_files",
            "в загрузке нет ни одного файла",
        ));
    }
    Ok(Upload { id: upload, files })
}

/// Streams one file; at most `left` bytes and the limit of a document.
async fn store(
    app: &App,
    blobs: &Blobs,
    key: &str,
    name: &str,
    mut field: Field<'_>,
    left: u64,
) -> Result<u64, Problem> {
    let max_file = app.settings.document.max_file_bytes();
    let mut writer = blobs.writer(key).await?;
    loop {
        let refusal = match field.chunk().await {
            Ok(None) => return Ok(writer.finish().await?),
            Ok(Some(piece)) => {
                let size = writer.size() + piece.len() as u64;
                if size > max_file {
                    let limit = app.settings.document.max_file_mb;
                    too_large("file_too_large", format!("«{name}» больше {limit} МБ"))
                } else if size > left {
                    let limit = app.settings.api.upload_mb;
                    too_large("upload_too_large", format!("загрузка больше {limit} МБ"))
                } else {
                    writer.write(piece).await?;
                    continue;
                }
            }
            Err(error) => broken(error),
        };
        if let Err(error) = writer.abort().await {
            tracing::warn!(%error, key, "a partly written file could not be removed");
        }
        return Err(refusal);
    }
}

/// Removes what an upload wrote when it did not come to its end, even when the client went away
/// and the handler was dropped in the middle.
struct Unfinished {
    blobs: Option<Blobs>,
    upload: Uuid,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(blobs) = self.blobs.take() else { return };
        let folder = format!("uploads/{}", self.upload);
        tokio::spawn(async move {
            if let Err(error) = blobs.delete_folder(&folder).await {
                tracing::warn!(%error, folder, "an unfinished upload could not be removed");
            }
        });
    }
}

fn broken(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large("upload_too_large", "загрузка больше допустимого");
    }
    invalid(&format!("тело multipart/form-data не разобрано: {}", error.body_text()))
}

fn invalid(detail: &str) -> Problem {
    problem(StatusCode::BAD_REQUEST, "invalid_multipart", detail)
}

fn too_large(code: &str, detail: impl Into<String>) -> Problem {
    problem(StatusCode::PAYLOAD_TOO_LARGE, code, detail)
}

/// A name fit for people and reports: folders kept, `..`, drives and control characters not.
fn clean_name(given: &str) -> String {
    let parts: Vec<String> = given
        .split(['/', '\\'])
        .map(|part| {
            let clean: String = part
                .chars()
                .filter(|c| {
                    !c.is_control()
                        && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                })
                .collect();
            shortened(clean.trim())
        })
        .filter(|part| !matches!(part.as_str(), "" | "." | "..") && !is_drive(part))
        .collect();
    let skip = parts.len().saturating_sub(MAX_PARTS);
    if parts.is_empty() { "файл".to_owned() } else { parts[skip..].join("/") }
}

fn is_drive(part: &str) -> bool {
    let mut chars = part.chars();
    matches!((chars.next(), chars.next(), chars.next()), (Some(c), Some(':'), None) if c.is_ascii_alphabetic())
}

/// Cuts the middle out of a long name: its extension tells people what it is.
fn shortened(part: &str) -> String {
    if part.len() <= MAX_PART {
        return part.to_owned();
    }
    let (stem, extension) = match part.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 => (stem, format!(".{extension}")),
        _ => (part, String::new()),
    };
    let mut end = MAX_PART - extension.len();
    while !stem.is_char_boundary(end.min(stem.len())) {
        end -= 1;
    }
    format!("{}{extension}", stem.get(..end).unwrap_or(stem))
}

/// Two files of one name in one upload stay two documents.
fn unique(name: String, names: &mut HashSet<String>) -> String {
    let mut candidate = name.clone();
    for n in 2.. {
        if names.insert(candidate.clone()) {
            break;
        }
        candidate = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && !extension.contains('/') => {
                format!("{stem} ({n}).{extension}")
            }
            _ => format!("{name} ({n})"),
        };
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::{clean_name, unique};
    use std::collections::HashSet;

    #[test]
    fn names_are_cleaned() {
        for (given, clean) in [
            ("СП 45.pdf", "СП 45.pdf"),
            ("../../etc/passwd", "etc/passwd"),
            ("/abs/a.txt", "abs/a.txt"),
            (r"C:\docs\смета.xlsx", "docs/смета.xlsx"),
            ("a\0\n\u{202e}b.pdf", "ab.pdf"),
            ("..", "файл"),
            ("", "файл"),
            ("  x .pdf ", "x .pdf"),
        ] {
            assert_eq!(clean_name(given), clean, "{given:?}");
        }
        let long = clean_name(&format!("{}.docx", "й".repeat(300)));
        assert!(long.len() <= 200 && long.ends_with("й.docx"), "{long}");
    }

    #[test]
    fn equal_names_are_numbered() {
        let mut names = HashSet::new();
        let mut next = |name: &str| unique(name.to_owned(), &mut names);
        assert_eq!(next("a.pdf"), "a.pdf");
        assert_eq!(next("a.pdf"), "a (2).pdf");
        assert_eq!(next("a.pdf"), "a (3).pdf");
        assert_eq!(next("b"), "b");
        assert_eq!(next("b"), "b (2)");
    }
}
