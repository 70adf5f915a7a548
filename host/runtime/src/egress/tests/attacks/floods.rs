//! Too much, and too slowly.

use std::time::Duration;

use super::*;

fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: 0\r\n\r\n").into_bytes()
}

#[test]
fn heads_without_measure_are_too_large() {
    let many = (0..1000).fold(String::new(), |all, i| all + &format!("x-{i}: 1\r\n"));
    let same = "x-same: 1\r\n".repeat(1000);
    let long = format!("x-long: {}\r\n", "x".repeat(1 << 20));
    let name = format!("x-{}: 1\r\n", "x".repeat(1 << 20));
    let status = format!("HTTP/1.1 200 {}", "x".repeat(1 << 20));
    let interim = format!(
        "HTTP/1.1 103 Early Hints\r\n{}",
        "x-same: 1\r\n".repeat(1 << 17)
    );
    for (name, bytes) in [
        ("a thousand headers", head(&many)),
        ("a header a thousand times", head(&same)),
        ("a value of a megabyte", head(&long)),
        ("a name of a megabyte", head(&name)),
        ("a status line without end", status.into_bytes()),
        ("hints without end", interim.into_bytes()),
    ] {
        check(name, bytes, &sent(HttpErrorKind::TooLarge));
    }
}

/// Says a head, and then the same for ever.
async fn endless(head: &'static [u8], rest: &'static [u8]) -> Attacker {
    Attacker::start(move |stream, requests| async move {
        let mut peer = Peer::new(stream, requests);
        peer.request().await?;
        peer.say(head).await.ok()?;
        peer.repeat(rest).await
    })
    .await
}

#[tokio::test]
async fn bodies_without_end_are_ended_by_a_limit() {
    use HttpErrorKind::{Protocol, TooLarge};
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const GZIP: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff";
    const NAMED: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\xff";
    for (name, head, rest, kind) in [
        (
            "until it closes",
            b"HTTP/1.1 200 OK\r\n\r\n".as_slice(),
            b"x".as_slice(),
            TooLarge,
        ),
        ("in small chunks", CHUNKED, b"1\r\nx\r\n", TooLarge),
        ("in one chunk", CHUNKED, b"fffffffffffffff\r\n", TooLarge),
        (
            "blocks of gzip with nothing in them",
            GZIP,
            b"\0\0\0\xff\xff",
            TooLarge,
        ),
        ("a file name in gzip", NAMED, b"x", Protocol),
        ("extensions of chunks", CHUNKED, b"1;x\r\nx\r\n", Protocol),
    ] {
        let attacker = endless(head, rest).await;
        let outcome = attacked(name, &client_of(&attacker)).await;
        assert_eq!(outcome, sent(kind), "{name}");
    }
}

/// What never becomes too much is ended by the deadline, which comes however long
/// the machine takes.
#[tokio::test]
async fn interim_answers_without_end_are_ended_by_the_deadline() {
    let attacker = endless(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").await;
    let egress = client_of(&attacker);
    let soon = Instant::now() + Duration::from_millis(100);
    let outcome = Outcome::from(egress.send(get("/attack"), soon).await);
    assert_eq!(outcome, sent(HttpErrorKind::Timeout));
    assert_eq!(
        egress.send(get("/honest"), far()).await.unwrap().body,
        b"honest"
    );
}

/// Says one byte after the other, a second between them. The clock is paused: it
/// jumps once nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn a_slow_drip_is_ended_by_the_deadline() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nx-slow: ";
    const BODY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    const CHUNK: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;";
    for (name, said) in [
        ("a status line", b"HTTP/1.1 200 ".as_slice()),
        ("a header", HEAD),
        ("a body", BODY),
        ("an extension of a chunk", CHUNK),
    ] {
        let attacker = Attacker::start(move |stream, requests| async move {
            let mut peer = Peer::new(stream, requests);
            peer.request().await?;
            peer.say(said).await.ok()?;
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                peer.say(b"x").await.ok()?;
            }
        })
        .await;
        let egress = client_of(&attacker);
        let outcome = attacked(name, &egress).await;
        assert_eq!(outcome, sent(HttpErrorKind::Timeout), "{name}");
    }
}
