//! The line between a server and Redis, for breaking it.
//!
//!     proxy <redis address>
//!
//! Prints where it listens; then obeys the words `pass`, `cut`, `blackhole` and `mute`.

use relay_bench::{Failure, tell};
use serde_json::json;
use testkit::{Mode, Proxy};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let target = std::env::args().nth(1).ok_or("usage: proxy <redis address>")?.parse()?;
    let proxy = Proxy::start(target).await;
    tell(&json!({ "address": proxy.address().to_string() }))?;
    let mut words = BufReader::new(tokio::io::stdin()).lines();
    while let Some(word) = words.next_line().await? {
        proxy.set(match word.as_str() {
            "pass" => Mode::Pass,
            "cut" => Mode::Cut,
            "blackhole" => Mode::Blackhole,
            "mute" => Mode::MuteSubscribers,
            _ => return Err(format!("no such mode: {word}").into()),
        });
        tell(&json!({}))?;
    }
    Ok(())
}
