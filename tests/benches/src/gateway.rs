//! The gateway, in a process of its own: the program as it is shipped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::fake::random;
use crate::machine;
use crate::wire::Connection;

/// Compiling the plugins takes seconds on a busy machine.
const READY_LIMIT: Duration = Duration::from_mins(1);
const READY_INTERVAL: Duration = Duration::from_millis(50);

/// What a gateway is made of.
#[derive(Debug, Clone, clap::Args)]
pub struct Program {
    /// The gateway's program.
    #[arg(long, value_name = "FILE", default_value = "target/release/portcullis")]
    pub gateway: PathBuf,
    /// The folder `target` with plugins; the data is put there as well, since a
    /// temporary folder may be on no disk at all.
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub target: PathBuf,
}

/// Where a gateway keeps its rows.
#[derive(Debug, Clone, clap::Args)]
pub struct Database {
    /// The database, by URL; a new SQLite file by default. A Postgres database
    /// should be empty and have its durable defaults.
    #[arg(long, value_name = "URL")]
    pub storage: Option<String>,
}

impl Database {
    /// Its URL; a SQLite file in this folder unless another was named.
    pub fn url(&self, folder: &Path) -> String {
        let file = || format!("sqlite:{}", folder.join("portcullis.db").display());
        self.storage.clone().unwrap_or_else(file)
    }
}

/// A running gateway; it ends with this value.
pub struct Gateway {
    /// Its operator's key.
    pub operator_key: String,
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
}

impl Gateway {
    /// Starts it with its defaults, but for a log of warnings only and for what the
    /// environment is to say.
    pub async fn start(
        program: &Program,
        storage: &str,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let operator_key = random()?;
        let address = free_address()?;
        let process = Command::new(&program.gateway)
            .arg("serve")
            .args(["--storage", storage, "--log", "warn"])
            .args(["--listen", &address.to_string()])
            .arg("--plugins")
            .arg(program.target.join("plugins"))
            .env("PORTCULLIS__AUTH__OPERATOR_KEY", &operator_key)
            .env("PORTCULLIS__AUTH__TOKEN_SECRET", random()?)
            .env("PORTCULLIS__SECRETS__MASTER_KEY", random()?)
            .env("PORTCULLIS__PLUGINS__CACHE_DIRECTORY", "")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            // Ours is for the table.
            .stdout(std::io::stderr())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}\nhint: `cargo xtask bench` builds it",
                    program.gateway.display()
                )
            })?;
        let mut gateway = Self {
            operator_key,
            address,
            process,
        };
        gateway.wait_until_ready().await?;
        Ok(gateway)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_LIMIT;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait()? {
                bail!("the gateway ended: {status}");
            }
            if self.is_ready().await.is_ok() {
                return Ok(());
            }
            sleep(READY_INTERVAL).await;
        }
        bail!("the gateway is not ready after {} s", READY_LIMIT.as_secs())
    }

    async fn is_ready(&self) -> anyhow::Result<()> {
        let mut connection = Connection::open(self.address).await?;
        let nothing = serde_json::Value::Null;
        let asked = connection.exchange(http::Method::GET, "/readyz", "", &nothing);
        asked.await.map(drop)
    }

    /// Its resident memory.
    pub fn resident_bytes(&self) -> u64 {
        self.process
            .id()
            .and_then(machine::resident_bytes)
            .unwrap_or(0)
    }

    /// The CPU time it has taken so far, all threads together.
    pub fn cpu_time(&self) -> Duration {
        self.process
            .id()
            .and_then(machine::cpu_time)
            .unwrap_or_default()
    }
}

/// An address that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
