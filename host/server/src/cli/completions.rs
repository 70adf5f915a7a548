//! `portcullis completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use super::failure::Failure;
use super::output::Report;

/// `completions`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

const HELP: &str = "\
Examples:
  portcullis completions bash > ~/.local/share/bash-completion/completions/portcullis
  portcullis completions zsh > ~/.zfunc/_portcullis
  portcullis completions fish > ~/.config/fish/completions/portcullis.fish";

impl Completions {
    pub(super) fn run(&self, mut command: Command) -> Result<Report, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "portcullis", &mut script);
        String::from_utf8(script)
            .map(Report::piped)
            .map_err(|error| Failure::other(error.to_string()))
    }
}
