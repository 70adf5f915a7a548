//! `cargo xtask soak`: builds the gateway and the program that kills it and fuzzes.

use std::process::Command;

use crate::{cargo_messages, plugins, process, report, toolchain, workspace};

/// The program, and what it kills.
const SOAK: &str = "soak";
const GATEWAY: &str = "portcullis";

/// Builds what is needed and turns into the program, so that Ctrl-C reaches it.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    plugins::build_all(toolchain::ensure()?)?;
    report::note("building the gateway…");
    // The profile of tests: what is killed here is not measured.
    let messages = process::stdout(&mut cargo_messages::build(&[SOAK, GATEWAY]))?;
    match process::replace(command(&messages)?.args(arguments))? {}
}

fn command(messages: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(cargo_messages::executable(messages, SOAK)?);
    command.current_dir(workspace::root());
    command
        .arg("--gateway")
        .arg(cargo_messages::executable(messages, GATEWAY)?);
    command.arg("--plugins").arg(plugins::folder());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = r#"
        {"reason":"compiler-artifact","target":{"name":"portcullis"},"executable":null}
        {"reason":"compiler-artifact","target":{"name":"portcullis"},"executable":"/t/portcullis"}
        {"reason":"compiler-artifact","target":{"name":"soak"},"executable":"/t/soak"}"#;

    #[test]
    fn the_killer_is_told_whom_to_kill() {
        let command = command(MESSAGES).unwrap();
        assert_eq!(command.get_program(), "/t/soak");
        let words = command.get_args().collect::<Vec<_>>();
        assert_eq!(words[..2], ["--gateway", "/t/portcullis"]);
    }
}
