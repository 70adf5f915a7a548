//! `cargo xtask bench`: builds the programs in `tests/benches` and runs them.

use std::process::Command;

use anyhow::Context as _;

use crate::{
    args::{BenchOptions, Subject},
    cargo_messages, environment, guests, plugins,
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
    guests::build(toolchain, &test::test_guests(), |_, component| {
        Ok(component)
    })?;
    report::note("building the gateway and the benchmarks for release…");
    let messages = process::stdout(&mut build())?;
    for &subject in &options.subjects {
        report::note(&format!("measuring: {}…", subject.name()));
        let mut command = command(subject, &messages)?;
        measure(command.args(&options.arguments))?;
        if has_database(subject) && !names_storage(&options.arguments) {
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

const fn has_database(subject: Subject) -> bool {
    matches!(
        subject,
        Subject::Invoke | Subject::Decisions | Subject::Plugins
    )
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
    let program = cargo_messages::executable(messages, &format!("bench-{}", subject.name()))?;
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    match subject {
        Subject::Truncate => {}
        Subject::Sandbox => {
            command.arg("--target").arg(workspace::target());
        }
        Subject::Invoke | Subject::Decisions | Subject::Plugins | Subject::Neighbours => {
            command.arg("--target").arg(workspace::target());
            command
                .arg("--gateway")
                .arg(cargo_messages::executable(messages, GATEWAY)?);
        }
    }
    Ok(command)
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
}
