//! The gateway, in a process of its own: the program as it is shipped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::fake::random;
use crate::machine;
use crate::wire::Connection;

/// Compiling the plugins takes seconds on a busy machine.
const READY_LIMIT: Duration = Duration::from_mins(1);
/// Short beside what a start takes, which is measured.
const READY_INTERVAL: Duration = Duration::from_millis(2);

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

/// What gateways on the same data are started with. All have the same secrets, so
/// what one has sealed, minted or compiled holds at the next.
#[derive(Debug, Clone)]
pub struct Launch {
    program: Program,
    storage: String,
    plugins: PathBuf,
    operator_key: String,
    environment: Vec<(String, String)>,
}

impl Launch {
    /// The program with its defaults, but for a log of warnings only, and nothing that
    /// is kept of what was compiled.
    pub fn new(program: &Program, storage: &str) -> anyhow::Result<Self> {
        let operator_key = random()?;
        let launch = Self {
            program: program.clone(),
            storage: storage.to_owned(),
            plugins: program.target.join("plugins"),
            operator_key: operator_key.clone(),
            environment: Vec::new(),
        };
        Ok(launch
            .set("PORTCULLIS__AUTH__OPERATOR_KEY", &operator_key)
            .set("PORTCULLIS__AUTH__TOKEN_SECRET", &random()?)
            .set("PORTCULLIS__SECRETS__MASTER_KEY", &random()?)
            .set("PORTCULLIS__PLUGINS__CACHE_DIRECTORY", ""))
    }

    /// Watches this folder for plugins, and not the one with those that are bundled.
    #[must_use]
    pub fn watching(mut self, plugins: &Path) -> Self {
        plugins.clone_into(&mut self.plugins);
        self
    }

    /// Adds what the environment is to say; what is said later counts.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts a gateway on a free port, and waits until it is ready.
    pub async fn start(&self) -> anyhow::Result<Gateway> {
        let address = free_address()?;
        let started = Instant::now();
        let process = Command::new(&self.program.gateway)
            .arg("serve")
            .args(["--storage", &self.storage, "--log", "warn"])
            .args(["--listen", &address.to_string()])
            .arg("--plugins")
            .arg(&self.plugins)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            // Ours is for the table.
            .stdout(std::io::stderr())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}\nhint: `cargo xtask bench` builds it",
                    self.program.gateway.display()
                )
            })?;
        let mut gateway = Gateway {
            operator_key: self.operator_key.clone(),
            address,
            started,
            ready_after: Duration::ZERO,
            process,
        };
        gateway.wait_until_ready().await?;
        gateway.ready_after = started.elapsed();
        Ok(gateway)
    }
}

/// A running gateway; it ends with this value.
pub struct Gateway {
    /// Its operator's key.
    pub operator_key: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// When its program was started.
    pub started: Instant,
    /// How long it took until it said that it is ready.
    pub ready_after: Duration,
    process: Child,
}

impl Gateway {
    /// Starts it with secrets of its own, and with what the environment is to say.
    pub async fn start(
        program: &Program,
        storage: &str,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut launch = Launch::new(program, storage)?;
        for (name, value) in environment {
            launch = launch.set(name, value);
        }
        launch.start().await
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let process = self.process.id().and_then(|id| i32::try_from(id).ok());
        let process = process.and_then(Pid::from_raw);
        kill_process(process.context("it has ended already")?, Signal::TERM)?;
        let status = self.process.wait().await?;
        ensure!(status.success(), "the gateway ended badly: {status}");
        Ok(())
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

    /// Its process; none when that has ended.
    pub fn process(&self) -> Option<u32> {
        self.process.id()
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
