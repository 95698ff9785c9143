//! What one viewer received, judged against the order of publication.

use crate::mark::Mark;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// The messages of one job.
#[derive(Debug, Default)]
struct Sequence {
    last: u64,
    missing: BTreeSet<u64>,
}

/// The record of one viewer.
#[derive(Debug, Default)]
pub struct Record {
    jobs: HashMap<u32, Sequence>,
    /// Messages that arrived.
    pub delivered: u64,
    /// Messages that arrived once more.
    pub repeated: u64,
    /// Messages that arrived after a later one of the same job.
    pub reordered: u64,
    /// From due to arrived, µs.
    pub latencies: Vec<u32>,
    /// The longest time without a message, while some were published.
    pub dark: Duration,
    heard: Option<Instant>,
    counts_silence: bool,
}

impl Record {
    /// Judges a message.
    pub fn add(&mut self, mark: Mark, now_us: u64) {
        self.pause();
        self.heard = Some(Instant::now());
        self.delivered += 1;
        let waited = now_us.saturating_sub(mark.due);
        self.latencies.push(u32::try_from(waited).unwrap_or(u32::MAX));
        let sequence = self.jobs.entry(mark.job).or_default();
        if mark.number > sequence.last {
            sequence.missing.extend(sequence.last + 1..mark.number);
            sequence.last = mark.number;
        } else if sequence.missing.remove(&mark.number) {
            self.reordered += 1;
        } else {
            self.repeated += 1;
        }
    }

    /// So many jobs have come to this number, without a hole before it.
    pub fn has_come_to(&self, number: u64, jobs: usize) -> bool {
        let whole = |one: &&Sequence| one.last >= number && one.missing.is_empty();
        self.jobs.values().filter(whole).count() >= jobs
    }

    /// Messages of these jobs that did not arrive, when each job had so many.
    pub fn lost(&self, published: u64, jobs: usize) -> u64 {
        let heard: u64 = self.jobs.values().map(|sequence| sequence.missing.len() as u64).sum();
        let rest: u64 = self.jobs.values().map(|one| published.saturating_sub(one.last)).sum();
        heard + rest + published * (jobs.saturating_sub(self.jobs.len())) as u64
    }

    /// Publishing begins: silence counts from now on.
    pub fn begin(&mut self) {
        self.heard = Some(Instant::now());
        self.counts_silence = true;
        self.dark = Duration::ZERO;
        self.latencies.clear();
        self.delivered = 0;
    }

    /// Publishing is over: silence until now counts, later silence does not.
    pub fn stop(&mut self) {
        self.pause();
        self.counts_silence = false;
    }

    fn pause(&mut self) {
        if self.counts_silence
            && let Some(heard) = self.heard
        {
            self.dark = self.dark.max(heard.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(numbers: &[u64]) -> Record {
        let mut record = Record::default();
        for number in numbers {
            record.add(Mark { job: 0, number: *number, due: 0 }, 10);
        }
        record
    }

    #[test]
    fn every_kind_of_fault_is_told_apart() {
        let judged = |numbers: &[u64]| {
            let record = received(numbers);
            (record.lost(4, 1), record.repeated, record.reordered)
        };
        assert_eq!(judged(&[1, 2, 3, 4]), (0, 0, 0));
        assert_eq!(judged(&[1, 2, 4]), (1, 0, 0));
        assert_eq!(judged(&[2, 3]), (2, 0, 0));
        assert_eq!(judged(&[1, 2, 2, 3, 4]), (0, 1, 0));
        assert_eq!(judged(&[1, 3, 2, 4]), (0, 0, 1));
        assert_eq!(judged(&[]), (4, 0, 0));
        assert_eq!(received(&[]).lost(4, 3), 12);
    }

    #[test]
    fn it_has_come_as_far_as_every_job_has() {
        let mut record = received(&[1, 2]);
        assert!(record.has_come_to(2, 1) && !record.has_come_to(2, 2));
        record.add(Mark { job: 1, number: 1, due: 0 }, 0);
        assert!(record.has_come_to(1, 2) && !record.has_come_to(2, 2));
        assert!(!received(&[1, 3]).has_come_to(3, 1), "there is a hole");
    }
}
