//! Upstreams that chose HTTP/2 in the handshake and break it, frame by frame.

use tokio::net::TcpStream;

use super::attacker::Requests;
use super::tls::{self, client_of};
use super::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200`, as HPACK's table has it.
const STATUS_200: &[u8] = b"\x88";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// A header as HPACK writes one that is in no table.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| vec![u8::try_from(text.len()).unwrap()];
    [
        vec![0],
        length(name),
        name.into(),
        length(value),
        value.into(),
    ]
    .concat()
}

fn whole(stream: u32, body: &[u8]) -> Vec<u8> {
    let head = frame(HEADERS, END_HEADERS, stream, STATUS_200);
    [head, frame(DATA, END_STREAM, stream, body)].concat()
}

/// Reads up to the next request and returns its stream; the client's requests are
/// the only frames of headers it sends.
async fn request(peer: &mut Peer) -> Option<u32> {
    loop {
        let head = peer.take(9).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        peer.take(length.try_into().unwrap()).await?;
        if head[3] == HEADERS {
            peer.note("a request over HTTP/2");
            return Some(u32::from_be_bytes([head[5], head[6], head[7], head[8]]));
        }
    }
}

/// Attacks the first request with these frames, and answers all others honestly.
async fn talk(stream: TcpStream, requests: Requests, frames: Vec<u8>) -> Option<Peer> {
    let mut peer = Peer::new(tls::accept(stream, "h2").await?, requests);
    peer.take(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()).await?;
    let settings = [frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])];
    peer.say(&settings.concat()).await.ok()?;
    request(&mut peer).await?;
    peer.say(&frames).await.ok()?;
    loop {
        let stream = request(&mut peer).await?;
        peer.say(&whole(stream, b"honest")).await.ok()?;
    }
}

/// What comes of it. Whatever it is, the upstream sees the request once.
async fn outcome(name: &str, frames: Vec<u8>) -> Outcome {
    let mut attacker =
        tls::attacker(move |stream, requests| talk(stream, requests, frames.clone())).await;
    let outcome = attacked(name, &client_of(&attacker)).await;
    assert_eq!(
        attacker.requests().len(),
        2,
        "{name}: the attack, and the honest one"
    );
    outcome
}

#[tokio::test]
async fn an_honest_answer_over_http_2_is_taken() {
    assert_eq!(
        outcome("honest", whole(1, b"hello")).await,
        answer(200, "hello")
    );
    let interim = frame(HEADERS, END_HEADERS, 1, b"\x08\x03103").repeat(100);
    let frames = [interim, whole(1, b"hello")].concat();
    assert_eq!(outcome("after hints", frames).await, answer(200, "hello"));
}

#[tokio::test]
async fn what_breaks_http_2_yields_no_answer() {
    let head = frame(HEADERS, END_HEADERS, 1, STATUS_200);
    let announced = [STATUS_200, &literal("content-length", "9")].concat();
    let announced = frame(HEADERS, END_HEADERS, 1, &announced);
    let push = [b"\0\0\0\x02".as_slice(), STATUS_200].concat();
    for (name, frames) in [
        ("HTTP/1", ok("", b"hello")),
        ("garbage", vec![0xff; 100]),
        (
            "a frame that is too long",
            frame(DATA, 0, 1, &vec![0; 20_000]),
        ),
        ("data before a head", frame(DATA, END_STREAM, 1, b"hello")),
        (
            "data of a stream nobody opened",
            frame(DATA, END_STREAM, 7, b"hello"),
        ),
        (
            "an answer nobody asked for",
            frame(PUSH_PROMISE, END_HEADERS, 1, &push),
        ),
        (
            "no status",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, b""),
        ),
        (
            "HPACK from no table",
            frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\x0f"),
        ),
        (
            "less than was announced",
            [announced.clone(), frame(DATA, END_STREAM, 1, b"half")].concat(),
        ),
        (
            "more than was announced",
            [announced, frame(DATA, END_STREAM, 1, b"more than nine")].concat(),
        ),
        ("a reset at once", frame(RST_STREAM, 0, 1, b"\0\0\0\x02")),
        ("a refusal", frame(RST_STREAM, 0, 1, b"\0\0\0\x07")),
        (
            "a reset in the body",
            [head.clone(), frame(RST_STREAM, 0, 1, b"\0\0\0\x02")].concat(),
        ),
        ("farewell, unread", frame(GOAWAY, 0, 0, &[0; 8])),
        (
            "farewell in anger",
            frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\x02"),
        ),
    ] {
        assert_eq!(
            outcome(name, frames).await,
            sent(HttpErrorKind::Protocol),
            "{name}"
        );
    }
}

#[tokio::test]
async fn floods_of_headers_yield_no_answer() {
    let many: Vec<u8> = (0..1000)
        .flat_map(|i| literal(&format!("x-{i}"), "1"))
        .collect();
    let some: Vec<u8> = (0..101)
        .flat_map(|i| literal(&format!("x-{i}"), "1"))
        .collect();
    let open = frame(HEADERS, 0, 1, STATUS_200);
    let more = frame(CONTINUATION, 0, 1, &literal("x-more", "1")).repeat(50_000);
    let nothing = frame(CONTINUATION, 0, 1, b"").repeat(50_000);
    // One header in the table, and then by its number for a byte each.
    let entry = [b"\x40\x01x".as_slice(), b"\x7f\x81\x1e", &[b'x'; 4000]].concat();
    let bomb = [STATUS_200, &entry, &vec![0xbe; 10_000]].concat();
    let within = |block: &[u8]| frame(HEADERS, END_HEADERS, 1, &[STATUS_200, block].concat());
    for (name, frames, kind) in [
        ("a hundred and one", within(&some), HttpErrorKind::TooLarge),
        ("a thousand", within(&many), HttpErrorKind::TooLarge),
        (
            "a small block that unpacks to 40 MB",
            frame(HEADERS, END_HEADERS, 1, &bomb),
            HttpErrorKind::Protocol,
        ),
        (
            "without end",
            [open.clone(), more].concat(),
            HttpErrorKind::Protocol,
        ),
        (
            "without end and without headers",
            [open, nothing].concat(),
            HttpErrorKind::Protocol,
        ),
    ] {
        assert_eq!(outcome(name, frames).await, sent(kind), "{name}");
    }
}

#[tokio::test]
async fn floods_of_data_are_too_large() {
    let head = frame(HEADERS, END_HEADERS, 1, STATUS_200);
    let data = frame(DATA, 0, 1, &[b'x'; 16_000]).repeat(MAX_BODY / 16_000 + 1);
    let frames = [head, data].concat();
    assert_eq!(outcome("data", frames).await, sent(HttpErrorKind::TooLarge));
}

#[tokio::test]
async fn floods_of_other_frames_are_ended_or_survived() {
    let head = frame(HEADERS, END_HEADERS, 1, STATUS_200);
    let empty = [head, frame(DATA, 0, 1, b"").repeat(20_000)].concat();
    for (name, flood) in [
        ("pings", frame(PING, 0, 0, &[0; 8]).repeat(20_000)),
        ("settings", frame(SETTINGS, 0, 0, &[]).repeat(20_000)),
        (
            "resets",
            frame(RST_STREAM, 0, 1, b"\0\0\0\x02").repeat(20_000),
        ),
        ("data without data", empty),
    ] {
        let outcome = outcome(name, [flood, whole(1, b"hello")].concat()).await;
        let expected = [answer(200, "hello"), sent(HttpErrorKind::Protocol)];
        assert!(expected.contains(&outcome), "{name}: {outcome:?}");
    }
}
