//! Opens sections and numbering spaces, and finds the lines that a heading goes on in.

use super::Reader;
use crate::structure::heading::{self, Form, Heading};
use crate::structure::line::{self, ClauseStart, Line, Role, Shape};
use crate::structure::rules::{is_one_of, title_form};
use crate::structure::scope::Scope;
use crate::structure::sequence::Sequence;

/// How many lines a heading may have.
const HEADING_LINES: usize = 8;

impl Reader<'_> {
    /// The title of the text that was approved: a section at the top with its own numbers.
    pub(super) fn open_approved(&mut self, index: usize) -> usize {
        self.approved = false;
        let line = &self.lines[index];
        let heading = Heading {
            title: line.text.clone(),
            written: line.text.clone(),
            top: true,
            form: Form::Titled,
            ..Heading::default()
        };
        let name = line.text.split_whitespace().next().unwrap_or_default();
        let scope = Scope { prefix: title_form(name), unit: "пункт", approved: true };
        self.enter(scope);
        self.outer_scope = self.scope;
        self.headings = Sequence::default();
        self.roman = None;
        self.open(index, heading)
    }

    /// Starts a numbering space.
    pub(super) fn enter(&mut self, scope: Scope) -> usize {
        self.scopes.push(scope);
        self.scope = self.scopes.len() - 1;
        self.clauses = Sequence::default();
        self.scope
    }

    /// Opens a section at this line and takes the lines that its heading goes on in.
    pub(super) fn open(&mut self, index: usize, mut heading: Heading) -> usize {
        self.started = true;
        match heading.form {
            Form::Appendix => {
                let unit = if heading.number.chars().count() == 1 { "" } else { "пункт" };
                let prefix = match unit {
                    "" => heading.number.clone(),
                    _ => heading.number.to_lowercase(),
                };
                self.enter(Scope { prefix, unit, ..Scope::default() });
                self.headings = Sequence::default();
                self.roman = None;
                self.approved = false;
            }
            Form::Article => {
                let number = heading.number.to_lowercase();
                let prefix = self.scopes[self.outer_scope].address(&number);
                heading.clause =
                    Some(ClauseStart { address: number, scope: self.outer_scope, expected: None });
                self.enter(Scope { prefix, unit: "часть", ..Scope::default() });
            }
            Form::Chapter | Form::Roman => {
                self.section_label = match heading.form {
                    Form::Roman => format!("раздел {}", heading.number),
                    _ => heading.number.clone(),
                };
                if !self.act && !self.numbered {
                    self.clauses = Sequence::default();
                }
                if heading.form == Form::Chapter {
                    self.roman = None;
                }
            }
            Form::Numbered | Form::Titled => {}
        }
        self.front_matter = match heading.form {
            Form::Titled => {
                is_one_of(self.rules.front_matter, &heading.title)
                    || (self.front_matter && !heading.top)
            }
            _ => false,
        };
        let mut end = index + 1;
        while end < self.lines.len().min(index + HEADING_LINES)
            && self.goes_on(index, end, &heading)
        {
            let text = self.lines[end].text.clone();
            for part in [&mut heading.title, &mut heading.written] {
                if !part.is_empty() {
                    part.push(' ');
                }
                part.push_str(&text);
            }
            self.lines[end].role = Role::HeadingRest;
            end += 1;
        }
        self.lines[index].role = Role::Heading(heading);
        end - index
    }

    /// Whether the line at `next` belongs to the heading that starts at `index`.
    fn goes_on(&self, index: usize, next: usize, heading: &Heading) -> bool {
        let (first, line) = (&self.lines[index], &self.lines[next]);
        if line.role != Role::Text
            || self.candidates.at(next).is_some_and(|candidate| candidate.first)
            || self.rules.list_item.is_match(&line.text)
            || heading::appendix(&self.rules, line).is_some()
            || heading::chapter(&self.rules, line).is_some()
            || heading.written.chars().count() + line.text.chars().count() > heading::MAX_TITLE
        {
            return false;
        }
        let belongs_to = line.text.starts_with("к ") && line.text.chars().count() <= 80;
        if heading.form == Form::Appendix
            && (belongs_to || self.rules.appendix_status.is_match(&line.text))
        {
            return true;
        }
        let untitled = heading.title.is_empty()
            || (heading.form == Form::Appendix
                && self.rules.appendix_status.is_match(&heading.title));
        let capital =
            line.text.starts_with(|sign: char| sign.is_uppercase() || "«\"".contains(sign));
        let words = line.text.trim_end_matches(',');
        if !heading::is_title(words) || words.ends_with('.') {
            return false;
        }
        if untitled {
            return line.looks_like_heading() || capital;
        }
        if !line.first {
            let apart = first.looks_like_heading()
                || matches!(heading.form, Form::Chapter | Form::Article | Form::Appendix);
            return apart && (!capital || line::is_capitals(&line.text));
        }
        let same_setting = line.centered == first.centered && line.bold == first.bold;
        let roman = heading::roman_section(&self.rules, line, self.roman).is_some();
        let known = is_one_of(self.rules.titles, &line.text)
            || is_one_of(self.rules.top_titles, &line.text);
        let set = first.centered || (first.bold && !capital);
        let appendix_title = heading.form == Form::Appendix && line.looks_like_heading();
        !roman
            && !known
            && ((same_setting && set && !matches!(line.shape, Shape::Heading(_)))
                || (appendix_title && next <= index + 3))
    }
}

/// The title of an approved text: centred, bold or in capitals («ПРАВИЛА»).
pub(super) fn opens_approved_text(line: &Line) -> bool {
    let starts_well =
        line.text.starts_with(|sign: char| sign.is_uppercase() || "«\"".contains(sign));
    starts_well && line.looks_like_heading() && heading::is_title(line.text.trim_end_matches(','))
}
