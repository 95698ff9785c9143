//! The few HTML pages of the server itself; no assets, no scripts from elsewhere.

use crate::state::App;
use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

/// Our pages load nothing from anywhere but this server.
const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self' 'unsafe-inline'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const STYLE: &str = "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;\
padding:0 1rem;color:#1b1f24}h1{font-size:1.5rem}table{border-collapse:collapse;margin:.5rem 0}\
td,th{border:1px solid #ccd2d9;padding:.25rem .6rem;text-align:left;vertical-align:top}\
th{background:#f3f5f7;font-weight:600}code{background:#f3f5f7;padding:.1rem .3rem}\
@media(prefers-color-scheme:dark){body{background:#14181d;color:#e4e8ec}th,code{background:#222a33}\
td,th{border-color:#3a444f}a{color:#7db7ff}}</style>";

/// `/` of a program built without the dashboard: what this is and where to go.
pub(crate) fn index(app: &App) -> Response {
    let roots: Vec<String> = app
        .roots
        .iter()
        .map(|root| format!("<li><code>{}</code></li>", escaped(&root.to_string_lossy())))
        .collect();
    let roots = if roots.is_empty() {
        "<p>Папка с документами не настроена (<code>RAGTRAIN_DOCS_ROOT</code>): файлы можно \
         загрузить через <code>POST /uploads</code>.</p>"
            .to_owned()
    } else {
        format!("<p>Папки с документами:</p><ul>{}</ul>", roots.concat())
    };
    let body = format!(
        "<h1>ragtrain {}</h1>\
         <p>Сервер работает. Веб-страница не собрана: выполните <code>make dashboard</code> и \
         соберите программу снова. Без неё есть программный интерфейс и команда \
         <code>ragtrain</code>.</p>{roots}\
         <ul><li><a href=\"/docs\">Описание интерфейса</a> (<a href=\"/openapi.json\">OpenAPI</a>)</li>\
         <li><a href=\"/status\">Состояние</a>, <a href=\"/readyz\">готовность</a>, \
         <a href=\"/metrics\">показатели</a></li>\
         <li><a href=\"/jobs\">Задания</a>, <a href=\"/documents\">документы</a>, \
         <a href=\"/norms\">нормативы</a></li></ul>",
        env!("CARGO_PKG_VERSION")
    );
    ([POLICY], Html(page("ragtrain", &body))).into_response()
}

/// `/docs`: the OpenAPI document, readable and callable.
pub(crate) async fn docs() -> Response {
    ([POLICY], Html(include_str!("docs.html"))).into_response()
}

/// A report as nested tables.
pub(crate) fn report(title: &str, report: &Value) -> Response {
    ([POLICY], Html(report_html(title, report))).into_response()
}

fn report_html(title: &str, report: &Value) -> String {
    let mut body = format!("<h1>{}</h1>", escaped(title));
    render(report, &mut body, 0);
    page(title, &body)
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"ru\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title>{STYLE}{body}</html>",
        escaped(title)
    )
}

/// Depth at which a report is printed as JSON instead of tables.
const MAX_DEPTH: usize = 8;

fn render(value: &Value, out: &mut String, depth: usize) {
    match value {
        Value::Object(fields) if depth < MAX_DEPTH => {
            out.push_str("<table>");
            for (name, field) in fields {
                out.push_str(&format!("<tr><th>{}</th><td>", escaped(label(name))));
                render(field, out, depth + 1);
                out.push_str("</td></tr>");
            }
            out.push_str("</table>");
        }
        Value::Array(items) if items.is_empty() => out.push('—'),
        Value::Array(items) if depth < MAX_DEPTH => rows(items, out, depth),
        Value::Null => out.push('—'),
        Value::String(text) => out.push_str(&escaped(text)),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&rounded(float)),
            _ => out.push_str(&number.to_string()),
        },
        Value::Bool(true) => out.push_str("да"),
        Value::Bool(false) => out.push_str("нет"),
        deep => out.push_str(&escaped(&deep.to_string())),
    }
}

/// Items that are objects become rows under common columns.
fn rows(items: &[Value], out: &mut String, depth: usize) {
    let mut columns: Vec<&str> = Vec::new();
    for item in items {
        for name in item.as_object().into_iter().flat_map(|fields| fields.keys()) {
            if !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
    }
    out.push_str("<table>");
    if !columns.is_empty() {
        out.push_str("<tr>");
        for name in &columns {
            out.push_str(&format!("<th>{}</th>", escaped(label(name))));
        }
        out.push_str("</tr>");
    }
    for item in items {
        out.push_str("<tr>");
        match item.as_object() {
            Some(fields) => {
                for name in &columns {
                    out.push_str("<td>");
                    render(fields.get(*name).unwrap_or(&Value::Null), out, depth + 1);
                    out.push_str("</td>");
                }
            }
            None => {
                out.push_str("<td>");
                render(item, out, depth + 1);
                out.push_str("</td>");
            }
        }
        out.push_str("</tr>");
    }
    out.push_str("</table>");
}

/// Two decimals are enough for people.
fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.replace('.', ",")
}

/// What people call a field; unknown names stay as they are.
fn label(name: &str) -> &str {
    match name {
        "job_id" => "Задание",
        "status" => "Состояние",
        "collection" => "Коллекция",
        "created_at" => "Создано",
        "started_at" => "Начато",
        "finished_at" => "Завершено",
        "duration_s" => "Длительность, с",
        "duration_ms" => "Длительность, мс",
        "documents" => "Документы",
        "document" => "Документ",
        "total" => "Всего",
        "completed" => "Обучено",
        "completed_with_warnings" => "Обучено с предупреждениями",
        "skipped_duplicate" => "Повторы",
        "too_short" => "Слишком мало текста",
        "needs_attention" => "Требуют внимания",
        "failed" => "С ошибкой",
        "cancelled" => "Отменено",
        "error" => "Ошибка",
        "pages" => "Страниц",
        "chunks" => "Фрагментов",
        "pages_per_s" => "Страниц в секунду",
        "stage_duration_ms" => "Время по этапам, мс",
        "failures" => "Не обученные документы",
        "retry_of" => "Повтор задания",
        "path" => "Путь",
        "name" => "Имя",
        "outcome" => "Итог",
        "code" => "Код",
        "message" => "Пояснение",
        "stage" => "Этап",
        "stages" => "Этапы",
        "quality" => "Качество",
        "issues" => "Замечания",
        "attempts" => "Попыток",
        other => other,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::report_html;
    use serde_json::json;

    #[test]
    fn a_report_is_readable_and_cannot_inject() {
        let html = report_html(
            "<script>",
            &json!({"pages_per_s": 3.25159, "failures": [{"path": "<img>", "code": null}, {"path": "b"}]}),
        );
        assert!(!html.contains("<script>") && !html.contains("<img>"));
        assert!(html.contains("<th>Страниц в секунду</th><td>3,25</td>"));
        assert!(html.contains("<td>—</td><td>&lt;img&gt;</td>"));
    }
}
