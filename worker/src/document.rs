//! One claimed document from its manifest line to its counted end.

use crate::heartbeat::Held;
use crate::listing::ARCHIVED;
use crate::pipeline;
use crate::report;
use crate::run::{Run, StageTime, milliseconds};
use crate::services::Services;
use crate::stages::duplicate_check::memory_key;
use crate::stop::{Interruption, Stop};
use crate::task::DocumentTask;
use crate::trained::Trained;
use shared::job::{JobDocument, Location, ManifestEntry};
use shared::outcome::{Code, Outcome};
use shared::queue::{Claim, DocumentName, Ending, Failed, QueueError, Settled};
use shared::stage::Stage;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use stores::StoreError;
use stores::database::{Original, Remembered};

/// Pause between two tries to tell Redis how a document ended.
const SETTLE_PAUSE: Duration = Duration::from_millis(200);

/// How long a document's row is tried to be written before it is counted without one.
const ROW_PATIENCE: Duration = Duration::from_secs(120);

/// A document in the hands of this worker.
pub struct Visit<'a> {
    /// Everything from outside.
    pub services: &'a Services,
    /// What the queue gave.
    pub claim: &'a Claim,
    /// The lease as the heartbeat sees it.
    pub held: &'a Held,
    /// A transient error now is the document's end.
    pub last_attempt: bool,
    /// The document's manifest line.
    pub entry: ManifestEntry,
    /// When the work began.
    pub started: Instant,
}

/// How the document ended, before anybody is told.
#[derive(Debug)]
struct End {
    outcome: Outcome,
    code: Option<Code>,
    message: Option<String>,
    issues: Vec<String>,
    pages: Option<u64>,
    chunks: Option<u64>,
    quality: Option<u8>,
}

impl Visit<'_> {
    /// Trains the document and settles it with the queue.
    pub fn train(&self) {
        let name = self.name();
        let mut run = Run {
            services: self.services,
            held: self.held,
            document: &name,
            finished: Vec::new(),
            sha256: None,
        };
        match self.earlier_end() {
            Ok(None) => {}
            Ok(Some(row)) => return self.complete(&name, &row),
            Err(stop) => return self.settle(&[], None, Err(stop)),
        }
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| self.attempt(&mut run)));
        let result = result.unwrap_or_else(|panic| {
            Err(Stop::permanent(Code::InternalError, format!("сбой программы: {}", reason(&panic))))
        });
        self.settle(&run.finished, run.sha256.as_deref(), result);
    }

    /// Settles a document that could not even be begun.
    pub fn fail(&self, stop: Stop) {
        self.settle(&[], None, Err(stop));
    }

    /// Ends a document that took several workers down, without touching it again.
    pub fn record_lost(&self) {
        let message = "документ несколько раз уронил обработчик".to_owned();
        let end = End::stopped(Outcome::Failed, Some(Code::WorkerLost), message);
        self.end(&end, &[], None);
    }

    fn name(&self) -> DocumentName {
        DocumentName { id: self.entry.document_id, name: self.entry.name.clone() }
    }

    /// The row that a crashed attempt of this job left: only the counting is missing then.
    fn earlier_end(&self) -> Result<Option<JobDocument>, Stop> {
        let database = &self.services.database;
        let found = database.job_document(self.claim.lease.job_id, self.entry.document_id);
        let row = found.map_err(Stop::from_store)?.map(|(row, _report)| row);
        Ok(row.filter(|row| row.outcome.is_some()))
    }

    fn attempt(&self, run: &mut Run<'_>) -> Result<Trained, Stop> {
        let lease = self.claim.lease;
        let database = &self.services.database;
        let attempt = database
            .begin(self.entry.document_id, &self.claim.collection, lease.job_id, fence(lease.fence))
            .map_err(Stop::from_store)?;
        let before = database.original(self.entry.document_id).map_err(Stop::from_store)?;
        let task = DocumentTask {
            lease,
            entry: self.entry.clone(),
            collection: self.claim.collection.clone(),
            force: self.claim.force,
            attempt,
        };
        let result = pipeline::process(self.services, &task, run);
        if result.is_err()
            && let Err(error) = database.abandon(&task.attempt)
        {
            // The sweep of the finished job removes what is left.
            tracing::warn!(document.id = %self.entry.document_id, "staged rows stay for now: {error}");
        }
        if let (Ok(trained), Some(before)) = (&result, before) {
            self.forget_replaced(&before, trained);
        }
        result
    }

    /// What we kept of the bytes that stood at this path before.
    fn forget_replaced(&self, before: &Original, trained: &Trained) {
        if before.sha256 != trained.record.sha256 {
            self.forget_pages(&before.sha256);
        }
        self.forget_copy(&before.location);
    }

    fn forget_pages(&self, sha256: &str) {
        if let Err(error) = self.services.ocr_cache.remove(sha256) {
            tracing::warn!(document.id = %self.entry.document_id, "recognised pages stay: {error}");
        }
    }

    /// Removes the unpacked copy of an archive's entry, unless a trained document is in it; other
    /// files are not ours to remove.
    fn forget_copy(&self, location: &Location) {
        if let Location::Blob(key) = location
            && key.starts_with(ARCHIVED)
            && matches!(self.services.database.is_original(location), Ok(false))
            && let Err(error) = self.services.wait(self.services.blobs.delete(key))
        {
            tracing::warn!(document.id = %self.entry.document_id, "a copy stays behind: {error}");
        }
    }

    fn settle(&self, stages: &[StageTime], sha256: Option<&str>, result: Result<Trained, Stop>) {
        let end = match result {
            Ok(trained) => End::trained(&trained),
            Err(Stop::Skipped { outcome, code, message }) => End::stopped(outcome, code, message),
            Err(Stop::Permanent { code, message }) => {
                End::stopped(Outcome::Failed, Some(code), message)
            }
            Err(Stop::Transient { code, message }) => {
                let end = End::stopped(Outcome::Failed, Some(code), message);
                if !self.last_attempt {
                    return self.try_later(&end);
                }
                end
            }
            Err(Stop::Interrupted(Interruption::Cancelled)) => {
                End::stopped(Outcome::Cancelled, None, "задача отменена".to_owned())
            }
            Err(Stop::Interrupted(Interruption::Shutdown | Interruption::Overtaken)) => {
                return self.release();
            }
            Err(Stop::Interrupted(Interruption::LeaseLost)) => {
                tracing::warn!(document.id = %self.entry.document_id, "lease lost, result dropped");
                return;
            }
        };
        if let Some(sha256) = sha256 {
            self.remember(sha256, &end, stages.last().map(|last| last.stage));
        }
        self.end(&end, stages, sha256);
    }

    /// Keeps a permanent outcome, so that the same bytes are answered at once next time.
    fn remember(&self, sha256: &str, end: &End, reached: Option<Stage>) {
        let database = &self.services.database;
        let kept = match end.outcome {
            Outcome::Failed
                if matches!(end.code, Some(Code::InternalError | Code::StoreUnavailable)) =>
            {
                return;
            }
            Outcome::Failed | Outcome::NeedsAttention | Outcome::TooShort => {
                let remembered = Remembered {
                    outcome: end.outcome,
                    code: end.code,
                    message: end.message.clone(),
                    stage: reached.map_or_else(|| "0/14".to_owned(), Stage::label),
                };
                database.remember(memory_key(self.services, sha256), &remembered)
            }
            Outcome::Completed | Outcome::CompletedWithWarnings => database.forget(sha256),
            Outcome::SkippedDuplicate | Outcome::Cancelled => return,
        };
        if let Err(error) = kept {
            tracing::warn!(document.id = %self.entry.document_id, "outcome not remembered: {error}");
        }
    }

    /// Writes the document's row and report, then counts it: who sees the count finds the row.
    fn end(&self, end: &End, stages: &[StageTime], sha256: Option<&str>) {
        let row = JobDocument {
            id: self.entry.document_id,
            name: self.entry.name.clone(),
            path: self.entry.path.clone(),
            index: self.entry.index,
            outcome: Some(end.outcome),
            code: end.code,
            message: end.message.clone(),
            stage: stages.last().map_or_else(|| "0/14".to_owned(), |last| last.stage.label()),
            attempts: self.claim.lease.attempt,
            pages: end.pages,
            chunks: end.chunks,
            duration_ms: Some(milliseconds(self.started.elapsed())),
            quality: end.quality,
            issues: end.issues.clone(),
        };
        let report = report::of_document(&row, stages, sha256);
        let database = &self.services.database;
        let lease = &self.claim.lease;
        let begun = Instant::now();
        loop {
            match database.record_job_document(lease.job_id, fence(lease.fence), &row, &report) {
                Ok(()) => break,
                Err(StoreError::Fenced { .. }) => return,
                Err(error) if error.is_transient() && begun.elapsed() < ROW_PATIENCE => {
                    tracing::warn!(document.id = %row.id, "row not written yet: {error}");
                }
                Err(error) => {
                    // The document is counted all the same: a job must end.
                    tracing::error!(document.id = %row.id, "row not written: {error}");
                    break;
                }
            }
            if !self.may_settle() {
                return;
            }
            std::thread::sleep(SETTLE_PAUSE);
        }
        if end.outcome == Outcome::SkippedDuplicate {
            self.forget_old_bytes(sha256);
        }
        self.complete(&self.name(), &row);
    }

    /// A duplicate has nothing of its own: neither the version of what stood at its path before,
    /// nor a copy of an archive's entry.
    fn forget_old_bytes(&self, sha256: Option<&str>) {
        let id = self.entry.document_id;
        let database = &self.services.database;
        let outdated = match database.original(id) {
            Ok(Some(before)) => {
                Some(before).filter(|old| sha256.is_some_and(|now| now != old.sha256))
            }
            _ => None,
        };
        if let Some(before) = outdated {
            if let Err(error) = database.delete_document(id) {
                tracing::warn!(document.id = %id, "the old version stays: {error}");
            }
            self.forget_pages(&before.sha256);
            self.forget_copy(&before.location);
        }
        self.forget_copy(&self.entry.location);
    }

    fn complete(&self, name: &DocumentName, row: &JobDocument) {
        let ending = self.ending(
            name,
            row.outcome.unwrap_or(Outcome::Failed),
            row.code,
            row.message.clone(),
        );
        self.tell("counted", || {
            self.services.wait(self.services.queue.complete(&self.claim.lease, &ending))
        });
    }

    fn try_later(&self, end: &End) {
        let name = self.name();
        let ending = self.ending(&name, end.outcome, end.code, end.message.clone());
        tracing::warn!(document.id = %name.id, "will be tried again: {}", ending.log);
        self.tell("given back", || {
            let failed = self.services.queue.fail(&self.claim.lease, &ending, None);
            self.services.wait(failed).map(|failed| match failed {
                Failed::Lost => Settled::Lost,
                _ => Settled::Counted,
            })
        });
    }

    fn release(&self) {
        self.tell("released", || {
            self.services.wait(self.services.queue.release(&self.claim.lease))
        });
    }

    fn ending<'n>(
        &'n self,
        document: &'n DocumentName,
        outcome: Outcome,
        code: Option<Code>,
        message: Option<String>,
    ) -> Ending<'n> {
        let duration = self.started.elapsed();
        let log = report::ending_log(&document.name, outcome, code, message.as_deref());
        // Slots are what jobs share, so the time a slot was taken is the cost.
        Ending {
            document,
            outcome,
            code,
            message,
            log,
            duration,
            cost: duration,
            worker: &self.services.worker,
        }
    }

    /// Tells the queue until it answers or the lease is gone.
    fn tell(&self, what: &str, call: impl Fn() -> Result<Settled, QueueError>) {
        let id = self.entry.document_id;
        loop {
            match call() {
                Ok(Settled::Counted | Settled::Already) => {
                    return tracing::debug!(document.id = %id, "{what}");
                }
                Ok(Settled::Lost) => {
                    return tracing::warn!(document.id = %id, "lease lost before it was {what}");
                }
                Err(error) => tracing::warn!(document.id = %id, "not {what} yet: {error}"),
            }
            if !self.may_settle() {
                return;
            }
            std::thread::sleep(SETTLE_PAUSE);
        }
    }

    /// A cancelled or stopping document is still settled; a lost one is another worker's.
    fn may_settle(&self) -> bool {
        !matches!(self.held.proceed(), Err(Stop::Interrupted(Interruption::LeaseLost)))
    }
}

impl End {
    fn trained(trained: &Trained) -> End {
        End {
            outcome: trained.record.outcome,
            code: trained.code,
            message: trained.message.clone(),
            issues: trained.issues.clone(),
            pages: Some(trained.record.pages),
            chunks: Some(trained.chunks),
            quality: trained.record.quality,
        }
    }

    fn stopped(outcome: Outcome, code: Option<Code>, message: String) -> End {
        let message = Some(message).filter(|message| !message.is_empty());
        End { outcome, code, message, issues: Vec::new(), pages: None, chunks: None, quality: None }
    }
}

/// Stores keep fences as SQLite integers; a fence is microseconds since 1970 and fits until 2255.
fn fence(fence: u64) -> i64 {
    i64::try_from(fence).unwrap_or(i64::MAX)
}

fn reason(panic: &Box<dyn std::any::Any + Send>) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "без сообщения".to_owned())
}
