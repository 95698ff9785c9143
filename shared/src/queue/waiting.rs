//! Waiting until there may be something to claim.

use super::keys::Shard;
use super::{Queue, QueueError};
use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// The first pause between two looks at the wake lists of a Cluster, and the longest one: this is
/// how late a waiting worker learns of new work there.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

impl Queue {
    /// Waits until something may be claimable or the time is over. A lost wake-up costs one
    /// `patience`, so claim after every return; 2 s is a good value.
    ///
    /// The wake-up comes at once, in a Cluster within 250 ms: there the lists of the shards lie in
    /// different slots, for which no single command can block, so they are looked at from time
    /// to time, often at first.
    pub async fn wait_for_work(&self, patience: Duration) -> Result<(), QueueError> {
        let idle = self.waiting.lock().await.take();
        let connection = match idle {
            Some(connection) => Some(connection),
            None => self.servers.blocking().await?,
        };
        match connection {
            Some(connection) => self.block(connection, patience).await,
            None => self.look(patience).await,
        }
    }

    async fn block(
        &self,
        mut connection: MultiplexedConnection,
        patience: Duration,
    ) -> Result<(), QueueError> {
        let lists: Vec<String> = self.all_shards().map(Shard::wake).collect();
        let mut command = redis::cmd("BLPOP");
        command.arg(lists).arg(patience.as_secs_f64().max(0.01));
        let pop = command.query_async::<Option<(String, String)>>(&mut connection);
        // A half-open connection never answers: the own clock is the backstop.
        match timeout(patience + Duration::from_secs(2), pop).await {
            Ok(reply) => {
                reply?;
                *self.waiting.lock().await = Some(connection);
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }

    async fn look(&self, patience: Duration) -> Result<(), QueueError> {
        let end = Instant::now() + patience;
        let mut pause = PAUSE.0;
        loop {
            if self.take_marker().await? {
                return Ok(());
            }
            sleep_until(end.min(Instant::now() + pause)).await;
            if Instant::now() >= end {
                return Ok(());
            }
            pause = PAUSE.1.min(pause * 2);
        }
    }

    /// Takes one marker, whatever shard it is of: the claim that follows asks all of them. The
    /// others stay for other workers.
    async fn take_marker(&self) -> Result<bool, QueueError> {
        let lengths = join_all(self.all_shards().map(|shard| async move {
            let mut connection = self.servers.connection().await?;
            let length = redis::cmd("LLEN").arg(shard.wake()).query_async(&mut connection).await?;
            Ok::<u64, QueueError>(length)
        }));
        for (shard, length) in self.all_shards().zip(lengths.await) {
            if length? > 0 {
                let mut connection = self.servers.connection().await?;
                let marker: Option<String> =
                    redis::cmd("LPOP").arg(shard.wake()).query_async(&mut connection).await?;
                if marker.is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
