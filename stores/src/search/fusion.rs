//! One list out of several: distribution-based score fusion.
//!
//! Scores of a list are mapped to 0..1 by its mean and three standard deviations to either side,
//! then added. On the two retrieval sets of the corpus this beat reciprocal ranks
//! (`examples/retrieval.rs` prints both).

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

fn normalised(list: &[(i64, f64)]) -> impl Iterator<Item = (i64, f64)> {
    let count = list.len().max(1) as f64;
    let mean = list.iter().map(|(_, score)| score).sum::<f64>() / count;
    let variance = list.iter().map(|(_, score)| (score - mean).powi(2)).sum::<f64>() / count;
    let reach = 3.0 * variance.sqrt();
    list.iter().map(move |(chunk, score)| {
        // A list of equal scores says only that its members belong to it.
        let place = if reach > 0.0 { (score - mean + reach) / (2.0 * reach) } else { 0.5 };
        (*chunk, place.clamp(0.0, 1.0))
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
        assert_eq!(fuse(&[(&[(7, 1.0)], 1.0), (&[], 1.0)]), [(7, 0.5)]);
    }
}
