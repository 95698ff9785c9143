//! Writing the rows of a version.

use super::{Artifacts, Attempt, DocumentRecord, EmbeddedChunks, Graph};
use crate::text::{address_key, designation_key};
use crate::{Result, StoreError};
use rusqlite::{Transaction, params};
use serde::Serialize;
use shared::chunk::Chunk;
use shared::identity::chunk_id;

/// Works, dependencies and cited norms of a version.
pub(super) fn insert_graph(
    transaction: &Transaction<'_>,
    version: i64,
    graph: Graph<'_>,
) -> Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO works VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    for (ordinal, work) in (0_i64..).zip(graph.works) {
        insert.execute(params![
            version,
            ordinal,
            work.id,
            work.name,
            work.pages[0],
            work.pages[1],
            work.section,
            work.duration_days,
            json(&work.properties)?
        ])?;
    }
    let mut insert =
        transaction.prepare_cached("INSERT INTO edges VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for (ordinal, edge) in (0_i64..).zip(graph.edges) {
        insert.execute(params![
            version,
            ordinal,
            edge.from,
            edge.to,
            edge.evidence,
            edge.pages[0],
            edge.pages[1]
        ])?;
    }
    let mut insert = transaction
        .prepare_cached("INSERT INTO citations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    for (ordinal, reference) in (0_i64..).zip(graph.references) {
        insert.execute(params![
            version,
            ordinal,
            reference.id,
            designation_key(&reference.id),
            reference.text,
            reference.edition,
            reference.clause,
            json(&reference.pages)?,
            reference.count
        ])?;
    }
    Ok(())
}

/// Chunks of a version with their vectors.
pub(super) fn insert_chunks(
    transaction: &Transaction<'_>,
    version: i64,
    attempt: &Attempt,
    embedded: EmbeddedChunks<'_>,
) -> Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO chunks (version_row, ordinal, chunk_id, kind, address, address_key, path,
                             first_page, last_page, text, cells, caption, cited)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let mut insert_vector =
        transaction.prepare_cached("INSERT INTO vectors VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let model = match embedded.vectors {
        Some((model, _)) => Some(model_row(transaction, model)?),
        None => None,
    };
    for (number, chunk) in embedded.chunks.iter().enumerate() {
        let id = chunk_id(attempt.document, attempt.version, &chunk.address, chunk.ordinal);
        insert.execute(params![
            version,
            chunk.ordinal,
            id.as_bytes(),
            kind_name(chunk)?,
            chunk.address,
            address_key(&chunk.address),
            json(&chunk.path)?,
            chunk.pages[0],
            chunk.pages[1],
            chunk.text,
            chunk.table.as_ref().map(json).transpose()?,
            chunk.caption,
            json(&chunk.cited)?
        ])?;
        let vector = embedded.vectors.and_then(|(_, vectors)| vectors.get(number));
        if let (Some(model), Some(vector)) = (model, vector) {
            let row = transaction.last_insert_rowid();
            insert_vector.execute(params![row, version, model, vector.scale, vector.to_bytes()])?;
        }
    }
    Ok(())
}

/// The number of a model, given to it when it is first seen.
pub(super) fn model_row(transaction: &Transaction<'_>, model: &str) -> Result<i64> {
    transaction
        .execute("INSERT INTO models (model) VALUES (?1) ON CONFLICT DO NOTHING", [model])?;
    let select = "SELECT model_row FROM models WHERE model = ?1";
    Ok(transaction.query_row(select, [model], |row| row.get(0))?)
}

/// Everything else that belongs to a version.
pub(super) fn insert_artifacts(
    transaction: &Transaction<'_>,
    version: i64,
    record: &DocumentRecord,
    artifacts: &Artifacts,
) -> Result<()> {
    let mut insert = transaction.prepare_cached("INSERT INTO artifacts VALUES (?1, ?2, ?3)")?;
    for (kind, content) in artifacts.texts() {
        insert.execute(params![version, kind.name(), content])?;
    }
    let mut insert = transaction.prepare_cached("INSERT INTO positions VALUES (?1, ?2, ?3, ?4)")?;
    for (ordinal, position) in (0_i64..).zip(&artifacts.positions) {
        insert.execute(params![version, ordinal, position.code, json(position)?])?;
    }
    let mut insert = transaction
        .prepare_cached("INSERT INTO replacements VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
    for norm in &record.replaces {
        insert.execute(params![version, norm, designation_key(norm)])?;
    }
    Ok(())
}

fn kind_name(chunk: &Chunk) -> Result<String> {
    match serde_json::to_value(chunk.kind)? {
        serde_json::Value::String(name) => Ok(name),
        other => Err(StoreError::Damaged(format!("chunk kind {other}"))),
    }
}

/// A value for a column that holds JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}
