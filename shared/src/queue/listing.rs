//! The listing unit: the manifest grows while its first documents are trained already.

use super::settle::settled;
use super::{Lease, Queue, QueueError, Settled, Unit, scripts};

/// Whether listing should go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Saved; go on.
    Held,
    /// The job is being cancelled; [`Queue::release`] the lease.
    Cancelled,
    /// Somebody else lists now; stop.
    Lost,
}

impl Queue {
    /// Makes documents `0 .. total` claimable and saves the position behind them, after the
    /// manifest part with their entries is durable. `position` is the caller's own text (at most
    /// 4 KiB); the next holder finds it in [`super::Task::List`].
    pub async fn extend(
        &self,
        lease: &Lease,
        total: u64,
        position: &str,
    ) -> Result<Listing, QueueError> {
        expect_unit(lease, Unit::List)?;
        if position.len() > 4096 {
            return Err(QueueError::Misuse("listing position over 4 KiB".to_owned()));
        }
        let reply: String = self
            .invoke(
                scripts::EXTEND
                    .call(self.shard(lease.job_id))
                    .arg(lease.job_id.to_string())
                    .arg(lease.fence)
                    .arg(total)
                    .arg(position),
            )
            .await?;
        match reply.as_str() {
            "held" => Ok(Listing::Held),
            "cancelled" => Ok(Listing::Cancelled),
            "lost" => Ok(Listing::Lost),
            _ => Err(QueueError::Reply(reply)),
        }
    }

    /// Ends the listing: the job has exactly `total` documents. The lease is given up.
    pub async fn seal(&self, lease: &Lease, total: u64) -> Result<Settled, QueueError> {
        expect_unit(lease, Unit::List)?;
        let reply: String = self
            .invoke(
                scripts::SEAL
                    .call(self.shard(lease.job_id))
                    .arg(lease.job_id.to_string())
                    .arg(lease.fence)
                    .arg(total),
            )
            .await?;
        settled(&reply)
    }

    /// Ends the listing and the job as `failed`: its sources cannot be listed. Documents that
    /// wait are counted as cancelled and running ones are told to stop; `reason` is for people.
    pub async fn abort(&self, lease: &Lease, reason: &str) -> Result<Settled, QueueError> {
        expect_unit(lease, Unit::List)?;
        let reply: String = self
            .invoke(
                scripts::ABORT
                    .call(self.shard(lease.job_id))
                    .arg(lease.job_id.to_string())
                    .arg(lease.fence)
                    .arg(reason),
            )
            .await?;
        settled(&reply)
    }
}

/// Refuses a lease of another unit.
pub(super) fn expect_unit(lease: &Lease, unit: Unit) -> Result<(), QueueError> {
    if lease.unit == unit {
        Ok(())
    } else {
        Err(QueueError::Misuse(format!("lease of {:?} where {unit:?} is needed", lease.unit)))
    }
}
