//! What agents are given to read, word for word.
//!
//! The expected texts stand in the folder `guides`. To write what is answered now
//! into them, run the tests with `PORTCULLIS_UPDATE_EXPECTED=1`, and read the
//! difference.

use std::fs;
use std::path::Path;

use portcullis_tests::{LinearVersion, TestHost};
use serde_json::{Value, json};

const UPDATE: &str = "PORTCULLIS_UPDATE_EXPECTED";

/// What the session's agent reads at a path below `/{sessionId}/actions`.
async fn read(host: &TestHost, path: &str) -> String {
    let answer = host.agent("GET", path, Value::Null).await;
    answer.assert_status(200);
    assert_eq!(
        answer.header("content-type"),
        "text/markdown; charset=utf-8"
    );
    answer.text
}

#[track_caller]
fn assert_expected(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("it/guides")
        .join(file);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == expected,
        "{file} should be this, or {UPDATE}=1 makes it so:\n{text}"
    );
}

#[tokio::test]
async fn the_first_words_are_the_same_for_everybody() {
    let host = TestHost::start().await;
    assert_expected("bootstrap.md", &read(&host, "/bootstrap").await);
}

#[tokio::test]
async fn the_guide_of_a_session_has_every_action() {
    let host = TestHost::start().await;
    assert_expected("session.md", &read(&host, "/guide").await);
}

#[tokio::test]
async fn the_guide_of_a_source_begins_with_its_own_words() {
    let host = TestHost::start().await;
    assert_expected("linear.md", &read(&host, "/guide/linear").await);
    host.agent("GET", "/guide/nothing", Value::Null)
        .await
        .assert_error(404, "unknown_source");
}

#[tokio::test]
async fn the_guide_tells_what_is_refused_and_what_has_changed() {
    let host = TestHost::start().await;
    host.set_mode("create_issue", "allow").await;
    host.set_mode("list_issues", "deny").await;
    host.set_mode("add_comment", "allow").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    assert_expected("changed.md", &read(&host, "/guide").await);
}

#[tokio::test]
async fn the_guide_tells_what_cannot_be_used() {
    let mut host = TestHost::start().await;
    host.enter_new_session(json!({ "connectionIds": [] })).await;
    assert_expected("needs_auth.md", &read(&host, "/guide").await);
    let linear = read(&host, "/guide/linear").await;
    assert!(linear.contains("It cannot be used: "), "{linear}");
    assert!(!linear.contains("### "), "{linear}");
}

#[tokio::test]
async fn every_route_that_agents_are_told_of_is_described() {
    let host = TestHost::start().await;
    let described = host.operator("GET", "/openapi.json", Value::Null).await;
    for (text, at_least) in [("/bootstrap", 7), ("/guide", 1)] {
        let text = read(&host, text).await;
        let named = text
            .split('`')
            .filter_map(|told| told.split_once(" /{sessionId}"));
        let named: Vec<_> = named.collect();
        assert!(named.len() >= at_least, "{named:?}");
        for (method, path) in named {
            let (path, _query) = path.split_once('?').unwrap_or((path, ""));
            let path = format!("/{{session_id}}{path}").replace("{sourceId}", "{source_id}");
            let described = &described.json["paths"][&path];
            assert!(
                described[method.to_lowercase()].is_object(),
                "{method} {path}"
            );
        }
    }
}
