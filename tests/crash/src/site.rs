//! All that runs besides the clients: gateways, and the server of their database.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use portcullis_test_postgres::{Server, TestDatabase};

use crate::database::Database;
use crate::gateway::{Gateway, Program, Setup};
use crate::random::Random;
use crate::scenario::{Place, Scenario, Victim};

/// What runs.
pub(crate) struct Site {
    pub(crate) setup: Arc<Setup>,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) database: Database,
    server: Option<Server>,
    /// Dropped at the end, if it is on a server of others.
    _shared: Option<TestDatabase>,
}

impl Site {
    /// Starts everything; `None` where there is no Postgres, after saying so.
    pub(crate) async fn start(
        scenario: &Scenario,
        program: &Program,
        folder: &Path,
        random: &mut Random,
    ) -> anyhow::Result<Option<Self>> {
        let (mut server, mut shared) = (None, None);
        let (database, gateways) = match scenario.place {
            Place::Sqlite => (Database::Sqlite(folder.join("portcullis.db")), 1),
            Place::Postgres { gateways } => {
                if scenario.victim == Victim::Gateway {
                    shared = create_database().await?;
                } else {
                    server = Server::start().await.context("a Postgres to be killed")?;
                }
                let own = server.as_ref().map(Server::url);
                let Some(url) = own.or_else(|| Some(shared.as_ref()?.url().to_owned())) else {
                    return Ok(None);
                };
                (Database::Postgres(url), gateways)
            }
        };
        let setup = Setup::new(program.clone(), database.url(), folder, random);
        let setup = Arc::new(setup);
        let gateways = (0..gateways).map(|number| Gateway::new(&setup, number));
        let mut site = Self {
            gateways: gateways.collect::<anyhow::Result<_>>()?,
            setup,
            database,
            server,
            _shared: shared,
        };
        site.start_gateways().await?;
        Ok(Some(site))
    }

    /// Starts those that do not run, and waits until they are ready.
    pub(crate) async fn start_gateways(&mut self) -> anyhow::Result<()> {
        for gateway in &mut self.gateways {
            gateway.start()?;
        }
        self.wait_until_ready().await
    }

    pub(crate) async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        for gateway in &mut self.gateways {
            gateway.wait_until_ready().await?;
        }
        Ok(())
    }

    pub(crate) async fn stop_gateways(&mut self) -> anyhow::Result<()> {
        for gateway in &mut self.gateways {
            gateway.stop().await?;
        }
        Ok(())
    }

    /// Kills the database's server.
    pub(crate) async fn kill_server(&self) -> anyhow::Result<()> {
        Ok(self.own_server()?.kill().await?)
    }

    /// Starts it again.
    pub(crate) async fn start_server(&self) -> anyhow::Result<()> {
        Ok(self.own_server()?.start_again().await?)
    }

    fn own_server(&self) -> anyhow::Result<&Server> {
        self.server
            .as_ref()
            .context("there is no server of our own")
    }

    /// What `portcullis audit verify` finds wrong.
    pub(crate) async fn verify_audit(&self) -> anyhow::Result<Vec<String>> {
        let output = self.setup.verify_audit().output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed = String::from_utf8_lossy(&output.stderr).into_owned();
        let problem = format!("the audit log does not verify: {said}{failed}");
        Ok((!output.status.success())
            .then_some(problem)
            .into_iter()
            .collect())
    }

    pub(crate) fn panics(&self) -> Vec<String> {
        let panics = self.gateways.iter().flat_map(Gateway::panics);
        panics
            .map(|line| format!("a gateway panicked: {line}"))
            .collect()
    }
}

async fn create_database() -> anyhow::Result<Option<TestDatabase>> {
    let created = TestDatabase::create_empty().await;
    created.map_err(|error| anyhow!("{error}"))
}
