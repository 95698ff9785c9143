//! One child process: started in a group of its own, watched, and always killed and reaped.

use super::ExtractError;
use crate::frames::read_message;
use crate::model::Message;
use crate::request::Request;
use rustix::process::{Pid, Signal, kill_process_group};
use shared::outcome::Code;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a waiting parent asks whether it was cancelled.
const CANCEL_PERIOD: Duration = Duration::from_millis(100);
/// What is kept of a child's complaints.
const STDERR_BYTES: u64 = 16 << 10;

/// How long to wait for a child, and how much to take from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the next message, or for the whole run of a tool.
    pub(crate) message_wait: Duration,
    /// All output together.
    pub(crate) output_bytes: u64,
}

/// Why the parent stopped listening.
#[derive(Debug)]
enum End {
    /// The child closed its output, or the listener had enough.
    Output,
    TimedOut,
    Cancelled,
    TooMuch,
    /// A message that is none.
    Unreadable(io::Error),
}

/// Runs a child that sends messages until it ends, is cancelled or breaks a limit.
pub(crate) fn converse(
    program: &Path,
    request: &Request,
    source: &File,
    patience: Patience,
    cancel: &(dyn Fn() -> bool + Sync),
    on_message: &mut dyn FnMut(Message) -> ControlFlow<()>,
) -> Result<(), ExtractError> {
    let mut child = Guarded::start(program, request, Stdio::from(reopened(source)?))?;
    let mut output = child.stdout()?;
    let complaints = child.collect_stderr();
    let (sender, messages) = mpsc::sync_channel(4);
    let listener = thread::spawn(move || {
        loop {
            let item = read_message(&mut output).transpose();
            let last = !matches!(item, Some(Ok(_)));
            if let Some(item) = item
                && sender.send(item).is_err()
            {
                break;
            }
            if last {
                break;
            }
        }
    });
    let mut taken = 0_u64;
    let mut last_message = Instant::now();
    let end = loop {
        if cancel() {
            break End::Cancelled;
        }
        match messages.recv_timeout(CANCEL_PERIOD) {
            Ok(Ok((message, bytes))) => {
                taken += bytes as u64;
                if taken > patience.output_bytes {
                    break End::TooMuch;
                }
                if on_message(message).is_break() {
                    break End::Output;
                }
                last_message = Instant::now();
            }
            Ok(Err(error)) => break End::Unreadable(error),
            Err(RecvTimeoutError::Disconnected) => break End::Output,
            Err(RecvTimeoutError::Timeout) if last_message.elapsed() > patience.message_wait => {
                break End::TimedOut;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    };
    drop(messages);
    // A child that closed its output is about to end by itself; its status tells how it died.
    let status = match end {
        End::Output | End::Unreadable(_) => child.wait(Duration::from_secs(5)),
        _ => None,
    };
    child.kill();
    drop(listener.join());
    let complaints = complaints.join().unwrap_or_default();
    verdict(end, status, &complaints, patience)
}

/// Runs an external tool to its end: `input` to its standard input, its standard output back.
pub(crate) fn run_tool(
    program: &Path,
    request: &Request,
    input: ToolInput<'_>,
    patience: Patience,
    cancel: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<u8>, ExtractError> {
    let stdin = match input {
        ToolInput::File(file) => Stdio::from(reopened(file)?),
        ToolInput::Bytes(_) => Stdio::piped(),
    };
    let mut child = Guarded::start(program, request, stdin)?;
    let mut output = child.stdout()?;
    let complaints = child.collect_stderr();
    let (sender, received) = mpsc::sync_channel(1);
    let cap = patience.output_bytes;
    let result = thread::scope(|scope| {
        if let (ToolInput::Bytes(parts), Some(mut pipe)) = (input, child.process.stdin.take()) {
            // A tool that ends early breaks the pipe; its status says more than that error.
            scope.spawn(move || parts.iter().try_for_each(|part| pipe.write_all(part)).ok());
        }
        scope.spawn(move || {
            let mut bytes = Vec::new();
            let read = output.by_ref().take(cap + 1).read_to_end(&mut bytes);
            drop(sender.send(read.map(|_| bytes)));
        });
        let started = Instant::now();
        let mut bytes = Vec::new();
        let end = loop {
            if cancel() {
                break End::Cancelled;
            }
            match received.recv_timeout(CANCEL_PERIOD) {
                Ok(Ok(read)) if read.len() as u64 > cap => break End::TooMuch,
                Ok(Ok(read)) => {
                    bytes = read;
                    break End::Output;
                }
                Ok(Err(error)) => break End::Unreadable(error),
                Err(RecvTimeoutError::Disconnected) => break End::Output,
                Err(RecvTimeoutError::Timeout) if started.elapsed() > patience.message_wait => {
                    break End::TimedOut;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        let status = match end {
            End::Output | End::Unreadable(_) => child.wait(Duration::from_secs(5)),
            _ => None,
        };
        child.kill();
        (end, status, bytes)
    });
    let complaints = complaints.join().unwrap_or_default();
    let (end, status, bytes) = result;
    verdict(end, status, &complaints, patience).map(|()| bytes)
}

/// What a tool reads from its standard input.
#[derive(Clone, Copy)]
pub(crate) enum ToolInput<'a> {
    /// The document itself.
    File(&'a File),
    /// Bytes in memory, in parts.
    Bytes(&'a [&'a [u8]]),
}

/// Turns the end of a run into the error it means.
fn verdict(
    end: End,
    status: Option<ExitStatus>,
    complaints: &str,
    patience: Patience,
) -> Result<(), ExtractError> {
    let seconds = patience.message_wait.as_secs();
    match end {
        End::Cancelled => Err(ExtractError::Cancelled),
        End::TimedOut => Err(ExtractError::failed(
            Code::ParserTimeout,
            format!("за {seconds} с не прочитано ни одной новой страницы"),
        )),
        End::TooMuch => Err(ExtractError::failed(
            Code::ParserMemory,
            format!("текста больше допустимого ({} МБ)", patience.output_bytes >> 20),
        )),
        End::Output | End::Unreadable(_) => match status {
            Some(status) if status.success() => match end {
                End::Unreadable(error) => Err(ExtractError::failed(
                    Code::ParserCrashed,
                    format!("программа чтения прислала не сообщение: {error}"),
                )),
                _ => Ok(()),
            },
            Some(status) => Err(death(status, complaints)),
            None => Err(ExtractError::failed(
                Code::ParserTimeout,
                "программа чтения закрыла вывод, но не закончилась",
            )),
        },
    }
}

/// What a bad exit status and the last complaint mean together.
fn death(status: ExitStatus, complaints: &str) -> ExtractError {
    let mut lines = complaints.lines().map(str::trim).filter(|line| !line.is_empty());
    // A panic says where in one line and why in the next; other programs end with the reason.
    let last = match lines.clone().position(|line| line.contains(" panicked at ")) {
        Some(place) => lines.nth(place + 1).unwrap_or(""),
        None => lines.next_back().unwrap_or(""),
    };
    let last: String = last.chars().take(300).collect();
    let out_of_memory = ["memory allocation of", "bad_alloc", "Out of memory", "out of memory"]
        .iter()
        .any(|sign| complaints.contains(sign));
    let signal = status.signal().and_then(Signal::from_named_raw);
    match signal {
        Some(Signal::XCPU) => ExtractError::failed(
            Code::ParserTimeout,
            "программа чтения израсходовала отведённое процессорное время",
        ),
        // Nobody but the kernel's memory guard kills a child that we have not killed ourselves.
        Some(Signal::KILL) => {
            ExtractError::failed(Code::ParserMemory, "программе чтения не хватило памяти")
        }
        _ if out_of_memory => {
            ExtractError::failed(Code::ParserMemory, "программе чтения не хватило памяти")
        }
        Some(signal) => ExtractError::failed(
            Code::ParserCrashed,
            format!("программа чтения упала (сигнал {}): {last}", signal.as_raw()),
        ),
        None => {
            ExtractError::failed(Code::ParserCrashed, format!("программа чтения упала: {last}"))
        }
    }
}

/// A second handle of the open file with an offset of its own, at the beginning.
fn reopened(source: &File) -> Result<File, ExtractError> {
    // A cloned handle would share its offset with other children that read the same file now.
    let path = format!("/proc/self/fd/{}", source.as_raw_fd());
    File::open(path).map_err(|error| ExtractError::Unavailable(format!("{error}")))
}

/// A child that is killed with its whole group and reaped when the value goes.
struct Guarded {
    process: Child,
    reaped: bool,
}

impl Guarded {
    fn start(program: &Path, request: &Request, stdin: Stdio) -> Result<Guarded, ExtractError> {
        let argument = serde_json::to_string(request)
            .map_err(|error| ExtractError::Unavailable(format!("request: {error}")))?;
        let process = Command::new(program)
            .arg(argument)
            .env_clear()
            .env("LANG", "C.UTF-8")
            // Recognition must not take more cores than its slots.
            .env("OMP_THREAD_LIMIT", "1")
            .current_dir("/")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| {
                ExtractError::Unavailable(format!("cannot start {}: {error}", program.display()))
            })?;
        Ok(Guarded { process, reaped: false })
    }

    fn stdout(&mut self) -> Result<std::process::ChildStdout, ExtractError> {
        let missing = || ExtractError::Unavailable("the child has no output".to_owned());
        self.process.stdout.take().ok_or_else(missing)
    }

    /// Reads all complaints and keeps the first of them.
    fn collect_stderr(&mut self) -> thread::JoinHandle<String> {
        let stderr = self.process.stderr.take();
        thread::spawn(move || {
            let mut kept = Vec::new();
            if let Some(mut stderr) = stderr {
                drop(stderr.by_ref().take(STDERR_BYTES).read_to_end(&mut kept));
                drop(io::copy(&mut stderr, &mut io::sink()));
            }
            String::from_utf8_lossy(&kept).into_owned()
        })
    }

    /// Waits for the end, but not longer than this.
    fn wait(&mut self, longest: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        let mut pause = Duration::from_micros(200);
        while started.elapsed() < longest {
            if let Ok(Some(status)) = self.process.try_wait() {
                self.reaped = true;
                return Some(status);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
        None
    }

    /// Kills the group and reaps the child.
    fn kill(&mut self) {
        if self.reaped {
            return;
        }
        if let Some(group) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _already_gone = kill_process_group(group, Signal::KILL);
        }
        // Between the fork and `process_group` the group may not exist yet.
        drop(self.process.kill());
        drop(self.process.wait());
        self.reaped = true;
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.kill();
    }
}
