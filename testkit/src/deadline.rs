//! Waiting with a deadline.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The future's value; panics at the caller's line when it takes longer.
#[track_caller]
pub fn within<F: Future>(limit: Duration, future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    async move {
        match timeout(limit, future).await {
            Ok(value) => value,
            Err(_) => panic!("{caller}: not done within {limit:?}"),
        }
    }
}

/// Waits until the condition holds; panics at the caller's line after `limit`. This polls, so the
/// condition should be cheap.
#[track_caller]
pub fn wait_until(
    limit: Duration,
    mut condition: impl AsyncFnMut() -> bool,
) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let deadline = Instant::now() + limit;
        while !condition().await {
            assert!(Instant::now() < deadline, "{caller}: not true within {limit:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conditions_are_met_or_named() {
        let mut calls = 0;
        wait_until(Duration::from_secs(5), async || {
            calls += 1;
            calls == 3
        })
        .await;
        assert_eq!(within(Duration::from_secs(5), async { 7 }).await, 7);
    }

    #[tokio::test]
    #[should_panic(expected = "not true within")]
    async fn a_condition_that_never_holds_fails() {
        wait_until(Duration::from_millis(30), async || false).await;
    }
}
