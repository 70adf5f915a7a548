//! What a fresh database is given, through the gateway's own interface: two
//! organizations, people who decide, and sessions of agents with several tempers.

use std::net::SocketAddr;

use anyhow::Context as _;
use http::Method;
use portcullis_test_canary::canary;
use portcullis_upstreams::FakeUpstream;
use serde_json::{Value, json};

use crate::wire::{Call, Wire};

/// What the fake Linear accepts.
pub(crate) const LINEAR_TOKEN: &str = canary!("lin_api_crash_");

/// Where requests wait for minutes.
pub(crate) const PATIENT: &str = "patient";

/// Where they wait for a second, and many expire.
const HASTY: &str = "hasty";

/// Who decides, in both.
pub(crate) const ADMIN: &str = "ada";

/// What agents write with; reads are allowed, and `update_issue` is denied.
pub(crate) const WRITES: [&str; 2] = ["create_issue", "add_comment"];

/// How an agent's writes are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temper {
    /// Its automation lets them through.
    Trusted,
    /// They wait for a person, who decides sooner or later.
    Asking,
    /// They wait for a second.
    Hasty,
    /// They wait until somebody approves for good, and then until somebody takes
    /// that back.
    Learning,
}

const TEMPERS: [Temper; 10] = [
    Temper::Trusted,
    Temper::Trusted,
    Temper::Trusted,
    Temper::Trusted,
    Temper::Asking,
    Temper::Asking,
    Temper::Asking,
    Temper::Hasty,
    Temper::Hasty,
    Temper::Learning,
];

/// An agent's session, and who may decide about it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) admin_token: String,
    pub(crate) temper: Temper,
    /// Where the modes of a learning agent are, without the action.
    pub(crate) modes_path: Option<String>,
}

/// Everything that was made.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) operator_key: String,
    pub(crate) sessions: Vec<Session>,
    /// Of each organization, its id and the token of who decides there.
    pub(crate) admins: Vec<(&'static str, String)>,
}

impl World {
    pub(crate) async fn make(
        gateway: SocketAddr,
        operator_key: &str,
        linear: &FakeUpstream,
    ) -> anyhow::Result<Self> {
        let mut operator = Operator {
            wire: Wire::default(),
            gateway,
            key: operator_key,
        };
        let grant = json!({ "origin": linear.url() });
        operator.post("/v1/egress-grants", grant).await?;
        let patient = operator.organization(PATIENT, linear).await?;
        let hasty = operator.organization(HASTY, linear).await?;
        let times = json!({ "interactiveSeconds": 1 });
        operator
            .put(&format!("/v1/orgs/{HASTY}/approvals"), times)
            .await?;
        let mut sessions = Vec::new();
        for temper in TEMPERS {
            let organization = if temper == Temper::Hasty {
                &hasty
            } else {
                &patient
            };
            sessions.push(operator.session(organization, temper).await?);
        }
        Ok(Self {
            operator_key: operator_key.to_owned(),
            sessions,
            admins: vec![(PATIENT, patient.admin_token), (HASTY, hasty.admin_token)],
        })
    }
}

struct Organization {
    id: &'static str,
    connection: String,
    admin_token: String,
}

struct Operator<'a> {
    wire: Wire,
    gateway: SocketAddr,
    key: &'a str,
}

impl Operator<'_> {
    async fn organization(
        &mut self,
        id: &'static str,
        linear: &FakeUpstream,
    ) -> anyhow::Result<Organization> {
        self.post("/v1/orgs", json!({ "id": id, "name": id }))
            .await?;
        let member = format!("/v1/orgs/{id}/members/{ADMIN}");
        self.put(&member, json!({ "role": "admin" })).await?;
        let denied = format!("/v1/orgs/{id}/modes/linear/update_issue");
        self.put(&denied, json!({ "mode": "deny" })).await?;
        let connection = json!({
            "provider": "linear",
            "credential": { "type": "token", "token": LINEAR_TOKEN },
            "baseUrls": { "api": linear.url() },
        });
        let connection = self
            .post(&format!("/v1/orgs/{id}/connections"), connection)
            .await?;
        let token = json!({ "kind": "user", "orgId": id, "userId": ADMIN });
        Ok(Organization {
            id,
            connection: text(&connection, "id")?,
            admin_token: text(&self.post("/v1/tokens", token).await?, "token")?,
        })
    }

    async fn session(
        &mut self,
        organization: &Organization,
        temper: Temper,
    ) -> anyhow::Result<Session> {
        let automation = match temper {
            Temper::Trusted | Temper::Learning => Some(self.automation(organization).await?),
            Temper::Asking | Temper::Hasty => None,
        };
        let modes_path = automation.as_ref().map(|automation| {
            format!(
                "/v1/orgs/{}/automations/{automation}/modes/linear",
                organization.id
            )
        });
        if let (Temper::Trusted, Some(modes)) = (temper, &modes_path) {
            for action in WRITES {
                let path = format!("{modes}/{action}");
                self.put(&path, json!({ "mode": "allow" })).await?;
            }
        }
        let session = json!({
            "connectionIds": [organization.connection],
            "automationId": automation,
        });
        let path = format!("/v1/orgs/{}/sessions", organization.id);
        let id = text(&self.post(&path, session).await?, "id")?;
        let token = json!({ "kind": "sandbox", "sessionId": id });
        Ok(Session {
            token: text(&self.post("/v1/tokens", token).await?, "token")?,
            id,
            admin_token: organization.admin_token.clone(),
            temper,
            modes_path,
        })
    }

    async fn automation(&mut self, organization: &Organization) -> anyhow::Result<String> {
        let path = format!("/v1/orgs/{}/automations", organization.id);
        text(&self.post(&path, json!({ "name": "crash" })).await?, "id")
    }

    async fn post(&mut self, path: &str, body: Value) -> anyhow::Result<Value> {
        let call = Call::post(path.to_owned(), self.key, body);
        self.wire.expect(self.gateway, &call).await
    }

    async fn put(&mut self, path: &str, body: Value) -> anyhow::Result<Value> {
        let call = Call {
            method: Method::PUT,
            ..Call::post(path.to_owned(), self.key, body)
        };
        self.wire.expect(self.gateway, &call).await
    }
}

fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    let value = answer.get(field).and_then(Value::as_str);
    value
        .map(str::to_owned)
        .with_context(|| format!("the answer has no `{field}`: {answer}"))
}
