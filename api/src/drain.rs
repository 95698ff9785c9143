//! The orderly end: load balancers first look elsewhere, then sockets go a few at a time.
//!
//! Clients that are sent away all at once come back all at once, to replicas that are then two
//! thirds of what they were. So goodbyes are spread evenly over a window, in no order that a
//! client could owe to the time of its arrival.

use crate::sockets::Sockets;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Goodbyes of a second at least, so that a few sockets do not wait for the whole window.
const LEAST_PER_SECOND: f64 = 50.0;
/// How often goodbyes are said.
const TICK: Duration = Duration::from_millis(20);
/// Of the time until the hard stop so much is kept for closing what was told last.
const CLOSING: Duration = Duration::from_secs(5);

/// How long an orderly end may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DrainTimes {
    /// Between the 503 of `/readyz` and the first refusal or goodbye.
    pub(crate) notice: Duration,
    /// From the signal to the hard stop.
    pub(crate) limit: Duration,
}

impl DrainTimes {
    /// The time in which everybody is told.
    fn window(self) -> Duration {
        let rest = self.limit.saturating_sub(self.notice);
        rest.saturating_sub(CLOSING).max(rest / 2)
    }
}

/// Lets no further socket in and tells the open ones, paced and in random order.
pub(crate) async fn say_goodbye(sockets: &Sockets, times: DrainTimes) {
    let mut goodbyes = sockets.refuse_more();
    goodbyes.sort_by_cached_key(|_| Uuid::new_v4());
    let per_second = per_second(goodbyes.len(), times.window());
    tracing::info!(open = goodbyes.len(), per_second, "sockets are told to go elsewhere");
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let begin = Instant::now();
    let mut waiting = goodbyes.iter();
    while waiting.len() > 0 {
        ticks.tick().await;
        let due = 1.0 + begin.elapsed().as_secs_f64() * per_second;
        let told = goodbyes.len() - waiting.len();
        waiting
            .by_ref()
            .take((due as usize).saturating_sub(told))
            .for_each(CancellationToken::cancel);
    }
}

fn per_second(open: usize, window: Duration) -> f64 {
    (open as f64 / window.as_secs_f64().max(0.001)).max(LEAST_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_told_in_time() {
        let times = DrainTimes { notice: Duration::from_secs(3), limit: Duration::from_secs(28) };
        assert_eq!(times.window(), Duration::from_secs(20));
        for (open, expected) in [(0, 50.0), (1000, 50.0), (2000, 100.0), (50_000, 2500.0)] {
            assert!((per_second(open, times.window()) - expected).abs() < 0.01, "{open}");
        }
        let short = DrainTimes { notice: Duration::from_secs(1), limit: Duration::from_secs(3) };
        assert_eq!(short.window(), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn goodbyes_are_spread_and_the_door_is_shut() {
        let sockets = Sockets::new(1000, 1000);
        let address = [10, 0, 0, 1].into();
        let permits: Vec<_> = (0..100).map(|_| sockets.take(address).unwrap()).collect();
        let told = || permits.iter().map(|permit| permit.goodbye().is_cancelled());
        let times = DrainTimes { notice: Duration::ZERO, limit: Duration::from_secs(28) };
        let begin = Instant::now();
        let half_way = async {
            while told().filter(|told| *told).count() < 30 {
                tokio::task::yield_now().await;
            }
            assert_eq!(sockets.take(address).unwrap_err().code, "draining");
            assert!(told().take(30).any(|told| !told), "told in the order of their arrival");
            assert!(told().any(|told| !told), "told all at once");
        };
        tokio::join!(say_goodbye(&sockets, times), half_way);
        assert!(told().all(|told| told));
        assert!(begin.elapsed() > Duration::from_millis(1900), "50 a second, no more");
    }
}
