//! What holds after every fault.

use crate::fleet::Fleet;
use crate::ledger::{Entry, Kind};
use shared::event::EventType;
use shared::outcome::Outcome;
use shared::queue::Unit;
use std::collections::HashMap;
use uuid::Uuid;

/// How a job went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Documents.
    pub documents: u64,
    /// Attempts beyond the first of each document.
    pub repeated: usize,
    /// Late writes that were refused.
    pub rejected: usize,
}

impl Fleet {
    /// Panics unless the job has ended as it must: every document ended once and its effect
    /// happened once, the counters agree, events are numbered without a gap, the final one is
    /// one and the last, and nothing of it stays in Redis for ever.
    pub async fn check(&self, job_id: Uuid) -> Report {
        let view = self.queue.job(job_id).await.expect("redis answers").expect("the job is known");
        assert!(view.status.is_final(), "{view:?}");
        assert_eq!(view.documents.ended(), view.documents.total, "{view:?}");
        let outcomes = self.check_events(job_id).await;
        let total = view.documents.total;
        let mut report = Report { documents: total, ..Report::default() };
        let mut counted: HashMap<Outcome, u64> = HashMap::new();
        for index in 0..total {
            let entries = self.entries(job_id, index);
            check_unit(&entries);
            // What was cancelled before it began, or is no longer in the history, has no event.
            if let Some(outcome) = outcomes.get(&index) {
                *counted.entry(*outcome).or_default() += 1;
                let effects = count(&entries, Kind::Applied);
                let expected = usize::from(*outcome == Outcome::Completed);
                let is_right = if expected == 1 { effects == 1 } else { effects <= 1 };
                assert!(is_right, "document {index} {outcome:?}: {entries:#?}");
            }
            report.repeated += count(&entries, Kind::Started).saturating_sub(1);
            report.rejected += count(&entries, Kind::Rejected);
        }
        if view.documents.cancelled == 0 && outcomes.len() as u64 == total {
            let completed = counted.get(&Outcome::Completed).copied().unwrap_or(0);
            assert_eq!(completed, view.documents.completed, "{view:?}");
        }
        let finish = self.ledger.entries(job_id, Unit::Finish);
        check_unit(&finish);
        assert_eq!(count(&finish, Kind::Applied), 1, "reported once: {finish:#?}");
        self.check_keys(job_id);
        report
    }

    /// The outcomes by document, of the events that are kept.
    async fn check_events(&self, job_id: Uuid) -> HashMap<u64, Outcome> {
        let events = self.events(job_id).await;
        let mut outcomes = HashMap::new();
        for (position, event) in events.iter().enumerate() {
            assert_eq!(event.seq, events[0].seq + position as u64, "a gap in the numbers");
            assert_eq!(event.is_final, position + 1 == events.len(), "{event:?}");
            if event.kind == EventType::Document
                && let (Some(document), Some(outcome)) = (&event.document, event.outcome)
            {
                let before = outcomes.insert(document.index, outcome);
                assert_eq!(before, None, "document {} ended twice", document.index);
            }
        }
        outcomes
    }

    fn check_keys(&self, job_id: Uuid) {
        let mut connection = self.redis.connection();
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(format!("*{job_id}*"))
            .query(&mut connection)
            .expect("redis answers");
        for key in keys {
            let ttl: i64 =
                redis::cmd("PTTL").arg(&key).query(&mut connection).expect("redis answers");
            // Gone meanwhile (-2) is as good.
            assert_ne!(ttl, -1, "{key} stays for ever");
        }
    }

    /// Panics unless nothing is left to do: no lease, nothing claimable, nothing that waits.
    pub async fn check_idle(&self) {
        let depth = self.queue.queue_depth().await.expect("redis answers");
        assert_eq!((depth.leased, depth.ready, depth.waiting), (0, 0, 0), "{depth:?}");
    }
}

/// No fence is given out twice, and those who wrote did so with growing ones, also when Redis was
/// restarted in between.
fn check_unit(entries: &[Entry]) {
    let fences = |kinds: &[Kind]| -> Vec<u64> {
        entries
            .iter()
            .filter(|entry| kinds.contains(&entry.kind))
            .map(|entry| entry.fence)
            .collect()
    };
    let mut started = fences(&[Kind::Started]);
    started.sort_unstable();
    assert!(started.is_sorted_by(|a, b| a < b), "a fence was given out twice: {entries:#?}");
    let wrote = fences(&[Kind::Applied, Kind::Present]);
    assert!(wrote.is_sorted_by(|a, b| a < b), "fences do not grow: {entries:#?}");
}

fn count(entries: &[Entry], kind: Kind) -> usize {
    entries.iter().filter(|entry| entry.kind == kind).count()
}
