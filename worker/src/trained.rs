//! Everything that the switch of a version makes visible at once: the document's record and its
//! artifacts.

use crate::embedding::Chunked;
use crate::reading::reading;
use crate::run::StageTime;
use crate::stages::document_type::category;
use crate::stages::duplicate_check::Fingerprint;
use crate::stages::metadata::Metadata;
use crate::stages::quality_control::Quality;
use crate::stages::rubern_markup::Markup;
use crate::stages::text_extraction::Reading;
use crate::stages::type_specific::TypeSpecific;
use crate::stages::work_sequences::Sequences;
use crate::task::DocumentTask;
use crate::works::export;
use serde::Serialize;
use serde_json::json;
use shared::outcome::{Code, Outcome};
use shared::structure::{DocumentType, Structure};
use stores::database::{Artifacts, DocumentRecord};

/// What the stages found out about a document.
pub struct Found {
    /// Stage 3.
    pub extracted: Reading,
    /// Stage 4.
    pub kind: DocumentType,
    /// Stage 7.
    pub markup: Markup,
    /// Stage 8.
    pub metadata: Metadata,
    /// Stage 9.
    pub quality: Quality,
    /// Stage 10.
    pub specific: TypeSpecific,
    /// Stage 11.
    pub sequences: Sequences,
}

/// A trained document.
pub struct Trained {
    /// Its row.
    pub record: DocumentRecord,
    /// What belongs to its version; the report is still open.
    pub artifacts: Artifacts,
    report: serde_json::Value,
    /// The first warning with a code, for the document's event.
    pub code: Option<Code>,
    /// That warning for people.
    pub message: Option<String>,
    /// Everything a person should know, in Russian.
    pub issues: Vec<String>,
    /// How many chunks are searchable.
    pub chunks: u64,
}

impl Found {
    /// Puts the record and the artifacts together.
    pub fn into_trained(
        self,
        task: &DocumentTask,
        digest: &Fingerprint,
        chunked: &Chunked,
        stages: &[StageTime],
    ) -> Trained {
        let issues = self.issues();
        let warnings = &self.extracted.extracted.warnings;
        let coded = warnings.iter().find(|(code, _)| code.is_some());
        let code = coded.and_then(|(code, _)| *code);
        let message = coded
            .map(|(_, message)| message.clone())
            .or_else(|| warnings.first().map(|(_, message)| message.clone()))
            .or_else(|| self.quality.warns().then(|| self.low_quality()));
        let warned = !warnings.is_empty() || self.quality.warns();
        let outcome = if warned { Outcome::CompletedWithWarnings } else { Outcome::Completed };
        let chunks = chunked.chunks.len() as u64;
        let report = json!({
            "outcome": outcome,
            "code": code,
            "sha256": digest.sha256,
            "stages": stages,
            "quality": self.quality,
            "dropped_seeds": self.markup.dropped_seeds.iter()
                .map(|seed| json!({ "text": seed.text, "reason": seed.reason })).collect::<Vec<_>>(),
            "issues": issues,
            "chunks": chunks,
            "vectors": chunked.embedding.as_ref().map(|made| made.vectors.len()),
        });
        let record = self.record(task, digest, outcome);
        let artifacts = self.artifacts();
        Trained { record, artifacts, report, code, message, issues, chunks }
    }

    fn issues(&self) -> Vec<String> {
        let reading = &self.extracted.extracted;
        let of_file = reading.warnings.iter().map(|(_, message)| message.clone());
        let of_pages = reading.pages.iter().flat_map(|page| {
            page.warnings.iter().map(move |warning| format!("с. {}: {warning}", page.number))
        });
        of_file
            .chain(of_pages)
            .chain(self.quality.issues.iter().cloned())
            .chain(self.markup.issues.iter().cloned())
            .chain(self.specific.issues.iter().cloned())
            .collect()
    }

    fn low_quality(&self) -> String {
        format!(
            "качество разбора {} из 100: {}",
            self.quality.score.round(),
            self.quality.issues.join("; ")
        )
    }

    fn record(
        &self,
        task: &DocumentTask,
        digest: &Fingerprint,
        outcome: Outcome,
    ) -> DocumentRecord {
        let metadata = &self.metadata;
        DocumentRecord {
            name: task.entry.name.clone(),
            path: task.entry.path.clone(),
            location: task.entry.location.clone(),
            sha256: digest.sha256.clone(),
            outcome,
            family: self.kind.family.clone(),
            subtype: self.kind.subtype.clone(),
            category: category(&self.kind.family).to_owned(),
            designation: metadata.designation.as_ref().map(|found| found.value.clone()),
            norm_id: metadata.norm_id.clone(),
            title: metadata.title.as_ref().map(|found| found.value.clone()),
            status: metadata.status.as_ref().map(|found| found.value.clone()),
            pages: u64::from(self.extracted.extracted.page_count),
            paginated: self.extracted.extracted.paginated(),
            quality: Some(self.quality.score.round().clamp(0.0, 100.0) as u8),
            replaces: metadata.replaces.iter().map(|found| found.value.id.clone()).collect(),
        }
    }

    fn artifacts(self) -> Artifacts {
        let text = self.extracted.extracted.text();
        let reading = encoded(&reading(&self.extracted.extracted, &self.markup));
        let graph = export::json(&self.markup.works, &self.markup.dependencies);
        let mermaid = export::mermaid(&self.markup.works, &self.markup.dependencies);
        let graphml = export::graphml(&self.markup.works, &self.markup.dependencies);
        let estimate = self.specific.totals.as_ref().map(ToString::to_string);
        let positions = self.specific.positions.clone();
        let (sequences, type_specific) = (encoded(&self.sequences), encoded(&self.specific));
        let metadata = encoded(&self.metadata);
        let structure = Structure {
            document_type: self.kind,
            designation: self.metadata.designation.map(|found| found.value),
            title: self.metadata.title.map(|found| found.value),
            status: self.metadata.status.map(|found| found.value),
            sections: self.markup.sections,
            clauses: self.markup.clauses,
            tables: self.markup.tables,
            references: self.metadata.references,
            works: self.markup.works,
            dependencies: self.markup.dependencies,
        };
        Artifacts {
            text,
            reading,
            structure: encoded(&structure),
            rubern: self.markup.rubern,
            graph,
            mermaid,
            graphml,
            report: String::new(),
            sequences,
            metadata,
            type_specific,
            estimate,
            positions,
        }
    }
}

impl Trained {
    /// Adds the stage that is about to switch the version in, and closes the report.
    pub fn close_report(&mut self, last: &StageTime) {
        if let Some(stages) = self.report["stages"].as_array_mut() {
            stages.push(json!(last));
        }
        self.artifacts.report = self.report.to_string();
    }
}

/// Types made of strings, numbers and lists always become JSON.
fn encoded(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
