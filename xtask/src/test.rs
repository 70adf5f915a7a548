//! `cargo xtask test`: builds what the tests load, then becomes `cargo test`.

use std::process::Command;

use crate::{
    environment,
    guests::{self, Guest},
    plugins, process, report, toolchain, workspace,
};

/// Builds plugins and test guests and runs the tests.
pub(crate) fn run(cargo_args: &[String]) -> anyhow::Result<()> {
    let toolchain = toolchain::ensure()?;
    plugins::build_all(toolchain)?;
    report::note("building the test guests…");
    guests::build(toolchain, &test_guests())?;
    match process::replace(&mut command(cargo_args))? {}
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
    command.current_dir(workspace::root()).arg("test");
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
        check("", "test --workspace");
        check(
            "approval -- --nocapture",
            "test --workspace approval -- --nocapture",
        );
        check("-p portcullis-core", "test -p portcullis-core");
        check("-pportcullis-core", "test -pportcullis-core");
        check(
            "--package=portcullis-core",
            "test --package=portcullis-core",
        );
        check("x -- -p", "test --workspace x -- -p");
    }
}
