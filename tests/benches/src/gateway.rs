//! The gateway, in a process of its own: the program as it is shipped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use portcullis_benches::machine;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::fake::random;
use crate::options::Options;
use crate::wire::Connection;

/// Compiling the plugins takes seconds on a busy machine.
const READY_LIMIT: Duration = Duration::from_mins(1);
const READY_INTERVAL: Duration = Duration::from_millis(50);

/// No session reaches it.
const INVOCATIONS_PER_MINUTE: u32 = 100_000_000;

/// A running gateway; it ends with this value.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) operator_key: String,
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Gateway {
    /// Starts it with its defaults, but for the limit on invocations and a log
    /// of warnings only.
    pub(crate) async fn start(options: &Options, storage: &str) -> anyhow::Result<Self> {
        let operator_key = random()?;
        let address = free_address()?;
        let process = Command::new(&options.gateway)
            .arg("serve")
            .args(["--storage", storage, "--log", "warn"])
            .args(["--listen", &address.to_string()])
            .arg("--plugins")
            .arg(options.target.join("plugins"))
            .env("PORTCULLIS__AUTH__OPERATOR_KEY", &operator_key)
            .env("PORTCULLIS__AUTH__TOKEN_SECRET", random()?)
            .env("PORTCULLIS__SECRETS__MASTER_KEY", random()?)
            .env(
                "PORTCULLIS__ADMISSION__INVOCATIONS_PER_MINUTE",
                INVOCATIONS_PER_MINUTE.to_string(),
            )
            .stdin(Stdio::null())
            // Ours is for the table.
            .stdout(std::io::stderr())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}\nhint: `cargo xtask bench invoke` builds it",
                    options.gateway.display()
                )
            })?;
        let mut gateway = Self {
            url: format!("http://{address}"),
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
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.process
            .id()
            .and_then(machine::resident_bytes)
            .unwrap_or(0)
    }

    /// The CPU time it has taken so far, all threads together.
    pub(crate) fn cpu_time(&self) -> Duration {
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
