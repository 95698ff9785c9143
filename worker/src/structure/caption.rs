//! Captions: which lines name which table.

use super::StructureRules;
use super::line::{Line, Role, Shape};
use super::number::leading_number;

/// How many lines a caption may have above its table.
const MAX_LINES_ABOVE: usize = 4;
/// A caption's line is no longer than this, in characters.
const MAX_LENGTH: usize = 400;

/// Gives captions of tables, «Продолжение таблицы» and captions of figures their roles.
pub(super) fn mark(rules: &StructureRules, lines: &mut [Line]) {
    for index in 0..lines.len() {
        if lines[index].role != Role::Table {
            continue;
        }
        if !caption_above(rules, lines, index) {
            caption_below(rules, lines, index);
        }
    }
    for line in lines.iter_mut().filter(|line| line.role == Role::Text) {
        if let Some(found) = rules.figure_caption.captures(&line.text)
            && line.text.chars().count() <= MAX_LENGTH
        {
            line.role = Role::FigureCaption { number: group(&found, "number") };
        }
    }
}

/// The nearest caption above the table, with the lines between (the rest of a long caption, «В
/// миллиметрах»).
fn caption_above(rules: &StructureRules, lines: &mut [Line], table: usize) -> bool {
    let top = table.saturating_sub(MAX_LINES_ABOVE);
    for index in (top..table).rev() {
        let line = &lines[index];
        if line.role != Role::Text || line.text.chars().count() > MAX_LENGTH {
            return false;
        }
        if rules.table_continued.is_match(&line.text) {
            lines[index..table].iter_mut().for_each(|line| line.role = Role::TableContinued);
            return true;
        }
        if let Some(found) = rules.table_caption.captures(&line.text) {
            let number = group(&found, "number");
            lines[index].role = Role::TableCaption { table, number };
            for line in &mut lines[index + 1..table] {
                line.role = Role::TableCaption { table, number: String::new() };
            }
            return true;
        }
        let numbered = leading_number(&line.text).is_some_and(|(number, _)| number.is_dotted());
        if numbered || line.text.ends_with(['.', ';']) || matches!(line.shape, Shape::Heading(_)) {
            return false;
        }
    }
    false
}

/// A caption under the table, when it is not the caption of the next one.
fn caption_below(rules: &StructureRules, lines: &mut [Line], table: usize) {
    let below = table + 1;
    let Some(line) = lines.get(below).filter(|line| line.role == Role::Text) else { return };
    let Some(found) = rules.table_caption.captures(&line.text) else { return };
    let titled = found.name("title").is_some() || found.name("title2").is_some();
    let next_is_table = (below + 1..below + 3)
        .any(|index| lines.get(index).is_some_and(|line| line.role == Role::Table));
    if titled && !next_is_table {
        lines[below].role = Role::TableCaption { table, number: group(&found, "number") };
    }
}

/// A named group without the spaces of spaced-out numbers («А. 1»).
fn group(found: &regex::Captures, name: &str) -> String {
    let text = found.name(name).map_or("", |part| part.as_str());
    text.chars().filter(|sign| !sign.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::mark;
    use crate::rules::Rules;
    use crate::structure::StructureRules;
    use crate::structure::line::{Line, Role, Shape};

    /// «#» stands for a table; the roles are told by a letter a line.
    fn check(text: &str, expected: &str) {
        let mut lines: Vec<Line> = text
            .lines()
            .map(|line| match line {
                "#" => Line { shape: Shape::Table, role: Role::Table, ..Line::default() },
                _ => Line { text: line.to_owned(), first: true, ..Line::default() },
            })
            .collect();
        mark(&StructureRules::of(Rules::shipped()), &mut lines);
        let found: String = lines
            .iter()
            .map(|line| match &line.role {
                Role::Table => '#',
                Role::TableCaption { .. } => 'c',
                Role::TableContinued => 'r',
                Role::FigureCaption { .. } => 'f',
                _ => '.',
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn captions_of_tables() {
        check("Текст.\nТаблица 3 - Нагрузки\nна перекрытия\n#\nТекст", ".cc#.");
        check("Продолжение таблицы 3\n#", "r#");
        check("#\nТаблица 1: Данные для розы\nТекст", "#c.");
        check("#\nТаблица 2 - Вторая\n#", "#c#");
        check("Таблица 3 приведена в приложении.\nТекст\n#", "..#");
        check("5.1 Таблица\n#", ".#");
    }

    #[test]
    fn captions_of_figures() {
        check("Рисунок 1 - Схема\nна рисунке 2 видно", "f.");
    }
}
