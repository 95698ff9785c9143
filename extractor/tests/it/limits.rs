//! Children that go over to the enemy, crash, hang, or lose their parent.

use super::{code, tools};
use extractor::client::{ExtractError, ExtractLimits, checks};
use extractor::model::Message;
use extractor::request::Probe;
use shared::outcome::Code;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn short() -> ExtractLimits {
    ExtractLimits {
        memory_bytes: 512 << 20,
        cpu_seconds: 1,
        page_wait: Duration::from_secs(1),
        ..ExtractLimits::default()
    }
}

/// The number of pages that came before the end, and the end.
fn run(probe: Probe, limits: &ExtractLimits) -> (usize, Result<(), ExtractError>) {
    let mut pages = 0;
    let result = checks::probe(probe, limits, &tools(), &|| false, &mut |message| {
        pages += usize::from(matches!(message, Message::Page(_)));
    });
    (pages, result)
}

#[test]
fn nothing_forbidden_succeeds() {
    let mut attempts = Vec::new();
    checks::probe(Probe::Escape, &short(), &tools(), &|| false, &mut |message| {
        if let Message::Warning { message, .. } = message {
            attempts.push(message);
        }
    })
    .unwrap();
    assert!(attempts.len() == 16, "{attempts:?}");
    assert!(attempts.iter().all(|attempt| attempt.ends_with(": refused")), "{attempts:#?}");
    assert!(checks::sandbox_leaks(&tools()).unwrap().is_empty());
}

#[test]
fn every_death_has_its_code_and_keeps_the_first_page() {
    let cases = [
        (Probe::Spin, Code::ParserTimeout),
        (Probe::Hang, Code::ParserTimeout),
        (Probe::Memory, Code::ParserMemory),
        (Probe::Panic, Code::ParserCrashed),
        (Probe::Overflow, Code::ParserCrashed),
        (Probe::Garbage, Code::ParserCrashed),
    ];
    for (probe, expected) in cases {
        let started = Instant::now();
        let (pages, result) = run(probe, &short());
        assert_eq!((pages, code(result.unwrap_err())), (1, expected.name()), "{probe:?}");
        assert!(started.elapsed() < Duration::from_secs(20), "{probe:?}");
    }
}

#[test]
fn a_computing_child_is_stopped_by_its_cpu_limit() {
    let limits = ExtractLimits { page_wait: Duration::from_secs(60), ..short() };
    let error = run(Probe::Spin, &limits).1.unwrap_err();
    let ExtractError::Failed(failure) = error else { panic!("{error}") };
    assert_eq!(failure.code, Code::ParserTimeout);
    assert!(failure.message.contains("процессорное время"), "{}", failure.message);
}

#[test]
fn a_panic_says_what_it_was() {
    let error = run(Probe::Panic, &short()).1.unwrap_err();
    assert!(error.to_string().contains("a probe panics"), "{error}");
}

#[test]
fn cancelling_ends_a_hanging_child_at_once() {
    let asked = AtomicUsize::new(0);
    let cancel = || asked.fetch_add(1, Ordering::SeqCst) >= 3;
    let limits = ExtractLimits { page_wait: Duration::from_secs(60), ..short() };
    let started = Instant::now();
    let error = checks::probe(Probe::Hang, &limits, &tools(), &cancel, &mut |_| ()).unwrap_err();
    assert!(matches!(error, ExtractError::Cancelled), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_child_dies_with_its_parent() {
    // The shell is the parent: it starts a hanging child, tells its number and waits.
    let request = r#"{"parent":'$$',"limits":{"memory_bytes":536870912,"cpu_seconds":60,"file_bytes":0},"task":{"probe":"hang"}}"#;
    let script = format!("\"$0\" '{request}' </dev/null & echo $!; wait");
    let mut parent = Command::new("/bin/sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_ragtrain-extractor")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(parent.stdout.take().unwrap());
    let mut number = String::new();
    output.read_line(&mut number).unwrap();
    // Its first message proves that the child lives and has armed itself.
    output.read_exact(&mut [0; 4]).unwrap();
    let child = format!("/proc/{}/stat", number.trim());
    assert!(is_alive(&child));
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The end of the pipe is the end of the child: it held the last writing handle.
    output.read_to_end(&mut Vec::new()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_alive(&child) {
        assert!(Instant::now() < deadline, "the child outlived its parent");
        thread::yield_now();
    }
}

/// Not gone, and not a zombie that waits to be reaped by init.
fn is_alive(stat: &str) -> bool {
    let Ok(stat) = fs::read_to_string(stat) else { return false };
    !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z')
}

#[test]
fn a_child_without_its_parent_refuses_to_work() {
    let request = r#"{"parent":1,"limits":{"memory_bytes":536870912,"cpu_seconds":60,"file_bytes":0},"task":{"probe":"escape"}}"#;
    let output = Command::new(env!("CARGO_BIN_EXE_ragtrain-extractor"))
        .arg(request)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
}

#[test]
fn no_child_is_left_after_many_runs() {
    thread::scope(|scope| {
        for probe in [Probe::Hang, Probe::Panic, Probe::Spin] {
            scope.spawn(move || run(probe, &short()).1.unwrap_err());
        }
    });
    let mine = format!("/proc/{}/task", std::process::id());
    let children: String = fs::read_dir(mine)
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .collect();
    // Other tests of this process may run children of their own right now: only zombies and
    // hanging probes would still be there after them.
    let deadline = Instant::now() + Duration::from_secs(60);
    for child in children.split_whitespace() {
        let stat = format!("/proc/{child}/stat");
        while fs::metadata(&stat).is_ok() {
            assert!(Instant::now() < deadline, "child {child} is still there");
            thread::yield_now();
        }
    }
}
