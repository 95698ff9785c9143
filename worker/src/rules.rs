//! Knowledge about documents as data: rule files with examples, compiled once at start.
//!
//! A topic is one TOML file in `worker/rules/`. Every rule has an id, patterns and examples that
//! must and must not match; a test proves all of them. Regexes are built only here.

use anyhow::{Context, bail};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

/// The topics that ship with the program, by name.
const SHIPPED: &[(&str, &str)] = &[
    ("acts", include_str!("../rules/acts.toml")),
    ("clauses", include_str!("../rules/clauses.toml")),
    ("columns", include_str!("../rules/columns.toml")),
    ("designations", include_str!("../rules/designations.toml")),
    ("document_type", include_str!("../rules/document_type.toml")),
    ("estimates", include_str!("../rules/estimates.toml")),
    ("grades", include_str!("../rules/grades.toml")),
    ("metadata", include_str!("../rules/metadata.toml")),
    ("modality", include_str!("../rules/modality.toml")),
    ("organs", include_str!("../rules/organs.toml")),
    ("structure", include_str!("../rules/structure.toml")),
    ("title_page", include_str!("../rules/title_page.toml")),
    ("works", include_str!("../rules/works.toml")),
];

/// All topics, by name.
#[derive(Debug)]
pub struct Rules {
    topics: BTreeMap<String, Topic>,
}

impl Rules {
    /// The rules that ship with the program.
    ///
    /// # Errors
    /// A shipped file is wrong; the tests keep this from happening.
    pub fn builtin() -> anyhow::Result<Rules> {
        Rules::load(None)
    }

    /// The shipped rules, compiled once for the whole process.
    ///
    /// # Panics
    /// When a shipped file is wrong; the tests keep this from happening.
    pub fn shipped() -> &'static Rules {
        static RULES: LazyLock<Rules> = LazyLock::new(|| match Rules::builtin() {
            Ok(rules) => rules,
            Err(error) => panic!("shipped rules: {error:#}"),
        });
        &RULES
    }

    /// The shipped rules, each topic replaced by `<directory>/<topic>.toml` where that file exists.
    ///
    /// # Errors
    /// A file that cannot be read, is of no known topic, or does not pass its own examples.
    pub fn load(directory: Option<&Path>) -> anyhow::Result<Rules> {
        let mut texts: BTreeMap<String, String> =
            SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        if let Some(directory) = directory {
            replace(&mut texts, directory)?;
        }
        let parse = |(name, text): (String, String)| {
            let topic = Topic::parse(&name, &text)?;
            Ok((name, topic))
        };
        Ok(Rules { topics: texts.into_iter().map(parse).collect::<anyhow::Result<_>>()? })
    }

    /// A topic by its name.
    ///
    /// # Panics
    /// When no such topic ships: a defect of the caller, found by its first test.
    pub fn topic(&self, name: &str) -> &Topic {
        match self.topics.get(name) {
            Some(topic) => topic,
            None => panic!("no rules {name} are shipped"),
        }
    }
}

fn replace(texts: &mut BTreeMap<String, String>, directory: &Path) -> anyhow::Result<()> {
    let place = || format!("rules in {}", directory.display());
    for entry in std::fs::read_dir(directory).with_context(place)? {
        let path = entry.with_context(place)?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(text) = texts.get_mut(&name) else {
            bail!("{}: there is no topic {name}", path.display());
        };
        *text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// A rule as written in its file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSource {
    id: String,
    patterns: Vec<String>,
    #[serde(default = "one")]
    weight: f64,
    /// What the rule says when it hits, under names that the topic defines.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    matches: Vec<String>,
    #[serde(default)]
    rejects: Vec<String>,
}

fn one() -> f64 {
    1.0
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicSource {
    #[serde(default, rename = "rule")]
    rules: Vec<RuleSource>,
    /// Plain word lists of the topic, by name.
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Unique in its topic.
    pub id: String,
    /// How much a hit counts; 1 unless the file says otherwise.
    pub weight: f64,
    /// What the rule says when it hits.
    pub fields: BTreeMap<String, String>,
    /// Case-insensitive unless a pattern says `(?-i)`, multi-line, Unicode.
    pub patterns: Vec<Regex>,
}

impl Rule {
    /// Whether any pattern matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(text))
    }

    /// The captures of the first pattern that matches.
    pub fn captures<'t>(&self, text: &'t str) -> Option<regex::Captures<'t>> {
        self.patterns.iter().find_map(|pattern| pattern.captures(text))
    }

    /// A field of the rule; empty when it has none of that name.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// The rules and word lists of one topic.
#[derive(Debug)]
pub struct Topic {
    /// In the order of the file.
    pub rules: Vec<Rule>,
    /// Word lists by name.
    pub words: BTreeMap<String, Vec<String>>,
}

impl Topic {
    /// Compiles a topic and proves its examples.
    ///
    /// # Errors
    /// Names the file, the rule and the pattern or example that is wrong.
    pub fn parse(name: &str, text: &str) -> anyhow::Result<Topic> {
        let source: TopicSource =
            toml::from_str(text).with_context(|| format!("rules {name}: not readable"))?;
        let mut seen = BTreeSet::new();
        let mut rules = Vec::with_capacity(source.rules.len());
        for rule in source.rules {
            if !seen.insert(rule.id.clone()) {
                bail!("rules {name}: id {} is used twice", rule.id);
            }
            rules.push(compile(name, rule)?);
        }
        Ok(Topic { rules, words: source.words })
    }

    /// The rule with this id.
    ///
    /// # Panics
    /// When the file has no such rule: a defect of the shipped files, found by their test.
    pub fn rule(&self, id: &str) -> &Rule {
        match self.rules.iter().find(|rule| rule.id == id) {
            Some(rule) => rule,
            None => panic!("the shipped rules have no rule {id}"),
        }
    }
}

fn compile(topic: &str, source: RuleSource) -> anyhow::Result<Rule> {
    let place = format!("rules {topic}: {}", source.id);
    let patterns = source
        .patterns
        .iter()
        .map(|text| pattern(text).with_context(|| format!("{place}: pattern {text}")))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let rule = Rule { id: source.id, weight: source.weight, fields: source.fields, patterns };
    if source.matches.is_empty() {
        bail!("{place}: a rule needs an example that matches");
    }
    for example in &source.matches {
        if !rule.is_match(example) {
            bail!("{place}: must match «{example}»");
        }
    }
    for example in &source.rejects {
        if rule.is_match(example) {
            bail!("{place}: must not match «{example}»");
        }
    }
    Ok(rule)
}

/// Compiles one pattern with the options that all rules share.
///
/// # Errors
/// The pattern is not a regular expression.
#[expect(clippy::disallowed_methods, reason = "the one place where regexes are built")]
pub fn pattern(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).case_insensitive(true).multi_line(true).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_rules_pass_their_own_examples() {
        for (name, text) in SHIPPED {
            Topic::parse(name, text).unwrap();
        }
        assert!(SHIPPED.is_sorted(), "keep the topics sorted");
    }

    #[test]
    fn a_directory_replaces_single_topics() {
        let directory = tempfile::tempdir().unwrap();
        let rule = "[[rule]]\nid = 'own'\npatterns = ['завод']\nmatches = ['Завод']\n";
        std::fs::write(directory.path().join("organs.toml"), rule).unwrap();
        let rules = Rules::load(Some(directory.path())).unwrap();
        assert_eq!(rules.topic("organs").rules.len(), 1);
        assert!(rules.topic("acts").rules.len() > 1);
        std::fs::write(directory.path().join("unknown.toml"), rule).unwrap();
        let error = Rules::load(Some(directory.path())).unwrap_err();
        assert!(error.to_string().contains("unknown"));
    }

    #[test]
    fn a_broken_example_names_file_rule_and_example() {
        let text = "[[rule]]\nid = 'a'\npatterns = ['х']\nmatches = ['у']\n";
        let error = Topic::parse("topic", text).unwrap_err().to_string();
        assert!(error.contains("topic") && error.contains("a") && error.contains("«у»"));
    }
}
