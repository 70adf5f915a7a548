//! `cargo xtask test`: builds what the tests load, starts a Postgres for them, runs
//! `cargo test`, and searches what that leaves behind for credentials.

use std::process::Command;

use anyhow::Context as _;

use crate::{
    environment,
    guests::{self, Guest},
    languages,
    leaks::{self, Leaks},
    plugins,
    postgres::{Cluster, Durability},
    process, report, toolchain, workspace,
};

/// Where proptest looks for the seed of what it generates.
const PROPTEST_SEED: &str = "PROPTEST_RNG_SEED";

/// Builds plugins and test guests and runs the tests.
pub(crate) fn run(cargo_args: &[String]) -> anyhow::Result<()> {
    let toolchain = toolchain::ensure()?;
    plugins::build_all(toolchain)?;
    report::note("building the test guests…");
    guests::build(toolchain, &test_guests(), |_, component| Ok(component))?;
    languages::build_all();
    let mut command = command(cargo_args);
    // Kept until the tests have ended, whether or not they passed.
    let cluster = start_postgres()?;
    if let Some(cluster) = &cluster {
        command.env(environment::TEST_POSTGRES, cluster.url());
    }
    let leaks = Leaks::watch()?;
    command.env(leaks::FOLDER, leaks.folder());
    let tested = process::run_in_our_place(&mut command);
    // A filter leaves out what it leaves out.
    let is_whole_suite = cargo_args.is_empty();
    let searched = leaks.search(cluster.as_ref(), is_whole_suite);
    if let (Err(_), Err(found)) = (&tested, &searched) {
        report::note(&format!("error: {found:#}"));
    }
    tested.and(searched)
}

/// A Postgres for the tests; none when the caller has one, or when there can be
/// none and a person is there to read that.
fn start_postgres() -> anyhow::Result<Option<Cluster>> {
    if environment::text(environment::TEST_POSTGRES).is_some() {
        return Ok(None);
    }
    report::note("starting a Postgres for the tests…");
    match Cluster::start(Durability::Relaxed) {
        Ok(cluster) => Ok(Some(cluster)),
        Err(error) if environment::text(environment::CI).is_some() => {
            Err(error).context("the tests need a Postgres")
        }
        Err(error) => {
            report::note(&format!("tests on Postgres will be skipped: {error:#}"));
            Ok(None)
        }
    }
}

/// The guests under `tests/guests`: one package whose actions each show one behaviour.
pub(crate) fn test_guests() -> Vec<Guest> {
    vec![Guest {
        package: "portcullis-test-guests".to_owned(),
        output: workspace::target().join("guests/test-guests.wasm"),
    }]
}

fn command(cargo_args: &[String]) -> Command {
    let mut command = environment::cargo_command();
    command.current_dir(workspace::root());
    command.args(["test", "--no-fail-fast"]);
    // What a property meets must not depend on luck; whoever explores sets another.
    if environment::text(PROPTEST_SEED).is_none() {
        command.env(PROPTEST_SEED, "1");
    }
    if !names_packages(cargo_args) {
        command.arg("--workspace");
    }
    command.args(cargo_args);
    command
}

/// Whether the caller chose packages: `--workspace` would silently win.
fn names_packages(cargo_args: &[String]) -> bool {
    let cargos_own = cargo_args.iter().take_while(|argument| *argument != "--");
    let chooses = |argument: &String| {
        ["-p", "--package", "--manifest-path"]
            .iter()
            .any(|flag| argument.starts_with(flag))
    };
    cargos_own.into_iter().any(chooses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let cargo_args = line
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let command = command(&cargo_args);
        let words = command
            .get_args()
            .map(|word| word.to_str().unwrap())
            .collect::<Vec<_>>();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn all_packages_are_tested_unless_some_are_named() {
        check("", "test --no-fail-fast --workspace");
        check(
            "approval -- --nocapture",
            "test --no-fail-fast --workspace approval -- --nocapture",
        );
        check(
            "-p portcullis-core",
            "test --no-fail-fast -p portcullis-core",
        );
        check("-pportcullis-core", "test --no-fail-fast -pportcullis-core");
        check(
            "--package=portcullis-core",
            "test --no-fail-fast --package=portcullis-core",
        );
        check("x -- -p", "test --no-fail-fast --workspace x -- -p");
    }
}
