//! Measures search on corpora in BEIR layout (corpus.jsonl, queries.jsonl, qrels.tsv).
//!
//! `cargo run --release -p stores --example retrieval -- FOLDER… [--model DIR] [--cache DIR]`
//!
//! Each corpus is indexed as documents and chunks through the public interface, then every query
//! with a judgement is answered in each mode. The modes take turns query by query, so that a
//! busy machine slows all of them alike. Printed: nDCG@10, MRR@10, recall@10, and milliseconds
//! per query. With `--speed` the embedder's tokens per second are measured too.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use shared::chunk::{Chunk, ChunkKind};
use shared::job::Location;
use shared::outcome::Outcome;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use stores::database::{Artifacts, DocumentRecord, EmbeddedChunks};
use stores::search::{Filters, Mode, SearchRequest, search};
use stores::{Database, Embedder};
use uuid::Uuid;

fn main() -> Result<()> {
    let mut folders = Vec::new();
    let mut model = None;
    let mut cache = None;
    let mut speed = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--model" => model = arguments.next().map(PathBuf::from),
            "--cache" => cache = arguments.next().map(PathBuf::from),
            "--speed" => speed = true,
            _ => folders.push(PathBuf::from(argument)),
        }
    }
    let embedder = model.as_deref().map(|folder| Embedder::load(folder, 1)).transpose()?;
    if let (true, Some(embedder)) = (speed, &embedder) {
        measure_speed(embedder)?;
    }
    let temporary = std::env::temp_dir().join(format!("ragtrain-retrieval-{}", std::process::id()));
    let data = cache.clone().unwrap_or_else(|| temporary.clone());
    let result = folders.iter().try_for_each(|folder| measure(folder, &data, embedder.as_ref()));
    if cache.is_none() && temporary.exists() {
        std::fs::remove_dir_all(&temporary)?;
    }
    result
}

struct Query {
    text: String,
    relevant: Vec<String>,
}

fn measure(folder: &Path, data: &Path, embedder: Option<&Embedder>) -> Result<()> {
    let database = Database::open(data)?;
    let collection = folder.file_name().and_then(|name| name.to_str()).context("folder name")?;
    let started = Instant::now();
    let ids = index(&database, folder, collection, embedder)?;
    println!(
        "{collection}: {} chunks indexed in {:.1} s",
        ids.len(),
        started.elapsed().as_secs_f64()
    );
    let queries = read_queries(folder)?;
    let mut modes = vec![Mode::Bm25];
    if embedder.is_some() {
        modes.extend([Mode::Dense, Mode::Hybrid]);
    }
    let mut totals: Vec<(f64, f64, f64, Duration)> = vec![Default::default(); modes.len()];
    for query in &queries {
        for (mode, total) in modes.iter().zip(&mut totals) {
            let filters = Filters { collection: Some(collection.to_owned()), ..Filters::default() };
            let request = SearchRequest {
                query: query.text.clone(),
                k: 10,
                mode: *mode,
                filters,
                explain: false,
            };
            let started = Instant::now();
            let answer = search(&database, embedder, &request)?;
            total.3 += started.elapsed();
            let found: Vec<&str> = answer
                .results
                .iter()
                .filter_map(|hit| ids.get(&(hit.document.name.clone(), hit.address.clone())))
                .map(String::as_str)
                .collect();
            let place = |id: &String| found.iter().position(|found| found == id);
            let gains: f64 = query
                .relevant
                .iter()
                .filter_map(place)
                .map(|at| 1.0 / (at as f64 + 2.0).log2())
                .sum();
            let ideal: f64 =
                (0..query.relevant.len().min(10)).map(|at| 1.0 / (at as f64 + 2.0).log2()).sum();
            let first = query.relevant.iter().filter_map(place).min();
            let hits = query.relevant.iter().filter_map(place).count();
            total.0 += gains / ideal;
            total.1 += first.map_or(0.0, |at| 1.0 / (at as f64 + 1.0));
            total.2 += hits as f64 / query.relevant.len() as f64;
        }
    }
    let count = queries.len() as f64;
    println!(
        "{:8} {:>8} {:>8} {:>10} {:>10}",
        "mode", "nDCG@10", "MRR@10", "recall@10", "ms/query"
    );
    for (mode, (ndcg, mrr, recall, time)) in modes.iter().zip(totals) {
        println!(
            "{:8} {:8.3} {:8.3} {:10.3} {:10.2}   ({} queries)",
            format!("{mode:?}").to_lowercase(),
            ndcg / count,
            mrr / count,
            recall / count,
            time.as_secs_f64() * 1000.0 / count,
            queries.len()
        );
    }
    Ok(())
}

/// Makes one document of all entries with one title; answers ids by (document name, address).
fn index(
    database: &Database,
    folder: &Path,
    collection: &str,
    embedder: Option<&Embedder>,
) -> Result<HashMap<(String, String), String>> {
    let mut documents: BTreeMap<String, Vec<Chunk>> = BTreeMap::new();
    let mut ids = HashMap::new();
    for entry in read_lines(&folder.join("corpus.jsonl"))? {
        let field = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, text) = (field("_id"), field("text"));
        let (document, address) = id.split_once('#').unwrap_or((collection, id));
        let (kind, address) = match address.strip_prefix("T:") {
            Some(caption) => (ChunkKind::Table, table_address(caption)),
            None => (ChunkKind::Clause, address.to_owned()),
        };
        let chunks = documents.entry(document.to_owned()).or_default();
        let mut unique = address.clone();
        while ids.contains_key(&(document.to_owned(), unique.clone())) {
            unique.push('\'');
        }
        ids.insert((document.to_owned(), unique.clone()), id.to_owned());
        chunks.push(Chunk {
            ordinal: u32::try_from(chunks.len())?,
            kind,
            address: unique,
            path: vec![],
            pages: [1, 1],
            text: text.to_owned(),
            table: None,
            caption: None,
            cited: vec![],
        });
    }
    for (name, chunks) in documents {
        let id = shared::identity::document_id(collection, &name);
        if database.document(id)?.is_some() {
            continue;
        }
        let texts: Vec<String> = chunks.iter().map(Chunk::indexed_text).collect();
        let vectors = match embedder {
            Some(embedder) => Some(database.embed_passages(embedder, &texts, &|| true)?.vectors),
            None => None,
        };
        let attempt = database.begin(id, collection, Uuid::nil(), 1)?;
        let vectors = embedder.zip(vectors.as_deref()).map(|(e, v)| (e.model_id(), v));
        database.stage_chunks(&attempt, EmbeddedChunks { chunks: &chunks, vectors })?;
        database.switch(&attempt, &record(&name), &Artifacts::default())?;
    }
    Ok(ids)
}

fn table_address(caption: &str) -> String {
    caption.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn record(name: &str) -> DocumentRecord {
    DocumentRecord {
        name: name.to_owned(),
        path: name.to_owned(),
        location: Location::File(name.to_owned()),
        sha256: name.to_owned(),
        outcome: Outcome::Completed,
        family: "norms".to_owned(),
        subtype: String::new(),
        category: "construction".to_owned(),
        designation: Some(name.to_owned()),
        norm_id: Some(name.to_owned()),
        title: None,
        status: None,
        pages: 1,
        paginated: true,
        quality: None,
        replaces: vec![],
    }
}

fn read_queries(folder: &Path) -> Result<Vec<Query>> {
    let judgements = std::fs::read_to_string(folder.join("qrels.tsv"))?;
    let mut relevant: HashMap<&str, Vec<String>> = HashMap::new();
    for line in judgements.lines().skip(1) {
        let mut fields = line.split('\t');
        if let (Some(query), Some(document), Some("1")) =
            (fields.next(), fields.next(), fields.next())
        {
            relevant.entry(query).or_default().push(document.to_owned());
        }
    }
    let mut queries = Vec::new();
    for line in read_lines(&folder.join("queries.jsonl"))? {
        let field = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        if let Some(relevant) = relevant.remove(field("_id")) {
            queries.push(Query { text: field("text").to_owned(), relevant });
        }
    }
    if queries.is_empty() {
        bail!("no query in {} has a judgement", folder.display());
    }
    Ok(queries)
}

fn read_lines(file: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Tokens per second of wall time and of CPU time, one passage at a time on one thread.
fn measure_speed(embedder: &Embedder) -> Result<()> {
    let sentence = "Работы по водопонижению начинают до разработки котлована и ведут непрерывно. ";
    for repeats in [1, 4, 12, 24] {
        let text = sentence.repeat(repeats);
        let tokens = embedder.count_tokens(&text);
        embedder.embed_passages(&[&text])?;
        let passes = 3000 / tokens.max(1) + 1;
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        for _ in 0..passes {
            embedder.embed_passages(&[&text])?;
        }
        let total = (tokens * passes) as f64;
        println!(
            "{tokens:4} tokens a text: {:6.0} tokens/s of wall time, {:6.0} tokens/CPU-second",
            total / wall.elapsed().as_secs_f64(),
            total / (cpu_seconds() - cpu)
        );
    }
    Ok(())
}

/// CPU time of this process in seconds (Linux counts in hundredths).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
