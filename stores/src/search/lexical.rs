//! BM25 over stems, the very words in a row, and named addresses.

use super::query::Understood;
use crate::Result;
use crate::text::{index_words, query_words};
use rusqlite::{Transaction, params};

/// Weights of headings and body in BM25: a heading is said once and meant for the whole clause.
const WEIGHTS: [f64; 2] = [1.0, 1.0];

/// Chunks by BM25, best first, at most `depth`.
pub(crate) fn by_words(
    transaction: &Transaction<'_>,
    query: &str,
    depth: usize,
    allowed: &(dyn Fn(i64, i64) -> bool + Sync),
) -> Result<Vec<(i64, f64)>> {
    let words = query_words(query);
    let expression = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" OR ");
    matching(transaction, &expression, depth, allowed)
}

/// Chunks with the very words of the query in a row (in any grammatical form).
pub(crate) fn by_phrase(
    transaction: &Transaction<'_>,
    query: &str,
    depth: usize,
    allowed: &(dyn Fn(i64, i64) -> bool + Sync),
) -> Result<Vec<(i64, f64)>> {
    matching(transaction, &quoted(&index_words(query)), depth, allowed)
}

fn quoted(words: &str) -> String {
    // Stems have no quotation marks; doubling them keeps that true for any input.
    format!("\"{}\"", words.replace('"', "\"\""))
}

fn matching(
    transaction: &Transaction<'_>,
    expression: &str,
    depth: usize,
    allowed: &(dyn Fn(i64, i64) -> bool + Sync),
) -> Result<Vec<(i64, f64)>> {
    if expression.trim_matches('"').is_empty() {
        return Ok(Vec::new());
    }
    let mut select = transaction.prepare_cached(
        "SELECT chunk_row, version_row, bm25(words, ?2, ?3) AS score
         FROM words JOIN chunks ON chunk_row = words.rowid
         WHERE words MATCH ?1 ORDER BY score, chunk_row",
    )?;
    let mut rows = select.query(params![expression, WEIGHTS[0], WEIGHTS[1]])?;
    let mut found = Vec::new();
    while found.len() < depth
        && let Some(row) = rows.next()?
    {
        let (chunk, version) = (row.get(0)?, row.get(1)?);
        if allowed(chunk, version) {
            // FTS5 gives better matches smaller numbers.
            found.push((chunk, -row.get::<_, f64>(2)?));
        }
    }
    Ok(found)
}

/// Versions of trained documents that the query names, last trained first. «СП 45.13330» names
/// every edition, «СП 45.13330.2017» that one, or any if that one is not there.
pub(crate) fn named_versions(
    transaction: &Transaction<'_>,
    understood: &Understood,
) -> Result<Vec<i64>> {
    let mut select = transaction.prepare_cached(
        "SELECT version_row FROM versions
         WHERE state = 'current' AND (norm_key = ?1 OR designation_key = ?1
               OR (designation_key >= ?1 || '-' AND designation_key < ?1 || '/'))
         ORDER BY version_row DESC",
    )?;
    let mut found = Vec::new();
    for norm in &understood.norms {
        let mut key = norm.as_str();
        loop {
            let rows: Vec<i64> =
                select.query_map([key], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let edition = key.rsplit_once(['.', '-']).filter(|(_, end)| matches!(end.len(), 2 | 4));
            match (rows.is_empty(), edition) {
                (true, Some((stem, _))) => key = stem,
                _ => {
                    found.extend(rows);
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// Chunks at the named addresses of the named versions: the clause itself, or what stands below
/// it when it has no text of its own.
pub(crate) fn at_addresses(
    transaction: &Transaction<'_>,
    versions: &[i64],
    addresses: &[String],
    allowed: &(dyn Fn(i64, i64) -> bool + Sync),
) -> Result<Vec<i64>> {
    let mut itself = transaction.prepare_cached(
        "SELECT chunk_row FROM chunks WHERE version_row = ?1 AND address_key = ?2 ORDER BY ordinal",
    )?;
    let mut below = transaction.prepare_cached(
        "SELECT chunk_row FROM chunks
         WHERE version_row = ?1 AND address_key >= ?2 || '.' AND address_key < ?2 || '/'
         ORDER BY ordinal",
    )?;
    let mut found = Vec::new();
    for address in addresses {
        for version in versions {
            for select in [&mut itself, &mut below] {
                let rows: Vec<i64> = select
                    .query_map(params![version, address], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                let before = found.len();
                found.extend(rows.into_iter().filter(|chunk| allowed(*chunk, *version)));
                if found.len() > before {
                    break;
                }
            }
        }
    }
    Ok(found)
}
