use super::{Back, Source};
use crate::live::channel::Channel;
use crate::live::entry::Entry;
use crate::live::firehose::Firehose;
use crate::live::log::{Page, PageHead};
use crate::live::look::{Cursor, Look};
use crate::live::outlet::Outlet;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::time::Duration;
use testkit::Choices;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use uuid::Uuid;

const EVENTS: u64 = 4000;
const LIMIT: Duration = Duration::from_secs(60);

fn entry(seq: u64) -> Entry {
    let text = "я".repeat(Choices::of(seq).below(900) as usize);
    let json = format!("{{\"seq\":{seq},\"log\":\"{text}\"}}");
    Entry::new(Uuid::nil(), "e".to_owned(), seq, seq == EVENTS, &json)
}

fn begun(events: Vec<Entry>, firehose: &Firehose) -> Arc<Channel> {
    let channel = Channel::new(Uuid::nil());
    let seq = events.last().map_or(0, |last| last.seq);
    let head = Some(PageHead { epoch: "e".to_owned(), seq });
    channel.begin(Page { head, oldest: 1, events }, firehose);
    Arc::new(channel)
}

/// Both ends of a line that holds little.
async fn narrow_line() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let (client, accepted) =
        tokio::join!(socket.connect(listener.local_addr().unwrap()), listener.accept());
    let server = accepted.unwrap().0;
    socket2::SockRef::from(&server).set_send_buffer_size(8192).unwrap();
    (client.unwrap(), server)
}

async fn write_all(line: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        line.writable().await.unwrap();
        match line.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
}

/// What became of the waiting of a viewer.
#[derive(Default)]
struct Seen {
    by_fan: u64,
    unfinished: u64,
    given_up: u64,
}

/// Follows like a viewer until the final event, and now and then takes its socket back early.
async fn view(channel: Arc<Channel>, line: TcpStream, seed: u64) -> Seen {
    let line = Arc::new(line);
    let outlet = Outlet::new(Arc::clone(&line));
    let seat = channel.fans.join(&channel, Arc::clone(&outlet), &Arc::new(Metrics::default()));
    let (mut cursor, mut seen) = (Cursor { position: 0, lineage: 0 }, Seen::default());
    let mut choices = Choices::of(seed);
    loop {
        match channel.look(cursor, 7) {
            Look::Events(events) => {
                outlet.finish().await.unwrap();
                for event in events {
                    write_all(&line, event.frame()).await;
                    cursor.position = event.seq;
                }
            }
            Look::Ended => {
                outlet.finish().await.unwrap();
                return seen;
            }
            Look::Nothing => {
                let before = cursor.position;
                let patience = async {
                    for _ in 0..choices.below(40) {
                        tokio::task::yield_now().await;
                    }
                };
                let back = tokio::select! {
                    back = seat.until_back(&*channel, &mut cursor) => Some(back),
                    () = patience => None,
                };
                seen.by_fan += cursor.position - before;
                match back {
                    Some(Back::Unfinished) => {
                        seen.unfinished += 1;
                        outlet.finish().await.unwrap();
                    }
                    Some(Back::News) => {}
                    None => seen.given_up += 1,
                }
            }
            Look::BelowRing => panic!("the publisher waits for its viewers"),
            Look::Void(..) => panic!("one history"),
        }
    }
}

/// Whoever writes, and wherever a frame is cut: every byte arrives once and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_changes_hands_carries_every_byte_once() {
    let seed = Choices::of_test().below(1 << 40);
    let firehose = Firehose::new();
    let channel = begun(Vec::new(), &firehose);
    let expected: Vec<u8> = (1..=EVENTS).flat_map(|seq| entry(seq).frame().to_vec()).collect();
    let expected = Arc::new(expected);
    let (mut viewers, mut readers) = (Vec::new(), Vec::new());
    let position = Arc::new(std::sync::Mutex::new(vec![0_usize; 3]));
    for viewer in 0..3 {
        let (mut client, server) = narrow_line().await;
        viewers.push(tokio::spawn(view(Arc::clone(&channel), server, seed + viewer as u64)));
        let (expected, position) = (Arc::clone(&expected), Arc::clone(&position));
        readers.push(tokio::spawn(async move {
            let (mut choices, mut got) = (Choices::of(seed + 10 + viewer as u64), 0);
            let mut buffer = vec![0; 20_000];
            while got < expected.len() {
                for _ in 0..choices.below(30) {
                    tokio::task::yield_now().await;
                }
                let at_most = 1 + choices.below(20_000) as usize;
                let read = client.read(&mut buffer[..at_most]).await.unwrap();
                assert!(read > 0, "the line ended at byte {got}");
                assert!(buffer[..read] == expected[got..got + read], "after byte {got}");
                got += read;
                position.lock().unwrap()[viewer] = got;
            }
            assert_eq!(client.read(&mut buffer).await.unwrap(), 0, "more than was published");
        }));
    }
    let publishing = async {
        let mut choices = Choices::of(seed + 20);
        let mut published = 0;
        for seq in 1..=EVENTS {
            let entry = Arc::new(entry(seq));
            published += entry.frame().len();
            channel.deliver(entry, &firehose);
            if choices.below(3) == 0 {
                tokio::task::yield_now().await;
            }
            // Nobody falls out of the ring: that path is the channel's own test.
            while published - position.lock().unwrap().iter().min().unwrap() > 200_000 {
                tokio::task::yield_now().await;
            }
        }
    };
    timeout(LIMIT, publishing).await.unwrap();
    for reader in readers {
        timeout(LIMIT, reader).await.unwrap().unwrap();
    }
    let mut all = Seen::default();
    for viewer in viewers {
        let seen = timeout(LIMIT, viewer).await.unwrap().unwrap();
        all.by_fan += seen.by_fan;
        all.unfinished += seen.unfinished;
        all.given_up += seen.given_up;
    }
    // Otherwise nothing was tested.
    let Seen { by_fan, unfinished, given_up } = all;
    assert!(by_fan > 0 && unfinished > 0 && given_up > 0, "{by_fan} {unfinished} {given_up}");
}

/// What no event announces any more: the viewer learns of the end, and of a lost history, by
/// getting its line back.
#[tokio::test]
async fn what_a_fan_cannot_do_gives_the_line_back() {
    let firehose = Firehose::new();
    let channel = begun(vec![entry(EVENTS - 2)], &firehose);
    let (mut client, server) = narrow_line().await;
    let outlet = Outlet::new(Arc::new(server));
    let seat = channel.fans.join(&channel, outlet, &Arc::new(Metrics::default()));
    let mut cursor = Cursor { position: EVENTS - 2, lineage: 0 };
    let ending = async {
        for seq in [EVENTS - 1, EVENTS] {
            channel.deliver(Arc::new(entry(seq)), &firehose);
            tokio::task::yield_now().await;
        }
    };
    let (back, ()) =
        timeout(LIMIT, async { tokio::join!(seat.until_back(&*channel, &mut cursor), ending) })
            .await
            .unwrap();
    assert_eq!((back, cursor.position), (Back::News, EVENTS));
    assert!(matches!(channel.look(cursor, 1), Look::Ended));
    let expected = [entry(EVENTS - 1).frame().to_vec(), entry(EVENTS).frame().to_vec()].concat();
    let mut got = vec![0; expected.len()];
    client.read_exact(&mut got).await.unwrap();
    assert!(got == expected);
}

#[tokio::test]
async fn a_fan_ends_with_its_last_viewer() {
    let firehose = Firehose::new();
    let channel = begun(Vec::new(), &firehose);
    let metrics = Arc::new(Metrics::default());
    let mut seats = Vec::new();
    let mut lines = Vec::new();
    for _ in 0..super::SEATS + 1 {
        let (client, server) = narrow_line().await;
        lines.push(client);
        seats.push(channel.fans.join(&channel, Outlet::new(Arc::new(server)), &metrics));
    }
    assert_eq!(channel.fans.0.lock().unwrap().len(), 2);
    // The test has one of the holds on the channel, each task another.
    assert_eq!(Arc::strong_count(&channel), 3);
    drop(seats);
    timeout(LIMIT, async {
        while Arc::strong_count(&channel) > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}
