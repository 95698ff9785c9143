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

/// The whole value, for `--json` and for showing one thing.
pub(crate) fn json(value: &Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
