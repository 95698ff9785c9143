//! The rules about structure (`worker/rules/structure.toml`) under the names that the code uses.

use crate::rules::{Rule, Rules};

/// The rules and word lists of the topic «structure»; the fields are the ids of the file.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each rule says in its file what it is")]
pub struct StructureRules<'r> {
    pub appendix: &'r Rule,
    pub appendix_status: &'r Rule,
    pub chapter: &'r Rule,
    pub article: &'r Rule,
    pub roman: &'r Rule,
    pub table_caption: &'r Rule,
    pub table_continued: &'r Rule,
    pub figure_caption: &'r Rule,
    pub contents_entry: &'r Rule,
    pub quantity: &'r Rule,
    pub reference_start: &'r Rule,
    pub front_matter_item: &'r Rule,
    pub approval: &'r Rule,
    pub amendments: &'r Rule,
    pub signature: &'r Rule,
    pub list_item: &'r Rule,
    pub example: &'r Rule,
    pub rate_code: &'r Rule,
    pub operation: &'r Rule,
    pub top_titles: &'r [String],
    pub titles: &'r [String],
    pub contents_titles: &'r [String],
    pub front_matter: &'r [String],
    pub acts: &'r [String],
    pub families_without_acts: &'r [String],
}

impl<'r> StructureRules<'r> {
    /// Looks the rules up, once per stage.
    ///
    /// # Panics
    /// When the topic lacks a rule that the code knows; the tests keep the shipped file from it.
    pub fn of(rules: &'r Rules) -> StructureRules<'r> {
        let topic = rules.topic("structure");
        let words = |name: &str| topic.words.get(name).map_or(&[][..], Vec::as_slice);
        StructureRules {
            appendix: topic.rule("appendix"),
            appendix_status: topic.rule("appendix_status"),
            chapter: topic.rule("chapter"),
            article: topic.rule("article"),
            roman: topic.rule("roman"),
            table_caption: topic.rule("table_caption"),
            table_continued: topic.rule("table_continued"),
            figure_caption: topic.rule("figure_caption"),
            contents_entry: topic.rule("contents_entry"),
            quantity: topic.rule("quantity"),
            reference_start: topic.rule("reference_start"),
            front_matter_item: topic.rule("front_matter_item"),
            approval: topic.rule("approval"),
            amendments: topic.rule("amendments"),
            signature: topic.rule("signature"),
            list_item: topic.rule("list_item"),
            example: topic.rule("example"),
            rate_code: topic.rule("rate_code"),
            operation: topic.rule("operation"),
            top_titles: words("top_titles"),
            titles: words("titles"),
            contents_titles: words("contents_titles"),
            front_matter: words("front_matter"),
            acts: words("acts"),
            families_without_acts: words("families_without_acts"),
        }
    }
}

/// The form of a line in which titles are compared: lower case, «е» for «ё», single spaces, no
/// punctuation at the ends. Letter-spaced words («С О Д Е Р Ж А Н И Е») are closed up.
pub fn title_form(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let spaced = words.len() > 3 && words.iter().all(|word| word.chars().count() == 1);
    let joined = if spaced { words.concat() } else { words.join(" ") };
    let lower = joined.to_lowercase().replace('ё', "е");
    lower.trim_matches(|sign: char| !sign.is_alphanumeric()).to_owned()
}

/// Whether a title is one of a word list.
pub fn is_one_of(words: &[String], title: &str) -> bool {
    let form = title_form(title);
    words.contains(&form)
}

#[cfg(test)]
mod tests {
    use super::{StructureRules, is_one_of, title_form};
    use crate::rules::Rules;

    #[test]
    fn the_shipped_topic_has_what_the_code_knows() {
        let rules = StructureRules::of(Rules::shipped());
        assert!(is_one_of(rules.titles, "ОБЛАСТЬ ПРИМЕНЕНИЯ"));
        for words in [rules.top_titles, rules.titles, rules.contents_titles, rules.front_matter] {
            assert!(!words.is_empty());
            assert!(words.iter().all(|word| title_form(word) == *word));
        }
        assert!(!rules.acts.is_empty() && !rules.families_without_acts.is_empty());
    }

    #[test]
    fn titles_are_compared_without_their_looks() {
        assert_eq!(title_form(" СОДЕРЖАНИЕ: "), "содержание");
        assert_eq!(title_form("С О Д Е Р Ж А Н И Е"), "содержание");
        assert_eq!(title_form("Приемка и учёт."), "приемка и учет");
    }
}
