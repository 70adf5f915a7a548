//! Building programs, and what cargo says of it, one JSON object a line.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::{environment, workspace};

/// Builds programs in the profile of tests, with the features that tests are built
/// with, so that nothing is built once more for them.
pub(crate) fn build(programs: &[&str]) -> Command {
    let mut command = environment::cargo_command();
    command.current_dir(workspace::root());
    command.args([
        "build",
        "--workspace",
        "--exclude",
        "portcullis-test-guests",
    ]);
    for program in programs {
        command.args(["--bin", program]);
    }
    command.args(["--message-format", "json-render-diagnostics"]);
    command
}

/// A program's path. The library of the gateway has the name of its program, but
/// no executable.
pub(crate) fn executable(messages: &str, name: &str) -> anyhow::Result<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| {
            message
                .pointer("/target/name")
                .is_some_and(|found| found == name)
        })
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .with_context(|| format!("cargo does not say where {name} is"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = r#"
        {"reason":"compiler-artifact","target":{"name":"portcullis"},"executable":null}
        {"reason":"build-script-executed","package_id":"x"}
        {"reason":"compiler-artifact","target":{"name":"portcullis"},"executable":"/t/portcullis"}
        {"reason":"build-finished","success":true}"#;

    #[test]
    fn a_program_is_found_beside_its_library() {
        let found = executable(MESSAGES, "portcullis").unwrap();
        assert_eq!(found, PathBuf::from("/t/portcullis"));
    }

    #[test]
    fn a_program_that_was_not_built_is_named() {
        let error = executable(MESSAGES, "bench-sandbox").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cargo does not say where bench-sandbox is"
        );
    }
}
