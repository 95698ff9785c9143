//! Who may talk to a server without keys: pages of its own origin, and scripts.
//!
//! A browser sends `Origin` with every upgrade and every unsafe request, and no CORS rule protects
//! `WebSockets`; so an `Origin` that is not ours is refused before anything else happens. The `Host`
//! is checked as well, because a page may rebind its own name to 127.0.0.1.

use crate::problem::{Problem, problem};
use crate::state::App;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Which names the server answers to.
#[derive(Clone, Debug, Default)]
pub(crate) struct OriginRule {
    /// Origins beside our own (`https://dashboard.example`), exactly as browsers send them.
    pub(crate) allowed: Vec<String>,
    /// Any `Host` is accepted: the network in front of us is trusted.
    pub(crate) any_host: bool,
}

impl OriginRule {
    /// Refuses a request from a foreign page.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let host = text(headers, header::HOST);
        if let Some(host) = host
            && !self.any_host
            && !is_loopback_name(host)
        {
            return Err(problem(
                StatusCode::FORBIDDEN,
                "host_forbidden",
                format!("сервер без ключей отвечает только на локальные имена, а не «{host}»"),
            ));
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        let origin = text(headers, header::ORIGIN).unwrap_or_default();
        let own = origin.split_once("://").is_some_and(|(scheme, authority)| {
            matches!(scheme, "http" | "https")
                && host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
        });
        if own || self.allowed.iter().any(|allowed| allowed == origin) {
            return Ok(());
        }
        Err(problem(
            StatusCode::FORBIDDEN,
            "origin_forbidden",
            format!("страницам с адреса «{origin}» этот сервер не отвечает"),
        ))
    }
}

/// The layer over all routes.
pub(crate) async fn refuse_foreign_pages(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    match app.origins.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `localhost`, `127.x.y.z` or `[::1]`, with or without a port.
fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::OriginRule;
    use axum::http::HeaderMap;

    fn code(rule: &OriginRule, host: &str, origin: Option<&str>) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().unwrap());
        }
        rule.check(&headers).err().map(|problem| problem.code).unwrap_or_default()
    }

    #[test]
    fn foreign_pages_and_rebound_names_are_refused() {
        let rule = OriginRule { allowed: vec!["https://ours.example".into()], any_host: false };
        for (host, origin, expected) in [
            ("127.0.0.1:8000", None, ""),
            ("localhost:8000", Some("http://localhost:8000"), ""),
            ("[::1]:8000", Some("http://[::1]:8000"), ""),
            ("127.0.0.1:8000", Some("https://ours.example"), ""),
            ("127.0.0.1:8000", Some("https://evil.example"), "origin_forbidden"),
            ("127.0.0.1:8000", Some("http://127.0.0.1:9000"), "origin_forbidden"),
            ("127.0.0.1:8000", Some("null"), "origin_forbidden"),
            ("127.0.0.1:8000", Some(""), "origin_forbidden"),
            ("evil.example:8000", Some("http://evil.example:8000"), "host_forbidden"),
            ("evil.example", None, "host_forbidden"),
            ("127.0.0.1.evil.example", None, "host_forbidden"),
        ] {
            assert_eq!(code(&rule, host, origin), expected, "{host} {origin:?}");
        }
        let trusted = OriginRule { any_host: true, ..OriginRule::default() };
        assert_eq!(code(&trusted, "api:8000", None), "");
        assert_eq!(code(&trusted, "api:8000", Some("http://other")), "origin_forbidden");
    }
}
