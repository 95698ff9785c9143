//! Numbering spaces: clause numbers start again in an appendix, in an article, in an approved text.

use super::StructureRules;
use super::line::{Line, Role};
use super::rules::title_form;
use std::collections::HashMap;

/// A part of a document in which clause numbers are counted anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// What the numbers are told apart by: nothing for the main text, «А» for an appendix,
    /// «статья 12», «приказ», «приложение 2».
    pub prefix: String,
    /// How a number is called after a prefix of words: «пункт», «часть».
    pub unit: &'static str,
    /// A text that an act approves («Правила …» under «УТВЕРЖДЕНЫ»).
    pub approved: bool,
}

impl Scope {
    /// The address of a clause of this scope that is unique in the document as far as the
    /// document's own numbering is. A number that is words («статья 12») needs no unit.
    pub fn address(&self, number: &str) -> String {
        if self.prefix.is_empty() {
            return number.to_owned();
        }
        if self.is_letter() {
            return self.letter_address(number);
        }
        if number.starts_with(|sign: char| sign.is_alphabetic()) {
            return format!("{}, {number}", self.prefix);
        }
        format!("{}, {} {number}", self.prefix, self.unit)
    }

    /// The number of a section: only an appendix's letter is put in front.
    pub(super) fn letter_address(&self, number: &str) -> String {
        let own = format!("{}.", self.prefix);
        if !self.is_letter() || number.starts_with(&own) {
            return number.to_owned();
        }
        match number.split_once('.') {
            // a Latin letter for the Cyrillic one
            Some((letter, rest)) if letter.chars().all(char::is_alphabetic) => own + rest,
            _ => own + number,
        }
    }

    fn is_letter(&self) -> bool {
        self.prefix.chars().count() == 1
    }
}

/// The title page names the act within this many lines.
const TITLE_LINES: usize = 40;

/// In an act that approves other texts the first approved text is what people cite by bare
/// numbers; the act's own points and further texts carry their names.
pub(super) fn name_approved_texts(rules: &StructureRules, lines: &[Line], scopes: &mut [Scope]) {
    let Some(main) = scopes.iter().position(|scope| scope.approved) else { return };
    let title = lines.iter().take(TITLE_LINES).filter(|line| line.role == Role::Text);
    let act = title
        .filter_map(|line| line.text.split_whitespace().next().map(title_form))
        .find(|word| rules.acts.contains(word))
        .unwrap_or_else(|| "акт".to_owned());
    let old_name = std::mem::take(&mut scopes[main].prefix);
    let mut used: HashMap<String, usize> = HashMap::new();
    for (index, scope) in scopes.iter_mut().enumerate() {
        if index == 0 {
            scope.prefix = act.clone();
            scope.unit = "пункт";
        } else if scope.approved && index != main {
            let count = used.entry(scope.prefix.clone()).or_insert(0);
            *count += 1;
            if *count > 1 || scope.prefix == old_name {
                scope.prefix =
                    format!("{} {}", scope.prefix, *count + usize::from(scope.prefix == old_name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    fn check(prefix: &str, unit: &'static str, number: &str, expected: &str) {
        let scope = Scope { prefix: prefix.to_owned(), unit, approved: false };
        assert_eq!(scope.address(number), expected);
    }

    #[test]
    fn addresses_carry_their_scope() {
        check("", "", "5.10", "5.10");
        check("А", "", "1", "А.1");
        check("А", "", "А.1", "А.1");
        check("А", "", "A.1", "А.1");
        check("статья 12", "часть", "3", "статья 12, часть 3");
        check("приказ", "пункт", "2", "приказ, пункт 2");
        check("правила", "пункт", "статья 5", "правила, статья 5");
    }
}
