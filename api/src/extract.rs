//! Extractors whose rejections are problems that name the field.

use crate::problem::{Problem, problem};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::StatusCode;

/// A JSON body.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub struct Json<T>(pub T);

/// The query string.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub struct Query<T>(pub T);

/// Segments of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Path<T>(pub T);

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Problem {
        match rejection {
            JsonRejection::JsonDataError(error) => refused_value(&innermost(&error)),
            JsonRejection::JsonSyntaxError(error) => invalid_json(&innermost(&error)),
            JsonRejection::MissingJsonContentType(_) => problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "ожидается тело application/json",
            ),
            other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => body_too_large(),
            other => problem(other.status(), "bad_request", other.body_text()),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Problem {
        refused_value(&innermost(&rejection))
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Problem {
        match rejection.status() {
            StatusCode::BAD_REQUEST => problem(
                StatusCode::NOT_FOUND,
                "invalid_address",
                format!("адрес содержит неверную часть: {}", innermost(&rejection)),
            ),
            status => problem(status, "bad_request", rejection.body_text()),
        }
    }
}

/// 413 for a JSON body over the limit.
pub fn body_too_large() -> Problem {
    problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "тело запроса больше допустимого")
}

/// 400 for text that is no JSON.
pub fn invalid_json(message: &str) -> Problem {
    problem(StatusCode::BAD_REQUEST, "invalid_json", format!("тело запроса — не JSON: {message}"))
}

/// Parses a JSON body that may be absent; the default then.
pub fn json_or_default<T>(body: &[u8]) -> Result<T, Problem>
where
    T: Default + serde::de::DeserializeOwned,
{
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    let axum::Json(value) = axum::Json::from_bytes(body)?;
    Ok(value)
}

/// The id in a path; whatever is no UUID cannot be the id of anything.
pub fn parse_id(
    text: &str,
    not_found: impl FnOnce(String) -> Problem,
) -> Result<uuid::Uuid, Problem> {
    uuid::Uuid::try_parse(text).map_err(|_| not_found(text.chars().take(64).collect()))
}

/// The 422 for what serde says about a well-formed body; unknown fields get a code of their own.
fn refused_value(message: &str) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let field = message.split('`').nth(1);
    match field {
        Some(field) if message.contains("unknown field") => {
            problem(status, "unknown_field", format!("неизвестное поле «{field}»: {message}"))
                .with_field(field)
        }
        Some(field) if message.contains("missing field") => {
            problem(status, "missing_field", format!("нет обязательного поля «{field}»"))
                .with_field(field)
        }
        _ => {
            // serde_path_to_error puts the path of the field before the message.
            let path = message.split_once(": ").map(|(path, _)| path);
            let path = path.filter(|path| !path.is_empty() && !path.contains(' '));
            let refusal =
                problem(status, "invalid_field", format!("недопустимое значение: {message}"));
            match path {
                Some(path) => refusal.with_field(path),
                None => refusal,
            }
        }
    }
}

/// The message with the path of the field: the last error but one in the chain of sources (the
/// last repeats it without the path).
fn innermost(error: &dyn std::error::Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        if source.source().is_none() {
            break;
        }
        current = source;
    }
    current.to_string()
}
