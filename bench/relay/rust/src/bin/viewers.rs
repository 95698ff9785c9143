//! A crowd of viewers, driven by lines on stdin; every line is answered by one of JSON.
//!
//!     viewers <system> <address of the server> <number> [all] [score]
//!
//! The first line names the jobs as a JSON list. Then:
//!
//!     open              all connect; answers when all have joined
//!     joined            how many are connected now
//!     begin             publishing begins
//!     stop              publishing is over
//!     wait <n>          until everybody has message n of every job; gives up 5 s after the last one
//!     end <n>           the figures, when n messages of every job were published
//!     drop              all lines are broken, and everybody stays away
//!     return <n>        all come back at once; answers when all have message n
//!     resume <n>        the same, one after another
//!     dead <count>      so many more that join and never read
//!
//! It exits with 1 when any viewer missed a message, got one twice or out of order, unless it was
//! only to `score` that.

use relay_bench::protocol::Client;
use relay_bench::viewer::{Crowd, Viewer, job_of};
use relay_bench::{Failure, System, quantile, tell};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(2);

struct Bench {
    crowd: Arc<Crowd>,
    jobs: Vec<String>,
    number: usize,
    watches_all: bool,
    viewers: Vec<Viewer>,
    dead: Vec<TcpStream>,
    faults: u64,
}

impl Bench {
    /// Waits until all are `done`; no longer than `PATIENCE` without any progress.
    async fn all(&self, done: impl Fn(&Viewer) -> bool) -> (usize, Duration) {
        let began = Instant::now();
        let (mut seen, mut progress) = ((0, 0), Instant::now());
        loop {
            let ready = self.viewers.iter().filter(|viewer| done(viewer)).count();
            let delivered = self.viewers.iter().map(|viewer| viewer.record().delivered).sum();
            if seen != (ready, delivered) {
                (seen, progress) = ((ready, delivered), Instant::now());
            }
            if ready == self.viewers.len() || progress.elapsed() > PATIENCE {
                return (ready, began.elapsed());
            }
            tokio::time::sleep(LOOK.max(Duration::from_micros(self.viewers.len() as u64))).await;
        }
    }

    async fn open(&mut self) -> Value {
        for number in 0..self.number {
            let job = job_of(&self.jobs, number, self.watches_all);
            self.viewers.push(Viewer::start(&self.crowd, job, number));
        }
        let (joined, took) = self.all(Viewer::has_joined).await;
        json!({ "joined": joined, "seconds": took.as_secs_f64() })
    }

    async fn wait(&self, number: u64) -> Value {
        let jobs = self.crowd.jobs_each;
        let (whole, took) = self.all(|viewer| viewer.record().has_come_to(number, jobs)).await;
        json!({ "whole": whole, "seconds": took.as_secs_f64() })
    }

    fn end(&mut self, published: u64) -> Value {
        let (mut delivered, mut lost, mut repeated, mut reordered) = (0, 0, 0, 0);
        let (mut latencies, mut dark) = (Vec::new(), Vec::new());
        for viewer in &self.viewers {
            let mut record = viewer.record();
            delivered += record.delivered;
            lost += record.lost(published, self.crowd.jobs_each);
            repeated += record.repeated;
            reordered += record.reordered;
            latencies.append(&mut record.latencies);
            dark.push(record.dark);
        }
        self.faults = lost + repeated + reordered;
        latencies.sort_unstable();
        dark.sort_unstable();
        let [p50, p95, p99, p999, most] =
            [0.5, 0.95, 0.99, 0.999, 1.0].map(|share| quantile(&latencies, share));
        json!({
            "delivered": delivered, "lost": lost, "repeated": repeated, "reordered": reordered,
            "dark_s": dark.last().copied().unwrap_or_default().as_secs_f64(),
            "p50_us": p50, "p95_us": p95, "p99_us": p99, "p999_us": p999, "max_us": most,
        })
    }

    async fn drop_all(&self) -> Value {
        for viewer in &self.viewers {
            viewer.be_present(false);
        }
        let (away, _) = self.all(|viewer| !viewer.has_joined()).await;
        json!({ "away": away })
    }

    /// Everybody comes back at once.
    async fn come_back(&self, number: u64) -> Value {
        self.crowd.goal.store(number, Ordering::Relaxed);
        for viewer in &self.viewers {
            viewer.be_present(true);
        }
        let began = Instant::now();
        let (joined, _) = self.all(Viewer::has_joined).await;
        let joined_s = began.elapsed().as_secs_f64();
        let (whole, _) = self.all(|viewer| viewer.resumed().is_some()).await;
        let whole_s = began.elapsed().as_secs_f64();
        json!({ "joined": joined, "joined_s": joined_s, "whole": whole, "whole_s": whole_s })
    }

    /// One after another, so that each one's time is its own.
    async fn resume(&self, number: u64) -> Value {
        self.crowd.goal.store(number, Ordering::Relaxed);
        let mut times = Vec::new();
        for viewer in &self.viewers {
            viewer.be_present(true);
            let began = Instant::now();
            while viewer.resumed().is_none() && began.elapsed() < PATIENCE {
                tokio::time::sleep(LOOK).await;
            }
            let Some(time) = viewer.resumed() else { break };
            times.push(time);
        }
        times.sort_unstable();
        json!({
            "whole": times.len(), "p50_us": quantile(&times, 0.5), "p99_us": quantile(&times, 0.99),
            "max_us": quantile(&times, 1.0),
        })
    }

    /// Viewers that ask to join and never read an answer, with the smallest buffer there is.
    async fn add_dead(&mut self, count: usize) -> Result<Value, Failure> {
        for number in 0..count {
            let job = job_of(&self.jobs, number, self.watches_all);
            let client = Client::new(self.crowd.system, job);
            let url = client.url(&self.crowd.address.to_string());
            let path = url.splitn(4, '/').nth(3).unwrap_or_default();
            let socket = TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(4096)?;
            let mut stream = socket.connect(self.crowd.address).await?;
            let head = format!(
                "GET /{path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                self.crowd.address
            );
            stream.write_all(head.as_bytes()).await?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(stream.read_u8().await?);
            }
            if !answer.starts_with(b"HTTP/1.1 101") {
                return Err(String::from_utf8_lossy(&answer).into());
            }
            // Then what the protocol says first, without waiting for what is said to it.
            for text in dead_words(self.crowd.system, job) {
                tokio::time::sleep(Duration::from_millis(200)).await;
                stream.write_all(&frame(&text)).await?;
            }
            self.dead.push(stream);
        }
        Ok(json!({ "dead": self.dead.len() }))
    }
}

fn dead_words(system: System, job: &str) -> Vec<String> {
    match system {
        System::SocketIo => vec!["40".to_owned()],
        System::Centrifuge => vec![
            json!({"id": 1, "params": {}}).to_string(),
            json!({"id": 2, "method": 1, "params": {"channel": job}}).to_string(),
        ],
        System::Ours | System::FastApi => Vec::new(),
    }
}

/// A short text frame from a client: masked, with a mask of zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(125).min(125);
    let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    frame
}

async fn run() -> Result<bool, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [system, address, number, rest @ ..] = arguments.as_slice() else {
        return Err("usage: viewers <system> <address> <number> [all] [score]".into());
    };
    let (system, address): (_, SocketAddr) = (System::parse(system)?, address.parse()?);
    let has = |word: &str| rest.iter().any(|argument| argument == word);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let jobs: Vec<String> = serde_json::from_str(&lines.next_line().await?.unwrap_or_default())?;
    let jobs_each = if has("all") { jobs.len() } else { 1 };
    let mut bench = Bench {
        crowd: Arc::new(Crowd::new(system, address, jobs_each)),
        jobs,
        number: number.parse()?,
        watches_all: has("all"),
        viewers: Vec::new(),
        dead: Vec::new(),
        faults: 0,
    };
    while let Some(line) = lines.next_line().await? {
        let (word, number) = line.split_once(' ').unwrap_or((&line, "0"));
        let number: u64 = number.parse()?;
        let answer = match word {
            "open" => bench.open().await,
            "begin" => {
                bench.viewers.iter().for_each(|viewer| viewer.record().begin());
                json!({})
            }
            "stop" => {
                bench.viewers.iter().for_each(|viewer| viewer.record().stop());
                json!({})
            }
            "joined" => {
                json!({ "joined": bench.viewers.iter().filter(|v| v.has_joined()).count() })
            }
            "wait" => bench.wait(number).await,
            "end" => bench.end(number),
            "drop" => bench.drop_all().await,
            "return" => bench.come_back(number).await,
            "resume" => bench.resume(number).await,
            "dead" => bench.add_dead(usize::try_from(number)?).await?,
            _ => return Err(format!("no such command: {line}").into()),
        };
        tell(&answer)?;
    }
    Ok(bench.faults == 0 || has("score"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    if run().await? { Ok(()) } else { std::process::exit(1) }
}
