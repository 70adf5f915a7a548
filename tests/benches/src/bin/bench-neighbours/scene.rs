//! The gateway, its upstreams, and both organizations.

use std::net::SocketAddr;

use anyhow::Context as _;
use portcullis_benches::fake::Fake;
use portcullis_benches::gateway::{Gateway, Launch};
use portcullis_benches::operator::{Operator, Session};
use portcullis_benches::wire::Connection;
use serde_json::{Value, json};

use crate::hostile::Hostile;
use crate::options::Options;

/// The id of the test guest.
pub(crate) const PROBE: &str = "probe";

/// Of every call, so that an attack is over soon after it was called off. While it
/// goes on nothing is different: what ends is begun again.
const DEADLINE_MS: &str = "5000";

const HOSTILE_ORGANIZATION: &str = "hostile";

/// All of it; it ends with this value.
pub(crate) struct Scene {
    pub(crate) address: SocketAddr,
    /// The session that is measured.
    pub(crate) honest: Session,
    /// Those that attack.
    pub(crate) attackers: Vec<Session>,
    _gateway: Gateway,
    _linear: Fake,
    _hostile: Hostile,
}

impl Scene {
    pub(crate) async fn set(options: &Options, storage: &str) -> anyhow::Result<Self> {
        let linear = Fake::start().await?;
        let hostile = Hostile::start().await?;
        let gateway = Launch::new(&options.program, storage)?
            .set("PORTCULLIS__PLUGINS__REQUIRE_SIGNED", "none")
            .set("PORTCULLIS__ADMISSION__INVOCATIONS_PER_MINUTE", "100000000")
            .set("PORTCULLIS__SANDBOX__DEADLINE_MS", DEADLINE_MS)
            .start()
            .await?;
        let mut operator = Operator::at(&gateway).await?;
        let connection = operator.connect(&linear).await?;
        let honest = operator.open_session(&[&connection]).await?;
        let attackers = attackers(&gateway, &hostile, options).await?;
        Ok(Self {
            address: gateway.address,
            honest,
            attackers,
            _gateway: gateway,
            _linear: linear,
            _hostile: hostile,
        })
    }

    /// The actions of the test guest, as the gateway lists them.
    pub(crate) async fn actions(&self) -> anyhow::Result<Vec<Value>> {
        let (session, token) = self.attackers.first().context("nobody attacks")?;
        let path = format!("/{session}/actions/available");
        let mut connection = Connection::open(self.address).await?;
        let available = connection
            .exchange(http::Method::GET, &path, token, &Value::Null)
            .await?;
        let actions = available.get("actions").and_then(Value::as_array);
        let actions = actions.context("no list of actions")?.iter();
        let of_probe = |action: &&Value| action.get("sourceId").is_some_and(|id| id == PROBE);
        Ok(actions.filter(of_probe).cloned().collect())
    }
}

/// The organization that attacks: the test guest, and an upstream of its own.
async fn attackers(
    gateway: &Gateway,
    hostile: &Hostile,
    options: &Options,
) -> anyhow::Result<Vec<Session>> {
    let mut operator = Operator::of(gateway, HOSTILE_ORGANIZATION).await?;
    let component = options.program.target.join("guests/test-guests.wasm");
    let component = std::fs::read(&component)
        .with_context(|| format!("cannot read {}", component.display()))?;
    operator.install(component).await?;
    operator.organize().await?;
    operator
        .post("/v1/egress-grants", json!({ "origin": hostile.url }))
        .await?;
    let connection = operator
        .connect_provider(json!({
            "provider": PROBE,
            "credential": { "type": "token", "token": "worth-nothing-to-anybody" },
            "baseUrls": { "api": hostile.url, "open": hostile.url },
        }))
        .await?;
    let mut sessions = Vec::new();
    for _ in 0..options.attackers {
        sessions.push(operator.open_session(&[&connection]).await?);
    }
    Ok(sessions)
}
