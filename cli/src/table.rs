//! Plain tables on a terminal.

use serde_json::Value;
use std::io::Write;

/// A column: its head and how a row is shown in it.
pub(crate) type Column<'a> = (&'a str, &'a dyn Fn(&Value) -> String);

/// Prints rows in columns as wide as their widest cell.
pub(crate) fn print(rows: &[Value], columns: &[Column<'_>]) {
    let heads = columns.iter().map(|(head, _)| (*head).to_owned()).collect::<Vec<_>>();
    let mut lines = vec![heads];
    lines.extend(rows.iter().map(|row| columns.iter().map(|(_, show)| show(row)).collect()));
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = std::io::stdout().lock();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        if writeln!(out, "{}", cells.join("  ").trim_end()).is_err() {
            return;
        }
    }
}

/// A field as text: «–» for what is absent.
pub(crate) fn text(row: &Value, field: &str) -> String {
    match row.pointer(&format!("/{}", field.replace('.', "/"))) {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// One thing for a person: its fields that say something, one a line.
pub(crate) fn fields(value: &Value) {
    let mut rows = Vec::new();
    flatten(String::new(), value, &mut rows);
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut out = std::io::stdout().lock();
    for (name, value) in rows {
        if writeln!(out, "{name:<width$}  {value}").is_err() {
            return;
        }
    }
}

fn flatten(name: String, value: &Value, rows: &mut Vec<(String, String)>) {
    let below = |field: &str| match name.as_str() {
        "" => field.to_owned(),
        name => format!("{name}.{field}"),
    };
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            fields.iter().for_each(|(field, value)| flatten(below(field), value, rows));
        }
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(index, item)| flatten(below(&index.to_string()), item, rows));
        }
        Value::String(text) => rows.push((name, text.clone())),
        other => rows.push((name, other.to_string())),
    }
}

/// The whole value, for `--json`.
pub(crate) fn json(value: &Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
