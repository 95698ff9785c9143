//! JSON as readable lines: «ключ: значение», lists of like objects as tables.

use super::send_encoding;
use crate::encoding;
use crate::frames::MAX_FRAME;
use crate::model::{Block, BlockKind, Page};
use crate::reader::{Limits, ReadError, Sink};
use crate::tidy::tidy;
use serde_json::{Deserializer, Map, Value};
use shared::outcome::Code;

/// Reads a JSON file (or one value per line) as one page. The parser itself refuses more than
/// 128 levels.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let decoded = encoding::decode(bytes, None);
    send_encoding(&decoded, sink)?;
    let mut writer = Writer::default();
    let mut values = 0u64;
    for value in Deserializer::from_str(&decoded.text).into_iter::<Value>() {
        let value = value.map_err(|error| ReadError::damaged(format!("ошибка JSON: {error}")))?;
        values = values.saturating_add(1);
        if values > limits.cells {
            return Err(ReadError::new(Code::ArchiveLimits, "в файле слишком много значений"));
        }
        writer.write(&value, "")?;
    }
    sink.page(Page { number: 1, blocks: writer.blocks, ..Page::default() })
}

/// The lines so far. Every one repeats the keys that lead to it, and those may be long.
#[derive(Default)]
struct Writer {
    blocks: Vec<Block>,
    said: usize,
}

impl Writer {
    fn write(&mut self, value: &Value, path: &str) -> Result<(), ReadError> {
        self.said = self.said.saturating_add(path.len());
        if self.said > MAX_FRAME {
            return Err(ReadError::new(Code::ArchiveLimits, "в файле слишком много текста"));
        }
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.write(value, &path)?;
                }
            }
            Value::Array(items) => self.array(items, path)?,
            other => self.line(path, &scalar(other).unwrap_or_default()),
        }
        Ok(())
    }

    fn array(&mut self, items: &[Value], path: &str) -> Result<(), ReadError> {
        if let Some(table) = table(items) {
            if !path.is_empty() {
                self.blocks.push(Block::new(BlockKind::Paragraph, format!("{path}:")));
            }
            self.blocks.push(table);
        } else if items.iter().all(|item| scalar(item).is_some()) {
            let items: Vec<String> = items.iter().filter_map(scalar).collect();
            self.line(path, &items.join(", "));
        } else {
            for (number, item) in (1u64..).zip(items) {
                self.write(item, &format!("{path}[{number}]"))?;
            }
        }
        Ok(())
    }

    fn line(&mut self, path: &str, text: &str) {
        let text = tidy(text);
        if !text.is_empty() {
            let text = if path.is_empty() { text } else { format!("{path}: {text}") };
            self.blocks.push(Block::new(BlockKind::Paragraph, text));
        }
    }
}

/// Two or more objects of plain values under at most 64 keys.
fn table(items: &[Value]) -> Option<Block> {
    let objects: Vec<&Map<String, Value>> =
        items.iter().map(Value::as_object).collect::<Option<_>>()?;
    if objects.len() < 2 {
        return None;
    }
    let mut keys: Vec<&String> = Vec::new();
    for object in &objects {
        for (key, value) in *object {
            scalar(value)?;
            if !keys.contains(&key) {
                keys.push(key);
            }
            if keys.len() > 64 {
                return None;
            }
        }
    }
    let cell = |object: &Map<String, Value>, key: &String| {
        object
            .get(key)
            .and_then(scalar)
            .map(|text| crate::tidy::tidy_line(&text))
            .unwrap_or_default()
    };
    let header = keys.iter().map(|key| (*key).clone()).collect();
    let rows = objects.iter().map(|object| keys.iter().map(|key| cell(object, key)).collect());
    Some(Block::table(std::iter::once(header).chain(rows).collect(), 1))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(true) => Some("да".to_owned()),
        Value::Bool(false) => Some("нет".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
