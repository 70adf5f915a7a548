//! `cargo xtask fuzz`: builds the program that feeds the fuzz targets.

use std::process::Command;

use crate::{environment, process, workspace};

/// Turns into the program, so that Ctrl-C reaches it.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    match process::replace(&mut command(arguments))? {}
}

/// The profile of tests, which checks for overflows.
fn command(arguments: &[String]) -> Command {
    let mut command = environment::cargo_command();
    command.current_dir(workspace::root());
    command.args([
        "run",
        "--quiet",
        "--package",
        "portcullis-fuzz",
        "--bin",
        "fuzz",
        "--",
    ]);
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_goes_to_the_program() {
        let command = command(&["paging".to_owned(), "--seed=1".to_owned()]);
        let words = command.get_args().collect::<Vec<_>>();
        assert!(words.ends_with(&["--".as_ref(), "paging".as_ref(), "--seed=1".as_ref()]));
    }
}
