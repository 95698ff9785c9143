//! One search from the query to the hits.

use super::fusion::{DENSE_SHARE, fuse};
use super::lexical::{at_addresses, by_phrase, by_words, named_versions};
use super::query::{Understood, understand};
use super::{Filters, Hit, HitDocument, Mode, SearchRequest, SearchResponse, Why};
use crate::database::documents::{CHUNK, stored_chunk};
use crate::text::{address_key, designation_key};
use crate::vector::Vector;
use crate::{Database, Embedder, Result, StoreError};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashSet;
use std::time::Instant;

/// Candidates taken from each list before they are fused; twice the wanted hits when that is more,
/// because parts of one clause are answered once.
const DEPTH: usize = 50;
/// Longest query, in characters.
const LONGEST_QUERY: usize = 2000;

/// Chunk and score, best first.
type Ranked = Vec<(i64, f64)>;

/// Searches. `StoreError::ModelMissing` for `mode = dense` without a model,
/// `StoreError::Invalid` for an empty query or `k` outside 1..=100.
pub fn search(
    database: &Database,
    embedder: Option<&Embedder>,
    request: &SearchRequest,
) -> Result<SearchResponse> {
    let started = Instant::now();
    if request.query.trim().is_empty() || request.query.chars().count() > LONGEST_QUERY {
        return Err(StoreError::Invalid(format!("query of 1..={LONGEST_QUERY} characters")));
    }
    if !(1..=100).contains(&request.k) {
        return Err(StoreError::Invalid(format!("k = {} is not in 1..=100", request.k)));
    }
    let mode = match (request.mode, embedder) {
        (Mode::Hybrid, None) => Mode::Bm25,
        (Mode::Dense, None) => {
            return Err(StoreError::ModelMissing("dense search needs a model".to_owned()));
        }
        (mode, _) => mode,
    };
    let understood = understand(&request.query);
    let dense = match (mode, embedder) {
        (Mode::Hybrid | Mode::Dense, Some(embedder)) => {
            Some((embedder.model_id(), embedder.embed_query(&request.query)?))
        }
        _ => None,
    };
    let results = database.read(|transaction| {
        let view = View { database, transaction, request, mode, dense: dense.as_ref() };
        view.hits(&understood)
    })?;
    Ok(SearchResponse { results, mode, took_ms: started.elapsed().as_secs_f64() * 1000.0 })
}

/// One consistent state of the database and what is looked for in it.
struct View<'a> {
    database: &'a Database,
    transaction: &'a Transaction<'a>,
    request: &'a SearchRequest,
    mode: Mode,
    dense: Option<&'a (&'a str, Vector)>,
}

/// Candidates of one pass, with where they came from.
#[derive(Default)]
struct Candidates {
    words: Ranked,
    dense: Ranked,
    fused: Ranked,
}

/// What the filters let pass.
struct Allowed {
    versions: Option<HashSet<i64>>,
    chunks: Option<HashSet<i64>>,
}

impl Allowed {
    fn passes(&self, chunk: i64, version: i64) -> bool {
        self.versions.as_ref().is_none_or(|versions| versions.contains(&version))
            && self.chunks.as_ref().is_none_or(|chunks| chunks.contains(&chunk))
    }
}

impl View<'_> {
    /// Named addresses first, then what the named documents say, then everything else.
    fn hits(&self, understood: &Understood) -> Result<Vec<Hit>> {
        let allowed = self.allowed(&self.request.filters)?;
        let mut named = named_versions(self.transaction, understood)?;
        if understood.norms.is_empty() && self.request.filters.designation.is_some() {
            // The filter names the norm: «п. 5.10» is enough then.
            named = allowed.versions.iter().flatten().copied().collect();
            named.sort_unstable();
        }
        let pass = |chunk, version| allowed.passes(chunk, version);
        let exact = at_addresses(self.transaction, &named, &understood.addresses, &pass)?;

        let mut passes = Vec::new();
        if !named.is_empty() && !understood.norms.is_empty() && !understood.rest.is_empty() {
            let of_named: HashSet<i64> = named.iter().copied().collect();
            let pass =
                |chunk, version| of_named.contains(&version) && allowed.passes(chunk, version);
            passes.push(self.candidates(&understood.rest, &pass)?);
        }
        passes.push(self.candidates(&self.request.query, &pass)?);
        self.assemble(&exact, &passes)
    }

    fn candidates(
        &self,
        query: &str,
        pass: &(dyn Fn(i64, i64) -> bool + Sync),
    ) -> Result<Candidates> {
        let depth = DEPTH.max(2 * self.request.k);
        let words = match self.mode {
            Mode::Dense => Ranked::new(),
            Mode::Exact => by_phrase(self.transaction, query, depth, pass)?,
            Mode::Bm25 | Mode::Hybrid => by_words(self.transaction, query, depth, pass)?,
        };
        let dense = match self.dense {
            Some((model, vector)) => {
                self.database.vectors.search(self.transaction, model, vector, depth, pass)?
            }
            None => Ranked::new(),
        };
        let fused = match self.mode {
            Mode::Hybrid => fuse(&[(&words, 1.0 - DENSE_SHARE), (&dense, DENSE_SHARE)]),
            Mode::Dense => dense.clone(),
            Mode::Exact | Mode::Bm25 => words.clone(),
        };
        Ok(Candidates { words, dense, fused })
    }

    /// Reads the best candidates; one designation and address is answered once.
    fn assemble(&self, exact: &[i64], passes: &[Candidates]) -> Result<Vec<Hit>> {
        // Each group scores above the next, so that the list is in the order of its scores.
        let top = |ranked: &Ranked| ranked.first().map_or(0.0, |(_, score)| score.max(0.0));
        let mut floor = 0.0;
        let mut groups: Vec<(Option<&Candidates>, Ranked)> = Vec::new();
        for candidates in passes.iter().rev() {
            let raised = candidates.fused.iter().map(|(chunk, score)| (*chunk, score + floor));
            groups.push((Some(candidates), raised.collect()));
            floor += top(&candidates.fused);
        }
        let named = (1..).zip(exact).map(|(place, chunk)| (*chunk, floor + 1.0 / f64::from(place)));
        groups.push((None, named.collect()));

        let mut seen = HashSet::new();
        let mut hits = Vec::new();
        for (candidates, ranked) in groups.iter().rev() {
            for (chunk, score) in ranked {
                if hits.len() == self.request.k {
                    return Ok(hits);
                }
                let Some((mut hit, key)) = self.read(*chunk)? else { continue };
                if !seen.insert(key) {
                    continue;
                }
                hit.score = *score;
                hit.why = self.request.explain.then(|| self.why(*chunk, *candidates, passes));
                hits.push(hit);
            }
        }
        Ok(hits)
    }

    fn why(&self, chunk: i64, group: Option<&Candidates>, passes: &[Candidates]) -> Why {
        let from = group.or(passes.last());
        let rank = |ranked: fn(&Candidates) -> &Ranked| {
            let place = from.map(ranked)?.iter().position(|(found, _)| *found == chunk)?;
            u32::try_from(place + 1).ok()
        };
        Why {
            bm25_rank: rank(|candidates| &candidates.words).filter(|_| self.mode != Mode::Exact),
            dense_rank: rank(|candidates| &candidates.dense),
            exact: group.is_none() || self.mode == Mode::Exact,
        }
    }

    /// A chunk as a hit, and the key under which it may be answered only once.
    fn read(&self, chunk: i64) -> Result<Option<(Hit, (String, String))>> {
        let mut select = self.transaction.prepare_cached(&format!(
            "SELECT {CHUNK}, family, status, category, collection
             FROM chunks JOIN versions USING (version_row)
             WHERE chunk_row = ?1 AND state = 'current'"
        ))?;
        let found = select
            .query_row([chunk], |row| {
                let document = HitDocument {
                    id: uuid::Uuid::nil(),
                    name: row.get("name")?,
                    designation: row.get("designation")?,
                    family: row.get("family")?,
                    status: row.get("status")?,
                    category: row.get("category")?,
                    collection: row.get("collection")?,
                };
                Ok((stored_chunk(row)?, document))
            })
            .optional()?;
        let Some((stored, document)) = found else { return Ok(None) };
        let document = HitDocument { id: stored.document_id, ..document };
        let owner = match &document.designation {
            Some(designation) => designation_key(designation),
            None => document.id.to_string(),
        };
        // A window has no address; its place in the document stands in.
        let place = match stored.address.trim() {
            "" => format!("#{}", stored.id),
            address => address.to_lowercase(),
        };
        let hit = Hit {
            score: 0.0,
            citation: stored.citation,
            document,
            address: stored.address,
            path: stored.path,
            pages: stored.pages,
            text: stored.text,
            table: stored.table,
            caption: stored.caption,
            why: None,
        };
        Ok(Some((hit, (owner, place))))
    }

    fn allowed(&self, filters: &Filters) -> Result<Allowed> {
        let chunks = match &filters.clause_prefix {
            Some(prefix) => Some(self.below(prefix)?),
            None => None,
        };
        let unfiltered =
            Filters { clause_prefix: filters.clause_prefix.clone(), ..Filters::default() };
        if *filters == unfiltered {
            return Ok(Allowed { versions: None, chunks });
        }
        let designation = filters.designation.as_deref().map(designation_key);
        let mut select = self.transaction.prepare_cached(
            "SELECT version_row FROM versions WHERE state = 'current'
               AND (?1 IS NULL OR collection = ?1) AND (?2 IS NULL OR family = ?2)
               AND (?3 IS NULL OR subtype = ?3) AND (?4 IS NULL OR category = ?4)
               AND (?5 IS NULL OR status = ?5)
               AND (?6 IS NULL OR designation_key = ?6 OR norm_key = ?6
                    OR (designation_key >= ?6 || '-' AND designation_key < ?6 || '/'))",
        )?;
        let versions = select
            .query_map(
                params![
                    filters.collection,
                    filters.family,
                    filters.subtype,
                    filters.category,
                    filters.status,
                    designation
                ],
                |row| row.get(0),
            )?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Allowed { versions: Some(versions), chunks })
    }

    /// Chunks of a clause and of all clauses below it.
    fn below(&self, prefix: &str) -> Result<HashSet<i64>> {
        let mut select = self.transaction.prepare_cached(
            "SELECT chunk_row FROM chunks
             WHERE address_key = ?1 OR (address_key >= ?1 || '.' AND address_key < ?1 || '/')",
        )?;
        let rows = select.query_map([address_key(prefix)], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
