//! Two versions of the scripts in one queue: the second half of test 18.

use crate::fleet;
use shared::job::JobStatus;
use simulation::fleet::{LIMIT, Periods, new_job, submit_surely};
use simulation::ledger::Kind;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How the names of libraries begin, and how those of the other version do.
const OURS: &str = "ragtrain_";
const OTHER: &str = "another_";

/// Functions that came through it are another version: their library has another name, which the
/// worker behind it knows nothing of.
struct OtherVersion;

impl OtherVersion {
    /// Answers the address of the line.
    async fn start(redis: SocketAddr) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}/0", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(redis).await.unwrap();
                tokio::spawn(OtherVersion::pass(client, server));
            }
        });
        url
    }

    async fn pass(client: TcpStream, server: TcpStream) {
        let (mut requests, mut to_client) = client.into_split();
        let (mut replies, mut to_server) = server.into_split();
        let requests = async {
            let mut waiting = Vec::new();
            while requests.read_buf(&mut waiting).await.is_ok_and(|read| read > 0) {
                let mut passed = 0;
                while let Some((mut words, length)) = command(&waiting[passed..]) {
                    passed += length;
                    OtherVersion::change(&mut words);
                    if to_server.write_all(&written(&words)).await.is_err() {
                        return;
                    }
                }
                waiting.drain(..passed);
            }
        };
        // Whoever ends first ends the other one.
        tokio::select! {
            () = requests => {}
            _ = tokio::io::copy(&mut replies, &mut to_client) => {}
        }
    }

    fn change(words: &mut [Vec<u8>]) {
        let place = if words[0].eq_ignore_ascii_case(b"FUNCTION") { 3 } else { 1 };
        let names_functions = place == 3 || words[0].eq_ignore_ascii_case(b"FCALL");
        if names_functions && let Some(word) = words.get_mut(place) {
            let text = str::from_utf8(word).unwrap();
            *word = text.replace(OURS, OTHER).into_bytes();
        }
    }
}

/// The first command, an array of strings, and its length in bytes; `None` when some is missing.
fn command(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let line = |from: usize| -> Option<(usize, usize)> {
        let end = from + bytes.get(from..)?.iter().position(|byte| *byte == b'\r')?;
        bytes.get(end + 1)?;
        let number = str::from_utf8(&bytes[from + 1..end]).unwrap();
        Some((number.parse().unwrap(), end + 2))
    };
    let (count, mut at) = line(0)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let (length, start) = line(at)?;
        at = start + length + 2;
        bytes.get(at - 1)?;
        words.push(bytes[start..start + length].to_vec());
    }
    Some((words, at))
}

fn written(words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// A rolling upgrade under load, while Redis forgets all scripts again and again: old workers are
/// asked to stop one by one, and new ones take their places and what they gave back.
#[tokio::test]
async fn test_18_two_versions_of_the_scripts_share_the_work() {
    let mut fleet = fleet(Periods::short()).await;
    let other = OtherVersion::start(fleet.redis.address()).await;
    let watch = fleet.watch_scripts();
    let load = ["--document-ms", "60", "--grace-ms", "10"];
    fleet.start_three(&load);
    let jobs: Vec<_> = (0..4).map(|_| new_job(150)).collect();
    for job in &jobs {
        submit_surely(&fleet.queue, job).await;
    }
    let mut connection = fleet.redis.connection();
    let mut flush = || redis::cmd("FUNCTION").arg("FLUSH").exec(&mut connection).unwrap();
    let ended = async |fleet: &simulation::fleet::Fleet| -> u64 {
        let mut sum = 0;
        for job in &jobs {
            sum += fleet.queue.job(job.id).await.unwrap().unwrap().documents.ended();
        }
        sum
    };
    for old in 0..3 {
        // Some is done with the versions that are there now, then the next worker is replaced.
        let until = ended(&fleet).await + 100;
        while ended(&fleet).await < until {
            flush();
            // A call loads its script three times before it gives up.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        fleet.workers[old].terminate();
        assert!(fleet.workers[old].wait(LIMIT).success(), "{}", fleet.workers[old].output());
        fleet.start_through(&other, &load);
    }
    for job in &jobs {
        flush();
        assert_eq!(fleet.ended(job.id).await.status, JobStatus::Completed);
        fleet.check(job.id).await;
        assert_eq!(fleet.count(job.id, 150, Kind::Present), 0, "an effect was repeated");
    }
    fleet.check_idle().await;
    assert!(!fleet.output().contains("error"), "{}", fleet.output());
    // Both versions did their share, and so did every worker.
    let scripts = watch.end();
    let is_other = |name: &&String| name.starts_with(OTHER);
    let others = scripts.0.keys().filter(is_other).count();
    assert!(scripts.0.contains_key("complete") && others >= 4, "{scripts}");
    let counted: BTreeSet<String> = jobs
        .iter()
        .flat_map(|job| (0..150).flat_map(|index| fleet.entries(job.id, index)))
        .filter(|entry| entry.kind == Kind::Counted)
        .map(|entry| entry.worker)
        .collect();
    assert_eq!(counted.len(), 6, "{counted:?}");
    println!("{scripts}");
}
