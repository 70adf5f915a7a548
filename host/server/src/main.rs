//! The `portcullis` binary.

use clap::Parser as _;
use portcullis::cli::Cli;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    Cli::parse().run().await
}
