//! Every error a client sees: RFC 9457 `application/problem+json` with a stable `code`.

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::any::Any;

/// The media type of RFC 9457.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A problem as it is sent. Build it with [`problem`] or one of the named constructors.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Problem {
    /// `urn:ragtrain:error:<code>`: identifies the kind of problem, is no address to open.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The meaning of the HTTP status.
    pub(crate) title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What went wrong with this request, for a person.
    pub(crate) detail: String,
    /// Stable: programs match on it.
    pub(crate) code: String,
    /// The field of the request that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// Seconds after which trying again makes sense; also sent as `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_s: Option<u64>,
}

/// A problem with this status, code and explanation.
pub(crate) fn problem(status: StatusCode, code: &str, detail: impl Into<String>) -> Problem {
    Problem {
        kind: format!("urn:ragtrain:error:{code}"),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: detail.into(),
        code: code.to_owned(),
        field: None,
        retry_after_s: None,
    }
}

impl Problem {
    /// The same problem, naming the field of the request that caused it.
    pub(crate) fn with_field(mut self, field: impl Into<String>) -> Problem {
        self.field = Some(field.into());
        self
    }

    /// 426: the address answers to upgrades only.
    pub(crate) fn no_websocket() -> Problem {
        problem(
            StatusCode::UPGRADE_REQUIRED,
            "websocket_required",
            "этот адрес отвечает только по WebSocket",
        )
    }

    /// The same problem with a `Retry-After` of this many seconds.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Problem {
        self.retry_after_s = Some(seconds);
        self
    }

    /// 404 for a job nobody knows.
    pub(crate) fn job_not_found(job: impl std::fmt::Display) -> Problem {
        problem(StatusCode::NOT_FOUND, "job_not_found", format!("задание {job} не найдено"))
    }

    /// 404 for a document nobody knows.
    pub(crate) fn document_not_found(document: impl std::fmt::Display) -> Problem {
        problem(
            StatusCode::NOT_FOUND,
            "document_not_found",
            format!("документ {document} не найден"),
        )
    }

    /// 422 for a value that is understood but not acceptable.
    pub(crate) fn invalid_field(field: &str, detail: impl Into<String>) -> Problem {
        problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail).with_field(field)
    }

    /// 503: Redis does not answer.
    pub(crate) fn queue_unavailable(error: impl std::fmt::Display) -> Problem {
        tracing::warn!(%error, "the queue does not answer");
        problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "queue_unavailable",
            "очередь заданий (Redis) сейчас недоступна",
        )
        .retry_after(5)
    }

    /// 503: a store does not answer.
    pub(crate) fn store_unavailable(error: impl std::fmt::Display) -> Problem {
        tracing::warn!(%error, "a store does not answer");
        problem(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "хранилище сейчас недоступно")
            .retry_after(5)
    }

    /// 500: a defect of ours; the cause is logged and not shown.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Problem {
        tracing::error!(%error, "request failed");
        problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "внутренняя ошибка сервера; подробности в его журнале",
        )
    }

    /// What a bare status means when no handler explained it.
    fn of_status(status: StatusCode) -> Problem {
        let (code, detail) = match status {
            StatusCode::BAD_REQUEST => ("bad_request", "запрос не разобран"),
            StatusCode::NOT_FOUND => ("route_not_found", "такого адреса нет; список — на /docs"),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method_not_allowed", "этот метод для адреса не предусмотрен; список — на /docs")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "тело запроса больше допустимого"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("unsupported_media_type", "ожидается тело application/json")
            }
            StatusCode::UPGRADE_REQUIRED => {
                ("websocket_required", "этот адрес отвечает только по WebSocket")
            }
            StatusCode::REQUEST_TIMEOUT => ("request_timeout", "запрос не пришёл вовремя"),
            StatusCode::UNPROCESSABLE_ENTITY => ("invalid_request", "запрос не принят"),
            status if status.is_server_error() => ("internal_error", "внутренняя ошибка сервера"),
            _ => ("bad_request", "запрос не принят"),
        };
        problem(status, code, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after_s;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            // The rest of the body is not read, so the connection cannot be used again.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Turns every error that axum or a layer made on its own (404, 405, a failed upgrade, a body
/// over the limit) into a problem, keeping its headers (`Allow`).
pub(crate) async fn every_error_is_a_problem(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let explained = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(MEDIA_TYPE.as_bytes()));
    if explained || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, _) = response.into_parts();
    let mut replaced = Problem::of_status(status).into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            replaced.headers_mut().insert(name, value.clone());
        }
    }
    replaced
}

/// The answer to a request whose handler panicked.
pub(crate) fn panic_response(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    Problem::internal(message).into_response()
}
