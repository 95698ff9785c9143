//! Writes Rubern.

use super::{DEPENDENCY, EXAMPLE, Language, NORM, SECTION, Tag, WORK};

/// Writes tags, one a line.
pub fn write(tags: &[Tag], language: Language) -> String {
    let mut text = String::new();
    for tag in tags {
        write_tag(&mut text, tag, language);
        text.push('\n');
    }
    text
}

fn write_tag(text: &mut String, tag: &Tag, language: Language) {
    let name = |names: [&'static str; 2]| match language {
        Language::Russian => names[0],
        Language::English => names[1],
    };
    match tag {
        Tag::Section(title) => argument(text, name(SECTION), &escaped(title)),
        Tag::Work(work) => argument(text, name(WORK), &escaped(work)),
        Tag::Norm(norm) => argument(text, name(NORM), &escaped(norm)),
        Tag::Example(example) => argument(text, name(EXAMPLE), &escaped(example)),
        Tag::Dependency(from, to) => {
            let arrowless = |work: &str| escaped(work).replace("->", "-\\>");
            let edge = format!("{} -> {}", arrowless(from), arrowless(to));
            argument(text, name(DEPENDENCY), &edge);
        }
        Tag::Text(line) => {
            if line.starts_with('\\') {
                text.push('\\');
            }
            text.push_str(line);
        }
    }
}

fn argument(text: &mut String, name: &str, argument: &str) {
    text.push('\\');
    text.push_str(name);
    text.push('{');
    text.push_str(argument);
    text.push('}');
}

fn escaped(argument: &str) -> String {
    let mut text = String::with_capacity(argument.len());
    for sign in argument.chars() {
        match sign {
            '\\' => text.push_str("\\\\"),
            '}' => text.push_str("\\}"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            other => text.push(other),
        }
    }
    text
}
