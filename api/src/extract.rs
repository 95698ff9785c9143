//! Extractors whose rejections are problems that name the field.

use crate::problem::{Problem, problem};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{StatusCode, header};

/// A JSON body.
pub(crate) struct Json<T>(pub T);

impl<T, S> FromRequest<S> for Json<T>
where
    T: serde::de::DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "ожидается тело application/json",
            ));
        }
        let body = Bytes::from_request(request, state).await?;
        parse_json(&body).map(Json)
    }
}

/// The query string.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(crate) struct Query<T>(pub T);

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Problem {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "тело запроса больше допустимого",
            ),
            status => problem(status, "bad_request", rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Problem {
        refused_value(&innermost(&rejection))
    }
}

/// Parses a JSON body that may be absent; the default then.
pub(crate) fn json_or_default<T>(body: &[u8]) -> Result<T, Problem>
where
    T: Default + serde::de::DeserializeOwned,
{
    if body.iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { parse_json(body) }
}

fn parse_json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Text that is no JSON is told so, even when a wrong field comes before the mistake.
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        return Err(problem(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            format!("тело запроса — не JSON: {error}"),
        ));
    }
    // Serde would take a list for the fields in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(refused_value("ожидается объект JSON"));
    }
    match axum::Json::from_bytes(body) {
        Ok(axum::Json(value)) => Ok(value),
        Err(rejection) => Err(refused_value(&innermost(&rejection))),
    }
}

/// The id in a path; whatever is no UUID cannot be the id of anything.
pub(crate) fn parse_id(
    text: &str,
    not_found: impl FnOnce(String) -> Problem,
) -> Result<uuid::Uuid, Problem> {
    uuid::Uuid::try_parse(text).map_err(|_| not_found(text.chars().take(64).collect()))
}

/// The 422 for what serde says about a well-formed body; unknown fields get a code of their own.
fn refused_value(message: &str) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    // serde_path_to_error puts the path of the field before the message.
    let (path, said) = match message.split_once(": ") {
        Some((path, said)) if !path.contains(' ') => (Some(path), said),
        _ => (None, message),
    };
    let said = said.split(" at line ").next().unwrap_or(said);
    let quoted = said.split('`').nth(1);
    match quoted {
        Some(field) if said.starts_with("unknown field") => {
            let known: Vec<&str> = said.split('`').skip(3).step_by(2).collect();
            let detail = format!("неизвестное поле «{field}»; известны: {}", known.join(", "));
            problem(status, "unknown_field", detail).with_field(path.unwrap_or(field))
        }
        Some(field) if said.starts_with("missing field") => {
            problem(status, "missing_field", format!("нет обязательного поля «{field}»"))
                .with_field(field)
        }
        _ => {
            let refusal =
                problem(status, "invalid_field", format!("недопустимое значение: {said}"));
            match path.filter(|path| !path.is_empty() && *path != ".") {
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

#[cfg(test)]
mod tests {
    use super::parse_json;
    use crate::routes::train::TrainRequest;

    #[test]
    fn refusals_name_the_field() {
        for (body, code, field) in [
            (r#"{"foo":1}"#, "unknown_field", Some("foo")),
            (r#"{"sources":[{"path":"a","size":1}]}"#, "unknown_field", Some("sources[0].size")),
            (r#"{"max_files":"many"}"#, "invalid_field", Some("max_files")),
            (r#"{"priority":"urgent"}"#, "invalid_field", Some("priority")),
            (r#"{"foo":"#, "invalid_json", None),
            (r#"{"collection":"a"} x"#, "invalid_json", None),
            ("[]", "invalid_field", None),
        ] {
            let refusal = parse_json::<TrainRequest>(body.as_bytes()).unwrap_err();
            assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), (code, field), "{body}");
        }
    }
}
