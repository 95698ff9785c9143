//! Stage 10: what only documents of one family have.

use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::stages::rubern_markup::Markup;
use crate::works::evidence;
use crate::works::lines::Texts;
use crate::works::operations::{Operation, operations};
use serde::Serialize;
use serde_json::Value;
use shared::structure::{DocumentType, PageRange};
use stores::database::EstimatePosition;

mod decimal;
mod education;
mod estimate;
mod project;
mod requirements;
mod specification;

pub use education::Exercise;
pub use project::Resource;
pub use requirements::{ApprovingAct, Limit, Requirement, Term};
pub use specification::{SpecificationRow, TitleBlock};

/// What the family's own processing found. Lists of other families stay empty.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TypeSpecific {
    /// Positions of an estimate.
    pub positions: Vec<EstimatePosition>,
    /// Totals of an estimate as computed and as written; `None` for other documents.
    pub totals: Option<Value>,
    /// Requirements of a norm.
    pub requirements: Vec<Requirement>,
    /// Terms of a norm with their definitions.
    pub terms: Vec<Term>,
    /// The act that approved a norm, split off from it.
    pub approving_act: Option<ApprovingAct>,
    /// Numbered stages of a work project.
    pub stages: Vec<ProjectStage>,
    /// Operations of process charts and calculations of labour.
    pub operations: Vec<Operation>,
    /// Machines and equipment.
    pub machines: Vec<Resource>,
    /// Crews and workers.
    pub crews: Vec<Resource>,
    /// Rows of specifications of drawings.
    pub specification: Vec<SpecificationRow>,
    /// The title block of a drawing.
    pub title_block: Option<TitleBlock>,
    /// Examples, tasks and questions with their answers.
    pub exercises: Vec<Exercise>,
    /// Differences and doubts, in Russian.
    pub issues: Vec<String>,
}

/// A numbered stage of a work project.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProjectStage {
    /// As written.
    pub number: String,
    /// Name of the work.
    pub name: String,
    /// The whole line.
    pub text: String,
    /// First and last page.
    pub pages: PageRange,
}

impl TypeSpecific {
    /// The counts for the stage's log line: those of the lists that hold something.
    pub fn summary(&self) -> String {
        let counts = [
            ("позиций", self.positions.len()),
            ("требований", self.requirements.len()),
            ("терминов", self.terms.len()),
            ("этапов", self.stages.len()),
            ("операций", self.operations.len()),
            ("машин", self.machines.len()),
            ("звеньев", self.crews.len()),
            ("строк спецификации", self.specification.len()),
            ("примеров и задач", self.exercises.len()),
            ("расхождений", self.issues.len()),
        ];
        let said: Vec<String> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if said.is_empty() {
            "особых данных нет".to_owned()
        } else {
            said.join(", ")
        }
    }
}

/// Processes a document by its family.
pub fn type_specific(
    rules: &Rules,
    extracted: &Extracted,
    markup: &Markup,
    document_type: &DocumentType,
) -> TypeSpecific {
    let mut found = TypeSpecific::default();
    match document_type.family.as_str() {
        "norms" => {
            found.approving_act = requirements::approving_act(rules, markup);
            let start = found.approving_act.as_ref().map_or(0, |act| act.parts);
            found.requirements = requirements::requirements(rules, markup, start);
            found.terms = requirements::terms(rules, markup);
        }
        "ppr" => {
            found.stages = stages(rules, markup);
            let tables = markup.tables.iter().enumerate();
            found.operations =
                tables.flat_map(|(index, table)| operations(rules, index, table)).collect();
            (found.machines, found.crews) = project::resources(rules, markup);
        }
        "smeta" => estimate::estimate(rules, extracted, markup, &mut found),
        "rd" => {
            found.specification = specification::rows(rules, markup);
            found.title_block = specification::title_block(rules, extracted);
        }
        "educational" => found.exercises = education::exercises(rules, markup),
        _ => {}
    }
    found
}

fn stages(rules: &Rules, markup: &Markup) -> Vec<ProjectStage> {
    let lines = texts(markup).lines(rules.topic("works").rule("marker"));
    let steps = evidence::stages(rules, &lines).into_iter().flat_map(|run| run.steps);
    steps
        .map(|step| ProjectStage {
            number: step.number,
            name: step.name,
            text: step.written,
            pages: step.pages,
        })
        .collect()
}

/// The text of stage 7.
fn texts(markup: &Markup) -> Texts<'_> {
    Texts {
        sections: &markup.sections,
        clauses: &markup.clauses,
        lists: &markup.lists,
        parts: &markup.parts,
    }
}
