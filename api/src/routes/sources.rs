//! Where a job may take its documents from: paths below the configured roots, and uploads.

use crate::problem::{Problem, problem};
use crate::state::App;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::job::Source;
use std::path::{Component, Path, PathBuf};
use uuid::Uuid;

/// One source of a job; exactly one of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SourceRequest {
    /// A file or folder below a configured root; a relative path is one below the first root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// The id of an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<Uuid>,
    /// `s3://bucket/prefix`; refused until an S3 store is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) s3: Option<String>,
}

/// Checks a source and makes it absolute.
pub(crate) async fn resolve(
    app: &App,
    position: usize,
    source: &SourceRequest,
) -> Result<Source, Problem> {
    let field = format!("sources[{position}]");
    match (&source.path, source.upload, &source.s3) {
        (Some(path), None, None) => {
            let resolved = resolve_path(&app.roots, path, &field).await?;
            let text = resolved.to_str().ok_or_else(|| {
                Problem::invalid_field(&field, "имя файла или папки — не в кодировке UTF-8")
            })?;
            Ok(Source::Path(text.to_owned()))
        }
        (None, Some(upload), None) => match app.stores()?.blobs.read_upload(upload).await? {
            Some(_) => Ok(Source::Upload(upload)),
            None => Err(problem(
                StatusCode::NOT_FOUND,
                "upload_not_found",
                format!("загрузка {upload} не найдена"),
            )
            .with_field(field)),
        },
        (None, None, Some(_)) => Err(problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "s3_not_configured",
            "хранилище S3 на этом сервере не настроено; укажите path или upload",
        )
        .with_field(field)),
        _ => Err(Problem::invalid_field(
            &field,
            "у источника должно быть ровно одно поле: path, upload или s3",
        )),
    }
}

/// A path with its symlinks resolved, when it lies below a root.
///
/// What lies outside is refused before it is looked at, so that nobody can learn from the answers
/// which files exist there.
pub(crate) async fn resolve_path(
    roots: &[PathBuf],
    path: &str,
    field: &str,
) -> Result<PathBuf, Problem> {
    if path.contains('\0') {
        return Err(Problem::invalid_field(field, "путь содержит нулевой символ"));
    }
    let outside = || {
        let shown: String = path.chars().take(300).collect();
        problem(
            StatusCode::FORBIDDEN,
            "source_outside_roots",
            format!("«{shown}» не лежит ни в одной из разрешённых папок (RAGTRAIN_DOCS_ROOT)"),
        )
        .with_field(field)
    };
    let missing = || {
        let shown: String = path.chars().take(300).collect();
        problem(StatusCode::NOT_FOUND, "source_not_found", format!("«{shown}» не существует"))
            .with_field(field)
    };
    let first = roots.first().ok_or_else(outside)?;
    let wanted = without_dots(&first.join(path));
    match tokio::fs::canonicalize(&wanted).await {
        Ok(resolved) => {
            if !roots.iter().any(|root| resolved.starts_with(root)) {
                return Err(outside());
            }
            let metadata = tokio::fs::metadata(&resolved).await.map_err(|_| missing())?;
            if metadata.is_file() || metadata.is_dir() {
                Ok(resolved)
            } else {
                Err(Problem::invalid_field(field, "источник — не файл и не папка"))
            }
        }
        Err(_) if !is_below(roots, &wanted).await => Err(outside()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(problem(
            StatusCode::FORBIDDEN,
            "source_not_readable",
            format!("«{path}» нельзя прочитать"),
        )
        .with_field(field)),
        Err(_) => Err(missing()),
    }
}

/// Whether the nearest existing folder above a missing path lies below a root.
async fn is_below(roots: &[PathBuf], missing: &Path) -> bool {
    for ancestor in missing.ancestors().skip(1) {
        if let Ok(resolved) = tokio::fs::canonicalize(ancestor).await {
            return roots.iter().any(|root| resolved.starts_with(root));
        }
    }
    false
}

/// The path without `.` and `..`, by its words alone.
fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::resolve_path;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[tokio::test]
    async fn only_what_lies_below_a_root_after_all_symlinks() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        for name in ["root/docs", "outside", "root2"] {
            fs::create_dir_all(top.join(name)).unwrap();
        }
        fs::write(top.join("root/docs/a.txt"), "a").unwrap();
        fs::write(top.join("outside/secret.txt"), "s").unwrap();
        symlink(top.join("outside"), top.join("root/link")).unwrap();
        symlink(top.join("root/docs"), top.join("root/inner")).unwrap();
        let roots = [top.join("root"), top.join("root2")];
        let text = |name: &str| top.join(name).to_str().unwrap().to_owned();
        for (path, expected) in [
            (text("root"), ""),
            (text("root/docs/a.txt"), ""),
            (text("root2"), ""),
            ("docs".to_owned(), ""),
            (text("root/inner/a.txt"), ""),
            (text("root/docs/../docs/a.txt"), ""),
            (text("root/none.pdf"), "source_not_found"),
            ("none/none.pdf".to_owned(), "source_not_found"),
            (text("outside"), "source_outside_roots"),
            (text("outside/secret.txt"), "source_outside_roots"),
            (text("outside/none.txt"), "source_outside_roots"),
            (text("root/link"), "source_outside_roots"),
            (text("root/link/secret.txt"), "source_outside_roots"),
            (text("root/link/none.txt"), "source_outside_roots"),
            (text("root/../outside"), "source_outside_roots"),
            ("../outside/secret.txt".to_owned(), "source_outside_roots"),
            (text("root3"), "source_outside_roots"),
            ("/etc/passwd".to_owned(), "source_outside_roots"),
            ("/no/such/place".to_owned(), "source_outside_roots"),
            ("a\0b".to_owned(), "invalid_field"),
        ] {
            let code = resolve_path(&roots, &path, "path").await.err().map(|problem| problem.code);
            assert_eq!(code.unwrap_or_default(), expected, "{path}");
        }
        let resolved = resolve_path(&roots, "inner/a.txt", "path").await.unwrap();
        assert_eq!(resolved, top.join("root/docs/a.txt"));
        let nothing = resolve_path(&[], "/", "path").await.unwrap_err();
        assert_eq!(nothing.code, "source_outside_roots");
    }
}
