//! A child process that does not outlive its test.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running program; killed with SIGKILL when dropped. Its output goes to a file that is kept
/// until then.
pub struct Process {
    child: Child,
    output: PathBuf,
    folder: tempfile::TempDir,
}

impl Process {
    /// Starts `program` with arguments and additional environment variables.
    pub fn start<A: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: &[A],
        environment: &[(&str, &str)],
    ) -> Process {
        let program = program.as_ref();
        let folder = tempfile::tempdir().expect("no temporary folder");
        let output = folder.path().join("output.log");
        let log = std::fs::File::create(&output).expect("cannot create the log");
        let errors = log.try_clone().expect("cannot share the log");
        let child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        Process { child, output, folder }
    }

    /// The operating system's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A folder of its own, removed with the process.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Everything it wrote so far to stdout and stderr.
    pub fn output(&self) -> String {
        let bytes = std::fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a child has a process id"), signal).expect("cannot signal");
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        // Fails only when the process has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGSTOP: the process stays but does nothing, like one on a frozen machine.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT: lets a frozen process go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// The exit status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("cannot wait for a child")
    }

    /// Waits for the end; panics with the output after `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after {limit:?}:\n{}", self.output());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_watched_and_killed() {
        let mut short =
            Process::start("sh", &["-c", "echo $GREETING; exit 3"], &[("GREETING", "да")]);
        assert_eq!(short.wait(Duration::from_secs(10)).code(), Some(3));
        assert_eq!(short.output(), "да\n");
        let long = Process::start("sleep", &["1000"], &[]);
        let folder = PathBuf::from(format!("/proc/{}", long.id()));
        assert!(folder.exists());
        drop(long);
        assert!(!folder.exists());
    }
}
