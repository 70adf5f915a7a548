//! The `portcullis` program as a process: its streams, its environment, its end.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Read as _;
use std::process::{Command, Output, Stdio};

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
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    assert!(text(&output.stderr).contains(told), "{output:?}");
}

#[test]
fn the_environment_configures_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = portcullis(&["config", "check", "--json"]);
    command
        .env("PORTCULLIS__AUTH__OPERATOR_KEY", "o".repeat(32))
        .env("PORTCULLIS__AUTH__TOKEN_SECRET", "t".repeat(32))
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
