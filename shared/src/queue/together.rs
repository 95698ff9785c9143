//! Documents that end at the same time share one call: reading and writing their job costs more
//! than counting one document, so counting many costs little more than one.

use super::{Lease, Queue, QueueError, scripts};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot::{self, error::TryRecvError};
use uuid::Uuid;

/// Documents in one call: the script stays short.
const MOST_TOGETHER: usize = 64;

/// What `complete.lua` is told about a document.
type Arguments = [String; 6];
type Reply = Result<String, QueueError>;

/// Documents of this process and of one shard that have ended and are not counted yet.
#[derive(Default)]
pub(super) struct Endings {
    waiting: Mutex<VecDeque<Waiting>>,
    /// Whoever holds this makes the calls, for all that wait.
    turn: tokio::sync::Mutex<()>,
}

struct Waiting {
    lease: Lease,
    arguments: Arc<Arguments>,
    tell: oneshot::Sender<Reply>,
}

impl Endings {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job that has waited longest and its documents, each of them once.
    fn next_batch(&self) -> Option<(Uuid, Vec<Waiting>)> {
        let mut waiting = self.waiting();
        let job_id = waiting.iter().find(|document| !document.tell.is_closed())?.lease.job_id;
        let (mut batch, mut fences) = (Vec::new(), HashSet::new());
        for document in std::mem::take(&mut *waiting) {
            // Nobody waits for it any more.
            if document.tell.is_closed() {
                continue;
            }
            let fits = document.lease.job_id == job_id && batch.len() < MOST_TOGETHER;
            if fits && fences.insert(document.lease.fence) {
                batch.push(document);
            } else {
                waiting.push_back(document);
            }
        }
        Some((job_id, batch))
    }
}

impl Queue {
    /// Runs `complete.lua` for a document, together with others that wait. Nobody waits for
    /// company: the first one calls at once, and those that come meanwhile share the next call.
    pub(super) async fn complete_together(&self, lease: &Lease, arguments: Arguments) -> Reply {
        let arguments = Arc::new(arguments);
        // A shard whose node is away must not hold up the others.
        let endings = &self.endings[usize::from(self.shard(lease.job_id).number())];
        loop {
            let (tell, mut told) = oneshot::channel();
            let arguments = Arc::clone(&arguments);
            let document = Waiting { lease: *lease, arguments, tell };
            endings.waiting().push_back(document);
            let turn = tokio::select! {
                biased;
                reply = &mut told => match reply {
                    Ok(reply) => return reply,
                    // Whoever made the call was dropped in it. It may be repeated.
                    Err(_) => continue,
                },
                turn = endings.turn.lock() => turn,
            };
            // Those that end in this moment come along.
            tokio::task::yield_now().await;
            loop {
                match told.try_recv() {
                    Ok(reply) => return reply,
                    Err(TryRecvError::Closed) => break,
                    Err(TryRecvError::Empty) => self.complete_waiting(endings).await,
                }
            }
            drop(turn);
        }
    }

    async fn complete_waiting(&self, endings: &Endings) {
        let Some((job_id, batch)) = endings.next_batch() else { return };
        let mut call = scripts::COMPLETE.call(self.shard(job_id));
        call.arg(job_id.to_string()).arg(u8::from(!self.servers.is_cluster()));
        for argument in batch.iter().flat_map(|document| document.arguments.iter()) {
            call.arg(argument);
        }
        let replies: Result<Vec<String>, QueueError> = self.invoke(&call).await;
        let mut replies = replies.map(Vec::into_iter);
        for document in batch {
            let reply = match &mut replies {
                Ok(replies) => {
                    replies.next().ok_or_else(|| QueueError::Reply("too few replies".to_owned()))
                }
                Err(error) => Err(error.for_another()),
            };
            // A caller that does not wait any more has lost its reply and may ask again.
            document.tell.send(reply).ok();
        }
    }
}
