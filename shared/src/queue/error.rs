//! What can go wrong between a caller and the queue.

use deadpool_redis::PoolError;
use redis::{ErrorKind, RedisError};

/// Why a call of the queue did not answer. A lost lease is no error but an answer.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Redis could not be reached, timed out or refused the command.
    #[error("redis: {0}")]
    Redis(#[from] RedisError),
    /// No connection could be had from the pool in time.
    #[error("redis connection pool: {0}")]
    Pool(#[from] PoolError),
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
            QueueError::Redis(error) => may_heal(error),
            QueueError::Pool(PoolError::Backend(error)) => may_heal(error),
            QueueError::Pool(_) | QueueError::QueueFull => true,
            _ => false,
        }
    }

    /// The same error for another caller of a shared call.
    pub(super) fn for_another(&self) -> QueueError {
        match self {
            QueueError::Redis(error) => QueueError::Redis(error.clone()),
            QueueError::Misuse(reason) => QueueError::Misuse(reason.clone()),
            other if other.is_transient() => {
                RedisError::from((ErrorKind::Io, "shared call", other.to_string())).into()
            }
            other => QueueError::Reply(other.to_string()),
        }
    }

    /// Scripts refuse a call with codes of their own; everything else is Redis's error.
    pub(super) fn from_script(error: RedisError) -> QueueError {
        match error.code() {
            Some("TQ_MISUSE") => {
                QueueError::Misuse(error.detail().unwrap_or("refused by a script").to_owned())
            }
            Some("TQ_NO_SUCH_JOB") => QueueError::NoSuchJob,
            Some("OOM") => QueueError::QueueFull,
            _ => QueueError::Redis(error),
        }
    }
}

/// Only a wrong address, a wrong password and defects of ours stay as they are.
fn may_heal(error: &RedisError) -> bool {
    use ErrorKind::*;
    !matches!(
        error.kind(),
        InvalidClientConfig | Client | Parse | UnexpectedReturnType | AuthenticationFailed
    )
}
