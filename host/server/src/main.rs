//! The `portcullis` binary.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use portcullis::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Causes in one line and no backtrace: this is for an operator.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
