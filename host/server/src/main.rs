//! The `portcullis` binary.

use std::process::ExitCode;

use portcullis::cli::{self, Console};

#[tokio::main]
async fn main() -> ExitCode {
    let mut console = Console::of_process();
    cli::run(std::env::args_os(), &mut console).await.into()
}
