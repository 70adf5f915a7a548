//! The fake Linear, in a process of its own: the benchmark's program under another
//! name.

use std::io::Write as _;
use std::process::Stdio;

use anyhow::Context as _;
use portcullis_upstreams::{FakeLinear, FakeOptions};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// What a benchmark's program is when it is not the load generator.
#[derive(Debug, clap::Subcommand)]
pub enum Role {
    /// Serve a fake Linear until stdin ends.
    #[command(hide = true)]
    FakeLinear {
        /// The token it accepts.
        #[arg(long)]
        token: String,
    },
}

/// A running fake; it ends with this value.
pub struct Fake {
    /// Where it listens, without a slash at the end.
    pub url: String,
    /// The credential it accepts.
    pub token: String,
    _process: Child,
}

impl Fake {
    /// Starts this program with `fake-linear --token TOKEN`, which is to call
    /// [`serve`], and waits until it says where it is.
    pub async fn start() -> anyhow::Result<Self> {
        let token = format!("lin_api_{}", random()?);
        let mut process = Command::new(std::env::current_exe()?)
            .args(["fake-linear", "--token", &token])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the fake Linear")?;
        let stdout = process.stdout.take().context("stdout is piped")?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        Ok(Self {
            url: line.context("the fake Linear ended at once")?,
            token,
            _process: process,
        })
    }
}

/// Serves until stdin ends, which it does when the program that started us is
/// gone, however it went.
pub async fn serve(token: &str) -> anyhow::Result<()> {
    let fake = FakeLinear::start(FakeOptions::new(token)).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", fake.url())?;
    stdout.flush()?;
    let ended = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    tokio::task::spawn_blocking(ended).await??;
    fake.shutdown().await;
    Ok(())
}

/// 256 random bits, as hexadecimal digits.
pub fn random() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(hex::encode(bytes))
}
