//! A worker that does nothing but tell the queue it did.

use shared::identity::document_id;
use shared::outcome::Outcome;
use shared::queue::{
    Claim, DocumentName, Ending, Queue, QueueError, Settled, StageBody, Task, Worker,
};
use shared::stage::Stage;
use std::time::Duration;
use uuid::Uuid;

pub(crate) struct FakeWorker {
    queue: Queue,
    worker: Worker,
}

impl FakeWorker {
    pub(crate) fn new(queue: &Queue) -> FakeWorker {
        let worker = Worker {
            id: Uuid::new_v4(),
            host: "test".to_owned(),
            version: "0".to_owned(),
            slots: 1,
        };
        FakeWorker { queue: queue.clone(), worker }
    }

    pub(crate) async fn claim(&self) -> Claim {
        for _ in 0..1000 {
            let claimed = self.queue.claim(&self.worker, Uuid::new_v4(), 1).await.unwrap();
            if let Some(claim) = claimed.into_iter().next() {
                return claim;
            }
            self.queue.wait_for_work(Duration::from_millis(50)).await.unwrap();
        }
        panic!("there is nothing to claim");
    }

    /// Lists `total` documents.
    pub(crate) async fn list(&self, total: u64) {
        let claim = self.claim().await;
        assert!(matches!(claim.task, Task::List { .. }), "{claim:?}");
        assert_eq!(self.queue.seal(&claim.lease, total).await.unwrap(), Settled::Counted);
    }

    /// Publishes one stage; repeats what may have been lost, as a real worker does.
    pub(crate) async fn stage(&self, claim: &Claim, stage: Stage) {
        self.stage_with(claim, stage, "готово").await;
    }

    async fn stage_with(&self, claim: &Claim, stage: Stage, details: &str) {
        let document = name_of(claim);
        let body = StageBody {
            stage,
            details,
            duration: Duration::from_millis(3),
            document: &document,
            worker: "test",
        };
        repeated(|| self.queue.publish(&claim.lease, stage.number().into(), &body)).await;
    }

    pub(crate) async fn complete(&self, claim: &Claim, outcome: Outcome) {
        let document = name_of(claim);
        let ending = Ending {
            document: &document,
            outcome,
            code: None,
            message: None,
            log: "✅ обучен".to_owned(),
            duration: Duration::from_millis(40),
            cost: Duration::from_millis(40),
            worker: "test",
        };
        repeated(|| self.queue.complete(&claim.lease, &ending)).await;
    }

    /// All stages and the end of one document.
    pub(crate) async fn document(&self) {
        let claim = self.claim().await;
        assert!(matches!(claim.task, Task::Train { .. }), "{claim:?}");
        for stage in Stage::ALL {
            self.stage(&claim, stage).await;
        }
        self.complete(&claim, Outcome::Completed).await;
    }

    /// A document whose log lines are so long.
    pub(crate) async fn wordy_document(&self, length: usize) {
        let claim = self.claim().await;
        let details = "x".repeat(length);
        for stage in Stage::ALL {
            self.stage_with(&claim, stage, &details).await;
        }
        self.complete(&claim, Outcome::Completed).await;
    }

    pub(crate) async fn finish(&self) {
        let claim = self.claim().await;
        assert!(matches!(claim.task, Task::Finish { .. }), "{claim:?}");
        repeated(|| self.queue.finish(&claim.lease)).await;
    }

    /// Whatever there is to do next, of whatever job; a listing finds `total` documents. `false`
    /// when there is nothing.
    pub(crate) async fn anything(&self, total: u64) -> bool {
        let work = Uuid::new_v4();
        let claimed = repeated(|| self.queue.claim(&self.worker, work, 1)).await;
        let Some(claim) = claimed.into_iter().next() else { return false };
        match claim.task {
            Task::List { .. } => {
                repeated(|| self.queue.seal(&claim.lease, total)).await;
            }
            Task::Train { .. } => {
                for stage in Stage::ALL {
                    self.stage(&claim, stage).await;
                }
                self.complete(&claim, Outcome::Completed).await;
            }
            Task::Finish { .. } => {
                repeated(|| self.queue.finish(&claim.lease)).await;
            }
            Task::RecordLost { .. } => panic!("no worker dies here: {claim:?}"),
        }
        true
    }

    /// A whole job.
    pub(crate) async fn run(&self, documents: u64) {
        self.list(documents).await;
        for _ in 0..documents {
            self.document().await;
        }
        self.finish().await;
    }
}

fn name_of(claim: &Claim) -> DocumentName {
    let Task::Train { index, .. } = claim.task else { panic!("no document: {claim:?}") };
    let name = format!("{index}.pdf");
    DocumentName { id: document_id("default", &name), name }
}

async fn repeated<T, F>(mut call: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, QueueError>>,
{
    for _ in 0..200 {
        match call().await {
            Ok(answer) => return answer,
            Err(error) if error.is_transient() => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("redis stayed away");
}
