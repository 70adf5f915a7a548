//! The credential, sent back in every way that somebody might do without malice.
//! (Whoever wants to can always write it in a way that nobody recognizes; but then
//! upstream and plugin are one, and the upstream has the credential anyway.)

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;

/// Has a character for each encoding to change, and is a header's name as well.
const TOKEN: &str = "sk_Live+0123~ABCdef%9";

/// The token as others would write it.
fn spellings() -> Vec<String> {
    let mut all = vec![
        TOKEN.to_owned(),
        serde_json::to_string(TOKEN).unwrap(),
        utf8_percent_encode(TOKEN, NON_ALPHANUMERIC).to_string(),
        // With the digits of the escapes in lower case.
        "sk%5fLive%2b0123%7eABCdef%259".to_owned(),
        url::form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect(),
        hex::encode(TOKEN),
        hex::encode_upper(TOKEN),
    ];
    for before in ["", "u", "us", "user:"] {
        let text = format!("{before}{TOKEN}");
        all.push(STANDARD.encode(&text));
        all.push(STANDARD_NO_PAD.encode(&text));
        all.push(URL_SAFE.encode(&text));
        all.push(URL_SAFE_NO_PAD.encode(&text));
    }
    all
}

/// What a guest gets, as text.
async fn received(answer: Vec<u8>) -> String {
    let attacker = Attacker::keeping(answer).await;
    let mut setup = Setup::granted(attacker.origin()).credential(CredentialForm::Bearer);
    setup.secret = TOKEN;
    let egress = setup.egress();
    let response = egress.send(get("/attack"), far()).await.unwrap();
    assert_eq!(
        egress.send(get("/honest"), far()).await.unwrap().body,
        b"honest"
    );
    let headers = format!("{:?}", response.headers);
    let body = String::from_utf8(response.body).unwrap();
    format!("{} {headers} {body}", response.status)
}

/// Nothing of it is left but, in base64, the edges that also spell neighbours.
#[track_caller]
fn assert_clean(received: &str, spelling: &str) {
    let inner = &spelling[4..spelling.len() - 4];
    let lower = received.to_lowercase();
    assert!(
        !lower.contains(&inner.to_lowercase()),
        "{spelling} in {received}"
    );
    assert!(received.starts_with("200 "), "{received}");
}

#[tokio::test]
async fn no_spelling_of_the_credential_passes_in_a_body() {
    for spelling in spellings() {
        let text = format!("{{\"echo\": \"{spelling}\", \"again\": \"{spelling}\"}}");
        let received = received(ok("", text.as_bytes())).await;
        assert_clean(&received, &spelling);
        assert_eq!(received.matches("[REDACTED]").count(), 2, "{received}");
    }
}

#[tokio::test]
async fn no_spelling_of_the_credential_passes_in_a_header() {
    const NAMES: [&str; 6] = [
        "x-echo",
        "location",
        "link",
        "set-cookie",
        "www-authenticate",
        "etag",
    ];
    for spelling in spellings() {
        let headers = NAMES
            .map(|name| format!("{name}: a{spelling}b\r\n"))
            .concat();
        let received = received(ok(&headers, b"")).await;
        assert_clean(&received, &spelling);
        assert!(
            NAMES.iter().all(|name| !received.contains(name)),
            "{received}"
        );
    }
}

#[tokio::test]
async fn the_credential_does_not_pass_as_the_name_of_a_header() {
    for name in [
        TOKEN.to_owned(),
        TOKEN.to_uppercase(),
        format!("x-{}", hex::encode(TOKEN)),
    ] {
        let received = received(ok(&format!("{name}: 1\r\n"), b"")).await;
        assert_clean(&received, &name[2..]);
    }
}

#[tokio::test]
async fn a_credential_in_pieces_is_found() {
    let chunk = |all: String, letter| format!("{all}1\r\n{letter}\r\n");
    let chunks = TOKEN.chars().fold(String::new(), chunk);
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    let members: Vec<u8> = TOKEN.bytes().flat_map(|byte| gzip(&[byte])).collect();
    let zipped = ok("content-encoding: gzip\r\n", &members);
    for answer in [chunked.into_bytes(), zipped] {
        let received = received(answer).await;
        assert!(received.ends_with(" [REDACTED]"), "{received}");
    }
}

/// Neither is read at all.
#[tokio::test]
async fn the_credential_passes_neither_as_reason_nor_in_trailers() {
    let reason = format!("HTTP/1.1 200 {TOKEN}\r\ncontent-length: 0\r\n\r\n");
    let trailers = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-echo\r\n\r\n\
         0\r\nx-echo: {TOKEN}\r\n\r\n"
    );
    for answer in [reason, trailers] {
        assert_clean(&received(answer.into()).await, TOKEN);
    }
}

/// Nor does an error tell it: the texts of errors are the host's own.
#[tokio::test]
async fn the_credential_does_not_pass_in_an_error() {
    for answer in [
        TOKEN.to_owned(),
        format!("HTTP/1.1 {TOKEN}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\ncontent-length: {TOKEN}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: {TOKEN}\r\n\r\n{TOKEN}"),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{TOKEN}\r\n"),
    ] {
        let attacker = Attacker::saying(answer.into_bytes()).await;
        let mut setup = Setup::granted(attacker.origin()).credential(CredentialForm::Bearer);
        setup.secret = TOKEN;
        let error = setup.get().await.unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Protocol);
        let told = format!("{error:?} {error}");
        assert!(!told.contains("Live"), "{told}");
    }
}
