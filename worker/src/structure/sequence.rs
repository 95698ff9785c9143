//! Running numbers: does a number continue those before it?

use std::collections::HashSet;

/// How a number fits the numbers before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The next sibling, the first child, or the next of an ancestor.
    Next,
    /// Ahead of the last one by a small gap.
    Near,
    /// Anything else.
    Far,
}

/// A gap of more numbers than this needs the support of the numbers that follow.
const SMALL_GAP: u32 = 5;

/// The numbers of one numbering space, as far as they were read.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    /// The last number, by levels; empty at the start.
    pub(super) last: Vec<u32>,
    /// All addresses so far.
    pub(super) seen: HashSet<String>,
}

impl Sequence {
    /// The number of the current top level («5» of «5.10»).
    pub(super) fn section(&self) -> Option<u32> {
        self.last.first().copied()
    }

    /// How a number fits.
    pub(super) fn fit(&self, parts: &[u32]) -> Fit {
        let (Some(&top), Some(&last_top)) = (parts.first(), self.last.first()) else {
            let early = parts.iter().all(|&part| part <= 2);
            return if early { Fit::Next } else { Fit::Far };
        };
        if follows(&self.last, parts) {
            return Fit::Next;
        }
        let forward = parts > self.last.as_slice();
        let first_change = self.last.iter().zip(parts).position(|(last, next)| last != next);
        let gap = match first_change {
            Some(level) => parts[level].saturating_sub(self.last[level]),
            None => parts.get(self.last.len()).copied().unwrap_or_default(),
        };
        let same_section = top == last_top && gap <= SMALL_GAP;
        let next_section = top == last_top.saturating_add(1) && parts[1..].iter().all(|&p| p <= 1);
        if forward && (same_section || next_section) { Fit::Near } else { Fit::Far }
    }

    /// The number that a misprint hides: the next sibling of the last one, when `written` differs
    /// from it in one place and `following` goes on from it («5.2.8», «7.2.9», «5.2.10»).
    pub(super) fn misprinted(&self, written: &[u32], following: &[u32]) -> Option<Vec<u32>> {
        let mut expected = self.last.clone();
        let end = expected.last_mut()?;
        *end = end.checked_add(1)?;
        let differing = expected.iter().zip(written).filter(|(a, b)| a != b).count();
        let same_form = expected.len() == written.len() && differing == 1;
        (same_form && follows(&expected, following)).then_some(expected)
    }
}

/// Whether `next` comes directly after `last`: its first child, its next sibling, or the next of
/// one of its ancestors; a level that has a heading without words may be left out («10», «10.1.1»).
pub(super) fn follows(last: &[u32], next: &[u32]) -> bool {
    let ones = |tail: &[u32]| !tail.is_empty() && tail.len() <= 2 && tail.iter().all(|&p| p == 1);
    if let Some(tail) = next.strip_prefix(last)
        && ones(tail)
    {
        return true;
    }
    (0..last.len()).any(|level| {
        next.len() > level
            && next[..level] == last[..level]
            && Some(next[level]) == last[level].checked_add(1)
            && (next.len() == level + 1 || ones(&next[level + 1..]))
    })
}

#[cfg(test)]
mod tests {
    use super::{Fit, Sequence, follows};
    use proptest::prelude::*;

    #[test]
    fn what_follows_what() {
        for (last, next, expected) in [
            (&[4][..], &[4, 1][..], true),
            (&[4, 1], &[4, 2], true),
            (&[4, 1], &[4, 1, 1], true),
            (&[4, 1, 7], &[4, 2], true),
            (&[4, 1, 7], &[5], true),
            (&[4, 1, 7], &[5, 1], true),
            (&[10], &[10, 1, 1], true),
            (&[4, 1, 7], &[4, 1, 9], false),
            (&[4, 1, 7], &[4, 1, 7], false),
            (&[4, 1, 7], &[4, 1], false),
            (&[4], &[4, 2], false),
        ] {
            assert_eq!(follows(last, next), expected, "{last:?} {next:?}");
        }
    }

    fn sequence(last: &[u32]) -> Sequence {
        Sequence { last: last.to_vec(), ..Sequence::default() }
    }

    #[test]
    fn how_numbers_fit() {
        for (last, next, expected) in [
            (&[][..], &[1, 1][..], Fit::Next),
            (&[], &[7, 3], Fit::Far),
            (&[7, 1], &[7, 1, 2], Fit::Near),
            (&[7], &[7, 2], Fit::Near),
            (&[4, 3], &[4, 5], Fit::Near),
            (&[4, 3], &[4, 30], Fit::Far),
            (&[4, 3], &[1, 5], Fit::Far),
            (&[4, 3], &[25, 5], Fit::Far),
            (&[4, 3, 16], &[4, 3, 1], Fit::Far),
        ] {
            assert_eq!(sequence(last).fit(next), expected, "{last:?} {next:?}");
        }
    }

    #[test]
    fn misprints() {
        let found = sequence(&[5, 2, 8]).misprinted(&[7, 2, 9], &[5, 2, 10]);
        assert_eq!(found, Some(vec![5, 2, 9]));
        assert_eq!(sequence(&[5, 2, 8]).misprinted(&[1, 1, 5], &[5, 2, 9]), None);
    }

    proptest! {
        #[test]
        fn never_panics(last in prop::collection::vec(0u32..=u32::MAX, 0..5),
                        next in prop::collection::vec(0u32..=u32::MAX, 1..5)) {
            let _ = sequence(&last).fit(&next);
            let _ = sequence(&last).misprinted(&next, &last);
        }
    }
}
