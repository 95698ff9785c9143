//! The limited child process: one file on standard input, length-prefixed messages (or an image)
//! on standard output. Its only argument is a request as JSON (`extractor::request`).
//!
//! The order is the point: die with the parent, limit resources, forbid files, start the one
//! thread, forbid system calls, and only then read.

mod dispatch;

use extractor::model::Message;
use extractor::picture::Picture;
use extractor::request::{Request, Task};
use extractor::sandbox::{self, Calls, Files};
use extractor::{archive, frames, probe};
use shared::outcome::Code;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Parsers recurse; hostile files recurse deep.
const STACK_BYTES: usize = 128 << 20;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ragtrain-extractor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(request), None) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("one argument expected: a request as JSON; the worker starts this program");
    };
    let request: Request = serde_json::from_str(&request)?;
    sandbox::die_with_parent(request.parent)?;
    sandbox::limit_resources(&request.limits)?;
    if let Task::RunTool { program, arguments, readable } = &request.task {
        sandbox::restrict_files(Files::Tool { program, readable })?;
        sandbox::restrict_calls(Calls::Tool)?;
        return Err(Command::new(program).args(arguments).exec().into());
    }
    let (files, calls) = match &request.task {
        Task::Unpack { folder, .. } => (Files::WriteIn(folder), Calls::Unpacker),
        _ => (Files::Nothing, Calls::Parser),
    };
    sandbox::restrict_files(files)?;
    let task = request.task.clone();
    let parser = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        sandbox::restrict_calls(calls)?;
        perform(task)
    })?;
    // A panic has already written its message to standard error, where the parent finds it.
    parser.join().unwrap_or_else(|_| std::process::exit(PANICKED))
}

/// The exit status of a Rust program that panicked.
const PANICKED: i32 = 101;

fn perform(task: Task) -> anyhow::Result<()> {
    let mut output = BufWriter::with_capacity(64 << 10, io::stdout());
    match task {
        Task::Probe(probe) => probe::run(probe, &mut output)?,
        Task::Unpack { folder, limits } => {
            let bytes = input(u64::MAX)?;
            let mut send = |message| frames::write_message(&mut output, &message);
            let last = match archive::unpack(&bytes, &folder, &limits, &mut send) {
                Ok(()) => Message::Finished { pages: 0 },
                Err(error) => Message::Failed { code: error.code, message: error.message },
            };
            send(last)?;
        }
        Task::Read { name, limits } => {
            let bytes = input(limits.file_bytes)?;
            let mut send = |message| frames::write_message(&mut output, &message);
            dispatch::read(bytes, &name, &limits, &mut send)?;
        }
        Task::Render { name, page, quarter_turns, max_pixels } => {
            let bytes = input(u64::MAX)?;
            dispatch::render(bytes, &name, page, quarter_turns, max_pixels)?.write(&mut output)?;
        }
        Task::Picture(look) => match dispatch::picture(input(u64::MAX)?, &look) {
            Ok(picture) => picture.write(&mut output)?,
            Err(error) => Picture::write_failure(&error, &mut output)?,
        },
        Task::RunTool { .. } => anyhow::bail!("a tool replaces the child"),
    }
    output.flush()?;
    Ok(())
}

/// The whole input file. The parent has checked its size; it may have grown since.
fn input(most: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    anyhow::ensure!(read as u64 <= most, "{}: the file has grown", Code::FileTooLarge.name());
    Ok(bytes)
}
