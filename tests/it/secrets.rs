//! A credential goes to its upstream and nowhere else: not into answers, not
//! into the log, not into a file.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis::vault::Vault;
use portcullis_test_canary::{Detector, Ledger, Search};
use portcullis_tests::{
    Answer, LINEAR_TOKEN, MASTER_KEY, OPERATOR_KEY, Served, TestHost, TestHostBuilder, canary,
    captured_lines_with, captured_log,
};
use portcullis_upstreams::Fault;
use serde_json::{Value, json};

/// What the credential is replaced with.
const ROTATED: &str = canary!("lin_api_rotated_");

/// The master key that follows the first.
const NEXT_KEY: &str = "c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3";

/// What is planted where a credential must not be: no search of the suite is for this.
const DECOY: &str = "lin_api_decoy+5d20/b1e84f7c93==";

const TITLE: &str = "A title that must be found";

/// In which spelling the content has a secret, if it has it.
fn found(content: &[u8], secret: &str) -> Option<&'static str> {
    let found = detector(secret).find(content);
    found.map(|found| found.spelling)
}

/// Made once for each secret, since there are thousands of values to search.
fn detector(secret: &str) -> Arc<Detector> {
    static MADE: Mutex<BTreeMap<String, Arc<Detector>>> = Mutex::new(BTreeMap::new());
    let mut detectors = MADE.lock().unwrap();
    let detector = detectors.entry(secret.to_owned());
    Arc::clone(detector.or_insert_with(|| Arc::new(Detector::new(secret))))
}

#[track_caller]
pub(crate) fn assert_absent(place: &str, content: &[u8], secret: &str) {
    let found = found(content, secret);
    assert_eq!(found, None, "a secret is in {place}");
}

/// Everything a host keeps: its files and the values of its tables. A value that
/// spans pages of a SQLite file is whole only in its table; the files of Postgres
/// are its server's.
pub(crate) async fn kept(host: &TestHost) -> Vec<(String, Vec<u8>)> {
    let mut kept = files(host.data.path());
    kept.extend(host.dump().await);
    kept
}

/// The name and content of every file of a host.
fn files(data: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(data).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect()
}

/// What can go wrong with an upstream and is told at once, as far as the default
/// deadline allows.
fn faults() -> [Fault; 8] {
    [
        Fault::RateLimit {
            retry_after_seconds: 60,
        },
        Fault::Status { status: 401 },
        Fault::Status { status: 500 },
        Fault::Garbage,
        Fault::Huge { bytes: 9 << 20 },
        Fault::Redirect {
            location: "http://169.254.169.254/".to_owned(),
        },
        Fault::HalfBody,
        Fault::Disconnect,
    ]
}

/// Does whatever touches the credential, and returns what was answered.
async fn live(host: &mut TestHost) -> Vec<Answer> {
    let probe = host.connect(json!({ "provider": "probe" })).await;
    let connections = [host.connection_id.as_str(), &probe];
    let session = json!({ "title": TITLE, "connectionIds": connections });
    host.enter_new_session(session).await;
    host.set_mode("add_comment", "allow").await;
    let comment = json!({ "issueId": "ENG-1", "body": "Hello" });
    let mut answers = vec![
        host.invoke("list_issues", json!({})).await,
        host.invoke("add_comment", comment).await,
        host.invoke("create_issue", json!({ "teamId": "ENG", "title": "x" }))
            .await,
        host.invoke("get_issue", json!({ "issueId": "ENG-999" }))
            .await,
        host.invoke("get_issue", json!({})).await,
        host.agent("GET", "/available", Value::Null).await,
        host.agent("GET", "/invocations", Value::Null).await,
        host.admin("GET", "/connections", Value::Null).await,
        host.admin("GET", "/sessions", Value::Null).await,
    ];
    answers.extend(read_large_result(host).await);
    for fault in faults() {
        host.upstreams.linear.fault_for(fault, 1);
        answers.push(host.invoke("list_issues", json!({})).await);
        host.upstreams.linear.reset_fault();
    }
    answers.extend(rotate(host).await);
    answers.push(host.invoke("list_issues", json!({})).await);
    // Waits for a person with the exact params, which hold the credential.
    let leak = json!({ "teamId": "ENG", "title": "x", "description": format!("Key: {ROTATED}") });
    let pending = host.invoke("create_issue", leak).await;
    pending.assert_status(202);
    answers.push(pending);
    answers
}

/// Lets the probe answer the credential in a result that is kept beside the
/// truncated one, and reads it where only the kept one has it.
async fn read_large_result(host: &TestHost) -> [Answer; 2] {
    let row = json!({ "note": format!("Key: {LINEAR_TOKEN}"), "text": "x".repeat(500) });
    let params = json!({ "count": 100, "row": row });
    let body = json!({ "integration": "probe", "action": "rows", "params": params });
    let large = host.agent("POST", "/invoke", body).await;
    let id = large.json["invocation"]["id"].as_str().unwrap();
    let path = format!("/invocations/{id}/result?pointer=/rows/99");
    let page = host.agent("GET", &path, Value::Null).await;
    assert_eq!(page.json["value"]["note"], "Key: [REDACTED]");
    [large, page]
}

/// Moves everything under the next master key, and goes on with it.
async fn change_master_key(host: TestHost) -> TestHost {
    let keys = [
        ("secrets.master_key", NEXT_KEY.to_owned()),
        ("secrets.previous_master_keys", MASTER_KEY.to_owned()),
    ];
    let config = host.config_with(&keys);
    let vault = Vault::new(&config.master_keys().unwrap());
    let go_on = async |_| ControlFlow::Continue(());
    let storage = &*host.gateway.storage;
    let rotation = portcullis::keys::rotate(storage, &vault, NonZeroU32::MIN, go_on).await;
    let rotation = rotation.unwrap();
    assert!(rotation.resealed >= 4 && rotation.left == 0, "{rotation:?}");
    host.restart_with(&keys).await
}

/// Rotates the credential, after some attempts that are refused.
async fn rotate(host: &TestHost) -> Vec<Answer> {
    let path = format!("/connections/{}", host.connection_id);
    let credential = |token: &str| json!({ "type": "token", "token": token });
    let mut answers = Vec::new();
    for body in [
        json!({ "credential": ROTATED }),
        json!({ "credential": { "type": ROTATED, "token": ROTATED } }),
        json!({ "credential": { "type": "token", "token": [ROTATED] } }),
        json!({ "credential": credential(&format!("{ROTATED}\n")) }),
        json!({ "credential": credential(&ROTATED.repeat(1000)) }),
        json!({ "credential": credential(ROTATED), "baseUrls": { "api": with_user(ROTATED) } }),
    ] {
        let answer = host.admin("PUT", &path, body).await;
        answer.assert_status(400);
        answers.push(answer);
    }
    let body = json!({ "credential": credential(ROTATED) });
    let rotated = host.admin("PUT", &path, body).await;
    rotated.assert_status(200);
    answers.push(rotated);
    answers
}

/// A base URL with a credential in it, as people paste them.
fn with_user(credential: &str) -> String {
    let user = utf8_percent_encode(credential, NON_ALPHANUMERIC);
    format!("https://{user}@api.linear.app")
}

on_both! {
    credentials_stay_where_they_belong,
    the_search_finds_a_secret_in_every_spelling,
    the_search_that_ends_every_test_finds_a_column_that_is_not_encrypted,
    a_credential_cannot_be_planted_in_the_upstream,
}

async fn credentials_stay_where_they_belong(builder: TestHostBuilder) {
    let mut host = builder.with_probe().start().await;
    let answers = live(&mut host).await;
    assert!(host.upstreams.linear.requests()[0].authorized);
    let before = kept(&host).await;
    let host = change_master_key(host).await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_error(502, "unauthorized");
    let running = kept(&host).await;
    let stopped = Served::start(&host).await.stop();
    stopped.await.unwrap().unwrap();
    let stored = kept(&host).await;

    let log = captured_log();
    for secret in [LINEAR_TOKEN, ROTATED] {
        for answer in &answers {
            assert_absent(&answer.text, answer.text.as_bytes(), secret);
        }
    }
    let tokens = [&host.sandbox_token, &host.admin_token].map(String::as_str);
    for secret in [LINEAR_TOKEN, ROTATED, OPERATOR_KEY, MASTER_KEY, NEXT_KEY]
        .into_iter()
        .chain(tokens)
    {
        assert_absent("the log", log.as_bytes(), secret);
        for (name, content) in before.iter().chain(&running).chain(&stored) {
            assert_absent(name, content, secret);
        }
    }

    // The search can find something.
    assert!(!captured_lines_with(&host.session_id).is_empty());
    for kept in [before, running, stored] {
        let places: Vec<_> = kept
            .iter()
            .filter(|(_, content)| found(content, TITLE).is_some())
            .map(|(place, _)| place.as_str())
            .collect();
        assert!(places.contains(&"sessions.title"), "{places:?}");
        let in_a_file = |place: &&str| place.starts_with("portcullis.db");
        assert_ne!(places.iter().any(in_a_file), host.is_on_postgres());
    }
}

async fn the_search_finds_a_secret_in_every_spelling(builder: TestHostBuilder) {
    let host = builder.start().await;
    for title in [
        DECOY.to_owned(),
        hex::encode(DECOY),
        STANDARD.encode(format!("user:{DECOY}")),
        DECOY.replace('/', "%2F").replace('+', "%2b"),
    ] {
        host.open_session(json!({ "title": title })).await;
    }
    let kept = kept(&host).await;
    let in_titles = kept.iter().filter(|(place, _)| place == "sessions.title");
    let mut spellings: Vec<_> = in_titles
        .filter_map(|(_, content)| found(content, DECOY))
        .collect();
    spellings.sort_unstable();
    spellings.dedup();
    assert_eq!(spellings, ["base64", "escaped", "hex", "plain"]);
    let in_a_file = |(place, content): &(String, Vec<u8>)| {
        place.starts_with("portcullis.db") && found(content, DECOY).is_some()
    };
    assert_ne!(kept.iter().any(in_a_file), host.is_on_postgres());
}

async fn the_search_that_ends_every_test_finds_a_column_that_is_not_encrypted(
    builder: TestHostBuilder,
) {
    let host = builder.start().await;
    let search = Search::new(DECOY, Ledger::default());
    host.search(&search).await;
    assert_eq!(search.take_found(), Vec::<String>::new());
    let title = format!("The key is {DECOY}");
    host.open_session(json!({ "title": title })).await;
    host.search(&search).await;
    let found = search.take_found().join("\n");
    let in_the_column = "a credential, plain, is in sessions.title (columns), after";
    assert!(found.contains(in_the_column), "{found}");
    assert!(!found.contains(DECOY), "{found}");
    assert_ne!(found.contains("portcullis.db"), host.is_on_postgres());
}

async fn a_credential_cannot_be_planted_in_the_upstream(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("add_comment", "allow").await;
    let body = format!("The key is {LINEAR_TOKEN}, keep it.");
    host.invoke(
        "add_comment",
        json!({ "issueId": "ENG-1", "body": body.clone() }),
    )
    .await
    .assert_error(502, "denied_egress");
    assert_eq!(host.upstreams.linear.requests().len(), 0);
    host.set_mode("add_comment", "require_approval").await;
    let pending = host
        .invoke("add_comment", json!({ "issueId": "ENG-1", "body": body }))
        .await;
    pending.assert_status(202);
    assert_eq!(
        pending.json["invocation"]["params"]["body"],
        "The key is [REDACTED], keep it."
    );
    for (name, content) in kept(&host).await {
        assert_absent(&name, &content, LINEAR_TOKEN);
    }
}
