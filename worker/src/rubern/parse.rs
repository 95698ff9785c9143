//! Reads Rubern.

use super::{DEPENDENCY, EXAMPLE, NORM, SECTION, Tag, WORK};

/// Reads tags of either language. A line that is no whole tag is text; empty lines are left out.
pub fn parse(text: &str) -> Vec<Tag> {
    text.split('\n').filter(|line| !line.is_empty()).map(parse_line).collect()
}

fn parse_line(line: &str) -> Tag {
    if let Some(rest) = line.strip_prefix('\\') {
        if rest.starts_with('\\') {
            return Tag::Text(rest.to_owned());
        }
        if let Some(tag) = parse_tag(rest) {
            return tag;
        }
    }
    Tag::Text(line.to_owned())
}

fn parse_tag(text: &str) -> Option<Tag> {
    let (name, rest) = text.split_once('{')?;
    let argument = closed(rest)?;
    let is = |names: [&str; 2]| names.contains(&name);
    if is(DEPENDENCY) {
        let (from, to) = argument.split_once(" -> ")?;
        return Some(Tag::Dependency(plain(from)?, plain(to)?));
    }
    let argument = plain(argument)?;
    if is(SECTION) {
        Some(Tag::Section(argument))
    } else if is(WORK) {
        Some(Tag::Work(argument))
    } else if is(NORM) {
        Some(Tag::Norm(argument))
    } else if is(EXAMPLE) {
        Some(Tag::Example(argument))
    } else {
        None
    }
}

/// The argument up to the bracket that closes it, which must be the line's last sign.
fn closed(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (place, sign) in text.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '}' => return (place + 1 == text.len()).then(|| text.get(..place))?,
            _ => {}
        }
    }
    None
}

/// The argument without escapes.
fn plain(argument: &str) -> Option<String> {
    let mut text = String::with_capacity(argument.len());
    let mut signs = argument.chars();
    while let Some(sign) = signs.next() {
        if sign != '\\' {
            text.push(sign);
            continue;
        }
        match signs.next()? {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            other => text.push(other),
        }
    }
    Some(text)
}
