//! Choices that look random and can be made again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The variable that names the seed of a run that is to be repeated.
const SEED: &str = "RAGTRAIN_TEST_SEED";

/// The variable that asks for the long forms of tests, in minutes of the longest.
const LONG: &str = "RAGTRAIN_TEST_LONG";

/// How long the longest test shall take; `None` when all have to fit into the suite.
#[expect(clippy::disallowed_methods, reason = "the length of a test is no setting")]
pub fn long_form() -> Option<Duration> {
    let minutes = std::env::var(LONG).ok()?;
    Some(Duration::from_secs(60 * minutes.parse::<u64>().expect("minutes are a number")))
}

/// Whether tests shall take their time (`make soak-live`).
pub fn is_long() -> bool {
    long_form().is_some()
}

/// Numbers that look random and are the same for the same seed (splitmix64).
#[derive(Clone, Debug)]
pub struct Choices(u64);

impl Choices {
    /// Those of a seed.
    pub fn of(seed: u64) -> Choices {
        Choices(seed)
    }

    /// Those of the seed in `RAGTRAIN_TEST_SEED`, or new ones. Prints the seed.
    #[expect(clippy::disallowed_methods, reason = "the seed of a test is no setting")]
    pub fn of_test() -> Choices {
        let given = std::env::var(SEED).ok();
        let seed = given.map_or_else(new_seed, |seed| seed.parse().expect("a seed is a number"));
        println!("{SEED}={seed}");
        Choices::of(seed)
    }

    /// One of `0 .. limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// A length of time of `from .. to` milliseconds.
    pub fn milliseconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// A seed that no run had before.
pub fn new_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_choices_again() {
        let choose = |seed| -> Vec<u64> {
            let mut choices = Choices::of(seed);
            (0..100).map(|_| choices.below(1000)).collect()
        };
        assert_eq!(choose(7), choose(7));
        assert_ne!(choose(7), choose(8));
        assert!(choose(7).iter().all(|number| *number < 1000));
    }
}
