//! `cargo xtask demo`: builds the plugins and the demo, then becomes the demo.

use std::{path::Path, process::Command};

use crate::{
    args::DemoOptions, cargo_messages, environment, plugins, process, report, toolchain, workspace,
};

/// The program in `tests/demo`.
const PROGRAM: &str = "portcullis-demo";

/// The gateway's own program, which lies beside it: the tour uses its command line.
const COMMAND_LINE: &str = "portcullis";

/// Builds what the demo needs and turns into it.
///
/// The process id stays the same, so that whoever started us can stop the demo
/// with a signal.
pub(crate) fn run(options: DemoOptions) -> anyhow::Result<()> {
    plugins::build_all(toolchain::ensure()?)?;
    report::note("building the gateway…");
    let messages = process::stdout(&mut build())?;
    let program = cargo_messages::executable(&messages, PROGRAM)?;
    match process::replace(&mut command(&program, options))? {}
}

/// Unlike `--package`, `--workspace` gives every dependency the features that
/// it has in tests, so that neither build repeats the other's work.
fn build() -> Command {
    let mut command = environment::cargo_command();
    command.current_dir(workspace::root());
    command.args(["build", "--workspace", "--bin", PROGRAM]);
    command.args(["--bin", COMMAND_LINE]);
    command.args(["--message-format", "json-render-diagnostics"]);
    command
}

fn command(program: &Path, options: DemoOptions) -> Command {
    let mut command = Command::new(program);
    command.arg("--plugins").arg(plugins::folder());
    if options.json {
        command.arg("--json");
    }
    if let Some(port) = options.port {
        command.args(["--port", &port.to_string()]);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: DemoOptions, expected: &[&str]) {
        let command = command(Path::new("demo"), options);
        // Without "--plugins" and its value, which differs from place to place.
        let arguments = command.get_args().skip(2);
        let arguments = arguments
            .map(|argument| argument.to_str().unwrap())
            .collect::<Vec<_>>();
        assert_eq!(arguments, expected);
    }

    #[test]
    fn options_reach_the_demo() {
        check(DemoOptions::default(), &[]);
        check(
            DemoOptions {
                json: true,
                port: None,
            },
            &["--json"],
        );
        check(
            DemoOptions {
                json: true,
                port: Some(0),
            },
            &["--json", "--port", "0"],
        );
        check(
            DemoOptions {
                json: false,
                port: Some(8481),
            },
            &["--port", "8481"],
        );
    }
}
