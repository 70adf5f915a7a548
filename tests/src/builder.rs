//! How a host is made.

use std::sync::Arc;

use portcullis::config::Config;
use portcullis::gateway::Gateway;
use portcullis::sources::Sources;
use portcullis_storage::{SqliteStorage, Storage as _};
use portcullis_upstreams::{FakeLinear, FakeLinearOptions};
use serde_json::json;
use tempfile::TempDir;

use crate::clock::ManualClock;
use crate::component::{sandbox_and_linear, small};
use crate::host::{TestHost, Upstreams};
use crate::{ADMIN, LINEAR_TOKEN, MEMBER, OPERATOR_KEY, ORG};

/// Settings of a [`TestHost`].
#[derive(Debug, Default)]
pub struct TestHostBuilder {
    overrides: Vec<(&'static str, String)>,
    without_grant: bool,
    data: Option<TempDir>,
}

impl TestHostBuilder {
    /// Sets a key of the configuration.
    #[must_use]
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

    /// Opens an earlier host's data, in which everything has been set up.
    #[must_use]
    pub fn with_data(mut self, data: TempDir) -> Self {
        self.data = Some(data);
        self
    }

    /// Starts the fake, the gateway, and sets up an organization with an admin,
    /// a member, a connection and a session.
    pub async fn start(self) -> TestHost {
        let options = FakeLinearOptions::new(LINEAR_TOKEN);
        let linear = FakeLinear::start(options).await.expect("the fake Linear");
        let is_new = self.data.is_none();
        let data = self
            .data
            .unwrap_or_else(|| tempfile::tempdir().expect("a folder"));
        let clock = Arc::new(ManualClock::default());
        let gateway = open(&self.overrides, &data, Arc::clone(&clock)).await;
        let upstreams = Upstreams { linear };
        let mut host = TestHost::new(gateway, clock, upstreams, data);
        if is_new {
            set_up(&mut host, !self.without_grant).await;
        }
        host
    }
}

async fn open(
    overrides: &[(&'static str, String)],
    data: &TempDir,
    clock: Arc<ManualClock>,
) -> Arc<Gateway> {
    let mut all = vec![
        ("auth.operator_key", OPERATOR_KEY.to_owned()),
        ("auth.token_secret", "t".repeat(40)),
        ("secrets.master_key", "5a".repeat(32)),
    ];
    all.extend(overrides.iter().cloned());
    let config = Config::load(None, &all).expect("a configuration");
    let storage = SqliteStorage::open(&format!(
        "sqlite:{}",
        data.path().join("portcullis.db").display()
    ))
    .await
    .expect("storage");
    storage.ping().await.expect("a database that answers");

    let mut sandbox_config = config.sandbox();
    sandbox_config.guest_threads = small().guest_threads;
    let (sandbox, linear) = sandbox_and_linear(sandbox_config);
    let mut sources = Sources::default();
    sources.add("linear", linear);
    let gateway = Gateway::new(
        config,
        Arc::new(storage),
        clock,
        sources,
        sandbox.allocator(),
    )
    .expect("a gateway");
    portcullis::actions::upkeep::recover(&gateway)
        .await
        .expect("recovery");
    Arc::new(gateway)
}

async fn set_up(host: &mut TestHost, grant: bool) {
    host.operator("POST", "/v1/orgs", json!({ "id": ORG, "name": "Acme" }))
        .await
        .assert_status(201);
    for (user, role) in [(ADMIN, "admin"), (MEMBER, "member")] {
        let path = format!("/v1/orgs/{ORG}/members/{user}");
        host.operator("PUT", &path, json!({ "role": role }))
            .await
            .assert_status(200);
    }
    if grant {
        let origin = host.upstreams.linear.url().to_owned();
        host.operator("POST", "/v1/egress-grants", json!({ "origin": origin }))
            .await
            .assert_status(201);
    }
    host.admin_token = host.user_token(ORG, ADMIN).await;
    host.member_token = host.user_token(ORG, MEMBER).await;
    host.connection_id = host.connect(json!({})).await;
    let connection_id = host.connection_id.clone();
    host.session_id = host
        .open_session(json!({ "title": "A test", "connectionIds": [connection_id] }))
        .await;
    host.sandbox_token = host.sandbox_token_of(&host.session_id).await;
}
