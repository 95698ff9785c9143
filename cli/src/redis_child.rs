//! The redis-server of `ragtrain up`: on a private socket, with its data in the data folder, dying
//! with its parent.

use anyhow::{Context, bail};
use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Unix socket paths are at most 107 bytes long.
const LONGEST_SOCKET_PATH: usize = 107;
/// Redis answers well within this after its start, unless it reads a large log.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How to start the server that this process becomes.
#[derive(clap::Args, Debug)]
pub(crate) struct ChildArguments {
    /// The process that must not be outlived
    #[arg(long)]
    parent: u32,
    /// The server's folder
    #[arg(long)]
    folder: PathBuf,
    /// The server's socket
    #[arg(long)]
    socket: PathBuf,
}

/// Ties this process to its parent, then turns into redis-server.
///
/// # Errors
/// There is no redis-server.
pub(crate) fn become_redis(arguments: &ChildArguments) -> anyhow::Result<Infallible> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    if parent.and_then(|pid| u32::try_from(pid).ok()) != Some(arguments.parent) {
        bail!("the parent is gone already");
    }
    let error = std::process::Command::new("redis-server")
        .args(["--port", "0", "--unixsocketperm", "700", "--unixsocket"])
        .arg(&arguments.socket)
        .arg("--dir")
        .arg(&arguments.folder)
        .args(["--appendonly", "yes", "--maxmemory-policy", "noeviction"])
        .args(["--daemonize", "no", "--save", "", "--loglevel", "warning"])
        .exec();
    Err(error).context("redis-server (apt-get install redis-server)")
}

/// A running redis-server.
pub(crate) struct OwnRedis {
    folder: PathBuf,
    socket: PathBuf,
    child: Child,
}

impl OwnRedis {
    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// There is no redis-server, or it ends at once.
    pub(crate) async fn start(data: &Path) -> anyhow::Result<OwnRedis> {
        let folder = data.join("redis");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let folder = folder.canonicalize()?;
        let socket = socket_path(&folder);
        let child = spawn(&folder, &socket)?;
        let mut redis = OwnRedis { folder, socket, child };
        redis.wait_until_ready().await?;
        Ok(redis)
    }

    /// The address for clients.
    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket.display())
    }

    /// Starts the server again whenever it ends; never returns.
    pub(crate) async fn supervise(&mut self) -> Infallible {
        loop {
            match self.child.wait().await {
                Ok(status) => tracing::error!("redis-server ended ({status}), starting it again"),
                Err(error) => tracing::error!("redis-server is lost: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            match spawn(&self.folder, &self.socket) {
                Ok(child) => self.child = child,
                Err(error) => tracing::error!("redis-server does not start: {error:#}"),
            }
        }
    }

    /// Ends the server; its log is synced to the disk first.
    pub(crate) async fn stop(mut self) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok())
            && let Some(pid) = rustix::process::Pid::from_raw(id)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + START_LIMIT;
        while tokio::time::Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("redis-server ended: {status} (apt-get install redis-server)");
            }
            if tokio::net::UnixStream::connect(&self.socket).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("redis-server does not answer on {}", self.socket.display())
    }
}

/// Beside the data when the path is short enough, else in the temporary folder.
fn socket_path(folder: &Path) -> PathBuf {
    let beside = folder.join("redis.sock");
    if beside.as_os_str().len() <= LONGEST_SOCKET_PATH {
        return beside;
    }
    std::env::temp_dir().join(format!("ragtrain-{}.sock", std::process::id()))
}

fn spawn(folder: &Path, socket: &Path) -> anyhow::Result<Child> {
    // A socket that a killed server left would be taken for a running one.
    let _ = std::fs::remove_file(socket);
    let program = std::env::current_exe().context("the path of this program")?;
    Command::new(program)
        .arg("redis-child")
        .arg("--parent")
        .arg(std::process::id().to_string())
        .arg("--folder")
        .arg(folder)
        .arg("--socket")
        .arg(socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // Ctrl-C is for the services; they still need Redis while they drain.
        .process_group(0)
        .spawn()
        .context("redis-server")
}
