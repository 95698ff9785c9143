//! Stage 10: what only documents of one family have.

use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::stages::rubern_markup::Markup;
use serde::Serialize;
use serde_json::Value;
use shared::structure::DocumentType;
use stores::database::EstimatePosition;

/// What the family's own processing found. Lists of other families stay empty.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TypeSpecific {
    /// Positions of an estimate.
    pub positions: Vec<EstimatePosition>,
    /// Totals of an estimate as computed and as written; `None` for other documents.
    pub totals: Option<Value>,
    /// Differences and doubts, in Russian.
    pub issues: Vec<String>,
}

impl TypeSpecific {
    /// The counts for the stage's log line.
    pub fn summary(&self) -> String {
        format!("позиций {}", self.positions.len())
    }
}

/// Processes a document by its family.
pub fn type_specific(
    _rules: &Rules,
    _extracted: &Extracted,
    _markup: &Markup,
    _document_type: &DocumentType,
) -> TypeSpecific {
    TypeSpecific::default()
}
