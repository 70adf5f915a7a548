//! A guest never has the token.
//!
//! The request really leaves, through the real egress and a real socket, and the
//! upstream does the worst it can: it repeats the credential in every form.
//! Then the guest searches all of its memory, live and freed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_test_canary::{STEM, canary, spellings};
use serde_json::{Value, json};

use crate::harness::{Echo, Guest};

const TOKEN: &str = canary!("lin/oauth+7Qx2=Zk9vTq4_");
const CANARY: &str = "canary+5Yt1=Np6uHc0JdX8eGf4";

/// Any byte; needles and their masked forms must differ.
const MASK: u8 = 0xa5;

/// What the upstream repeats, by the name of its form.
fn repeated() -> BTreeMap<&'static str, String> {
    let basic = format!("x-access-token:{TOKEN}");
    BTreeMap::from([
        ("raw", TOKEN.to_owned()),
        ("base64", STANDARD.encode(TOKEN)),
        ("base64_url", URL_SAFE_NO_PAD.encode(TOKEN)),
        ("base64_of_basic", STANDARD.encode(basic)),
        ("hex", hex::encode(TOKEN)),
        (
            "url",
            utf8_percent_encode(TOKEN, NON_ALPHANUMERIC).to_string(),
        ),
    ])
}

/// What the guest searches for: every spelling that the whole suite is searched for,
/// the forms, and parts of the token.
fn needles() -> BTreeMap<String, String> {
    let repeated = repeated().into_iter();
    let mut needles: BTreeMap<String, String> = repeated
        .map(|(form, needle)| (form.to_owned(), needle))
        .collect();
    for (number, (spelling, needle)) in spellings(STEM).into_iter().enumerate() {
        if spelling == "hex" {
            needles.insert("upper hex".to_owned(), needle.to_ascii_uppercase());
        }
        needles.insert(format!("{spelling} {number}"), needle);
    }
    needles.insert("head".to_owned(), TOKEN[..12].to_owned());
    needles.insert("tail".to_owned(), TOKEN[TOKEN.len() - 12..].to_owned());
    needles.insert("canary".to_owned(), CANARY.to_owned());
    needles
}

fn masked(needle: &str) -> Vec<u8> {
    needle.bytes().map(|byte| byte ^ MASK).collect()
}

/// An upstream that answers with the credential in headers and body.
async fn upstream() -> Echo {
    let mut headers: Vec<_> = repeated()
        .into_iter()
        .map(|(form, value)| match form {
            "raw" => ("x-raw", format!("Bearer {value}")),
            "base64" => ("x-base64", value),
            "base64_url" => ("x-base64-url", value),
            "base64_of_basic" => ("x-basic", format!("Basic {value}")),
            "hex" => ("x-hex", value),
            _ => ("x-url", value),
        })
        .collect();
    headers.push(("x-canary", CANARY.to_owned()));
    headers.push(("set-cookie", format!("session={TOKEN}")));
    headers.push(("www-authenticate", format!("Bearer realm=\"{TOKEN}\"")));
    let body = json!({ "authorization": format!("Bearer {TOKEN}"), "canary": CANARY, "forms": repeated() });
    Echo::start(&headers, &body.to_string()).await
}

/// The probe, with all its endpoints at the upstream.
async fn guest_of(upstream: &Echo) -> Guest {
    let guest = Guest::probe().await;
    guest.through_egress(&upstream.origin(), TOKEN, |_| {})
}

fn get(endpoint: &str) -> Value {
    json!({ "endpoint": endpoint, "method": "GET", "path": "/" })
}

#[tokio::test]
async fn the_token_is_nowhere_in_the_memory_of_a_guest_that_uses_it() {
    let mut upstream = upstream().await;
    let guest = guest_of(&upstream).await;
    let masked: BTreeMap<_, _> = needles()
        .into_iter()
        .map(|(name, needle)| (name, masked(&needle)))
        .collect();
    let params = json!({ "request": get("api"), "mask": MASK, "needles": masked });

    let report = guest.result("scan_memory", params).await;

    let head = upstream.head().await;
    assert!(
        head.contains(&format!("authorization: Bearer {TOKEN}\r\n")),
        "{head}"
    );
    assert_eq!(report["status"], 200);
    assert!(report["scanned_bytes"].as_u64().unwrap() > 1 << 20);
    let mut found: BTreeMap<String, u64> = serde_json::from_value(report["found"].clone()).unwrap();
    // In a header and in the body: the scan finds what is there.
    assert!(found.remove("canary").unwrap() >= 2, "{found:?}");
    assert_eq!(found.len(), needles().len() - 1);
    assert!(found.values().all(|count| *count == 0), "{found:?}");
}

#[tokio::test]
async fn an_endpoint_that_takes_no_credential_gets_none() {
    let mut upstream = upstream().await;
    let guest = guest_of(&upstream).await;
    guest.result("fetch", get("open")).await;
    let head = upstream.head().await;
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains(TOKEN), "{head}");
}

/// What two calls have in common is the slot in the pool that their memory is in.
#[tokio::test]
async fn nothing_of_an_earlier_call_is_in_the_memory_of_the_next() {
    let guest = Guest::probe_with(|config| config.concurrent_calls = 1).await;
    let words = CANARY.repeat(100_000);
    guest.result("echo", json!({ "words": words })).await;
    let params = json!({
        "request": null,
        "grow_to_bytes": 32 << 20,
        "mask": MASK,
        "needles": { "earlier": masked(CANARY), "own": masked("words of this call") },
        "more": "words of this call",
    });
    let report = guest.result("scan_memory", params).await;
    assert_eq!(report["found"]["earlier"], 0);
    assert!(report["found"]["own"].as_u64().unwrap() >= 1, "{report}");
    assert_eq!(report["scanned_bytes"], 32 << 20);
}
