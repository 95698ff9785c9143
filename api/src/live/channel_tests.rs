use super::{Channel, Look, ResetReason};
use crate::live::entry::{Entry, Since};
use crate::live::fan::Source;
use crate::live::firehose::Firehose;
use crate::live::log::{Page, PageHead};
use crate::live::look::Cursor;
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

fn entry(epoch: &str, seq: u64) -> Entry {
    Entry::new(Uuid::nil(), epoch.to_owned(), seq, false, &format!("{{\"seq\":{seq}}}"))
}

/// The stream as Redis keeps it.
struct Stream {
    epoch: String,
    top: u64,
    oldest: u64,
}

impl Stream {
    /// What the filling task of a channel reads that has everything up to `top`.
    fn page(&self, top: u64, limit: u64) -> Page {
        let (after, limit) = (top.saturating_sub(1), limit + 1);
        let first = (after + 1).max(self.oldest);
        let events = (first..=self.top).take(limit as usize).map(|seq| entry(&self.epoch, seq));
        Page {
            head: Some(PageHead { epoch: self.epoch.clone(), seq: self.top }),
            oldest: self.oldest,
            events: events.collect(),
        }
    }
}

fn fill(channel: &Channel, stream: &Stream, firehose: &Firehose) {
    for _ in 0..100 {
        let from = channel.fill_from();
        if channel.fill(from, stream.page(from, 64), firehose) {
            return;
        }
    }
    panic!("the channel never caught up");
}

/// What a cursor from the start reads, or why it was thrown out.
fn read_all(channel: &Channel, from: u64, lineage: u64) -> Result<Vec<u64>, ResetReason> {
    let mut position = from;
    let mut read = Vec::new();
    loop {
        match channel.look(Cursor { position, lineage }, 7) {
            Look::Events(events) => {
                read.extend(events.iter().map(|entry| entry.seq));
                position = events.last().map_or(position, |entry| entry.seq);
            }
            Look::Void(reason, _) => return Err(reason),
            Look::BelowRing | Look::Nothing | Look::Ended => return Ok(read),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Publish so many events; the flags tell which messages of pub/sub arrive.
    Publish(Vec<bool>),
    /// The filling task reads the stream.
    Fill,
    /// The filling task reads, but events are published and delivered before the page arrives.
    SlowFill(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop::collection::vec(any::<bool>(), 1..20).prop_map(Step::Publish),
        2 => Just(Step::Fill),
        2 => (1_u8..20).prop_map(Step::SlowFill),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    /// Whatever messages are lost, a cursor reads every event once and in order.
    #[test]
    fn a_cursor_sees_everything_once_and_in_order(steps in steps(), tracked: bool) {
        let firehose = Firehose::new();
        let channel = Channel::new(Uuid::nil());
        if tracked {
            channel.track(0, true, &firehose);
        }
        let mut stream = Stream { epoch: "e".to_owned(), top: 0, oldest: 1 };
        let mut read = Vec::new();
        for step in steps {
            match step {
                Step::Publish(arrives) => for arrives in arrives {
                    stream.top += 1;
                    if arrives {
                        channel.deliver(Arc::new(entry("e", stream.top)), &firehose);
                    }
                },
                Step::Fill => fill(&channel, &stream, &firehose),
                Step::SlowFill(meanwhile) => {
                    let from = channel.fill_from();
                    let page = stream.page(from, 64);
                    for _ in 0..meanwhile {
                        stream.top += 1;
                        channel.deliver(Arc::new(entry("e", stream.top)), &firehose);
                    }
                    channel.fill(from, page, &firehose);
                }
            }
            let position = read.last().copied().unwrap_or(0);
            read.extend(read_all(&channel, position, 0).expect("no reset happened"));
        }
        fill(&channel, &stream, &firehose);
        let position = read.last().copied().unwrap_or(0);
        read.extend(read_all(&channel, position, 0).expect("no reset happened"));
        prop_assert_eq!(&read, &Vec::from_iter(1..=stream.top));
        if tracked {
            let all: Vec<u64> =
                firehose.read(0, usize::MAX).0.iter().map(|entry| entry.seq).collect();
            prop_assert_eq!(all, read);
        }
    }
}

#[test]
fn a_long_history_is_not_pulled_into_the_ring() {
    let (firehose, channel) = (Firehose::new(), Channel::new(Uuid::nil()));
    let stream = Stream { epoch: "e".to_owned(), top: 5000, oldest: 1 };
    fill(&channel, &stream, &firehose);
    assert_eq!(channel.head(), ("e".to_owned(), 5000));
    assert!(matches!(channel.look(Cursor { position: 100, lineage: 0 }, 10), Look::BelowRing));
    assert_eq!(read_all(&channel, 4990, 0), Ok(Vec::from_iter(4991..=5000)));
}

#[test]
fn lost_and_rewound_histories_throw_cursors_out() {
    let (firehose, channel) = (Firehose::new(), Channel::new(Uuid::nil()));
    let mut stream = Stream { epoch: "e".to_owned(), top: 40, oldest: 1 };
    fill(&channel, &stream, &firehose);
    assert_eq!(read_all(&channel, 0, 0).map(|read| read.len()), Ok(40));
    // A failover lost the last ten.
    stream.top = 30;
    fill(&channel, &stream, &firehose);
    assert_eq!(read_all(&channel, 40, 0), Err(ResetReason::Regressed));
    // Redis came back empty and the job was submitted again.
    stream = Stream { epoch: "f".to_owned(), top: 3, oldest: 1 };
    fill(&channel, &stream, &firehose);
    assert_eq!(read_all(&channel, 30, 1), Err(ResetReason::Epoch));
    assert_eq!(read_all(&channel, 0, 2), Ok(vec![1, 2, 3]));
}

#[test]
fn a_rewound_history_that_has_grown_past_the_old_one_is_noticed() {
    let (firehose, channel) = (Firehose::new(), Channel::new(Uuid::nil()));
    let mut stream = Stream { epoch: "e".to_owned(), top: 40, oldest: 1 };
    // What a failover lost looked otherwise than what came in its place.
    let mut lost = entry("e", 41);
    lost.json = "{\"seq\":41,\"lost\":true}".into();
    fill(&channel, &stream, &firehose);
    channel.deliver(Arc::new(lost), &firehose);
    stream.top = 60;
    fill(&channel, &stream, &firehose);
    assert_eq!(read_all(&channel, 41, 0), Err(ResetReason::Regressed));
    assert_eq!(read_all(&channel, 0, 1), Ok(Vec::from_iter(1..=60)));
}

#[test]
fn cursors_in_the_ring_need_no_reading() {
    let (firehose, channel) = (Firehose::new(), Channel::new(Uuid::nil()));
    let covers = |since: &str| {
        channel.position().is_some_and(|position| position.covers(&Since::parse(since).unwrap()))
    };
    assert!(!covers("0"), "nothing was read yet");
    let mut stream = Stream { epoch: "e".to_owned(), top: 10, oldest: 1 };
    fill(&channel, &stream, &firehose);
    assert!(covers("0") && covers("e:0") && covers("e:10") && covers("7"));
    assert!(!covers("e:11") && !covers("f:5"));
    stream.top = 5000;
    fill(&channel, &stream, &firehose);
    assert!(covers("e:4999") && !covers("e:4000") && !covers("0"));
}

#[test]
fn a_trimmed_stream_leaves_no_hole_in_the_ring() {
    let (firehose, channel) = (Firehose::new(), Channel::new(Uuid::nil()));
    let mut stream = Stream { epoch: "e".to_owned(), top: 10, oldest: 1 };
    fill(&channel, &stream, &firehose);
    stream.top = 200;
    stream.oldest = 150;
    fill(&channel, &stream, &firehose);
    assert!(matches!(channel.look(Cursor { position: 10, lineage: 0 }, 10), Look::BelowRing));
    assert_eq!(read_all(&channel, 149, 0), Ok(Vec::from_iter(150..=200)));
}
