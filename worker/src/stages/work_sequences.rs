//! Stage 11: works with predecessors, durations and the critical path.

use crate::rules::Rules;
use crate::stages::rubern_markup::Markup;
use crate::stages::type_specific::TypeSpecific;
use serde::Serialize;
use stores::database::GraphWork;

/// The works of a document in their order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sequences {
    /// Ids of the works on the critical path, or on the longest chain while durations are unknown.
    pub critical_path: Vec<String>,
    /// Length of the critical path; `None` while a duration on it is unknown.
    pub total_days: Option<f64>,
}

impl Sequences {
    /// The counts for the stage's log line.
    pub fn summary(&self) -> String {
        format!("работ на критическом пути {}", self.critical_path.len())
    }

    /// The works as the store keeps them.
    pub fn graph_works(&self) -> Vec<GraphWork> {
        Vec::new()
    }
}

/// Orders the works of the graph.
pub fn work_sequences(_rules: &Rules, _markup: &Markup, _specific: &TypeSpecific) -> Sequences {
    Sequences::default()
}
