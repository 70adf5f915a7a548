//! Bodies that are too long or break off, over a real socket: there it shows
//! whether an answer arrives while a client is still sending.

use std::time::Duration;

use portcullis_tests::{OPERATOR_KEY, ORG, Served, TestHost, Wire, post_head};
use serde_json::Value;
use tokio::time::timeout;

const MEGABYTE: usize = 1_000_000;

/// Longer than any test takes: one that gets here has hung.
const PATIENCE: Duration = Duration::from_mins(2);

/// Fails unless a request on a new connection is answered.
async fn assert_serves(served: &Served) {
    let mut wire = served.connect().await;
    let head = post_head("/v1/tokens", OPERATOR_KEY, "content-length: 2");
    wire.send(head).await.unwrap();
    wire.send("{}").await.unwrap();
    let answer = wire.answer().await.unwrap();
    answer.assert_field("/kind", "required");
}

fn sessions_path() -> String {
    format!("/v1/orgs/{ORG}/sessions")
}

#[tokio::test]
async fn a_body_that_is_too_long_is_read_to_its_end_and_refused() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut wire = served.connect().await;
    let length = 6 * MEGABYTE;
    let framing = format!("content-length: {length}");
    // Twice on one connection: what is read to its end leaves it usable.
    for _ in 0..2 {
        let head = post_head(&sessions_path(), OPERATOR_KEY, &framing);
        wire.send(head).await.unwrap();
        wire.send(vec![b' '; length]).await.unwrap();
        let answer = wire.answer().await.unwrap();
        answer.assert_error(413, "payload_too_large");
    }
    assert_serves(&served).await;
}

#[tokio::test]
async fn a_chunked_body_that_is_too_long_is_read_to_its_end_and_refused() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut wire = served.connect().await;
    let head = post_head(&sessions_path(), OPERATOR_KEY, "transfer-encoding: chunked");
    wire.send(head).await.unwrap();
    for _ in 0..6 {
        send_chunk(&mut wire, MEGABYTE).await;
    }
    wire.send("0\r\n\r\n").await.unwrap();
    let answer = wire.answer().await.unwrap();
    answer.assert_error(413, "payload_too_large");
    assert_serves(&served).await;
}

async fn send_chunk(wire: &mut Wire, length: usize) {
    wire.send(format!("{length:x}\r\n")).await.unwrap();
    wire.send(vec![b' '; length]).await.unwrap();
    wire.send("\r\n").await.unwrap();
}

#[tokio::test]
async fn a_body_without_end_is_not_read_forever() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut wire = served.connect().await;
    let length = 90 * MEGABYTE;
    let framing = format!("content-length: {length}");
    let head = post_head(&sessions_path(), OPERATOR_KEY, &framing);
    wire.send(head).await.unwrap();
    let chunk = vec![b' '; MEGABYTE];
    let sending = async {
        for _ in 0..90 {
            if wire.send(&chunk).await.is_err() {
                break;
            }
        }
    };
    timeout(PATIENCE, sending).await.expect("an end");
    // The connection may be closed before the answer could be read.
    if let Ok(answer) = wire.answer().await {
        answer.assert_error(413, "payload_too_large");
    }
    assert_serves(&served).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_does_no_harm() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    for framing in ["content-length: 1000", "transfer-encoding: chunked"] {
        for part in ["", "5\r\n{\"id\"", "3e8\r\n{"] {
            let mut wire = served.connect().await;
            let head = post_head("/v1/orgs", OPERATOR_KEY, framing);
            wire.send(head).await.unwrap();
            wire.send(part).await.unwrap();
            wire.finish().await.unwrap();
            if let Ok(answer) = wire.answer().await {
                answer.assert_error(400, "invalid_request");
            }
        }
        // Gone without a word, within the head and within the body.
        let head = post_head("/v1/orgs", OPERATOR_KEY, framing);
        for part in [head[..40].to_owned(), format!("{head}3e8\r\n{{")] {
            let mut wire = served.connect().await;
            wire.send(part).await.unwrap();
        }
        assert_serves(&served).await;
    }
    let orgs = host.operator("GET", "/v1/orgs", Value::Null).await;
    assert_eq!(orgs.json["orgs"].as_array().unwrap().len(), 1);
}
