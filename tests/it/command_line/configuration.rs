//! `config check` and `config print`.

use std::fs;
use std::path::PathBuf;

use portcullis_tests::plugins_directory;
use tempfile::TempDir;

use super::terminal::{Ended, Terminal};

/// A configuration that a gateway takes, with secrets that must not show.
const SECRETS: &str = r#"
[auth]
operator_key = "canary-operator-0123456789abcdefghi"
token_secret = "canary-tokens-0123456789abcdefghijk"
[secrets]
master_key = "caca000000000000000000000000000000000000000000000000000000000000"
"#;

fn write(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.toml");
    fs::write(&file, text).unwrap();
    (folder, file)
}

/// Types `config <verb>` about a file with this text.
async fn config(verb: &str, text: &str, rest: &[&str]) -> Ended {
    let (_folder, file) = write(text);
    let plugins = plugins_directory();
    let mut arguments = vec!["config", verb, "--config", file.to_str().unwrap()];
    if !rest.contains(&"--plugins") {
        arguments.extend(["--plugins", plugins.to_str().unwrap()]);
    }
    arguments.extend(rest);
    let ended = Terminal::new().watched().types(&arguments).await;
    for secret in ["canary", "caca0"] {
        assert!(!format!("{ended:?}").contains(secret), "{ended:?}");
    }
    ended
}

#[tokio::test]
async fn a_good_configuration_is_ok() {
    let ended = config("check", SECRETS, &["--listen", "127.0.0.1:0"]).await;
    assert!(ended.assert_exit(0).stdout.starts_with("ok\n"), "{ended:?}");
    assert!(ended.stdout.contains("127.0.0.1:0"), "{ended:?}");
    // The file is readable for all, as files are.
    ended.assert_told(&["chmod 600"]);
    let json = config("check", SECRETS, &["--json"]).await;
    assert_eq!(json.assert_exit(0).json()["ok"], true);
    assert_eq!(json.json()["storage"], "sqlite:portcullis.db");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_key() {
    let both = format!("{SECRETS}master_key_file = \"/x\"\n");
    let unreadable = SECRETS
        .replace("master_key =", "#")
        .replace("[secrets]", "[secrets]\nmaster_key_file = \"/nothing\"\n");
    for (text, rest, phrases) in [
        ("", &[][..], &["auth.operator_key", "32 characters"][..]),
        (&format!("[server]\nlisen = 1\n{SECRETS}"), &[], &["lisen"]),
        (
            &format!("[sandbox]\ndeadline_ms = \"soon\"\n{SECRETS}"),
            &[],
            &["deadline_ms"],
        ),
        (
            &format!("[sandbox]\ndeadline_ms = 0\n{SECRETS}"),
            &[],
            &["sandbox.deadline_ms", "between 1 and"],
        ),
        (&both, &[], &["secrets.master_key", "must not both be set"]),
        (&unreadable, &[], &["secrets.master_key", "/nothing"]),
        (
            SECRETS,
            &["--plugins", "/nothing"],
            &["plugins.directory", "/nothing"],
        ),
        (SECRETS, &["--log", "a=b=c"], &["log.filter"]),
        (
            SECRETS,
            &["--storage", "mysql://canary@db/p"],
            &["storage.url", "postgres://USER@HOST/DATABASE"],
        ),
        (
            SECRETS,
            &["--storage", "postgres://ada@db/p?pasword=canary"],
            &["storage.url", "parameter"],
        ),
        (
            "[auth]\noperator_key = \"canary",
            &[],
            &["portcullis.toml", "line 2"],
        ),
    ] {
        let ended = config("check", text, rest).await;
        assert_eq!(ended.assert_exit(1).stdout, "");
        ended.assert_told(phrases);
    }
    let ended = Terminal::new()
        .types(&["config", "check", "--config", "/nothing.toml"])
        .await;
    ended.assert_exit(1).assert_told(&["/nothing.toml"]);
}

#[tokio::test]
async fn what_is_odd_is_told_and_passes() {
    let text = format!("[sandbox]\ncpu_time_ms = 40_000\n{SECRETS}");
    let ended = config("check", &text, &["--listen", "0.0.0.0:80", "--json"]).await;
    ended
        .assert_exit(0)
        .assert_told(&["warning: sandbox.cpu_time_ms", "warning: server.listen"]);
    assert_eq!(ended.json()["warnings"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn everything_is_printed_but_secrets() {
    let url = "postgres://ada:canary@db/portcullis";
    let ended = config("print", SECRETS, &["--storage", url]).await;
    let text = &ended.assert_exit(0).stdout;
    for line in [
        "operator_key = \"[set]\"",
        "token_secret = \"[set]\"",
        "master_key = \"[set]\"",
        "url = \"postgres://ada:[set]@db/portcullis\"",
        "listen = \"127.0.0.1:8480\"",
        "deadline_ms = 30000",
        "format = \"json\"",
    ] {
        assert!(
            text.lines().any(|printed| printed == line),
            "{line}: {text}"
        );
    }
    let json = config("print", SECRETS, &["--json", "--storage", url]).await;
    assert_eq!(json.assert_exit(0).json()["auth"]["operator_key"], "[set]");
}

#[tokio::test]
async fn what_would_be_refused_is_printed_with_a_warning() {
    let ended = config("print", "[server]\nlisten = \"127.0.0.1:1\"\n", &[]).await;
    assert!(
        ended
            .assert_exit(0)
            .stdout
            .contains("operator_key = \"[not set]\"")
    );
    assert!(ended.stdout.contains("127.0.0.1:1"), "{ended:?}");
    ended.assert_told(&["would not start", "auth.operator_key"]);
}

#[tokio::test]
async fn the_defaults_are_printed_as_they_are_documented() {
    let ended = Terminal::new()
        .types(&["config", "print", "--defaults"])
        .await;
    assert_eq!(ended.assert_exit(0).stdout, portcullis::config::DEFAULTS);
}
