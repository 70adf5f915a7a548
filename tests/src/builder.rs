//! How a host is made.

use std::path::Path;
use std::sync::Arc;

use portcullis::audit::{self, GATEWAY, Happened};
use portcullis::config::Config;
use portcullis::gateway::Gateway;
use portcullis::sources::Sources;
use portcullis::vault::Vault;
use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_storage::{SqliteOptions, SqliteStorage, Storage};
use portcullis_test_postgres::TestDatabase;
use serde_json::json;
use tempfile::TempDir;

use crate::clock::ManualClock;
use crate::clocked::{Arrivals, ClockedStorage};
use crate::component::{LinearVersion, ProbeVersion, compile_worker, plugins_directory};
use crate::host::TestHost;
use crate::provider::{Provider, Upstreams};
use crate::{ADMIN, MASTER_KEY, MEMBER, OPERATOR_KEY, ORG, component, log};

/// How the gateways of a host are opened.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// Of no meaning on Postgres.
    storage: SqliteOptions,
    /// Which Linear is served.
    pub(crate) linear: LinearVersion,
    /// Whether Sentry and Slack are served and connected as well.
    all_providers: bool,
    /// Which test guests are served beside it.
    probe: ProbeVersion,
    /// Of all gateways of the host.
    pub(crate) arrivals: Arc<Arrivals>,
    /// Whether gateways do not hear of changes, not even of their own.
    hints_are_lost: bool,
}

impl Setup {
    /// The same with this version of Linear.
    pub(crate) fn with(&self, linear: LinearVersion) -> Self {
        Self {
            linear,
            ..self.clone()
        }
    }

    /// What is served and connected, Linear first.
    fn providers(&self) -> &'static [Provider] {
        if self.all_providers {
            &Provider::ALL
        } else {
            &[Provider::Linear]
        }
    }

    /// The same with this version of the test guests.
    pub(crate) fn with_probe(&self, probe: ProbeVersion) -> Self {
        Self {
            probe,
            ..self.clone()
        }
    }
}

/// Settings of a [`TestHost`].
#[derive(Default)]
pub struct TestHostBuilder {
    overrides: Vec<(&'static str, String)>,
    without_grant: bool,
    data: Option<TempDir>,
    database: Option<Arc<TestDatabase>>,
    setup: Setup,
}

impl TestHostBuilder {
    /// Sets a key of the configuration.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers give literals, without an ampersand"
    )]
    pub fn set(mut self, key: &'static str, value: impl ToString) -> Self {
        self.overrides.push((key, value.to_string()));
        self
    }

    /// Leaves the fake's origin without a grant.
    #[must_use]
    pub fn without_grant(mut self) -> Self {
        self.without_grant = true;
        self
    }

    /// Opens the database like this.
    #[must_use]
    pub fn storage(mut self, options: SqliteOptions) -> Self {
        self.setup.storage = options;
        self
    }

    /// Serves another version of Linear than the one that was built. On new data it
    /// must not be absent, since it is connected at the start.
    #[must_use]
    pub fn linear(mut self, version: LinearVersion) -> Self {
        self.setup.linear = version;
        self
    }

    /// Serves the test guests as well, as the provider `probe`.
    #[must_use]
    pub fn with_probe(self) -> Self {
        self.probe(ProbeVersion::Built)
    }

    /// Serves this version of the test guests as well.
    #[must_use]
    pub fn probe(mut self, version: ProbeVersion) -> Self {
        self.setup.probe = version;
        self
    }

    /// Serves Sentry and Slack as well, and connects them.
    #[must_use]
    pub fn all_providers(mut self) -> Self {
        self.setup.all_providers = true;
        self
    }

    /// Loses every hint.
    #[must_use]
    pub fn without_hints(mut self) -> Self {
        self.setup.hints_are_lost = true;
        self
    }

    /// Opens the data of an earlier host, in which everything is set up.
    #[must_use]
    pub fn with_data(mut self, data: TempDir) -> Self {
        self.data = Some(data);
        self
    }

    /// Keeps its rows in a Postgres database of its own, which goes with the host.
    /// None when there is no server to make it on, after saying so; under CI that
    /// is a failure.
    pub async fn postgres(mut self) -> Option<Self> {
        let database = TestDatabase::create().await.expect("a database")?;
        self.overrides
            .push(("storage.url", database.url().to_owned()));
        self.database = Some(Arc::new(database));
        Some(self)
    }

    /// Puts something between the gateway and its Postgres that listens at this
    /// URL.
    #[must_use]
    pub fn postgres_at(self, url: &str) -> Self {
        assert!(self.database.is_some(), "the database must be on Postgres");
        self.set("storage.url", url)
    }

    /// Whether its rows are kept in Postgres.
    pub fn is_on_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// The database on Postgres.
    ///
    /// # Panics
    ///
    /// When it is on SQLite.
    pub fn database(&self) -> &TestDatabase {
        self.database.as_ref().expect("a database on Postgres")
    }

    /// Starts the fakes, the gateway, and sets up an organization with an admin,
    /// a member, a connection for each provider and a session.
    pub async fn start(self) -> TestHost {
        log::capture();
        let is_new = self.data.is_none();
        let data = self
            .data
            .unwrap_or_else(|| tempfile::tempdir().expect("a folder"));
        let clock = Arc::new(ManualClock::default());
        let config = test_config(data.path(), &self.overrides);
        let gateway = open(config, &self.setup, Arc::clone(&clock)).await;
        let upstreams = Arc::new(Upstreams::start(&clock).await);
        let providers = self.setup.providers();
        let mut host = TestHost::new(gateway, clock, upstreams, data, self.database, self.setup);
        if is_new {
            record_served(&host.gateway).await;
            set_up(&mut host, providers, !self.without_grant).await;
        }
        host
    }
}

/// The configuration of a gateway whose database is in this folder, unless
/// `storage.url` is overridden.
pub fn test_config(data: &Path, overrides: &[(&'static str, String)]) -> Config {
    let database = data.join("portcullis.db");
    let mut all = vec![
        ("auth.operator_key", OPERATOR_KEY.to_owned()),
        ("auth.token_secret", "t".repeat(40)),
        ("secrets.master_key", MASTER_KEY.to_owned()),
        ("storage.url", format!("sqlite:{}", database.display())),
        // Few, since many tests share a server.
        ("storage.max_connections", "8".to_owned()),
        ("sandbox.guest_threads", "2".to_owned()),
        (
            "plugins.compile_worker",
            compile_worker().display().to_string(),
        ),
        // What is compiled is the same whoever asks; each test would take seconds for it.
        ("plugins.cache_directory", compiled_directory()),
        // Tests share the sandbox; on a busy machine nobody is turned away.
        ("sandbox.queue_timeout_ms", "60000".to_owned()),
    ];
    all.extend_from_slice(overrides);
    Config::load(None, &all).expect("a configuration")
}

/// Where tests keep what they compiled, for each other and for the next run.
fn compiled_directory() -> String {
    let directory = plugins_directory().join("../tmp/compiled");
    std::fs::create_dir_all(directory.join("..")).expect("a folder");
    directory.display().to_string()
}

/// What most tests call needs no registry: it is served as if it had been installed,
/// and whatever is installed replaces it.
const UNREGISTERED: u64 = 0;

/// As [`portcullis::open`], with the clock and the plugins that tests share.
///
/// # Panics
///
/// When the database or a master key is not what the test thinks it is.
pub(crate) async fn open(config: Config, setup: &Setup, clock: Arc<ManualClock>) -> Arc<Gateway> {
    let storage = open_storage(&config, setup, &clock).await;
    let vault = Vault::new(&config.master_keys().expect("master keys"));
    portcullis::keys::require_known(&*storage, &vault)
        .await
        .expect("keys");
    let shared = component::load(&config);
    let sources = Sources::default();
    let serve = |plugin| assert!(sources.serve(plugin, UNREGISTERED).is_none());
    if let Some(linear) = shared.linear(setup.linear) {
        serve(linear);
    }
    // Linear comes in versions and has been added above.
    for provider in setup.providers().iter().skip(1) {
        serve(shared.bundled(provider.id()));
    }
    if let Some(probe) = shared.probe(setup.probe) {
        serve(probe);
    }
    let compiler = portcullis::compiling::compiler(&config).expect("a compiler");
    let loader = shared.loader(compiler);
    let gateway = Gateway::new(config, storage, clock, sources, loader)
        .await
        .expect("a gateway");
    let gateway = Arc::new(gateway);
    portcullis::actions::leases::recover(&gateway)
        .await
        .expect("recovery");
    portcullis::plugins::start(&gateway, None)
        .await
        .expect("the plugins that were installed");
    portcullis::reviews::begin_everywhere(&gateway)
        .await
        .expect("baselines");
    gateway
}

/// Tells the record of what is served, as installing it would have.
async fn record_served(gateway: &Gateway) {
    let mut work = gateway.storage.write().await.expect("a database");
    for plugin in gateway.sources.plugins() {
        let happened = Happened {
            organization: None,
            kind: AuditKind::PluginActivated,
            actor: GATEWAY,
            subject: AuditSubject::from(&plugin.descriptor().id),
            details: json!({ "after": { "digest": plugin.digest().to_string() } }),
            at: gateway.clock.now(),
        };
        let recorded = audit::record(gateway, &mut work, happened).await;
        recorded.expect("a record");
    }
    work.save().await.expect("a record");
}

async fn open_storage(
    config: &Config,
    setup: &Setup,
    clock: &Arc<ManualClock>,
) -> Arc<dyn Storage> {
    let url = &config.storage.url;
    let inner: Arc<dyn Storage> = if url.starts_with("sqlite:") {
        let storage = SqliteStorage::open_with(url, &setup.storage).await;
        Arc::new(storage.expect("storage"))
    } else {
        let storage = portcullis_storage::open(url, config.storage.max_connections).await;
        storage.expect("storage")
    };
    Arc::new(ClockedStorage {
        inner,
        clock: Arc::clone(clock),
        arrivals: Arc::clone(&setup.arrivals),
        hints_are_lost: setup.hints_are_lost,
    })
}

async fn set_up(host: &mut TestHost, providers: &[Provider], grant: bool) {
    host.operator("POST", "/v1/orgs", json!({ "id": ORG, "name": "Acme" }))
        .await
        .assert_status(201);
    for (user, role) in [(ADMIN, "admin"), (MEMBER, "member")] {
        host.set_role(user, role).await;
    }
    for provider in providers.iter().filter(|_| grant) {
        let origin = host.upstreams.of(*provider).url().to_owned();
        host.grant(&origin).await;
    }
    host.admin_token = host.user_token(ORG, ADMIN).await;
    host.member_token = host.user_token(ORG, MEMBER).await;
    let mut connections = Vec::new();
    for provider in providers {
        let body = host.upstreams.connection_body(*provider);
        connections.push(host.connect(body).await);
    }
    host.connection_id.clone_from(&connections[0]);
    host.session_id = host
        .open_session(json!({ "title": "A test", "connectionIds": connections }))
        .await;
    host.sandbox_token = host.sandbox_token_of(&host.session_id).await;
}
