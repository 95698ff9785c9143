//! Stage 11: works with predecessors, durations and the critical path.

use crate::rules::Rules;
use crate::stages::rubern_markup::Markup;
use crate::stages::type_specific::TypeSpecific;
use crate::works::critical_path::{Times, longest_chain, order, times};
use crate::works::duration::{Duration, Unit, shifts_a_day, stated};
use crate::works::lines::Texts;
use crate::works::name::{Names, normal_form, same_work, stems};
use crate::works::operations::Operation;
use serde::Serialize;
use serde_json::{Value, json};
use shared::structure::PageRange;
use std::collections::HashMap;
use stores::database::GraphWork;

/// The works of a document in their order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sequences {
    /// Ids of the works on the critical path, or on the longest chain while durations are unknown.
    pub critical_path: Vec<String>,
    /// Length of the critical path; `None` while a duration on it is unknown or is not in days.
    pub total_days: Option<f64>,
    /// Length of the critical path in `unit`; with unknown durations a lower bound.
    pub total: Option<f64>,
    /// What times are counted in; `None` when no duration is known.
    pub unit: Option<Unit>,
    /// All works, each after its predecessors.
    pub works: Vec<SequencedWork>,
    /// Bars of a Gantt chart, for works with a known duration.
    pub gantt: Vec<Bar>,
    /// What a person should know about the times, in Russian.
    pub notes: Vec<String>,
}

/// A work with everything that the document says about it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SequencedWork {
    /// Id in the graph.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Ids of the works that come directly before.
    pub predecessors: Vec<String>,
    /// From the text, a table or a norm of time; `None` when the document says nothing.
    pub duration: Option<Duration>,
    /// Materials, machines, men.
    pub resources: Resources,
    /// Title of its section.
    pub section: Option<String>,
    /// First and last page.
    pub pages: PageRange,
    /// Share of what is known about the work (order, duration, resources, section), 0..1.
    pub quality: f64,
    /// From the critical path method; `None` when no duration is known.
    pub times: Option<Times>,
    /// On the critical path or the longest chain.
    pub critical: bool,
}

/// What a work needs, as the document writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "plain words")]
pub struct Resources {
    pub materials: Vec<String>,
    pub machines: Vec<String>,
    pub crew: Vec<String>,
    pub labour: Option<String>,
    pub unit: Option<String>,
    pub quantity: Option<f64>,
}

/// A bar of a Gantt chart, in the unit of [`Sequences`] from the start of the works.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// Id of the work.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Earliest start.
    pub start: f64,
    /// Earliest finish.
    pub end: f64,
}

impl Sequences {
    /// The counts for the stage's log line.
    pub fn summary(&self) -> String {
        let known = self.works.iter().filter(|work| work.duration.is_some()).count();
        let mut summary = format!(
            "работ {}, с длительностью {known}, на критическом пути {}",
            self.works.len(),
            self.critical_path.len()
        );
        if let Some(days) = self.total_days {
            summary.push_str(&format!(", всего {days} дн."));
        }
        summary
    }

    /// The works as the store keeps them, one for every node of the graph.
    pub fn graph_works(&self) -> Vec<GraphWork> {
        let in_days = |duration: &Duration| (duration.unit == Unit::Day).then_some(duration.value);
        let work = |work: &SequencedWork| GraphWork {
            id: work.id.clone(),
            name: work.name.clone(),
            pages: work.pages,
            section: work.section.clone(),
            duration_days: work.duration.as_ref().and_then(in_days),
            properties: properties(work),
        };
        self.works.iter().map(work).collect()
    }
}

fn properties(work: &SequencedWork) -> Value {
    json!({
        "resources": work.resources,
        "duration": work.duration,
        "predecessors": work.predecessors,
        "quality": work.quality,
        "times": work.times,
        "critical": work.critical,
    })
}

/// Orders the works of the graph and counts their times.
pub fn work_sequences(rules: &Rules, markup: &Markup, specific: &TypeSpecific) -> Sequences {
    let place: HashMap<&str, usize> =
        markup.works.iter().enumerate().map(|(place, work)| (work.id.as_str(), place)).collect();
    let ends = |edge: &shared::structure::Dependency| {
        Some((*place.get(edge.from.as_str())?, *place.get(edge.to.as_str())?))
    };
    let edges: Vec<(usize, usize)> = markup.dependencies.iter().filter_map(ends).collect();
    let mut works: Vec<SequencedWork> = known_works(rules, markup, specific);
    for &(from, to) in &edges {
        let id = works[from].id.clone();
        works[to].predecessors.push(id);
    }
    let connected = |work: usize| edges.iter().any(|&(from, to)| from == work || to == work);
    for (index, work) in works.iter_mut().enumerate() {
        let known = [
            connected(index),
            work.duration.is_some(),
            work.resources != Resources::default(),
            work.section.is_some(),
        ];
        work.quality = known.iter().filter(|known| **known).count() as f64 / known.len() as f64;
    }
    let mut sequences = Sequences::default();
    schedule(&mut works, &edges, &mut sequences);
    let order = order(works.len(), &edges).unwrap_or_else(|| (0..works.len()).collect());
    let mut slots: Vec<Option<SequencedWork>> = works.into_iter().map(Some).collect();
    sequences.works = order.into_iter().filter_map(|index| slots.get_mut(index)?.take()).collect();
    sequences
}

/// Works with durations and resources from the text and the tables.
fn known_works(rules: &Rules, markup: &Markup, specific: &TypeSpecific) -> Vec<SequencedWork> {
    let texts = Texts {
        sections: &markup.sections,
        clauses: &markup.clauses,
        lists: &markup.lists,
        parts: &markup.parts,
    };
    let lines = texts.lines(rules.topic("works").rule("marker"));
    let whole: Vec<&str> = lines.iter().map(|line| line.text).collect();
    let shifts = shifts_a_day(rules, &whole.join("\n"));
    let rule = rules.topic("works").rule("duration");
    let names = Names::of(rules);
    let stated: Vec<(String, Duration)> = lines
        .iter()
        .filter_map(|line| {
            let duration = stated(rule, line.text)?;
            Some((normal_form(&own_name(rules, &names, line.text)), duration))
        })
        .collect();
    let operations: Vec<(Vec<String>, &Operation)> =
        specific.operations.iter().map(|operation| (stems(&operation.name), operation)).collect();
    let work = |work: &shared::structure::Work| {
        let form = normal_form(&work.name);
        let stems = stems(&work.name);
        let exact = operations.iter().find(|(other, _)| *other == stems);
        let row = exact.or_else(|| operations.iter().find(|(other, _)| same_work(other, &stems)));
        let row = row.map(|(_, operation)| *operation);
        let from_text =
            stated.iter().find(|(name, _)| *name == form).map(|(_, duration)| duration.clone());
        let duration = from_text.or_else(|| row.and_then(|row| row.duration.clone()));
        SequencedWork {
            id: work.id.clone(),
            name: work.name.clone(),
            duration: duration.map(|duration| in_days(duration, shifts)),
            resources: resources(row, &stems, specific),
            section: work
                .section
                .and_then(|index| markup.sections.get(index))
                .map(|section| section.title.clone()),
            pages: work.pages,
            ..SequencedWork::default()
        }
    };
    markup.works.iter().map(work).collect()
}

/// The name of the work that a line is about: of a stage the part behind its number.
fn own_name(rules: &Rules, names: &Names<'_>, text: &str) -> String {
    let stage = rules.topic("works").rule("stage").captures(text);
    let text = stage
        .as_ref()
        .and_then(|captures| captures.name("name"))
        .map_or(text, |name| name.as_str());
    let sentence = crate::works::lines::sentences(text).into_iter().next().unwrap_or(text);
    names.clean(sentence)
}

/// Shifts become days only when the document says how many make one.
fn in_days(duration: Duration, shifts_a_day: Option<f64>) -> Duration {
    match (duration.unit, shifts_a_day) {
        (Unit::Shift, Some(shifts)) => Duration {
            value: duration.value / shifts,
            unit: Unit::Day,
            source: format!("{} (смен в день: {shifts})", duration.source),
        },
        _ => duration,
    }
}

fn resources(
    row: Option<&Operation>,
    stems_of_work: &[String],
    specific: &TypeSpecific,
) -> Resources {
    let list = |cell: &Option<String>| cell.iter().cloned().collect::<Vec<_>>();
    let mut resources = row.map_or_else(Resources::default, |row| Resources {
        materials: list(&row.materials),
        machines: list(&row.machines),
        crew: list(&row.crew),
        labour: row.labour.clone(),
        unit: row.unit.clone(),
        quantity: row.quantity,
    });
    // A machine or a crew whose purpose names the work.
    let meant = |purpose: &Option<String>| {
        purpose.as_deref().is_some_and(|purpose| same_work(&stems(purpose), stems_of_work))
    };
    resources.machines.extend(
        specific
            .machines
            .iter()
            .filter(|machine| meant(&machine.purpose))
            .map(|machine| machine.title()),
    );
    resources
        .crew
        .extend(specific.crews.iter().filter(|crew| meant(&crew.purpose)).map(|crew| crew.title()));
    resources
}

/// The critical path over the known durations; the longest chain by count while some are unknown.
fn schedule(works: &mut [SequencedWork], edges: &[(usize, usize)], sequences: &mut Sequences) {
    let count = |unit: Unit| {
        works.iter().filter(|work| work.duration.as_ref().is_some_and(|d| d.unit == unit)).count()
    };
    let unit = [Unit::Day, Unit::Shift, Unit::Hour]
        .into_iter()
        .rev()
        .max_by_key(|unit| count(*unit))
        .filter(|unit| count(*unit) > 0);
    let value = |work: &SequencedWork| {
        work.duration.as_ref().filter(|d| Some(d.unit) == unit).map(|d| d.value)
    };
    let known: Vec<Option<f64>> = works.iter().map(value).collect();
    let unknown = known.iter().filter(|value| value.is_none()).count();
    let chain = if unknown == 0 {
        longest_chain(
            &known.iter().map(|value| value.unwrap_or_default()).collect::<Vec<_>>(),
            edges,
        )
    } else {
        longest_chain(&vec![1.0; works.len()], edges)
    };
    // A work alone is no chain while its duration is unknown.
    let chain = if unknown > 0 && edges.is_empty() { Vec::new() } else { chain };
    for &work in &chain {
        works[work].critical = true;
    }
    sequences.critical_path = chain.iter().map(|&work| works[work].id.clone()).collect();
    if works.is_empty() {
        return;
    }
    if unknown > 0 {
        sequences.notes.push(format!(
            "длительность неизвестна у {unknown} из {} работ: вместо критического пути — самая длинная цепочка по числу работ ({})",
            works.len(),
            chain.len()
        ));
    }
    let Some(unit) = unit else { return };
    sequences.unit = Some(unit);
    let values: Vec<f64> = known.iter().map(|value| value.unwrap_or(0.0)).collect();
    let Some(times) = times(&values, edges) else { return };
    let total: f64 = times.iter().map(|time| time.early_finish).fold(0.0, f64::max);
    // Hundredths: sums of floats must not show their noise.
    let total = (total * 100.0).round() / 100.0;
    if unknown > 0 {
        sequences.notes.push(format!(
            "сроки посчитаны только по известным длительностям: не менее {total} {}",
            unit.name()
        ));
    }
    sequences.total = Some(total);
    sequences.total_days = (unknown == 0 && unit == Unit::Day).then_some(total);
    for ((work, time), known) in works.iter_mut().zip(&times).zip(&known) {
        work.times = Some(*time);
        if known.is_some() {
            let bar = Bar {
                id: work.id.clone(),
                name: work.name.clone(),
                start: time.early_start,
                end: time.early_finish,
            };
            sequences.gantt.push(bar);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::work_sequences;
    use crate::rules::Rules;
    use crate::stages::rubern_markup::{Markup, Part, Passage};
    use crate::stages::type_specific::TypeSpecific;
    use crate::works::duration::Unit;
    use crate::works::operations::Operation;
    use shared::structure::{Dependency, Work};

    fn markup(names: &[&str], edges: &[(usize, usize)], text: &str) -> Markup {
        let work = |(place, name): (usize, &&str)| Work {
            id: format!("w{place}"),
            name: (*name).to_owned(),
            pages: [1, 1],
            section: None,
        };
        let edge = |&(from, to): &(usize, usize)| Dependency {
            from: format!("w{from}"),
            to: format!("w{to}"),
            ..Dependency::default()
        };
        Markup {
            works: names.iter().enumerate().map(work).collect(),
            dependencies: edges.iter().map(edge).collect(),
            parts: vec![Part::Passage(Passage {
                text: text.to_owned(),
                section: None,
                pages: [1, 1],
            })],
            ..Markup::default()
        }
    }

    #[test]
    fn durations_of_stages_make_a_critical_path() {
        let text = "Этап 1. Рытьё рва. Продолжительность 5 дней.\nЭтап 2. Отсыпка дна. Продолжительность 2 дня.\nЭтап 3. Укладка труб. Продолжительность 1 неделя.";
        let markup = markup(&["Рытьё рва", "Отсыпка дна", "Укладка труб"], &[(0, 1), (0, 2)], text);
        let found = work_sequences(Rules::shipped(), &markup, &TypeSpecific::default());
        assert_eq!(found.critical_path, ["w0", "w2"]);
        assert_eq!((found.total_days, found.unit), (Some(12.0), Some(Unit::Day)));
        assert_eq!(found.works[1].times.unwrap().slack, 5.0);
        assert_eq!(found.gantt[2].start, 5.0);
        assert_eq!(found.graph_works()[0].duration_days, Some(5.0));
        assert!(found.notes.is_empty());
    }

    #[test]
    fn unknown_durations_are_said_and_not_invented() {
        let markup = markup(&["Рытьё рва", "Отсыпка дна", "Укладка труб"], &[(0, 1), (1, 2)], "");
        let found = work_sequences(Rules::shipped(), &markup, &TypeSpecific::default());
        assert_eq!(found.critical_path, ["w0", "w1", "w2"]);
        assert_eq!((found.total_days, found.total, found.gantt.len()), (None, None, 0));
        assert!(found.notes[0].contains("3 из 3"));
        assert_eq!(found.graph_works().len(), 3);
        assert_eq!(found.works[2].predecessors, ["w1"]);
    }

    #[test]
    fn shifts_are_days_only_where_the_text_says_so() {
        let duration =
            Some(super::Duration { value: 4.0, unit: Unit::Shift, source: String::new() });
        let operation =
            Operation { name: "Рытьё рва".to_owned(), duration, ..Operation::default() };
        let specific = TypeSpecific { operations: vec![operation], ..TypeSpecific::default() };
        let silent =
            work_sequences(Rules::shipped(), &markup(&["Рытьё рва"], &[], "Ров сухой."), &specific);
        assert_eq!(
            (silent.total_days, silent.total, silent.unit),
            (None, Some(4.0), Some(Unit::Shift))
        );
        let said = work_sequences(
            Rules::shipped(),
            &markup(&["Рытьё рва"], &[], "Работают в две смены."),
            &specific,
        );
        assert_eq!(said.total_days, Some(2.0));
    }
}
