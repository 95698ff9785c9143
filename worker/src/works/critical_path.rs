//! The critical path method over works with and without known durations.

use serde::Serialize;

/// Earliest and latest start and finish of a work, counted from the start of the works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// Earliest start.
    pub early_start: f64,
    /// Earliest finish.
    pub early_finish: f64,
    /// Latest start that delays nothing.
    pub late_start: f64,
    /// Latest finish that delays nothing.
    pub late_finish: f64,
    /// How much the work may be late.
    pub slack: f64,
}

/// The times of works; `None` when the edges run in a circle or point outside. Edges are pairs
/// (earlier, later) of indices.
pub fn times(durations: &[f64], edges: &[(usize, usize)]) -> Option<Vec<Times>> {
    let order = order(durations.len(), edges)?;
    let mut times = vec![Times::default(); durations.len()];
    let (next, before) =
        (neighbours(durations.len(), edges, false), neighbours(durations.len(), edges, true));
    for &work in &order {
        let start = before[work].iter().map(|&other| times[other].early_finish).fold(0.0, f64::max);
        times[work].early_start = start;
        times[work].early_finish = start + durations[work];
    }
    let end = times.iter().map(|time| time.early_finish).fold(0.0, f64::max);
    for &work in order.iter().rev() {
        let finish = next[work].iter().map(|&other| times[other].late_start).fold(end, f64::min);
        times[work].late_finish = finish;
        times[work].late_start = finish - durations[work];
        times[work].slack = times[work].late_start - times[work].early_start;
    }
    Some(times)
}

/// The chain with the greatest sum of weights, in order; the first one of equals.
pub fn longest_chain(weights: &[f64], edges: &[(usize, usize)]) -> Vec<usize> {
    let Some(order) = order(weights.len(), edges) else { return Vec::new() };
    let before = neighbours(weights.len(), edges, true);
    let mut best: Vec<(f64, Option<usize>)> = vec![(0.0, None); weights.len()];
    for &work in &order {
        let longest =
            before[work].iter().copied().reduce(|a, b| if best[b].0 > best[a].0 { b } else { a });
        best[work] = (longest.map_or(0.0, |other| best[other].0) + weights[work], longest);
    }
    let mut last = (0..weights.len()).reduce(|a, b| if best[b].0 > best[a].0 { b } else { a });
    let mut chain = Vec::new();
    while let Some(work) = last {
        chain.push(work);
        last = best[work].1;
    }
    chain.reverse();
    chain
}

/// Indices so that earlier works come first, otherwise in their own order.
pub fn order(count: usize, edges: &[(usize, usize)]) -> Option<Vec<usize>> {
    if edges.iter().any(|&(from, to)| from >= count || to >= count) {
        return None;
    }
    let next = neighbours(count, edges, false);
    let mut waiting = vec![0usize; count];
    edges.iter().for_each(|&(_, to)| waiting[to] += 1);
    let mut ready: std::collections::BTreeSet<usize> =
        (0..count).filter(|&work| waiting[work] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(work) = ready.pop_first() {
        order.push(work);
        for &other in &next[work] {
            waiting[other] -= 1;
            if waiting[other] == 0 {
                ready.insert(other);
            }
        }
    }
    (order.len() == count).then_some(order)
}

fn neighbours(count: usize, edges: &[(usize, usize)], backwards: bool) -> Vec<Vec<usize>> {
    let mut neighbours = vec![Vec::new(); count];
    for &(from, to) in edges {
        let (from, to) = if backwards { (to, from) } else { (from, to) };
        neighbours[from].push(to);
    }
    neighbours
}

#[cfg(test)]
mod tests {
    use super::{longest_chain, order, times};
    use proptest::prelude::*;

    #[test]
    fn a_diamond() {
        let edges = [(0, 1), (0, 2), (1, 3), (2, 3)];
        let found = times(&[2.0, 5.0, 1.0, 3.0], &edges).unwrap();
        assert_eq!(found[3].early_start, 7.0);
        assert_eq!(found[2].slack, 4.0);
        assert_eq!((found[2].late_start, found[2].late_finish), (6.0, 7.0));
        assert_eq!(found.iter().filter(|time| time.slack == 0.0).count(), 3);
        assert_eq!(longest_chain(&[2.0, 5.0, 1.0, 3.0], &edges), [0, 1, 3]);
    }

    #[test]
    fn circles_have_no_order() {
        assert_eq!(order(2, &[(0, 1), (1, 0)]), None);
        assert_eq!(order(2, &[(0, 5)]), None);
        assert_eq!(times(&[1.0, 1.0], &[(0, 1), (1, 0)]), None);
        assert!(longest_chain(&[], &[]).is_empty());
    }

    proptest! {
        #[test]
        fn the_longest_chain_has_no_slack(
            durations in prop::collection::vec(1u8..20, 1..12),
            raw in prop::collection::vec((0usize..12, 0usize..12), 0..30),
        ) {
            let count = durations.len();
            let durations: Vec<f64> = durations.into_iter().map(f64::from).collect();
            let edges: Vec<(usize, usize)> = raw.into_iter().filter(|(from, to)| from < to && *to < count).collect();
            let found = times(&durations, &edges).unwrap();
            let chain = longest_chain(&durations, &edges);
            let length: f64 = chain.iter().map(|&work| durations[work]).sum();
            let end = found.iter().map(|time| time.early_finish).fold(0.0, f64::max);
            prop_assert_eq!(length, end);
            for work in chain {
                prop_assert_eq!(found[work].slack, 0.0);
            }
            for &(from, to) in &edges {
                prop_assert!(found[from].early_finish <= found[to].early_start);
                prop_assert!(found[from].late_finish <= found[to].late_start);
            }
        }
    }
}
