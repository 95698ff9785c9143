//! One list out of several: scores mapped to 0..1 within each list, then added.
//!
//! Measured on the two retrieval sets of the corpus (nDCG@10 of 26 clauses / 1190 paragraphs):
//! words alone 0.868 / 0.953, vectors alone 0.887 / 0.952, reciprocal ranks 0.902 / 0.963,
//! three standard deviations clipped to 0..1 (DBSF) 0.900 / 0.965, this 0.914 / 0.974 with the
//! f32 model and 0.924 / 0.972 with int8.
//! Clipping loses the distance between the best hit and the next ones.

use std::collections::HashMap;

/// Share of the vectors in the sum; the words have the rest.
pub(crate) const DENSE_SHARE: f64 = 0.5;

/// Fuses lists of (chunk, score), each best first, with their weights. Best first; equal scores
/// by chunk.
pub(crate) fn fuse(lists: &[(&[(i64, f64)], f64)]) -> Vec<(i64, f64)> {
    let mut sums: HashMap<i64, f64> = HashMap::new();
    for (list, weight) in lists {
        for (chunk, score) in normalised(list) {
            *sums.entry(chunk).or_default() += weight * score;
        }
    }
    let mut fused: Vec<(i64, f64)> = sums.into_iter().collect();
    fused.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fused
}

/// The best score of a list becomes 1, the worst 0.
fn normalised(list: &[(i64, f64)]) -> impl Iterator<Item = (i64, f64)> {
    let worst = list.last().map_or(0.0, |(_, score)| *score);
    let range = list.first().map_or(0.0, |(_, score)| *score) - worst;
    list.iter().map(move |(chunk, score)| {
        // A list of equal scores, or of one hit, says that all its members are the best.
        (*chunk, if range > 0.0 { (score - worst) / range } else { 1.0 })
    })
}

#[cfg(test)]
mod tests {
    use super::fuse;

    #[test]
    fn what_both_lists_like_comes_first() {
        let words = [(1, 9.0), (2, 8.0), (3, 1.0)];
        let dense = [(2, 0.9), (4, 0.85), (3, 0.8)];
        let fused = fuse(&[(&words, 0.5), (&dense, 0.5)]);
        assert_eq!(fused[0].0, 2);
        assert_eq!(fused.len(), 4);
        assert!(fused.iter().all(|(_, score)| (0.0..=1.0).contains(score)));
    }

    #[test]
    fn lists_without_differences_do_not_divide_by_zero() {
        assert_eq!(fuse(&[(&[(7, 1.0)], 1.0), (&[], 1.0)]), [(7, 1.0)]);
    }
}
