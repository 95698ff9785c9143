//! Vectors in memory: an exact scan over int8, kept up to date with the database.

use crate::Result;
use crate::vector::{Vector, dot};
use rusqlite::{Transaction, params};
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

/// From this many vectors on a scan uses two threads.
const PARALLEL: usize = 20_000;

/// All vectors of one model that are searchable, as of one generation of the database.
#[derive(Debug, Default)]
pub(crate) struct VectorIndex {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    model: String,
    /// The last row of `changes` that is contained.
    generation: i64,
    width: usize,
    rows: Vec<Row>,
    /// `width` steps per row.
    steps: Vec<i8>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    chunk: i64,
    version: i64,
    scale: f32,
}

impl VectorIndex {
    /// Chunks by cosine with a query, best first, at most `depth`; only those that `allowed`
    /// (chunk row, version row) lets pass.
    pub(crate) fn search(
        &self,
        transaction: &Transaction<'_>,
        model: &str,
        query: &Vector,
        depth: usize,
        allowed: &(dyn Fn(i64, i64) -> bool + Sync),
    ) -> Result<Vec<(i64, f64)>> {
        self.refresh(transaction, model)?;
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if state.width != query.values.len() {
            return Ok(Vec::new());
        }
        let half =
            if state.rows.len() < PARALLEL { state.rows.len() } else { state.rows.len() / 2 };
        let (left, right) = state.rows.split_at(half);
        let (left_steps, right_steps) = state.steps.split_at(half * state.width);
        let mut found = std::thread::scope(|scope| {
            let other = (!right.is_empty())
                .then(|| scope.spawn(|| scan(right, right_steps, query, depth, allowed)));
            let mut found = scan(left, left_steps, query, depth, allowed);
            if let Some(other) = other {
                // A panic of the scan is a panic of the search.
                match other.join() {
                    Ok(more) => found.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            found
        });
        best(&mut found, depth);
        Ok(found)
    }

    /// Takes in what became visible or went away since the last search, in this process or
    /// another one.
    fn refresh(&self, transaction: &Transaction<'_>, model: &str) -> Result<()> {
        let generation: i64 = transaction
            .prepare_cached("SELECT coalesce(max(generation), 0) FROM changes")?
            .query_row([], |row| row.get(0))?;
        let fresh = |state: &State| state.model == model && state.generation >= generation;
        if fresh(&self.state.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if fresh(&state) {
            return Ok(());
        }
        let oldest: i64 = transaction
            .prepare_cached("SELECT coalesce(min(generation), 0) FROM changes")?
            .query_row([], |row| row.get(0))?;
        // Changes that were already forgotten cannot be taken in one by one.
        if state.model != model || state.generation + 1 < oldest {
            *state = State { model: model.to_owned(), ..State::default() };
        }
        let mut select = transaction.prepare_cached(
            "SELECT version_row, max(added) FILTER (WHERE generation = last) FROM (
                 SELECT version_row, added, generation,
                        max(generation) OVER (PARTITION BY version_row) AS last
                 FROM changes WHERE generation > ?1)
             GROUP BY version_row",
        )?;
        let changes: HashMap<i64, bool> = select
            .query_map([state.generation], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let loaded: HashSet<i64> = state.rows.iter().map(|row| row.version).collect();
        state.remove(&|version| changes.get(&version) == Some(&false));
        if state.generation == 0 {
            state.load(transaction, None)?;
        } else {
            for (version, added) in &changes {
                if *added && !loaded.contains(version) {
                    state.load(transaction, Some(*version))?;
                }
            }
        }
        state.generation = generation;
        Ok(())
    }
}

impl State {
    fn remove(&mut self, gone: &dyn Fn(i64) -> bool) {
        let width = self.width;
        let mut kept = 0;
        for at in 0..self.rows.len() {
            if gone(self.rows[at].version) {
                continue;
            }
            if kept != at {
                self.rows[kept] = self.rows[at];
                self.steps.copy_within(at * width..(at + 1) * width, kept * width);
            }
            kept += 1;
        }
        self.rows.truncate(kept);
        self.steps.truncate(kept * width);
    }

    /// Loads the vectors of one visible version, or of all.
    fn load(&mut self, transaction: &Transaction<'_>, version: Option<i64>) -> Result<()> {
        let mut select = transaction.prepare_cached(
            "SELECT chunk_row, version_row, scale, steps
             FROM vectors JOIN versions USING (version_row) JOIN models USING (model_row)
             WHERE state = 'current' AND model = ?1 AND (?2 IS NULL OR version_row = ?2)",
        )?;
        let mut rows = select.query(params![self.model, version])?;
        while let Some(row) = rows.next()? {
            let vector = Vector::from_bytes(row.get(2)?, row.get_ref(3)?.as_blob()?);
            if self.rows.is_empty() {
                self.width = vector.values.len();
            }
            // A vector of another width cannot be of this model.
            if self.width == vector.values.len() {
                self.rows.push(Row {
                    chunk: row.get(0)?,
                    version: row.get(1)?,
                    scale: vector.scale,
                });
                self.steps.extend_from_slice(&vector.values);
            }
        }
        Ok(())
    }
}

fn scan(
    rows: &[Row],
    steps: &[i8],
    query: &Vector,
    depth: usize,
    allowed: &(dyn Fn(i64, i64) -> bool + Sync),
) -> Vec<(i64, f64)> {
    let width = query.values.len().max(1);
    let mut found: Vec<(i64, f64)> = Vec::with_capacity(4 * depth + 1);
    let mut threshold = f64::MIN;
    for (row, steps) in rows.iter().zip(steps.chunks_exact(width)) {
        let product = dot(&query.values, steps) as f32;
        let cosine = f64::from(product * row.scale * query.scale);
        if cosine < threshold || !allowed(row.chunk, row.version) {
            continue;
        }
        found.push((row.chunk, cosine));
        if found.len() > 4 * depth {
            best(&mut found, depth);
            threshold = found.last().map_or(threshold, |last| last.1);
        }
    }
    best(&mut found, depth);
    found
}

/// Sorts best first, equal ones in document order, and cuts.
fn best(found: &mut Vec<(i64, f64)>, depth: usize) {
    found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found.truncate(depth);
}
