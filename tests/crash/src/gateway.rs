//! Gateways as processes: the program as it is shipped, killed and started again
//! on the same data and port.

use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use portcullis_test_postgres::ReservedPort;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::random::Random;
use crate::wire::{Call, Wire};

/// Compiling plugins takes seconds on a busy machine.
const READY_LIMIT: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Longer than actions may take, of which none is left when gateways are stopped.
const STOP_LIMIT: Duration = Duration::from_mins(1);

/// The programs and files that a gateway is made of.
#[derive(Debug, Clone)]
pub struct Program {
    /// `portcullis`.
    pub gateway: PathBuf,
    /// The folder with `linear.wasm`.
    pub plugins: PathBuf,
}

/// What all gateways of a run have in common.
#[derive(Debug)]
pub(crate) struct Setup {
    program: Program,
    storage: String,
    operator_key: String,
    token_secret: String,
    master_key: String,
    /// Where their logs go.
    folder: PathBuf,
}

impl Setup {
    pub(crate) fn new(
        program: Program,
        storage: String,
        folder: &Path,
        random: &mut Random,
    ) -> Self {
        Self {
            program,
            storage,
            operator_key: random.secret(),
            token_secret: random.secret(),
            master_key: random.secret(),
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// The program with the database's secrets.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program.gateway);
        command
            .env("PORTCULLIS__AUTH__OPERATOR_KEY", &self.operator_key)
            .env("PORTCULLIS__AUTH__TOKEN_SECRET", &self.token_secret)
            .env("PORTCULLIS__SECRETS__MASTER_KEY", &self.master_key)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// `audit verify`.
    pub(crate) fn verify_audit(&self) -> Command {
        let mut command = self.command();
        command.args(["audit", "verify", "--storage", &self.storage]);
        command
    }

    /// `serve`. The limit on invocations is out of reach, since clients here ask
    /// more often than agents may; leases are as short as they can be, and so is
    /// the patience with an upstream that hangs.
    fn serve(&self, address: SocketAddr) -> Command {
        let mut command = self.command();
        command
            .arg("serve")
            .args(["--storage", &self.storage, "--log", "warn"])
            .args(["--listen", &address.to_string()])
            .arg("--plugins")
            .arg(&self.program.plugins)
            .env("PORTCULLIS__ADMISSION__INVOCATIONS_PER_MINUTE", "100000000")
            .env("PORTCULLIS__AUTH__USER_TOKEN_SECONDS", "86400")
            .env(
                "PORTCULLIS__PLUGINS__CACHE_DIRECTORY",
                self.folder.join("compiled"),
            )
            .env("PORTCULLIS__SANDBOX__DEADLINE_MS", "2000")
            .env("PORTCULLIS__STORAGE__LEASE_SECONDS", "15")
            .env("PORTCULLIS__STORAGE__MAX_CONNECTIONS", "8");
        command
    }
}

/// One gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    setup: Arc<Setup>,
    port: ReservedPort,
    log: PathBuf,
    process: Option<Child>,
}

impl Gateway {
    /// One that does not run yet.
    pub(crate) fn new(setup: &Arc<Setup>, number: usize) -> anyhow::Result<Self> {
        Ok(Self {
            setup: Arc::clone(setup),
            port: ReservedPort::any()?,
            log: setup.folder.join(format!("gateway-{number}.log")),
            process: None,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Starts the process, and does not wait for more.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let mut command = self.setup.serve(self.address());
        command.stdout(log.try_clone()?).stderr(log);
        let program = self.setup.program.gateway.display();
        self.process = Some(
            command
                .spawn()
                .with_context(|| format!("cannot start {program}"))?,
        );
        Ok(())
    }

    /// Returns when it takes connections, which is long before it answers.
    pub(crate) async fn wait_until_it_listens(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_LIMIT;
        while TcpStream::connect(self.address()).await.is_err() {
            self.look(deadline)?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Returns when it is ready.
    pub(crate) async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_LIMIT;
        let ready = Call::get("/readyz".to_owned(), "");
        let mut wire = Wire::default();
        loop {
            let answer = wire.call(self.address(), &ready).await;
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            self.look(deadline)?;
            sleep(LOOK_EVERY).await;
        }
    }

    /// Fails when it has ended by itself, or time is up.
    fn look(&mut self, deadline: Instant) -> anyhow::Result<()> {
        let process = self.process.as_mut().context("it was not started")?;
        if let Some(status) = process.try_wait()? {
            bail!(
                "the gateway ended by itself ({status}); {}",
                self.last_words()
            );
        }
        ensure!(
            Instant::now() < deadline,
            "the gateway is not ready after {} s; {}",
            READY_LIMIT.as_secs(),
            self.last_words()
        );
        Ok(())
    }

    /// SIGKILL. Fails when it had ended before.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("it was not started")?;
        if let Some(status) = process.try_wait()? {
            bail!(
                "the gateway ended by itself ({status}); {}",
                self.last_words()
            );
        }
        Ok(process.kill().await?)
    }

    /// SIGTERM, after which it must end well.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("it was not started")?;
        let id = process.id().context("the gateway ended by itself")?;
        Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .await?;
        let ended = timeout(STOP_LIMIT, process.wait()).await;
        let status = ended.context("the gateway does not stop")??;
        ensure!(
            status.success(),
            "the gateway stopped with {status}; {}",
            self.last_words()
        );
        Ok(())
    }

    /// Lines of its log in which a thread panicked.
    pub(crate) fn panics(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let panics = log.lines().filter(|line| line.contains("panicked at"));
        panics.map(str::to_owned).collect()
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let mut last: Vec<_> = log.lines().rev().take(5).collect();
        last.reverse();
        format!("its log ends with:\n{}", last.join("\n"))
    }
}
