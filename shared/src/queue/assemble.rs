//! Puts a script together: its own text and those definitions of the library that it uses.
//!
//! Redis runs the whole text at every call. Making a function that captures others costs it a
//! walk over what is captured already, so a hundred functions cost more than most scripts do.

use std::collections::HashSet;

/// A script's flags (its first line), the definitions it needs in the library's order, its body.
pub(super) fn assemble(source: &str, library: &str) -> String {
    let (flags, body) = source.split_once('\n').unwrap_or((source, ""));
    let mut needed = words(body);
    let mut kept = Vec::new();
    // A definition uses only what stands before it.
    for definition in definitions(library).into_iter().rev() {
        if names(&definition).any(|name| needed.contains(name)) {
            needed.extend(words(&definition));
            kept.push(definition);
        }
    }
    kept.reverse();
    format!("{flags}\n{}\n{body}", kept.join("\n"))
}

/// Every `local` at the start of a line with what belongs to it, without comment lines.
fn definitions(library: &str) -> Vec<String> {
    let mut definitions: Vec<String> = Vec::new();
    for line in library.lines().filter(|line| !line.trim_start().starts_with("--")) {
        match definitions.last_mut() {
            Some(definition) if !line.starts_with("local ") => {
                definition.push('\n');
                definition.push_str(line);
            }
            _ => definitions.push(line.to_owned()),
        }
    }
    definitions
}

/// What a definition defines: `local function name(…)` or `local one, two = …`.
fn names(definition: &str) -> impl Iterator<Item = &str> {
    let line = definition.lines().next().unwrap_or_default();
    let line = line.strip_prefix("local ").unwrap_or(line);
    let list = match line.strip_prefix("function ") {
        Some(function) => function.split('(').next(),
        None => line.split('=').next(),
    };
    list.unwrap_or_default().split(',').map(str::trim)
}

/// The names that a text mentions outside of its comment lines.
fn words(text: &str) -> HashSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    code.flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::assemble;

    const LIBRARY: &str = "\
-- Numbers.
local ONE, TWO = 1, 2

local function unused() return THREE end

-- Doubles.
local function double(x)
  return x * TWO
end
local function quadruple(x) return double(double(x)) end
";

    #[test]
    fn only_what_is_used_is_put_in_in_its_order() {
        let script = assemble("#!lua\n-- no unused\nreturn quadruple(3)", LIBRARY);
        let lines: Vec<&str> = script.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(
            lines,
            [
                "#!lua",
                "local ONE, TWO = 1, 2",
                "local function double(x)",
                "  return x * TWO",
                "end",
                "local function quadruple(x) return double(double(x)) end",
                "-- no unused",
                "return quadruple(3)",
            ]
        );
    }
}
