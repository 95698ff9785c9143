//! What can go wrong between a caller and the queue.

use redis::ErrorKind;

/// Why a call of the queue did not answer. A lost lease is no error but an answer.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Redis could not be reached, timed out or refused the command.
    #[error("redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// No connection could be had from the pool in time.
    #[error("redis connection pool: {0}")]
    Pool(#[from] deadpool_redis::PoolError),
    /// The job exists with another request: the idempotency key was used for something else.
    #[error("the job exists with another request")]
    KeyReused,
    /// Redis is at its memory limit, or as many jobs are open as the settings allow.
    #[error("the queue is full")]
    QueueFull,
    /// There is no such job, or it ended longer ago than events are kept.
    #[error("no such job")]
    NoSuchJob,
    /// The call does not fit the lease or breaks a rule of the queue; a defect of the caller.
    #[error("misuse of the queue: {0}")]
    Misuse(String),
    /// Redis would throw keys away under memory pressure.
    #[error("redis has maxmemory-policy {0}, but the queue needs noeviction")]
    EvictionPolicy(String),
    /// A reply that no script of this version gives.
    #[error("unexpected reply from redis: {0}")]
    Reply(String),
}

impl QueueError {
    /// Whether the same call may succeed later: Redis is away, loading, failing over or full.
    pub fn is_transient(&self) -> bool {
        match self {
            QueueError::Redis(error) => {
                !matches!(error.kind(), ErrorKind::InvalidClientConfig | ErrorKind::Client)
            }
            QueueError::Pool(_) | QueueError::QueueFull => true,
            _ => false,
        }
    }

    /// Scripts refuse with `error_reply("TQ <NAME> …")`; everything else is Redis's own error.
    pub(super) fn from_script(error: redis::RedisError) -> QueueError {
        let text = error.to_string();
        if let Some((_, reason)) = text.split_once("TQ_MISUSE") {
            return QueueError::Misuse(reason.trim_matches([':', ' ', '"']).to_owned());
        }
        if text.contains("TQ_NO_SUCH_JOB") {
            return QueueError::NoSuchJob;
        }
        if error.code() == Some("OOM") {
            return QueueError::QueueFull;
        }
        QueueError::Redis(error)
    }
}
