//! Connections that break, and what is then known of the request: it was not sent
//! only where that is certain, and nothing is ever sent twice.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

fn post(body: Vec<u8>) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        body: Some(body),
        ..get("/write")
    }
}

/// Breaks off in a script's moment, without a word.
fn reset(stream: &TcpStream) -> Option<Peer> {
    stream.set_zero_linger().unwrap();
    None
}

/// The client has a connection by then, so that it cannot know what arrived.
#[tokio::test]
async fn a_reset_before_the_request_is_read_may_have_carried_it() {
    let mut attacker = Attacker::start(async |stream, _| reset(&stream)).await;
    let outcome = attacked("a reset at once", &client_of(&attacker)).await;
    assert_eq!(outcome, sent(HttpErrorKind::Protocol));
    assert_eq!(attacker.requests(), ["GET /honest HTTP/1.1"]);
}

/// The body is more than sockets hold, so that it is still being sent.
#[tokio::test]
async fn a_reset_while_the_request_is_sent_may_have_carried_it() {
    for read in [1, 100, 100_000] {
        let mut attacker = Attacker::start(move |mut stream, _| async move {
            stream.read_exact(&mut vec![0; read]).await.ok()?;
            reset(&stream)
        })
        .await;
        let mut setup = Setup::granted(attacker.origin());
        setup.limits.max_request_body_bytes = 64 << 20;
        let egress = setup.egress();
        let outcome = egress.send(post(vec![0; 64 << 20]), far()).await.into();
        assert_eq!(sent(HttpErrorKind::Protocol), outcome, "after {read}");
        assert_eq!(
            egress.send(get("/honest"), far()).await.unwrap().status,
            200
        );
        assert_eq!(attacker.requests(), ["GET /honest HTTP/1.1"]);
    }
}

#[tokio::test]
async fn a_reset_after_the_request_may_have_carried_it() {
    for said in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
    ] {
        let mut attacker = Attacker::start(move |mut stream, requests| async move {
            let mut received = vec![0; 4096];
            let length = stream.read(&mut received).await.ok()?;
            let _ = requests.send(String::from_utf8_lossy(&received[..length]).into_owned());
            stream.write_all(said.as_bytes()).await.ok()?;
            reset(&stream)
        })
        .await;
        let outcome = attacked(said, &client_of(&attacker)).await;
        assert_eq!(outcome, sent(HttpErrorKind::Protocol), "after {said:?}");
        let expected = ["GET /attack HTTP/1.1", "GET /honest HTTP/1.1"];
        assert_eq!(attacker.requests(), expected);
    }
}

/// An answer that comes while the request is still being sent is an answer.
#[tokio::test]
async fn an_answer_to_half_a_request_is_an_answer() {
    let attacker = Attacker::start(async |mut stream, requests| {
        stream.read_exact(&mut [0; 100]).await.ok()?;
        let mut peer = Peer::new(stream, requests);
        peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nmuch")
            .await
            .ok()?;
        peer.wait().await
    })
    .await;
    let mut setup = Setup::granted(attacker.origin());
    setup.limits.max_request_body_bytes = 64 << 20;
    let egress = setup.egress();
    let outcome = egress.send(post(vec![0; 64 << 20]), far()).await.into();
    assert_eq!(answer(413, "much"), outcome);
    assert_eq!(
        egress.send(get("/honest"), far()).await.unwrap().status,
        200
    );
}

/// Answers once, keeps the connection, and closes it when the next request is
/// there, which it may have acted on.
#[tokio::test]
async fn a_write_on_a_connection_that_dies_is_not_repeated() {
    let mut attacker = Attacker::start(async |stream, requests| {
        let mut peer = Peer::new(stream, requests);
        peer.request().await?;
        peer.say(&ok("", b"first")).await.ok()?;
        peer.request().await?;
        peer.close()
    })
    .await;
    let egress = client_of(&attacker);
    assert_eq!(
        egress.send(get("/first"), far()).await.unwrap().body,
        b"first"
    );
    let outcome = egress.send(post(b"once".to_vec()), far()).await.into();
    assert_eq!(sent(HttpErrorKind::Protocol), outcome);
    assert_eq!(
        egress.send(get("/honest"), far()).await.unwrap().status,
        200
    );
    let expected = [
        "GET /first HTTP/1.1",
        "POST /write HTTP/1.1",
        "GET /honest HTTP/1.1",
    ];
    assert_eq!(attacker.requests(), expected);
    assert_eq!(attacker.connections(), 2);
}

/// Answers and closes at once. Whether the client notices before it sends the
/// next request or after, the upstream sees that request at most once.
#[tokio::test]
async fn a_write_after_the_upstream_hung_up_arrives_at_most_once() {
    for _ in 0..10 {
        let mut attacker = Attacker::saying(ok("", b"first")).await;
        let egress = client_of(&attacker);
        egress.send(get("/first"), far()).await.unwrap();
        let outcome = egress.send(post(b"once".to_vec()), far()).await.into();
        let writes = attacker.requests().len() - 1;
        match outcome {
            Outcome::Answer(200, body) => {
                assert_eq!((body.as_slice(), writes), (&b"honest"[..], 1));
            }
            outcome => assert_eq!((outcome, writes), (sent(HttpErrorKind::Protocol), 0)),
        }
    }
}
