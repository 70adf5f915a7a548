//! `keys`: the master key of a gateway that has stopped, made, shown and changed.

use portcullis_tests::{MASTER_KEY, TestHost};
use serde_json::json;

use super::terminal::{Ended, Terminal, configuration};

const NEW: &str = "0202020202020202020202020202020202020202020202020202020202020202";

/// A host that has stopped. Its one connection and its audit key are sealed under
/// [`MASTER_KEY`].
async fn stopped() -> TestHost {
    let host = TestHost::start().await;
    host.gateway.storage.close().await;
    host
}

/// Types `keys <arguments>` with a configuration of the host's database and these
/// master keys.
async fn keys(
    mut terminal: Terminal,
    host: &TestHost,
    (current, previous): (&str, &str),
    arguments: &[&str],
) -> Ended {
    let file = configuration(host, current, previous);
    let file = ["--config", file.to_str().unwrap()];
    let ended = terminal
        .types(&[&["keys"], arguments, &file].concat())
        .await;
    for key in [current, previous].iter().filter(|key| !key.is_empty()) {
        assert!(!format!("{ended:?}").contains(key), "{ended:?}");
    }
    ended
}

/// The lines of a table without their first column, the key's id.
fn behind_ids(table: &Ended) -> Vec<String> {
    let words = |line: &str| {
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    table.stdout.lines().map(words).collect()
}

#[tokio::test]
async fn a_generated_key_can_be_used_at_once() {
    let piped = Terminal::new().types(&["keys", "generate"]).await;
    let key = piped.assert_exit(0).stdout.trim();
    piped.assert_told(&["This is master key ", "Keep it safe"]);
    assert!(!piped.stderr.contains(key), "{piped:?}");
    let host = stopped().await;
    let status = keys(Terminal::new(), &host, (key, MASTER_KEY), &["status"]).await;
    let id = status.assert_exit(0).json()["keys"][0]["keyId"].clone();
    assert!(piped.stderr.contains(id.as_str().unwrap()), "{piped:?}");

    let json = Terminal::new().types(&["keys", "generate", "--json"]).await;
    let document = json.assert_exit(0).json();
    assert_eq!(json.stderr, "");
    let key = document["masterKey"].as_str().unwrap();
    let status = keys(Terminal::new(), &host, (key, MASTER_KEY), &["status"]).await;
    assert_eq!(status.json()["keys"][0]["keyId"], document["keyId"]);
}

#[tokio::test]
async fn a_key_is_changed_with_three_commands() {
    let host = stopped().await;
    let both = (NEW, MASTER_KEY);
    let before = keys(Terminal::new().watched(), &host, both, &["status"]).await;
    before.assert_exit(0);
    assert_eq!(
        behind_ids(&before),
        [
            "STANDING CREDENTIALS PARAMS AUDIT KEYS RESULTS",
            "current 0 0 0 0",
            "previous 1 0 1 0"
        ]
    );

    let rotated = keys(Terminal::new().watched(), &host, both, &["rotate"]).await;
    let told = &rotated.assert_exit(0).stdout;
    assert_eq!(rotated.stderr, "moved 1 of 2 rows\nmoved 2 of 2 rows\n");
    assert!(told.contains("2 rows moved"), "{told}");
    assert!(
        told.contains("previous_master_keys may be removed"),
        "{told}"
    );

    let after = keys(Terminal::new().watched(), &host, (NEW, ""), &["status"]).await;
    after.assert_exit(0);
    assert_eq!(behind_ids(&after)[1], "current 1 0 1 0");
    host.restart_with(&[("secrets.master_key", NEW.to_owned())])
        .await
        .invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn machines_read_the_same_as_json() {
    let host = stopped().await;
    for arguments in [&["status"][..], &["status", "--json"]] {
        let status = keys(Terminal::new(), &host, (NEW, MASTER_KEY), arguments).await;
        let mut document = status.assert_exit(0).json();
        for key in document["keys"].as_array_mut().unwrap() {
            assert!(key["keyId"].is_string());
            key["keyId"].take();
        }
        assert_eq!(
            document["keys"],
            json!([
                { "keyId": null, "standing": "current", "credentials": 0, "params": 0, "auditKeys": 0, "results": 0 },
                { "keyId": null, "standing": "previous", "credentials": 1, "params": 0, "auditKeys": 1, "results": 0 },
            ])
        );
    }
    for moved in [2, 0] {
        let rotate = &["rotate", "--json"];
        let rotated = keys(Terminal::new(), &host, (NEW, MASTER_KEY), rotate).await;
        assert_eq!(rotated.assert_exit(0).json()["moved"], moved);
    }
}

#[tokio::test]
async fn a_missing_key_is_shown_and_refused() {
    let host = stopped().await;
    let status = keys(Terminal::new().watched(), &host, (NEW, ""), &["status"]).await;
    status
        .assert_exit(1)
        .assert_told(&["secrets.previous_master_keys"]);
    assert_eq!(behind_ids(&status)[2], "unknown 1 0 1 0");
    let rotated = keys(Terminal::new().watched(), &host, (NEW, ""), &["rotate"]).await;
    assert_eq!(rotated.assert_exit(1).stderr, status.stderr);
    assert_eq!(rotated.stdout, "");
}

#[tokio::test]
async fn a_gateway_that_runs_is_to_be_stopped_before_a_rotation() {
    let host = TestHost::start().await;
    let file = host.data.path().join("portcullis.db");
    let both = (NEW, MASTER_KEY);
    let ended = keys(Terminal::new(), &host, both, &["rotate"]).await;
    ended
        .assert_exit(1)
        .assert_told(&["stop the gateway", file.to_str().unwrap()]);
    assert_eq!(ended.stdout, "");
    let status = keys(Terminal::new(), &host, both, &["status"]).await;
    assert_eq!(status.assert_exit(0).json()["keys"][1]["credentials"], 1);
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_not_made() {
    let host = stopped().await;
    let missing = host.data.path().join("typo.db");
    let storage = format!("sqlite:{}", missing.display());
    let rotate = ["rotate", "--storage", &storage];
    let ended = keys(Terminal::new(), &host, (NEW, MASTER_KEY), &rotate).await;
    ended.assert_exit(1).assert_told(&["no such database"]);
    assert!(!missing.exists());
}
