//! `ragtrain jobs top`: who has how much of the workers, now and live.

use crate::client::Client;
use crate::language::say;
use crate::table::{self, text};
use serde_json::Value;
use shared::settings::ClientSettings;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// How often the screen is drawn anew.
const PERIOD: Duration = Duration::from_secs(1);
/// Clears a terminal and goes to its first line.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// What to watch.
#[derive(clap::Args, Debug)]
pub(crate) struct TopArguments {
    /// Print once and leave, as without a terminal
    #[arg(long)]
    once: bool,
    /// The status as JSON, once
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ClientSettings,
}

/// Draws the status until Ctrl-C; once when asked to, or when nobody sits at a terminal.
pub(crate) async fn top(arguments: TopArguments) -> anyhow::Result<()> {
    let client = Client::new(&arguments.server);
    let live = !arguments.once && !arguments.json && std::io::stdout().is_terminal();
    let mut before: Option<Value> = None;
    loop {
        let status = client.get("/status", &[]).await;
        match &status {
            Ok(status) if arguments.json => table::json(status),
            Ok(status) => {
                let clear = if live { CLEAR } else { "" };
                let page = format!("{clear}{}", drawn(status, before.as_ref()));
                // A closed pipe (`| head`) ends it quietly.
                if std::io::stdout().write_all(page.as_bytes()).is_err() {
                    return Ok(());
                }
                tables(status);
            }
            // A restarting server comes back; whoever asked once wants to know.
            Err(error) if live => println!("{CLEAR}{error:#}"),
            Err(_) => {}
        }
        if !live {
            return status.map(drop);
        }
        std::io::stdout().flush()?;
        before = status.ok().filter(|status| !status["queue"].is_null());
        tokio::time::sleep(PERIOD).await;
    }
}

/// Two lines of figures and what is wrong; nothing is shown for a queue that does not answer.
fn drawn(status: &Value, before: Option<&Value>) -> String {
    let mut lines = Vec::new();
    if !status["queue"].is_null() {
        lines.push(depth(status));
        lines.push(counters(status, before));
    }
    let problems = status["problems"].as_array().into_iter().flatten();
    lines.extend(problems.filter_map(Value::as_str).map(|problem| format!("! {problem}")));
    lines.push(String::new());
    lines.join("\n") + "\n"
}

fn depth(status: &Value) -> String {
    let queue = |field: &str| number(status, &format!("/queue/{field}"));
    format!(
        "{} {} · {} {} · {} {} · {} {:.0} {} · {} {:.1} {}",
        say("в работе", "leased"),
        queue("leased"),
        say("готовы", "ready"),
        queue("ready"),
        say("ждут повтора", "in back-off"),
        queue("waiting"),
        say("старейшая в очереди", "oldest queued"),
        queue("oldest_queued_ms") / 1000.0,
        say("с", "s"),
        say("разброс долей", "spread of shares"),
        queue("virtual_time_spread_s"),
        say("с", "s"),
    )
}

/// What happened to units, with the growth since the last look.
fn counters(status: &Value, before: Option<&Value>) -> String {
    let counter = |status: &Value, name: &str| number(status, &format!("/queue/counters/{name}"));
    let counts = [
        ("claimed", say("выдано", "claimed")),
        ("expired", say("аренд истекло", "leases expired")),
        ("retried", say("повторов", "retried")),
        ("dead", say("сдались", "dead")),
        ("released", say("возвращено", "released")),
        ("lost", say("отвергнуто", "lost calls")),
        ("already", say("повторных вызовов", "repeated calls")),
        ("repaired", say("исправлено", "repaired")),
    ];
    let counts = counts.map(|(name, words)| {
        let now = counter(status, name);
        let grown = before.map_or(0.0, |before| now - counter(before, name));
        let grown = if grown > 0.0 { format!(" (+{grown})") } else { String::new() };
        format!("{words} {now}{grown}")
    });
    counts.join(" · ")
}

fn tables(status: &Value) {
    let rows = |field: &str| status[field].as_array().cloned().unwrap_or_default();
    table::print(
        &rows("jobs"),
        &[
            (say("задача", "job"), &|row| text(row, "job_id")),
            (say("статус", "status"), &|row| text(row, "status")),
            (say("коллекция", "collection"), &|row| text(row, "collection")),
            (say("вес", "weight"), &|row| text(row, "weight")),
            (say("доля, с", "share, s"), &|row| {
                format!("{:.1}", number(row, "/virtual_time_s"))
            }),
            (say("в работе", "leased"), &|row| text(row, "inflight")),
            (say("готово", "ended"), &|row| text(row, "ended")),
            (say("всего", "total"), &|row| text(row, "total")),
        ],
    );
    table::print(
        &rows("workers"),
        &[
            (say("обработчик", "worker"), &|row| text(row, "host")),
            ("id", &|row| text(row, "id")),
            (say("версия", "version"), &|row| text(row, "version")),
            (say("мест", "slots"), &|row| text(row, "slots")),
            (say("отклик, мс", "last beat, ms"), &|row| text(row, "last_beat_ms")),
        ],
    );
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0)
}
