//! The lists: formats, levels, and what single lists change ([MS-DOC] 2.9.131 and 2.9.150).

use super::file::{Table, WordFile, u16_at, u32_at};
use crate::flow::numbering::{LEVELS, Level, List, Numbering};
use std::collections::HashMap;

/// Reads the lists; paragraphs name them by their number, from 1.
pub(super) fn read(file: &WordFile) -> Numbering {
    let (formats, abstracts) = formats(file);
    let table = file.table(Table::Lists);
    let count = u32_at(table, 0).unwrap_or_default().min(0x7FFF) as usize;
    let mut data = table.get(4 + 16 * count..).unwrap_or_default();
    let mut lists = HashMap::new();
    for index in 0..count {
        let at = 4 + 16 * index;
        let Some(format) = u32_at(table, at) else { break };
        let mut list =
            List { abstract_id: formats.get(&format).copied().unwrap_or(-1), ..List::default() };
        let changes = table.get(at + 12).copied().unwrap_or_default();
        data = data.get(4..).unwrap_or_default();
        for _ in 0..changes {
            data = change(data, &mut list).unwrap_or_default();
        }
        lists.insert(i32::try_from(index).unwrap_or(i32::MAX).saturating_add(1), list);
    }
    Numbering::new(lists, abstracts)
}

/// A level that a list changes; what follows it.
fn change<'d>(data: &'d [u8], list: &mut List) -> Option<&'d [u8]> {
    let start = i64::from(u32_at(data, 0)?.cast_signed());
    let flags = u32_at(data, 4)?;
    let level = (flags & 0xF) as usize;
    let mut rest = data.get(8..)?;
    if flags & 0x20 != 0 {
        let (definition, after) = read_level(rest)?;
        list.start_overrides.insert(level, definition.start);
        list.levels.insert(level, definition);
        rest = after;
    } else if flags & 0x10 != 0 {
        list.start_overrides.insert(level, start);
    }
    Some(rest)
}

/// The kinds of lists by number, and the levels of each.
fn formats(file: &WordFile) -> (HashMap<u32, i32>, HashMap<i32, HashMap<usize, Level>>) {
    let table = file.table(Table::ListFormats);
    let count = usize::from(u16_at(table, 0).unwrap_or_default());
    let mut rest = file.behind(Table::ListFormats);
    let (mut numbers, mut levels) = (HashMap::new(), HashMap::new());
    for index in 0..count {
        let at = 2 + 28 * index;
        let Some(id) = u32_at(table, at) else { break };
        let is_simple = table.get(at + 26).is_some_and(|flags| flags & 1 != 0);
        let mut own = HashMap::new();
        for level in 0..if is_simple { 1 } else { LEVELS } {
            let Some((definition, after)) = read_level(rest) else { break };
            own.insert(level, definition);
            rest = after;
        }
        let number = i32::try_from(index).unwrap_or(i32::MAX);
        numbers.insert(id, number);
        levels.insert(number, own);
    }
    (numbers, levels)
}

/// A level ([MS-DOC] 2.9.148, LVL) and what follows it.
fn read_level(bytes: &[u8]) -> Option<(Level, &[u8])> {
    let flags = *bytes.get(5)?;
    let runs = usize::from(*bytes.get(24)?);
    let paragraph = usize::from(*bytes.get(25)?);
    let restart = *bytes.get(26)?;
    let text_at = 28 + runs + paragraph;
    let length = usize::from(u16_at(bytes, text_at)?);
    let units: Vec<u16> =
        (0..length).filter_map(|index| u16_at(bytes, text_at + 2 + 2 * index)).collect();
    let mut text = String::new();
    for character in char::decode_utf16(units).flatten() {
        match u32::from(character) {
            // A place of the number: `%1` is that of the first level.
            place @ 0..=8 => text.push_str(&format!("%{}", place + 1)),
            _ => text.push(character),
        }
    }
    let level = Level {
        start: i64::from(u32_at(bytes, 0)?.cast_signed()),
        format: format_name(*bytes.get(4)?).to_owned(),
        text,
        restart: (flags & 0x08 != 0).then_some(usize::from(restart)),
        legal: flags & 0x04 != 0,
        paragraph_style: None,
    };
    Some((level, bytes.get(text_at + 2 + 2 * length..)?))
}

/// Formats of numbers ([MS-OSHARED] 2.2.1.3, MSONFC).
fn format_name(code: u8) -> &'static str {
    match code {
        1 => "upperRoman",
        2 => "lowerRoman",
        3 => "upperLetter",
        4 => "lowerLetter",
        22 => "decimalZero",
        23 => "bullet",
        58 => "russianLower",
        59 => "russianUpper",
        255 => "none",
        _ => "decimal",
    }
}
