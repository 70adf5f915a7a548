//! `cargo xtask fuzz`: builds the program that feeds the fuzz targets.

use std::process::Command;

use crate::{cargo_messages, process, report, workspace};

/// The program.
const FUZZ: &str = "fuzz";

/// Turns into the program, so that Ctrl-C reaches it.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    report::note("building the fuzz targets…");
    // The profile of tests, which checks for overflows.
    let messages = process::stdout(&mut cargo_messages::build(&[FUZZ]))?;
    match process::replace(&mut command(&messages, arguments)?)? {}
}

fn command(messages: &str, arguments: &[String]) -> anyhow::Result<Command> {
    let mut command = Command::new(cargo_messages::executable(messages, FUZZ)?);
    command.current_dir(workspace::root());
    command.args(arguments);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_goes_to_the_program() {
        let message = r#"{"target":{"name":"fuzz"},"executable":"/t/fuzz"}"#;
        let command = command(message, &["paging".to_owned(), "--seed=1".to_owned()]).unwrap();
        assert_eq!(command.get_program(), "/t/fuzz");
        let words = command.get_args().collect::<Vec<_>>();
        assert_eq!(words, ["paging", "--seed=1"]);
    }
}
