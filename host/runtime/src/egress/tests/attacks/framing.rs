//! Answers whose end is a lie, and what is no answer at all.

use super::*;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

fn with(header: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n{body}").into_bytes()
}

fn chunked(body: &str) -> Vec<u8> {
    format!("{CHUNKED}{body}").into_bytes()
}

#[test]
fn a_content_length_that_lies_yields_no_answer() {
    for (name, header) in [
        ("too long", "content-length: 6"),
        ("of two minds", "content-length: 5\r\ncontent-length: 6"),
        ("a list of two", "content-length: 5, 6"),
        ("negative", "content-length: -5"),
        ("signed", "content-length: +5"),
        ("hexadecimal", "content-length: 0x5"),
        ("a fraction", "content-length: 5.0"),
        ("of words", "content-length: five"),
        (
            "more than a number holds",
            "content-length: 18446744073709551616",
        ),
    ] {
        check(name, with(header, "hello"), &sent(HttpErrorKind::Protocol));
    }
}

/// A length that no memory holds reserves none.
#[test]
fn a_content_length_of_exabytes_costs_nothing() {
    let answer = with("content-length: 9223372036854775807", "hello");
    check("exabytes", answer, &sent(HttpErrorKind::Protocol));
}

#[test]
fn what_follows_an_answer_belongs_to_no_other() {
    let smuggled = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled";
    for (name, head, expected) in [
        (
            "after the body",
            "200 OK\r\ncontent-length: 2\r\n\r\nhe",
            answer(200, "he"),
        ),
        (
            "after no body",
            "200 OK\r\ncontent-length: 0\r\n\r\n",
            answer(200, ""),
        ),
        ("after 204", "204 No Content\r\n\r\n", answer(204, "")),
        ("after 304", "304 Not Modified\r\n\r\n", answer(304, "")),
        (
            "a body after 204",
            "204 No Content\r\ncontent-length: 5\r\n\r\nhello",
            answer(204, ""),
        ),
        (
            "after the last chunk",
            "200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n",
            answer(200, "he"),
        ),
        (
            "length and chunks at once",
            "200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n",
            answer(200, "he"),
        ),
    ] {
        let bytes = format!("HTTP/1.1 {head}{smuggled}").into_bytes();
        // Closed or not: the next request must not find it.
        check(name, bytes.clone(), &expected);
        kept(name, bytes, &expected);
    }
}

/// The upstream keeps the connection, which must not be used again.
fn kept(name: &str, bytes: Vec<u8>, expected: &Outcome) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let attacker = Attacker::keeping(bytes).await;
        let outcome = attacked(name, &client_of(&attacker)).await;
        assert_eq!(outcome, *expected, "{name}, kept");
        assert_eq!(attacker.connections(), 2, "{name}");
    });
}

#[test]
fn a_transfer_encoding_that_does_not_end_in_chunked_ends_with_the_connection() {
    for (name, header) in [
        ("identity", "transfer-encoding: identity"),
        ("unknown", "transfer-encoding: xchunked"),
        (
            "chunked and then more",
            "transfer-encoding: chunked, identity",
        ),
    ] {
        let body = "5\r\nhello\r\n0\r\n\r\n";
        check(name, with(header, body), &answer(200, body));
    }
}

#[test]
fn chunks_that_lie_yield_no_answer() {
    for (name, body) in [
        ("half a chunk", "5\r\nhal"),
        ("no last chunk", "5\r\nhello\r\n"),
        ("no end after the last", "5\r\nhello\r\n0\r\n"),
        ("longer than it says", "2\r\nhello\r\n0\r\n\r\n"),
        ("not a number", "zz\r\nhello\r\n0\r\n\r\n"),
        ("negative", "-5\r\nhello\r\n0\r\n\r\n"),
        ("no number", "\r\nhello\r\n0\r\n\r\n"),
        (
            "more than a number holds",
            "ffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
        ),
        ("as much as a number holds", "ffffffffffffffff\r\nhello"),
        ("a prefix", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("a carriage return alone", "5\rhello\r\n0\r\n\r\n"),
    ] {
        check(name, chunked(body), &sent(HttpErrorKind::Protocol));
    }
}

#[test]
fn extensions_of_chunks_and_trailers_are_bounded() {
    let extension = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("{}0\r\n\r\n", "1;0123456789abcdef\r\nx\r\n".repeat(5000));
    let trailers = |count| {
        let lines = "x-trailer: 1\r\n".repeat(count);
        format!("5\r\nhello\r\n0\r\n{lines}\r\n")
    };
    let long = format!("5\r\nhello\r\n0\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
    for (name, body) in [
        ("an extension of a megabyte", extension),
        ("many extensions", many),
        ("two thousand trailers", trailers(2000)),
        ("a trailer of a megabyte", long),
    ] {
        check(name, chunked(&body), &sent(HttpErrorKind::Protocol));
    }
    check(
        "a few trailers",
        chunked(&trailers(3)),
        &answer(200, "hello"),
    );
}

#[test]
fn what_is_not_http_1_yields_no_answer() {
    let settings = b"\0\0\0\x04\0\0\0\0\0".as_slice();
    for (name, bytes) in [
        ("nothing", b"".as_slice()),
        ("HTTP/0.9", b"<html>hello</html>"),
        ("mail", b"220 mail.test ESMTP\r\n"),
        ("a stream of music", b"ICY 200 OK\r\n\r\n"),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("a frame of HTTP/2", settings),
        ("HTTP/2 as a line", b"HTTP/2.0 200 OK\r\n\r\n"),
        ("HTTP/3 as a line", b"HTTP/3 200 OK\r\n\r\n"),
        ("an alert of TLS", b"\x15\x03\x01\0\x02\x02\x46"),
        ("no status", b"HTTP/1.1 \r\n\r\n"),
        ("status 0", b"HTTP/1.1 000 OK\r\n\r\n"),
        ("status 99", b"HTTP/1.1 099 OK\r\n\r\n"),
        ("status 1000", b"HTTP/1.1 1000 OK\r\n\r\n"),
        ("a negative status", b"HTTP/1.1 -20 OK\r\n\r\n"),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-le"),
        ("a header without a name", b"HTTP/1.1 200 OK\r\n: x\r\n\r\n"),
        ("a header without a colon", b"HTTP/1.1 200 OK\r\nx\r\n\r\n"),
        (
            "a space before the colon",
            b"HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n",
        ),
        (
            "a folded header",
            b"HTTP/1.1 200 OK\r\nx-a: 1\r\n x-b: 2\r\n\r\n",
        ),
        (
            "a zero in a header",
            b"HTTP/1.1 200 OK\r\nx-a: 1\x002\r\n\r\n",
        ),
        (
            "a carriage return in a header",
            b"HTTP/1.1 200 OK\r\nx-a: 1\r2\r\n\r\n",
        ),
    ] {
        check(name, bytes.to_vec(), &sent(HttpErrorKind::Protocol));
    }
}

/// Nobody asked for another protocol, so what follows is not read.
#[test]
fn an_upgrade_is_an_answer_without_a_body() {
    let bytes =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nhello";
    check("101", bytes.into(), &answer(101, ""));
    kept("101", bytes.into(), &answer(101, ""));
}

#[test]
fn interim_answers_are_skipped() {
    for interim in ["100 Continue", "102 Processing", "103 Early Hints"] {
        let flood = format!("HTTP/1.1 {interim}\r\n\r\n").repeat(5000);
        let bytes = format!("{flood}HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        check(interim, bytes.into(), &answer(200, "hello"));
        check(interim, flood.into(), &sent(HttpErrorKind::Protocol));
    }
}

/// An answer that is there before the request is nobody's, or is the answer of an
/// upstream that does not read: either way the next request gets its own.
#[tokio::test]
async fn an_answer_before_the_request_harms_no_other() {
    let attacker = Attacker::start(async |stream, requests| {
        let mut peer = Peer::new(stream, requests);
        peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly")
            .await
            .ok()?;
        peer.close()
    })
    .await;
    let outcome = attacked("early", &client_of(&attacker)).await;
    let expected = [answer(200, "early"), sent(HttpErrorKind::Protocol)];
    assert!(expected.contains(&outcome), "{outcome:?}");
}
