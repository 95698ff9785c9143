//! The documents of a job: numbered parts of JSON lines, then a seal.
//!
//! Object stores cannot append, so a manifest grows by whole parts. Their capacities follow a
//! fixed schedule: the first workers start after 16 documents, and the part of any document is
//! computed, not looked up. A part is written once and never changed, so a lister that lost its
//! lease cannot alter what its successor wrote.

use crate::{Blobs, Result, StoreError};
use lru::LruCache;
use shared::job::ManifestEntry;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Capacities of the first parts; all later ones hold [`LARGE_PART`] documents.
const FIRST_PARTS: [u64; 3] = [16, 64, 256];
/// Capacity of the parts after the first ones.
const LARGE_PART: u64 = 1024;
/// Parts that a reader keeps in memory.
const CACHED_PARTS: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not zero");

/// How many documents a part holds when full; parts count from 1.
pub fn capacity(part: u64) -> u64 {
    let position = part.checked_sub(1).and_then(|position| usize::try_from(position).ok());
    position.and_then(|position| FIRST_PARTS.get(position).copied()).unwrap_or(LARGE_PART)
}

/// The part in which a document is, and its line there (from 0).
pub fn part_of(index: u64) -> (u64, u64) {
    let mut line = index;
    for (part, capacity) in (1..).zip(FIRST_PARTS) {
        if line < capacity {
            return (part, line);
        }
        line -= capacity;
    }
    (FIRST_PARTS.len() as u64 + 1 + line / LARGE_PART, line % LARGE_PART)
}

/// The index of the first document of a part.
pub fn first_index(part: u64) -> u64 {
    (1..part.min(FIRST_PARTS.len() as u64 + 1)).map(capacity).sum::<u64>()
        + part.saturating_sub(FIRST_PARTS.len() as u64 + 1) * LARGE_PART
}

fn part_key(job: Uuid, part: u64) -> String {
    format!("jobs/{job}/manifest/{part:06}.jsonl")
}

fn seal_key(job: Uuid) -> String {
    format!("jobs/{job}/manifest/seal.json")
}

/// Reads the manifest of a job; cheap to clone, clones share the cache.
#[derive(Clone, Debug)]
pub struct Manifest {
    blobs: Blobs,
    job: Uuid,
    parts: Arc<Mutex<LruCache<u64, Arc<Vec<ManifestEntry>>>>>,
}

impl Manifest {
    /// The manifest of a job, which need not exist yet.
    pub fn of(blobs: &Blobs, job: Uuid) -> Manifest {
        let parts = Arc::new(Mutex::new(LruCache::new(CACHED_PARTS)));
        Manifest { blobs: blobs.clone(), job, parts }
    }

    /// The document at an index; `StoreError::NotFound` when the manifest is shorter.
    pub async fn get(&self, index: u64) -> Result<ManifestEntry> {
        let (part, line) = part_of(index);
        let entries = self.part(part).await?;
        let found = usize::try_from(line).ok().and_then(|line| entries.get(line));
        found
            .cloned()
            .ok_or_else(|| StoreError::NotFound(format!("document {index} of job {}", self.job)))
    }

    /// Documents from an index on, at most `limit`; fewer at the end of what is written.
    pub async fn slice(&self, from: u64, limit: usize) -> Result<Vec<ManifestEntry>> {
        let mut found = Vec::new();
        while found.len() < limit {
            let (part, line) = part_of(from + found.len() as u64);
            let entries = match self.part(part).await {
                Err(StoreError::NotFound(_)) => break,
                entries => entries?,
            };
            let before = found.len();
            let line = usize::try_from(line).unwrap_or(usize::MAX);
            found.extend(entries.iter().skip(line).take(limit - before).cloned());
            if found.len() == before {
                break;
            }
        }
        Ok(found)
    }

    /// Number of documents once the manifest is sealed; `None` before.
    pub async fn sealed(&self) -> Result<Option<u64>> {
        let Some(bytes) = self.blobs.find(&seal_key(self.job)).await? else { return Ok(None) };
        let seal: serde_json::Value = serde_json::from_slice(&bytes)?;
        let total = seal.get("total").and_then(serde_json::Value::as_u64);
        total
            .map(Some)
            .ok_or_else(|| StoreError::Damaged(format!("seal of the manifest of job {}", self.job)))
    }

    /// One part; parts never change, so a cached one is as good as the stored one.
    async fn part(&self, part: u64) -> Result<Arc<Vec<ManifestEntry>>> {
        let cached = || self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = cached().get(&part) {
            return Ok(Arc::clone(entries));
        }
        let bytes = self.blobs.get(&part_key(self.job, part)).await?;
        let entries = Arc::new(parse_part(&bytes, self.job, part)?);
        cached().put(part, Arc::clone(&entries));
        Ok(entries)
    }
}

/// Writes the manifest of a job. Opened again after a crash it goes on where it was.
#[derive(Debug)]
pub struct ManifestWriter {
    blobs: Blobs,
    job: Uuid,
    /// Number of the part that is being filled.
    part: u64,
    open: Vec<ManifestEntry>,
    listed: HashSet<Uuid>,
    sealed: Option<u64>,
}

impl ManifestWriter {
    /// Opens the manifest and reads which documents it already lists.
    pub async fn open(blobs: &Blobs, job: Uuid) -> Result<ManifestWriter> {
        let manifest = Manifest::of(blobs, job);
        let mut writer = ManifestWriter {
            blobs: blobs.clone(),
            job,
            part: 1,
            open: Vec::new(),
            listed: HashSet::new(),
            sealed: manifest.sealed().await?,
        };
        loop {
            let entries = match manifest.part(writer.part).await {
                Err(StoreError::NotFound(_)) => break,
                entries => entries?,
            };
            writer.listed.extend(entries.iter().map(|entry| entry.document_id));
            let full = entries.len() as u64 == capacity(writer.part);
            writer.part += 1;
            if !full {
                // Only `finish` writes a part that is not full: the listing was complete.
                let total = first_index(writer.part - 1) + entries.len() as u64;
                writer.seal(total).await?;
                break;
            }
        }
        Ok(writer)
    }

    /// Documents in the written parts: what workers may take.
    pub fn written(&self) -> u64 {
        self.sealed.unwrap_or_else(|| first_index(self.part))
    }

    /// All documents accepted so far, written or not.
    pub fn len(&self) -> u64 {
        self.written() + self.open.len() as u64
    }

    /// Whether nothing has been listed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the listing was already finished; then there is nothing left to list.
    pub fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// Adds a document; its `index` is set here. A document that is listed already (two sources
    /// overlap, or this is a second run after a crash) is passed over. Answers the new
    /// [`written`](ManifestWriter::written) when this filled a part.
    pub async fn push(&mut self, mut entry: ManifestEntry) -> Result<Option<u64>> {
        if self.sealed.is_some() || !self.listed.insert(entry.document_id) {
            return Ok(None);
        }
        entry.index = self.len();
        self.open.push(entry);
        if (self.open.len() as u64) < capacity(self.part) {
            return Ok(None);
        }
        self.write_part().await?;
        Ok(Some(self.written()))
    }

    /// Writes the rest and the seal; answers the number of documents. Repeatable.
    pub async fn finish(&mut self) -> Result<u64> {
        if let Some(total) = self.sealed {
            return Ok(total);
        }
        let total = self.len();
        if !self.open.is_empty() {
            self.write_part().await?;
        }
        self.seal(total).await?;
        Ok(total)
    }

    async fn write_part(&mut self) -> Result<()> {
        let mut lines = Vec::new();
        for entry in &self.open {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        write_once(&self.blobs, &part_key(self.job, self.part), lines).await?;
        self.open.clear();
        self.part += 1;
        Ok(())
    }

    async fn seal(&mut self, total: u64) -> Result<()> {
        let seal = serde_json::to_vec(&serde_json::json!({ "total": total }))?;
        write_once(&self.blobs, &seal_key(self.job), seal).await?;
        self.sealed = Some(total);
        Ok(())
    }
}

/// Creates a blob, or accepts the one that is there when it is the same.
async fn write_once(blobs: &Blobs, key: &str, bytes: Vec<u8>) -> Result<()> {
    match blobs.put_new(key, bytes.clone()).await {
        Err(StoreError::AlreadyExists(_)) if blobs.get(key).await? == bytes => Ok(()),
        result => result,
    }
}

fn parse_part(bytes: &[u8], job: Uuid, part: u64) -> Result<Vec<ManifestEntry>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(serde_json::from_slice).collect::<std::result::Result<_, _>>().map_err(|error| {
        StoreError::Damaged(format!("part {part} of the manifest of job {job}: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::{Manifest, ManifestWriter, capacity, first_index, part_of};
    use crate::{Blobs, StoreError};
    use proptest::prelude::*;
    use shared::job::{Location, ManifestEntry};
    use uuid::Uuid;

    fn entry(n: u64) -> ManifestEntry {
        ManifestEntry {
            index: 0,
            document_id: Uuid::from_u128(u128::from(n) + 1),
            name: format!("{n}.pdf"),
            path: format!("/d/{n}.pdf"),
            location: Location::File(format!("/d/{n}.pdf")),
            size: n,
            refused: None,
        }
    }

    proptest! {
        #[test]
        fn the_part_of_an_index_is_where_the_parts_put_it(index in 0_u64..10_000_000) {
            let (part, line) = part_of(index);
            prop_assert!(line < capacity(part));
            prop_assert_eq!(first_index(part) + line, index);
        }
    }

    #[tokio::test]
    async fn parts_fill_in_order_and_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let job = Uuid::from_u128(7);
        let mut writer = ManifestWriter::open(&blobs, job).await.unwrap();
        let mut steps = Vec::new();
        for n in 0..400 {
            steps.extend(writer.push(entry(n)).await.unwrap());
            // The same document from another source is not listed twice.
            assert_eq!(writer.push(entry(n / 2)).await.unwrap(), None);
        }
        assert_eq!(steps, [16, 80, 336]);
        let manifest = Manifest::of(&blobs, job);
        assert_eq!(manifest.sealed().await.unwrap(), None);
        assert_eq!(writer.finish().await.unwrap(), 400);
        assert_eq!(writer.finish().await.unwrap(), 400);
        assert_eq!(manifest.sealed().await.unwrap(), Some(400));
        for index in [0, 15, 16, 79, 80, 335, 336, 399] {
            let found = manifest.get(index).await.unwrap();
            assert_eq!(found, ManifestEntry { index, ..entry(index) });
        }
        assert!(matches!(manifest.get(400).await, Err(StoreError::NotFound(_))));
        let slice = manifest.slice(10, 350).await.unwrap();
        assert_eq!(
            slice.iter().map(|entry| entry.index).collect::<Vec<_>>(),
            Vec::from_iter(10..360)
        );
        assert_eq!(manifest.slice(390, 350).await.unwrap().len(), 10);
    }

    #[tokio::test]
    async fn a_second_lister_goes_on_where_the_first_one_died() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let job = Uuid::from_u128(7);
        let mut dead = ManifestWriter::open(&blobs, job).await.unwrap();
        for n in 0..50 {
            dead.push(entry(n)).await.unwrap();
        }
        let mut next = ManifestWriter::open(&blobs, job).await.unwrap();
        assert_eq!(next.written(), 16);
        // The folder is listed again, in another order, and has grown meanwhile.
        for n in (0..60).rev() {
            next.push(entry(n)).await.unwrap();
        }
        assert_eq!(next.finish().await.unwrap(), 60);
        let manifest = Manifest::of(&blobs, job);
        let all = manifest.slice(0, 100).await.unwrap();
        let ids: std::collections::HashSet<_> = all.iter().map(|entry| entry.document_id).collect();
        assert_eq!((all.len(), ids.len()), (60, 60));

        // The first one wakes up: it cannot change what is written.
        for n in 50..200 {
            if dead.push(entry(n)).await.is_err() {
                break;
            }
        }
        assert!(dead.finish().await.is_err());
        assert_eq!(Manifest::of(&blobs, job).slice(0, 100).await.unwrap(), all);
        let mut third = ManifestWriter::open(&blobs, job).await.unwrap();
        assert!(third.is_sealed());
        assert_eq!(third.finish().await.unwrap(), 60);
    }

    #[tokio::test]
    async fn an_empty_listing_is_sealed_too() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let mut writer = ManifestWriter::open(&blobs, Uuid::nil()).await.unwrap();
        assert_eq!(writer.finish().await.unwrap(), 0);
        assert_eq!(Manifest::of(&blobs, Uuid::nil()).sealed().await.unwrap(), Some(0));
    }
}
