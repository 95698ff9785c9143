//! Clients that are not ours: npm's socket.io-client, a real browser.

use crate::harness::LIMIT;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use testkit::{Process, wait_until};

/// A running node program that tells what it sees, one JSON a line.
pub(crate) struct Script {
    process: Process,
}

impl Script {
    /// Starts `api/tests/js/<name>`, whose packages are installed when they are missing.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Script {
        let script = folder().join(name);
        let mut all = vec![script.to_str().expect("a path of ours is readable")];
        all.extend(arguments);
        Script { process: Process::start("node", &all, &[]) }
    }

    /// Everything told so far.
    pub(crate) fn told(&self) -> Vec<Value> {
        let output = self.process.output();
        // The last line may not be complete yet.
        let complete = output.rfind('\n').map_or("", |end| &output[..end]);
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{output}"));
        complete.lines().map(parse).collect()
    }

    /// Waits until something told satisfies the condition; answers everything told so far.
    pub(crate) async fn until(&self, condition: impl Fn(&Value) -> bool) -> Vec<Value> {
        wait_until(LIMIT, async || self.told().iter().any(&condition)).await;
        self.told()
    }

    /// Waits for the final event of a job; answers all its events.
    pub(crate) async fn events_until_final(&self, job: uuid::Uuid) -> Vec<Value> {
        let is_its = |told: &Value| told["event"]["job_id"] == job.to_string();
        let told = self.until(|told| is_its(told) && told["event"]["final"] == true).await;
        told.into_iter().filter(is_its).map(|mut told| told["event"].take()).collect()
    }
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js");
        if !folder.join("node_modules/.package-lock.json").exists() {
            let installed = Command::new("npm").arg("ci").current_dir(&folder).output();
            let installed = installed.expect("npm is missing (scripts/setup.sh)");
            assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        }
        folder
    })
}
