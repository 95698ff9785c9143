//! The OpenAPI 3.1 document, generated from the handlers.

use crate::live::{poll, sse, websocket};
use crate::problem::Problem;
use crate::routes::{
    document_pages, documents, job_documents, jobs, norms, operation, original, search, train,
    uploads,
};
use axum::Json;
use axum::http::StatusCode;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ragtrain",
        description = "Обучение базы знаний на строительных документах: задания, живые события, документы, поиск с точными ссылками. Ошибки — RFC 9457 (application/problem+json) с постоянным полем code.",
    ),
    paths(
        train::train, train::legacy_train, uploads::upload,
        jobs::list, jobs::one, jobs::cancel, jobs::pause, jobs::resume, jobs::retry, jobs::report,
        job_documents::list, job_documents::one,
        sse::events, websocket::job_events, websocket::all_events,
        documents::list, documents::one, documents::delete, documents::text, documents::structure,
        documents::report, documents::chunks, documents::rubern, documents::graph,
        document_pages::list, document_pages::one, document_pages::picture,
        original::original, documents::critical_path, documents::estimate,
        search::search, search::query,
        norms::list, norms::one, norms::clause, norms::references,
        operation::healthz, operation::readyz, operation::metrics, operation::status,
    ),
    components(schemas(
        Problem, poll::EventsPage, shared::event::Event, shared::job::JobStatus,
        shared::outcome::Outcome, stores::database::Direction,
    )),
    tags(
        (name = "jobs", description = "Задания"),
        (name = "events", description = "Живые события"),
        (name = "documents", description = "Обученные документы"),
        (name = "search", description = "Поиск"),
        (name = "norms", description = "Реестр нормативов"),
        (name = "operation", description = "Состояние сервера"),
    )
)]
struct Document;

/// The document as JSON.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in
            [("get", &mut item.get), ("post", &mut item.post), ("delete", &mut item.delete)]
        {
            // The names of the handlers repeat; method and path do not.
            if let Some(operation) = operation {
                let words = path.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
                let words: Vec<&str> = std::iter::once(method).chain(words).collect();
                operation.operation_id = Some(words.join("_"));
                describe(operation);
            }
        }
    }
    document
}

/// Gives every answer the description that OpenAPI demands: what its status means.
fn describe(operation: &mut utoipa::openapi::path::Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let known = StatusCode::from_bytes(status.as_bytes()).ok();
            let meaning = known.and_then(|status| status.canonical_reason());
            response.description = meaning.unwrap_or("Error").to_owned();
        }
    }
}

pub(crate) async fn openapi_json() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    found.push(reference.clone());
                }
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn the_document_is_whole() {
        let document = serde_json::to_value(super::document()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} points nowhere");
        }
        let mut ids = std::collections::HashSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                assert!(!responses.is_empty(), "{method} {path}");
                for response in responses.values() {
                    assert_ne!(response["description"].as_str().unwrap_or_default(), "");
                }
                let declared: Vec<&str> = operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|parameter| parameter["in"] == "path")
                    .map(|parameter| parameter["name"].as_str().unwrap())
                    .collect();
                let named: Vec<&str> =
                    path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
                assert_eq!(declared, named, "{method} {path}");
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "operation id {id} twice");
            }
        }
    }
}
