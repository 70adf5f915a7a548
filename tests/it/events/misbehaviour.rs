//! Clients that say what no client should: their streams end, and no others.

use portcullis_tests::{Served, TestHost};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::client::{Client, listen};
use super::run_at_once;

/// Lets a client misbehave while another listens, who notices nothing.
async fn beside_another(misbehave: impl AsyncFnOnce(&mut Client)) {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut other = listen(&host, &served).await;
    let mut client = listen(&host, &served).await;
    misbehave(&mut client).await;
    client.ended().await;
    let run = run_at_once(&host).await;
    other.expect("action_completed", &run).await;
}

fn fragment(bytes: usize, opcode: Data, is_last: bool) -> Message {
    let payload = vec![b'x'; bytes];
    Message::Frame(Frame::message(payload, OpCode::Data(opcode), is_last))
}

#[tokio::test]
async fn whoever_speaks_is_told_that_nobody_listens() {
    for message in [Message::text("hello"), Message::binary(vec![0, 1])] {
        beside_another(async |client| {
            client.send(message).await.unwrap();
            assert_eq!(client.closed().await.0, 1003);
        })
        .await;
    }
}

#[tokio::test]
async fn a_message_in_pieces_is_one_message() {
    beside_another(async |client| {
        for (opcode, is_last) in [(Data::Text, false), (Data::Continue, true)] {
            let piece = fragment(10, opcode, is_last);
            client.send(piece).await.unwrap();
        }
        assert_eq!(client.closed().await.0, 1003);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_long_is_not_read() {
    for bytes in [(4 << 10) + 1, 10 << 20] {
        beside_another(async |client| {
            // The gateway stops reading, and may be gone before all of it is sent.
            let _ = client.send(Message::binary(vec![0; bytes])).await;
            assert_eq!(client.closed().await.0, 1009, "{bytes}");
        })
        .await;
    }
}

#[tokio::test]
async fn pieces_that_grow_too_long_are_not_read() {
    beside_another(async |client| {
        for opcode in [Data::Text, Data::Continue, Data::Continue] {
            let _ = client.send(fragment(2_000, opcode, false)).await;
        }
        assert_eq!(client.closed().await.0, 1009);
    })
    .await;
}

#[tokio::test]
async fn whoever_talks_nonsense_is_hung_up_on() {
    for nonsense in [
        // No frame at all.
        &[0xff; 64][..],
        // A text that is not masked, as a client's must be.
        &[0x81, 2, b'h', b'i'],
        // A ping in two pieces.
        &[0x09, 0x80, 0, 0, 0, 0],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        beside_another(async |client| client.send_raw(nonsense).await).await;
    }
}

#[tokio::test]
async fn whoever_goes_without_a_word_is_forgotten() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    drop(listen(&host, &served).await);
    while host.gateway.events.count() > 0 {
        tokio::task::yield_now().await;
    }
}
