//! Stage 12: the work graph and the cited norms are stored, counted by reading them back, and
//! kept as a JSON file beside.

use crate::services::Services;
use crate::stages::metadata::Metadata;
use crate::stages::rubern_markup::Markup;
use crate::stages::work_sequences::Sequences;
use crate::stop::Stop;
use crate::task::DocumentTask;
use serde_json::json;
use stores::database::{Graph, GraphCounts};

/// Stores the graph under the attempt.
///
/// # Errors
/// The store does not answer, counts other rows than were sent, or knows of a later attempt.
pub fn save_sequences(
    services: &Services,
    task: &DocumentTask,
    markup: &Markup,
    metadata: &Metadata,
    sequences: &Sequences,
) -> Result<GraphCounts, Stop> {
    let works = sequences.graph_works();
    let graph =
        Graph { works: &works, edges: &markup.dependencies, references: &metadata.references };
    let expected =
        [works.len(), graph.edges.len(), graph.references.len()].map(|count| count as u64);
    let counts = services.database.stage_graph(&task.attempt, graph).map_err(Stop::from_store)?;
    if [counts.works, counts.edges, counts.references] != expected {
        return Err(Stop::store(format!("сохранено {counts:?}, ожидалось {expected:?}")));
    }
    backup(services, task, sequences)?;
    Ok(counts)
}

/// Renamed into place when it is whole, so a crash never leaves half of it.
fn backup(services: &Services, task: &DocumentTask, sequences: &Sequences) -> Result<(), Stop> {
    let document = task.entry.document_id;
    let backup = json!({ "document": document, "path": task.entry.path, "sequences": sequences });
    let key = format!("work_sequences/{document}.json");
    let bytes = serde_json::to_vec_pretty(&backup).map_err(Stop::store)?;
    services.wait(services.blobs.put(&key, bytes)).map_err(Stop::from_store)
}
