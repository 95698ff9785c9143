//! Attempts of a child to escape or to do harm. `ragtrain doctor` and the tests run them to prove
//! that the limits hold on this machine.

use crate::frames::write_message;
use crate::model::{Block, BlockKind, Format, Message, Page};
use crate::request::Probe;
use std::hint::black_box;
use std::io::{self, Write};

/// Does what the probe says. Returns only from `Escape`, whose findings are warnings
/// «attempt: refused» or «attempt: SUCCEEDED».
pub fn run(probe: Probe, output: &mut impl Write) -> io::Result<()> {
    write_message(output, &Message::Started { format: Format::Text })?;
    let blocks = vec![Block::new(BlockKind::Paragraph, "первая страница")];
    write_message(output, &Message::Page(Page { number: 1, blocks, ..Page::default() }))?;
    match probe {
        Probe::Escape => {
            for (attempt, succeeded) in attempts() {
                let message =
                    format!("{attempt}: {}", if succeeded { SUCCEEDED } else { "refused" });
                write_message(output, &Message::Warning { code: None, message })?;
            }
            write_message(output, &Message::Finished { pages: 1 })
        }
        Probe::Spin => loop {
            black_box(0);
        },
        Probe::Hang => loop {
            std::thread::sleep(std::time::Duration::from_secs(3600));
        },
        Probe::Memory => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(black_box(vec![1_u8; 16 << 20]));
            }
        }
        #[expect(clippy::panic, reason = "the probe is the panic")]
        Probe::Panic => panic!("a probe panics"),
        Probe::Overflow => Err(io::Error::other(recurse(0).to_string())),
        Probe::Garbage => {
            output.write_all(&[4, 0, 0, 0])?;
            output.write_all(b"oops")?;
            output.flush()
        }
    }
}

/// How a successful attempt is reported.
pub const SUCCEEDED: &str = "SUCCEEDED";

/// Each attempt and whether it succeeded.
fn attempts() -> Vec<(&'static str, bool)> {
    use std::fs;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixStream};
    let own = std::process::id().cast_signed();
    vec![
        ("read /etc/passwd", fs::read("/etc/passwd").is_ok()),
        ("read /proc/self/environ", fs::read("/proc/self/environ").is_ok()),
        ("list /", fs::read_dir("/").is_ok()),
        ("write /tmp", fs::write(format!("/tmp/ragtrain-escape-{own}"), "x").is_ok()),
        ("make a folder in /tmp", fs::create_dir(format!("/tmp/ragtrain-escape-{own}.d")).is_ok()),
        ("bind a TCP port", TcpListener::bind("127.0.0.1:0").is_ok()),
        ("open a TCP connection", TcpStream::connect("127.0.0.1:6379").is_ok()),
        ("open a UDP socket", UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("make a pair of sockets", UnixStream::pair().is_ok()),
        ("open a Unix socket", UnixDatagram::unbound().is_ok()),
        ("make a file in memory", memory_file()),
        ("be traced", nix::sys::ptrace::traceme().is_ok()),
        ("start a program", std::process::Command::new("/bin/true").status().is_ok()),
        ("start a thread", std::thread::Builder::new().spawn(|| ()).is_ok()),
        ("signal the parent", signal_parent()),
        ("raise a limit", raise_limit()),
    ]
}

fn signal_parent() -> bool {
    rustix::process::getppid()
        .is_some_and(|parent| rustix::process::test_kill_process(parent).is_ok())
}

fn memory_file() -> bool {
    rustix::fs::memfd_create("escape", rustix::fs::MemfdFlags::CLOEXEC).is_ok()
}

fn raise_limit() -> bool {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::As, Rlimit { current: None, maximum: None }).is_ok()
}

#[expect(unconditional_recursion, reason = "the probe is the overflow")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 512]);
    recurse(black_box(depth + 1)) + frame[0]
}
