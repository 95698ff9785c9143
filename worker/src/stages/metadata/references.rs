//! Cited norms, one entry per written edition, and what the text says about them.

use super::{Place, Provenance, evidence};
use crate::extracted::Extracted;
use crate::norms::fold::fold;
use crate::norms::{self, Designation, Mention};
use crate::rules::{Rules, Topic};
use serde::Serialize;
use shared::structure::Reference;
use std::collections::BTreeMap;

/// Clauses of one norm that are kept; the rest of a very long list is dropped.
const MOST_CLAUSES: usize = 20;

/// What the text says about a norm other than the document itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// Canonical id of the norm.
    pub norm: String,
    /// «утратил силу», when the text says that it is no longer valid.
    pub status: Option<String>,
    /// Canonical id of the norm that replaced it, when the text says which.
    pub replaced_by: Option<String>,
    /// Where the text says so.
    pub provenance: Provenance,
}

/// All cited norms of a document; its own designation is no citation.
pub(super) fn references(
    rules: &Rules,
    extracted: &Extracted,
    own: Option<&Designation>,
) -> (Vec<Reference>, Vec<Relation>) {
    let mut order: Vec<Reference> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut relations = Vec::new();
    for (page, block) in extracted.blocks() {
        let mentions = norms::find(rules, &block.text);
        relations.extend(related(rules.topic("metadata"), &block.text, &mentions, page));
        for mention in mentions {
            if !own.is_some_and(|own| is_own(own, &mention.designation)) {
                count(mention, page, &mut order, &mut known);
            }
        }
    }
    (order, relations)
}

/// The same norm in the same edition or without one; another edition is another document.
fn is_own(own: &Designation, cited: &Designation) -> bool {
    own.id == cited.id && (cited.edition.is_none() || cited.edition == own.edition)
}

fn count(
    mention: Mention,
    page: u32,
    order: &mut Vec<Reference>,
    known: &mut BTreeMap<String, usize>,
) {
    let designation = mention.designation;
    let key = fold(&designation.text).to_lowercase();
    let index = *known.entry(key).or_insert_with(|| {
        order.push(Reference {
            id: designation.id,
            text: designation.text,
            edition: designation.edition,
            ..Reference::default()
        });
        order.len() - 1
    });
    let Some(reference) = order.get_mut(index) else { return };
    reference.count += 1;
    if reference.pages.last() != Some(&page) {
        reference.pages.push(page);
    }
    if let Some(clause) = mention.clause {
        match &mut reference.clause {
            None => reference.clause = Some(clause),
            Some(all) => {
                let listed: Vec<&str> = all.split("; ").collect();
                if !listed.contains(&clause.as_str()) && listed.len() < MOST_CLAUSES {
                    all.push_str("; ");
                    all.push_str(&clause);
                }
            }
        }
    }
}

/// «СП А (взамен `СНиП` Б)», «ГОСТ А утратил силу», «ГОСТ А заменён на ГОСТ Б».
fn related(topic: &Topic, text: &str, mentions: &[Mention], page: u32) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (index, mention) in mentions.iter().enumerate() {
        let next = mentions.get(index + 1);
        let until = next.map_or(text.len(), |next| next.span.start);
        let Some(after) = text.get(mention.span.end..until) else { continue };
        let after = format!(" {} ", fold(after));
        let between = after.trim_end().to_owned() + " ";
        let relation =
            |norm: &Designation, newer: Option<&Designation>, status: Option<&str>| Relation {
                norm: norm.id.clone(),
                status: status.map(str::to_owned),
                replaced_by: newer.map(|newer| newer.id.clone()),
                provenance: Provenance {
                    place: Place::Paragraph,
                    page: Some(page),
                    address: String::new(),
                    evidence: evidence(text.get(mention.span.start..).unwrap_or("")),
                },
            };
        let this = &mention.designation;
        if let Some(next) = next.map(|next| &next.designation).filter(|next| next.id != this.id) {
            if topic.rule("replaced_by").is_match(&between) {
                relations.push(relation(this, Some(next), Some("заменён")));
                continue;
            }
            if !after.contains(['.', ';']) && topic.rule("replaces").is_match(&between) {
                relations.push(relation(next, Some(this), Some("заменён")));
                continue;
            }
        }
        let rule = topic.rule("no_longer_valid");
        if rule.is_match(&after) {
            relations.push(relation(this, None, Some(rule.field("status"))));
        }
    }
    relations
}
