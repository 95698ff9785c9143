//! Knowledge about documents as data: rule files with examples, compiled once at start.
//!
//! A topic is one TOML file in `worker/rules/`. Every rule has an id, patterns and examples that
//! must and must not match; a test proves all of them. Regexes are built only here.

use anyhow::{Context, bail};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use std::collections::BTreeSet;

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
    fields: std::collections::BTreeMap<String, String>,
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
    words: std::collections::BTreeMap<String, Vec<String>>,
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Unique in its topic.
    pub id: String,
    /// How much a hit counts; 1 unless the file says otherwise.
    pub weight: f64,
    /// What the rule says when it hits.
    pub fields: std::collections::BTreeMap<String, String>,
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
    pub words: std::collections::BTreeMap<String, Vec<String>>,
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
