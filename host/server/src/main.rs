//! The `portcullis` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use portcullis::cli::{self, Console};
use portcullis::{compiling, panics};

/// A call allocates thousands of small things on one thread and frees them on
/// another, which the system's allocator is slow at and keeps memory over.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    panics::withhold_messages();
    // Before anything of a gateway has begun.
    compiling::work(std::env::args_os()).unwrap_or_else(gateway)
}

#[tokio::main]
async fn gateway() -> ExitCode {
    let mut console = Console::of_process();
    cli::run(std::env::args_os(), &mut console).await.into()
}
