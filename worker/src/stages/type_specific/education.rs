//! Examples, tasks and questions of textbooks.

use crate::rules::Rules;
use crate::stages::rubern_markup::Markup;
use crate::structure::StructureRules;
use crate::works::lines::Kind;
use serde::Serialize;
use shared::structure::PageRange;

/// An example, a task or a question.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Exercise {
    /// `example`, `task` or `question`.
    pub kind: String,
    /// The heading and the text up to the answer.
    pub text: String,
    /// The answer or the solution, when it is there.
    pub answer: Option<String>,
    /// First and last page.
    pub pages: PageRange,
}

/// All exercises in reading order. One ends where a heading or the next one begins.
pub(super) fn exercises(rules: &Rules, markup: &Markup) -> Vec<Exercise> {
    let example = StructureRules::of(rules).example;
    let topic = rules.topic("works");
    let (answer, questions) = (topic.rule("answer"), topic.rule("questions"));
    let mut found: Vec<Exercise> = Vec::new();
    let (mut open, mut asking) = (false, false);
    for line in super::texts(markup).lines(topic.rule("marker")) {
        if questions.is_match(line.text) {
            (open, asking) = (false, true);
        } else if example.is_match(line.text) {
            let task = line.text.trim_start().to_lowercase().starts_with("задача");
            let kind = if task { "task" } else { "example" };
            found.push(Exercise {
                kind: kind.to_owned(),
                text: line.text.to_owned(),
                answer: None,
                pages: line.pages,
            });
            (open, asking) = (true, false);
        } else if line.kind == Kind::Heading {
            (open, asking) = (false, false);
        } else if asking {
            let is_question = line.kind == Kind::Item
                || line.kind == Kind::Clause
                || line.text.trim_end().ends_with('?');
            if is_question {
                found.push(Exercise {
                    kind: "question".to_owned(),
                    text: line.text.to_owned(),
                    answer: None,
                    pages: line.pages,
                });
            } else {
                asking = false;
            }
        } else if open && let Some(last) = found.last_mut() {
            last.pages[1] = line.pages[1].max(last.pages[1]);
            match &mut last.answer {
                Some(text) => {
                    text.push('\n');
                    text.push_str(line.text);
                }
                None if answer.is_match(line.text) => last.answer = Some(line.text.to_owned()),
                None => {
                    last.text.push('\n');
                    last.text.push_str(line.text);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::exercises;
    use crate::rules::Rules;
    use crate::stages::rubern_markup::{Markup, Part, Passage};

    #[test]
    fn tasks_with_answers_and_questions() {
        let text = "Пример 1. Объём рва\nДлина 4 м.\nРешение: 4 · 2 = 8.\nИтого 8 м3.\nЗадача 2\nНайти площадь.\nКонтрольные вопросы\n1. Что такое ров?\n2. Что такое вал?\nКонец.";
        let passage = Passage { text: text.to_owned(), section: None, pages: [4, 4] };
        let found = exercises(
            Rules::shipped(),
            &Markup { parts: vec![Part::Passage(passage)], ..Markup::default() },
        );
        let kinds: Vec<&str> = found.iter().map(|found| found.kind.as_str()).collect();
        assert_eq!(kinds, ["example", "task", "question", "question"]);
        assert_eq!(found[0].answer.as_deref(), Some("Решение: 4 · 2 = 8.\nИтого 8 м3."));
        assert_eq!(found[1].text, "Задача 2\nНайти площадь.");
    }
}
