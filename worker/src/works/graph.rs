//! Puts works and dependencies together and breaks cycles.

use super::evidence::{self, Sequence};
use super::lines::Texts;
use super::name::{Names, normal_form, same_work, stems};
use super::operations::{Operation, is_ordered, operations};
use crate::rules::Rules;
use crate::stages::rubern_markup::DroppedSeed;
use crate::stages::work_candidates::WorkCandidate;
use crate::structure::body::Body;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use shared::structure::{Dependency, DocumentType, PageRange, Work};
use std::collections::{HashMap, HashSet};

/// The work graph of a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkGraph {
    /// The nodes, «w1», «w2» … in the order in which the document names them.
    pub works: Vec<Work>,
    /// The edges, at most one between two works; there is no cycle.
    pub dependencies: Vec<Dependency>,
    /// Seeds that are no works.
    pub dropped_seeds: Vec<DroppedSeed>,
    /// Cycles that were broken, in Russian.
    pub issues: Vec<String>,
}

/// How sure an edge is; of a cycle the weakest edge goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// The order of rows in a chart of operations.
    Table,
    /// The order of items of a list that says that it is a sequence.
    List,
    /// The numbers of stages.
    Stage,
    /// A phrase.
    Phrase,
}

#[derive(Clone, Debug)]
struct Edge {
    evidence: String,
    pages: PageRange,
    strength: Strength,
    order: usize,
}

/// Builds the work graph of a document.
pub fn graph(
    rules: &Rules,
    body: &Body,
    seeds: &[WorkCandidate],
    kind: &DocumentType,
) -> WorkGraph {
    let texts = Texts {
        sections: &body.sections,
        clauses: &body.clauses,
        lists: &body.lists,
        parts: &body.parts,
    };
    let lines = texts.lines(rules.topic("works").rule("marker"));
    let mut builder = Builder::default();
    let project = kind.family == "ppr";
    if project {
        for run in evidence::stages(rules, &lines) {
            builder.add_sequence(&run, Strength::Stage);
        }
    }
    for sequence in evidence::sequences(rules, &lines) {
        builder.add_sequence(&sequence, Strength::List);
    }
    if project {
        for (index, table) in body.tables.iter().enumerate() {
            let rows = operations(rules, index, table);
            builder.add_table(&rows, is_ordered(rules, table, &body.sections), table.section);
        }
    }
    let dropped_seeds = builder.add_seeds(rules, seeds, kind, body);
    for phrase in evidence::phrases(rules, &lines) {
        let later = builder.mentioned(&phrase.later, phrase.section, phrase.pages);
        for earlier in &phrase.earlier {
            let earlier = builder.mentioned(earlier, phrase.section, phrase.pages);
            builder.add_edge(earlier, later, &phrase.evidence, phrase.pages, Strength::Phrase);
        }
    }
    builder.finish(dropped_seeds)
}

#[derive(Debug, Default)]
struct Builder {
    graph: DiGraph<Work, Edge>,
    /// Stems of the names, by node.
    stems: Vec<Vec<String>>,
    /// Nodes by the section that they belong to alone, and their normal form.
    known: HashMap<(Option<usize>, String), NodeIndex>,
    /// Nodes of one section alone: phrases and other lists do not mean them.
    own: HashSet<NodeIndex>,
    edges: usize,
}

impl Builder {
    fn new_node(
        &mut self,
        name: &str,
        section: Option<usize>,
        pages: PageRange,
        scope: Option<usize>,
    ) -> NodeIndex {
        let id = format!("w{}", self.graph.node_count() + 1);
        let node = self.graph.add_node(Work { id, name: name.to_owned(), pages, section });
        self.stems.push(stems(name));
        self.known.entry((scope, normal_form(name))).or_insert(node);
        if scope.is_some() {
            self.own.insert(node);
        }
        node
    }

    /// The one node among the first `among` that means the same work as a name.
    fn same(&self, name: &str, among: usize, taken: &[NodeIndex]) -> Option<NodeIndex> {
        let wanted = stems(name);
        let nodes = self.graph.node_indices().take(among);
        let mut same = nodes.filter(|node| {
            !self.own.contains(node)
                && !taken.contains(node)
                && same_work(&self.stems[node.index()], &wanted)
        });
        let first = same.next()?;
        same.next().is_none().then_some(first)
    }

    /// The node that a sentence mentions, or a new one.
    fn mentioned(&mut self, name: &str, section: Option<usize>, pages: PageRange) -> NodeIndex {
        if let Some(node) = self.known.get(&(None, normal_form(name))) {
            return *node;
        }
        let among = self.graph.node_count();
        self.same(name, among, &[]).unwrap_or_else(|| self.new_node(name, section, pages, None))
    }

    /// The node of an item of a list: an item may mean a work of another list, never one of its own.
    fn listed(
        &mut self,
        name: &str,
        section: Option<usize>,
        pages: PageRange,
        among: usize,
        taken: &[NodeIndex],
    ) -> NodeIndex {
        let exact = self.known.get(&(None, normal_form(name))).filter(|node| !taken.contains(node));
        let found = exact.copied().or_else(|| self.same(name, among, taken));
        found.unwrap_or_else(|| self.new_node(name, section, pages, None))
    }

    fn add_sequence(&mut self, sequence: &Sequence, strength: Strength) {
        let among = self.graph.node_count();
        let mut nodes: Vec<NodeIndex> = Vec::new();
        for step in &sequence.steps {
            let node = if sequence.own {
                self.new_node(
                    &step.name,
                    step.section,
                    step.pages,
                    step.section.or(Some(usize::MAX)),
                )
            } else {
                self.listed(&step.name, step.section, step.pages, among, &nodes)
            };
            nodes.push(node);
        }
        for (place, pair) in nodes.windows(2).enumerate() {
            let (earlier, later) = (&sequence.steps[place], &sequence.steps[place + 1]);
            let evidence = match strength {
                Strength::Stage => format!(
                    "Этап {}. {} → Этап {}. {}",
                    earlier.number, earlier.name, later.number, later.name
                ),
                _ => format!("{} {} → {}", sequence.lead, earlier.written, later.written),
            };
            let pages = [earlier.pages[0], later.pages[1]];
            self.add_edge(pair[0], pair[1], &evidence, pages, strength);
        }
    }

    fn add_table(&mut self, rows: &[Operation], ordered: bool, section: Option<usize>) {
        let among = self.graph.node_count();
        let mut nodes: Vec<NodeIndex> = Vec::new();
        for row in rows {
            let node = self.listed(&row.name, section, row.pages, among, &nodes);
            nodes.push(node);
        }
        let said: Vec<(usize, &str)> = rows
            .iter()
            .enumerate()
            .filter_map(|(place, row)| Some((place, row.predecessors.as_deref()?)))
            .collect();
        for &(place, predecessors) in &said {
            for number in
                predecessors.split([',', ';', ' ']).map(|number| number.trim_end_matches('.'))
            {
                let earlier = rows.iter().position(|row| {
                    !number.is_empty() && row.number.trim_end_matches('.') == number
                });
                let Some(earlier) = earlier else { continue };
                let evidence = format!("{}: предшествуют {predecessors}", rows[place].name);
                self.add_edge(
                    nodes[earlier],
                    nodes[place],
                    &evidence,
                    rows[place].pages,
                    Strength::Phrase,
                );
            }
        }
        if !ordered || !said.is_empty() {
            return;
        }
        for (pair, rows) in nodes.windows(2).zip(rows.windows(2)) {
            let name = |row: &Operation| format!("{} {}", row.number, row.name).trim().to_owned();
            let evidence =
                format!("порядок операций в таблице: {} → {}", name(&rows[0]), name(&rows[1]));
            self.add_edge(pair[0], pair[1], &evidence, rows[0].pages, Strength::Table);
        }
    }

    /// Seeds become nodes where they are works; the others are dropped with the reason.
    fn add_seeds(
        &mut self,
        rules: &Rules,
        seeds: &[WorkCandidate],
        kind: &DocumentType,
        body: &Body,
    ) -> Vec<DroppedSeed> {
        let names = Names::of(rules);
        let mut dropped = Vec::new();
        for seed in seeds {
            let reason = match kind.family.as_str() {
                _ if seed.rule == "resource" => "ресурс, а не работа",
                "smeta" if seed.rule == "rate" => "",
                "norms" if !seed.rule.starts_with("work") => "требование нормы, а не работа",
                "educational" => "пример или задача, а не работа",
                "rd" => "изделие или элемент, а не работа",
                _ if names.is_work(&seed.text) => "",
                _ => "не названо действие",
            };
            if !reason.is_empty() {
                dropped.push(DroppedSeed { text: seed.text.clone(), reason: reason.to_owned() });
                continue;
            }
            let name = names.clean(&seed.text);
            let section = seed.section.filter(|section| *section < body.sections.len());
            self.mentioned(&name, section, seed.pages);
        }
        dropped
    }

    fn add_edge(
        &mut self,
        from: NodeIndex,
        to: NodeIndex,
        evidence: &str,
        pages: PageRange,
        strength: Strength,
    ) {
        if from == to {
            return;
        }
        self.edges += 1;
        let edge = Edge { evidence: evidence.to_owned(), pages, strength, order: self.edges };
        match self.graph.find_edge(from, to) {
            Some(known) if self.graph[known].strength >= strength => {}
            Some(known) => self.graph[known] = edge,
            None => {
                self.graph.add_edge(from, to, edge);
            }
        }
    }

    fn finish(mut self, dropped_seeds: Vec<DroppedSeed>) -> WorkGraph {
        let issues = self.break_cycles();
        let mut edges: Vec<_> = self.graph.edge_references().collect();
        edges.sort_by_key(|edge| edge.weight().order);
        let id = |node: NodeIndex| self.graph[node].id.clone();
        let dependency = |edge: &petgraph::graph::EdgeReference<'_, Edge>| Dependency {
            from: id(edge.source()),
            to: id(edge.target()),
            evidence: edge.weight().evidence.clone(),
            pages: edge.weight().pages,
        };
        let dependencies = edges.iter().map(dependency).collect();
        let works = self.graph.node_weights().cloned().collect();
        WorkGraph { works, dependencies, dropped_seeds, issues }
    }

    /// Removes the weakest, then the latest edge of every cycle.
    fn break_cycles(&mut self) -> Vec<String> {
        let mut issues = Vec::new();
        while let Some(weakest) = self.weakest_of_a_cycle() {
            if let Some((from, to)) = self.graph.edge_endpoints(weakest) {
                issues.push(format!(
                    "работы зависят друг от друга по кругу; связь «{}» → «{}» отброшена: {}",
                    self.graph[from].name, self.graph[to].name, self.graph[weakest].evidence
                ));
            }
            // The last edge takes the index of the removed one; nothing holds indices here.
            self.graph.remove_edge(weakest);
        }
        issues
    }

    fn weakest_of_a_cycle(&self) -> Option<EdgeIndex> {
        let components = tarjan_scc(&self.graph);
        let cycle: HashSet<NodeIndex> =
            components.into_iter().find(|nodes| nodes.len() > 1)?.into_iter().collect();
        let inside = self
            .graph
            .edge_references()
            .filter(|edge| cycle.contains(&edge.source()) && cycle.contains(&edge.target()));
        inside
            .min_by_key(|edge| (edge.weight().strength, std::cmp::Reverse(edge.weight().order)))
            .map(|edge| edge.id())
    }
}

#[cfg(test)]
mod tests {
    use super::{WorkGraph, graph};
    use crate::rules::Rules;
    use crate::structure::body::{Body, Part, Passage};
    use crate::works::columns::tests::table;
    use shared::structure::DocumentType;

    fn of(text: &str, tables: &[&str]) -> WorkGraph {
        let passage = Passage { text: text.to_owned(), section: None, pages: [3, 3] };
        let tables: Vec<_> = tables.iter().map(|text| table(text)).collect();
        let body = Body { parts: vec![Part::Passage(passage)], tables, ..Body::default() };
        let kind = DocumentType { family: "ppr".to_owned(), ..DocumentType::default() };
        graph(Rules::shipped(), &body, &[], &kind)
    }

    fn pairs(graph: &WorkGraph) -> Vec<(String, String)> {
        let name = |id: &str| graph.works.iter().find(|work| work.id == id).unwrap().name.clone();
        graph.dependencies.iter().map(|edge| (name(&edge.from), name(&edge.to))).collect()
    }

    #[test]
    fn stages_and_phrases_meet_in_the_same_nodes() {
        let graph = of(
            "Этап 1. Рытьё траншеи экскаватором\nЭтап 2. Укладка труб\nДо начала укладки труб должна быть выполнена отсыпка дна.",
            &[],
        );
        assert_eq!(
            pairs(&graph),
            [
                ("Рытьё траншеи экскаватором".to_owned(), "Укладка труб".to_owned()),
                ("Отсыпка дна".to_owned(), "Укладка труб".to_owned()),
            ]
        );
        assert_eq!(graph.dependencies[1].pages, [3, 3]);
        assert!(graph.dependencies[1].evidence.starts_with("До начала"));
    }

    #[test]
    fn neighbours_and_look_alikes_have_no_edges() {
        let graph = of("Монтаж стоек ведут краном. Монтаж балок ведут краном.", &[]);
        assert!(graph.dependencies.is_empty());
        let bill = "№|Наименование работ|Ед. изм.|Объём\n1|Монтаж стоек|шт|4\n2|Монтаж балок|шт|8";
        let graph = of("", &[bill]);
        assert_eq!((graph.works.len(), graph.dependencies.len()), (2, 0));
    }

    #[test]
    fn charts_of_operations_are_chains() {
        let chart = "№|Операция|Ед. изм.|Объём\n1|Сборка щитов|м2|4\n2|Вязка сеток|т|8\n3|Укладка смеси|м3|9";
        let graph = of("", &[chart]);
        assert_eq!(graph.dependencies.len(), 2);
        let said = "№|Операция|Ед. изм.|Объём|Предшествующие\n1|Сборка щитов|м2|4|\n2|Вязка сеток|т|8|\n3|Укладка смеси|м3|9|1, 2";
        assert_eq!(
            pairs(&of("", &[said]))[0],
            ("Сборка щитов".to_owned(), "Укладка смеси".to_owned())
        );
    }

    #[test]
    fn cycles_lose_their_weakest_edge() {
        let graph = of(
            "Этап 1. Монтаж стоек\nЭтап 2. Монтаж балок\nМонтаж стоек зависит от монтажа балок.",
            &[],
        );
        assert_eq!(pairs(&graph), [("Монтаж балок".to_owned(), "Монтаж стоек".to_owned())]);
        assert!(graph.issues[0].contains("по кругу") && graph.issues[0].contains("Этап 1"));
    }
}
