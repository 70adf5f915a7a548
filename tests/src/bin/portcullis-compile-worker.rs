//! Compiles plugins for tests that open a whole gateway in a process of their own.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::compiling::work(std::env::args_os()).unwrap_or(ExitCode::FAILURE)
}
