//! Live progress: bars on a terminal, plain lines otherwise, events as they are with `--json`.

use crate::language::say;
use crate::live::Update;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::event::{Event, EventType};
use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use uuid::Uuid;

/// How progress is shown.
enum Style {
    Bars(Box<Bars>),
    Lines,
    Json,
}

/// Shows the updates of one job.
pub(crate) struct Progress {
    style: Style,
    status: Option<String>,
    /// The server has said that its Redis is away.
    is_away: bool,
}

struct Bars {
    all: MultiProgress,
    job: ProgressBar,
    documents: HashMap<Uuid, ProgressBar>,
}

impl Progress {
    /// Bars when a person watches.
    pub(crate) fn new(json: bool) -> Progress {
        let style = if json {
            Style::Json
        } else if std::io::stdout().is_terminal() {
            Style::Bars(Box::new(Bars::new()))
        } else {
            Style::Lines
        };
        Progress { style, status: None, is_away: false }
    }

    /// Shows one update.
    pub(crate) fn show(&mut self, update: Update) {
        self.is_away &= matches!(update, Update::Degraded);
        match update {
            Update::Event(event, text) => self.event(&event, &text),
            Update::Snapshot(snapshot) => {
                self.line(say(
                    "… ранняя история уже удалена, вот состояние:",
                    "… early history is gone, this is the state:",
                ));
                for line in snapshot["log_tail"].as_array().into_iter().flatten() {
                    self.line(line.as_str().unwrap_or_default());
                }
            }
            // Said again as a heartbeat: once is enough.
            Update::Degraded if std::mem::replace(&mut self.is_away, true) => {}
            Update::Degraded => self.line(say(
                "Redis недоступен: события придут, когда он вернётся",
                "Redis is away: events will come when it is back",
            )),
            Update::Reconnecting => self.line(say(
                "… связь с сервером потеряна, подключаюсь снова",
                "… connection lost, connecting again",
            )),
        }
    }

    /// 0 when everything was trained, 1 otherwise.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.status.as_deref() == Some("completed") {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        }
    }

    fn event(&mut self, event: &Event, text: &str) {
        if event.is_final {
            self.status = Some(event.job.status.clone());
        }
        match &mut self.style {
            Style::Json => out(text),
            Style::Lines => out(&described(event)),
            Style::Bars(bars) => bars.event(event),
        }
    }

    fn line(&self, text: &str) {
        match &self.style {
            Style::Json => {}
            Style::Lines => out(text),
            Style::Bars(bars) => {
                let _ = bars.all.println(text);
            }
        }
    }
}

impl Bars {
    fn new() -> Bars {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout_with_hz(12));
        let job = all.add(ProgressBar::new(0));
        job.set_style(style("{elapsed_precise} [{bar:40.green}] {pos}/{len} {wide_msg}"));
        Bars { all, job, documents: HashMap::new() }
    }

    fn event(&mut self, event: &Event) {
        let counts = &event.job;
        self.job.set_length(counts.total);
        self.job.set_position(counts.done + counts.failed + counts.skipped);
        self.job.set_message(format!(
            "{} {} · {} {}{}",
            say("пропущено", "skipped"),
            counts.skipped,
            say("с ошибкой", "failed"),
            counts.failed,
            counts.eta_s.map_or_else(String::new, |eta| format!(" · ~{eta:.0} {}", say("с", "s")))
        ));
        match (event.kind, &event.document) {
            (EventType::Stage, Some(document)) => {
                let all = &self.all;
                let bar = self.documents.entry(document.id).or_insert_with(|| {
                    let bar = all.add(ProgressBar::new(14));
                    bar.set_style(style("  [{bar:14.cyan}] {wide_msg}"));
                    bar
                });
                let stage = event.stage.split('/').next().and_then(|number| number.parse().ok());
                bar.set_position(stage.unwrap_or(0));
                bar.set_message(format!("{} — {}", document.name, event.log));
            }
            (EventType::Document, Some(document)) => {
                if let Some(bar) = self.documents.remove(&document.id) {
                    bar.finish_and_clear();
                }
                let _ = self.all.println(&event.log);
            }
            _ => {
                let _ = self.all.println(&event.log);
            }
        }
        if event.is_final {
            self.documents.drain().for_each(|(_, bar)| bar.finish_and_clear());
            self.job.finish();
        }
    }
}

/// A line without bars: which document, and what happened.
fn described(event: &Event) -> String {
    match (event.kind, &event.document) {
        (EventType::Stage, Some(document)) => format!("{} — {}", document.name, event.log),
        _ => event.log.clone(),
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A closed pipe (`| head`) is no reason to stop a job's viewer loudly.
fn out(line: &str) {
    if writeln!(std::io::stdout().lock(), "{line}").is_err() {
        std::process::exit(0);
    }
}
