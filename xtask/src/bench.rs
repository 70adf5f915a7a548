//! `cargo xtask bench`: builds the programs in `tests/benches` and runs them.

use std::{path::PathBuf, process::Command};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    args::{BenchOptions, Subject},
    environment, guests, plugins,
    postgres::{Cluster, Durability},
    process, report, test, toolchain, workspace,
};

/// The package with the benchmarks, and the program that one of them starts.
const BENCHES: &str = "portcullis-benches";
const GATEWAY: &str = "portcullis";

/// Builds what the benchmarks need and runs them, one after the other.
pub(crate) fn run(options: &BenchOptions) -> anyhow::Result<()> {
    let toolchain = toolchain::ensure()?;
    plugins::build_all(toolchain)?;
    guests::build(toolchain, &test::test_guests())?;
    report::note("building the gateway and the benchmarks for release…");
    let messages = process::stdout(&mut build())?;
    for &subject in &options.subjects {
        report::note(&format!("measuring: {}…", subject.name()));
        let mut command = command(subject, &messages)?;
        measure(command.args(&options.arguments))?;
        if subject == Subject::Invoke && !names_storage(&options.arguments) {
            measure_on_postgres(&mut command)?;
        }
    }
    Ok(())
}

fn measure(command: &mut Command) -> anyhow::Result<()> {
    let table = process::stdout(command)?;
    report::result(&table)
}

/// The same once more on a Postgres with its defaults, which goes afterwards.
fn measure_on_postgres(command: &mut Command) -> anyhow::Result<()> {
    report::note("measuring the same on Postgres…");
    let cluster = Cluster::start(Durability::Full)
        .context("there is a table for SQLite only; `--storage URL` names a server of yours")?;
    measure(command.args(["--storage", cluster.url()]))
}

fn names_storage(arguments: &[String]) -> bool {
    arguments
        .iter()
        .any(|argument| argument.starts_with("--storage") || argument == "--help")
}

/// One selection for all benchmarks, so that each finds what another has built.
fn build() -> Command {
    let mut command = environment::cargo_command();
    command.current_dir(workspace::root());
    command.args(["build", "--release", "--bins"]);
    command.args(["--package", BENCHES, "--package", GATEWAY]);
    command.args(["--message-format", "json-render-diagnostics"]);
    command
}

fn command(subject: Subject, messages: &str) -> anyhow::Result<Command> {
    let program = executable(messages, &format!("bench-{}", subject.name()))?;
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    match subject {
        Subject::Truncate => {}
        Subject::Sandbox => {
            command.arg("--target").arg(workspace::target());
        }
        Subject::Invoke => {
            command.arg("--target").arg(workspace::target());
            command.arg("--gateway").arg(executable(messages, GATEWAY)?);
        }
    }
    Ok(command)
}

/// A program's path in cargo's messages, which are one JSON object a line. The
/// library of the gateway has the name of its program, but no executable.
fn executable(messages: &str, name: &str) -> anyhow::Result<PathBuf> {
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
        {"reason":"compiler-artifact","target":{"name":"portcullis"},"executable":"/t/portcullis"}
        {"reason":"compiler-artifact","target":{"name":"bench-invoke"},"executable":"/t/bench-invoke"}
        {"reason":"build-finished","success":true}"#;

    #[test]
    fn the_load_generator_is_told_where_the_gateway_is() {
        let command = command(Subject::Invoke, MESSAGES).unwrap();
        assert_eq!(command.get_program(), "/t/bench-invoke");
        let words = command.get_args().collect::<Vec<_>>();
        assert!(
            words
                .windows(2)
                .any(|pair| pair == ["--gateway", "/t/portcullis"])
        );
    }

    #[test]
    fn a_program_that_was_not_built_is_named() {
        let error = command(Subject::Sandbox, MESSAGES).unwrap_err().to_string();
        assert_eq!(error, "cargo does not say where bench-sandbox is");
    }
}
