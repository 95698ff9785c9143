//! The oracle: one append-only file per unit of work, written under a file lock.

use shared::queue::{Lease, Unit};
use std::fs::{File, OpenOptions};
use std::io::{Read, Result, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// What became of a unit in somebody's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An attempt began.
    Started,
    /// The effect was written: once per unit.
    Applied,
    /// The effect was there already, from an attempt that died before it was counted.
    Present,
    /// The effect was refused: an attempt with a higher fence has begun.
    Rejected,
    /// The holder let go of the unit because its lease was lost or about to be.
    Stopped,
    /// The holder gave the unit back: the process goes down or the job is cancelled.
    Released,
    /// The queue counted the unit as ended for this holder.
    Counted,
    /// The queue refused the holder: somebody else has the unit.
    Lost,
}

impl Kind {
    const ALL: [(Kind, &str); 8] = [
        (Kind::Started, "started"),
        (Kind::Applied, "applied"),
        (Kind::Present, "present"),
        (Kind::Rejected, "rejected"),
        (Kind::Stopped, "stopped"),
        (Kind::Released, "released"),
        (Kind::Counted, "counted"),
        (Kind::Lost, "lost"),
    ];

    fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind)
    }
}

/// One line of a unit's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub kind: Kind,
    /// The fence under which it happened.
    pub fence: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The worker's name.
    pub worker: String,
}

impl Entry {
    fn parse(line: &str) -> Option<Entry> {
        let mut words = line.split(' ');
        let kind = Kind::parse(words.next()?)?;
        let (fence, at_ms) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Entry { kind, fence, at_ms, worker: words.next()?.to_owned() })
    }
}

/// The files of all jobs, `<folder>/<job>/<unit>`.
#[derive(Clone, Debug)]
pub struct Ledger(PathBuf);

impl Ledger {
    /// A ledger in a folder that need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Ledger {
        Ledger(folder.into())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Notes what happened.
    pub fn note(&self, lease: &Lease, kind: Kind, worker: &str) -> Result<()> {
        self.change(lease, worker, |_| kind).map(drop)
    }

    /// Writes the unit's effect as a store would: not under an older fence, and not twice.
    pub fn apply(&self, lease: &Lease, worker: &str) -> Result<Kind> {
        self.change(lease, worker, |entries| {
            if entries.iter().any(|entry| entry.fence > lease.fence) {
                Kind::Rejected
            } else if entries.iter().any(|entry| entry.kind == Kind::Applied) {
                Kind::Present
            } else {
                Kind::Applied
            }
        })
    }

    /// What happened to a unit, oldest first.
    pub fn entries(&self, job_id: Uuid, unit: Unit) -> Vec<Entry> {
        std::fs::read_to_string(self.path(job_id, unit))
            .map_or_else(|_| Vec::new(), |text| read(&text))
    }

    fn change(
        &self,
        lease: &Lease,
        worker: &str,
        decide: impl FnOnce(&[Entry]) -> Kind,
    ) -> Result<Kind> {
        let path = self.path(lease.job_id, lease.unit);
        std::fs::create_dir_all(path.parent().unwrap_or(&self.0))?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        // Let go of by the system when the process dies.
        File::lock(&file)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let kind = decide(&read(&text));
        let line = format!("{} {} {} {worker}\n", kind.name(), lease.fence, now_ms());
        file.write_all(line.as_bytes())?;
        Ok(kind)
    }

    fn path(&self, job_id: Uuid, unit: Unit) -> PathBuf {
        let name = match unit {
            Unit::List => "list".to_owned(),
            Unit::Finish => "finish".to_owned(),
            Unit::Document { index } => index.to_string(),
        };
        self.0.join(job_id.to_string()).join(name)
    }
}

fn read(text: &str) -> Vec<Entry> {
    text.lines().filter_map(Entry::parse).collect()
}

/// The clock of the entries.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_happens_once_and_not_under_an_older_fence() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(folder.path());
        let lease = |fence| Lease {
            job_id: Uuid::nil(),
            unit: Unit::Document { index: 7 },
            fence,
            attempt: 1,
        };
        ledger.note(&lease(1), Kind::Started, "a").unwrap();
        ledger.note(&lease(2), Kind::Started, "b").unwrap();
        assert_eq!(ledger.apply(&lease(1), "a").unwrap(), Kind::Rejected);
        assert_eq!(ledger.apply(&lease(2), "b").unwrap(), Kind::Applied);
        assert_eq!(ledger.apply(&lease(3), "c").unwrap(), Kind::Present);
        let entries = ledger.entries(Uuid::nil(), Unit::Document { index: 7 });
        let kinds: Vec<Kind> = entries.iter().map(|entry| entry.kind).collect();
        use Kind::*;
        assert_eq!(kinds, [Started, Started, Rejected, Applied, Present]);
        assert_eq!((entries[1].fence, entries[1].worker.as_str()), (2, "b"));
    }
}
