//! Shards, key names and channel names. Scripts build most keys themselves from the prefix of
//! their shard, which is the one key that they declare.

use uuid::Uuid;

/// The most shards there can be: `next_fence` in `leases.lua` gives every shard numbers of its
/// own, that many apart.
pub(super) const MOST_SHARDS: u16 = 16;

/// One of the parts that the jobs are divided into. A job lives on one shard with all its keys,
/// and the hash tag in their prefix puts all keys of a shard into one slot of a Cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shard(u16);

impl Shard {
    /// The shard with this number, from 0.
    pub(super) fn new(number: u16) -> Shard {
        Shard(number)
    }

    /// Where something with this id lives among so many shards.
    pub(super) fn of(id: Uuid, shards: u16) -> Shard {
        Shard(crc16(id.as_bytes()) % shards)
    }

    /// Its number, from 0.
    pub(super) fn number(self) -> u16 {
        self.0
    }

    /// The prefix of its keys.
    pub(super) fn prefix(self) -> String {
        format!("{{tq:{:02}}}:", self.0)
    }

    /// The list whose markers wake waiting workers.
    pub(super) fn wake(self) -> String {
        format!("{}wake", self.prefix())
    }

    /// The HASH of a job that lives here.
    pub(super) fn job(self, job_id: Uuid) -> String {
        format!("{}job:{job_id}", self.prefix())
    }
}

/// The channel on which the events of one job are published.
///
/// Channels carry no shard: in a Cluster an ordinary `PUBLISH` reaches the subscribers of every
/// node, so that one ordinary connection to any of them hears everything.
pub fn events_channel(job_id: Uuid) -> String {
    format!("tq:ch:{job_id}")
}

/// The pattern of the channels of all jobs. Nothing is published twice for those few who follow
/// every job.
pub fn all_events_pattern() -> String {
    "tq:ch:*".to_owned()
}

/// The channel that tells workers of cancel, pause and resume (see [`super::Control::parse`]).
pub fn control_channel() -> String {
    "tq:ctl".to_owned()
}

/// CRC-16/XMODEM, the one that a Cluster uses for its slots.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_spread_over_all_shards() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        let mut jobs = [0; MOST_SHARDS as usize];
        for _ in 0..16_000 {
            jobs[usize::from(Shard::of(Uuid::now_v7(), MOST_SHARDS).number())] += 1;
        }
        assert!(jobs.iter().all(|jobs| (800..1200).contains(jobs)), "{jobs:?}");
        assert_eq!(Shard::of(Uuid::now_v7(), 1), Shard::new(0));
        assert_eq!(Shard::new(7).wake(), "{tq:07}:wake");
    }
}
