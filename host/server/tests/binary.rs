//! The `portcullis` program as a process: its streams, its environment, its end.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use portcullis::audit::AuditKey;
use portcullis::clock::{Clock as _, SystemClock};
use portcullis::config::MasterKey;
use portcullis::vault::Vault;
use portcullis_core::audit::{AuditChain, AuditEvent, AuditKind, AuditSubject};
use portcullis_storage::Storage;
use portcullis_test_canary::{Place, canaries, canary};
use tempfile::TempDir;

fn portcullis(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn check(output: &Output, exit: i32, told: &str) {
    for (name, printed) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        canaries().look_and_expect_nothing(Place::Output, name, printed);
    }
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    assert!(text(&output.stderr).contains(told), "{output:?}");
}

#[test]
fn the_environment_configures_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = portcullis(&["config", "check", "--json"]);
    command
        .env("PORTCULLIS__AUTH__OPERATOR_KEY", canary!("operator-key-"))
        .env(
            "PORTCULLIS__AUTH__TOKEN_SECRET",
            canary!("token-secret-of-tests-"),
        )
        .env("PORTCULLIS__SECRETS__MASTER_KEY", "ab".repeat(32))
        .env("PORTCULLIS__PLUGINS__DIRECTORY", folder.path())
        .env("PORTCULLIS__SERVER__LISTEN", "127.0.0.1:7");
    let output = command.output().unwrap();
    check(&output, 0, "plugins.directory: holds no *.wasm");
    assert!(text(&output.stdout).contains(r#""listen":"127.0.0.1:7""#));
    let wrong = command
        .env("PORTCULLIS__SERVER__LISEN", "x")
        .output()
        .unwrap();
    check(&wrong, 1, "lisen");
}

#[test]
fn a_client_reads_its_own_variables() {
    let mut command = portcullis(&["org", "list"]);
    check(&command.output().unwrap(), 8, "PORTCULLIS_OPERATOR_KEY");
    command
        .env("PORTCULLIS_OPERATOR_KEY", "key")
        .env("PORTCULLIS_URL", "http://127.0.0.1:1");
    check(
        &command.output().unwrap(),
        1,
        "cannot reach http://127.0.0.1:1/",
    );
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    check(&portcullis(&["sevre"]).output().unwrap(), 2, "'serve'");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = portcullis(&["completions", "zsh"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(told, "");
}

/// More than a pipe takes at once.
const EVENTS: u128 = 2000;

/// A database that a gateway has open, with a record in which everything waits.
async fn recorded(folder: &TempDir) -> (Arc<dyn Storage>, MasterKey) {
    let url = format!("sqlite:{}", database(folder.path()));
    let storage = portcullis_storage::open(&url, 1).await.unwrap();
    let master_key = MasterKey::generate().unwrap();
    let vault = Vault::new(&master_key.clone().into());
    let key = AuditKey::open_or_make(&*storage, &vault, &SystemClock).await;
    let key = key.unwrap();
    let mut work = storage.write().await.unwrap();
    for number in 0..EVENTS {
        let event = key.entry(AuditEvent {
            id: uuid::Uuid::from_u128(number),
            chain: AuditChain::Gateway,
            kind: AuditKind::PluginLoaded,
            actor: "gateway".to_owned(),
            subject: AuditSubject::audit(),
            details: serde_json::json!({}),
            at: SystemClock.now(),
        });
        work.audit().add(&event).await.unwrap();
    }
    work.save().await.unwrap();
    (storage, master_key)
}

fn database(folder: &Path) -> String {
    folder.join("portcullis.db").display().to_string()
}

/// A command on that database.
fn audit(folder: &TempDir, master_key: &MasterKey, verb: &str) -> Command {
    let mut command = portcullis(&["audit", verb, "--storage", &database(folder.path())]);
    command
        .env("PORTCULLIS__AUTH__OPERATOR_KEY", canary!("operator-key-"))
        .env(
            "PORTCULLIS__AUTH__TOKEN_SECRET",
            canary!("token-secret-of-tests-"),
        )
        .env("PORTCULLIS__SECRETS__MASTER_KEY", &*master_key.to_base64());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_verified_while_another_process_has_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, master_key) = recorded(&folder).await;
    let output = audit(&folder, &master_key, "verify").output().unwrap();
    check(&output, 0, "");
    let told = text(&output.stdout);
    assert!(told.contains(r#""ok":true"#), "{told}");
    assert!(told.contains(r#""waiting":2001"#), "{told}");
    // What the gateway writes meanwhile is there at the next look.
    let mut work = storage.write().await.unwrap();
    work.audit()
        .dismiss(&[&uuid::Uuid::from_u128(7).to_string()])
        .await
        .unwrap();
    work.save().await.unwrap();
    let output = audit(&folder, &master_key, "verify").output().unwrap();
    check(
        &output,
        1,
        "the gateway, event 00000000-0000-0000-0000-000000000007: a gateway wrote",
    );
    storage.close().await;
    let output = audit(&folder, &master_key, "verify").output().unwrap();
    check(&output, 1, "1 finding");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_record_that_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (_storage, master_key) = recorded(&folder).await;
    let mut child = audit(&folder, &master_key, "export").spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(
        first.starts_with(r#"{"organizationId":null,"position":null"#),
        "{first}"
    );
    drop(lines);
    let mut told = String::new();
    let stderr = child.stderr.take();
    stderr.unwrap().read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(told, "");

    let all = audit(&folder, &master_key, "export").output().unwrap();
    check(&all, 0, "");
    assert_eq!(text(&all.stdout).lines().count(), 2001);
}
