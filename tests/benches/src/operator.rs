//! Filling a gateway as an operator would.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::gateway::Gateway;
use crate::wire::Connection;

/// The one organization.
pub const ORGANIZATION: &str = "bench";

/// A session and its agent's token.
pub type Session = (String, String);

/// An operator at work on one organization.
pub struct Operator<'a> {
    connection: Connection,
    key: &'a str,
    organization: &'static str,
}

impl<'a> Operator<'a> {
    /// Connects, for the usual organization.
    pub async fn at(gateway: &'a Gateway) -> anyhow::Result<Self> {
        Self::of(gateway, ORGANIZATION).await
    }

    /// Connects, for this organization.
    pub async fn of(gateway: &'a Gateway, organization: &'static str) -> anyhow::Result<Self> {
        Ok(Self {
            connection: Connection::open(gateway.address).await?,
            key: &gateway.operator_key,
            organization,
        })
    }

    /// Makes the organization.
    pub async fn organize(&mut self) -> anyhow::Result<()> {
        let organization = json!({ "id": self.organization, "name": "Bench" });
        self.post("/v1/orgs", organization).await.map(drop)
    }

    /// Makes the organization, and connects it to the fake; the connection's id.
    pub async fn connect(&mut self, fake: &Fake) -> anyhow::Result<String> {
        self.organize().await?;
        let grant = json!({ "origin": fake.url });
        self.post("/v1/egress-grants", grant).await?;
        let linear = json!({
            "provider": "linear",
            "credential": { "type": "token", "token": fake.token },
            "baseUrls": { "api": fake.url },
        });
        self.connect_provider(linear).await
    }

    /// Makes a connection; its id.
    pub async fn connect_provider(&mut self, connection: Value) -> anyhow::Result<String> {
        let path = format!("/v1/orgs/{}/connections", self.organization);
        text(&self.post(&path, connection).await?, "id")
    }

    /// Opens a session that may use these connections, and the providers that need
    /// none.
    pub async fn open_session(&mut self, connections: &[&str]) -> anyhow::Result<Session> {
        let path = format!("/v1/orgs/{}/sessions", self.organization);
        let session = json!({ "title": "Bench", "connectionIds": connections });
        let id = text(&self.post(&path, session).await?, "id")?;
        let token = json!({ "kind": "sandbox", "sessionId": id });
        let token = text(&self.post("/v1/tokens", token).await?, "token")?;
        Ok((id, token))
    }

    /// Installs a component that has to serve at once; its digest.
    pub async fn install(&mut self, component: Vec<u8>) -> anyhow::Result<String> {
        let request = Request::post("/v1/plugins")
            .header(header::HOST, "gateway")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/wasm")
            .body(Full::new(Bytes::from(component)))?;
        let (status, answer) = self.connection.send(request).await?;
        ensure!(
            status == StatusCode::CREATED,
            "installing was answered {status}: {}",
            String::from_utf8_lossy(&answer)
        );
        text(&serde_json::from_slice(&answer)?, "digest")
    }

    /// Lets a version of a plugin serve that has served before.
    pub async fn roll_back(&mut self, plugin: &str, digest: &str) -> anyhow::Result<()> {
        let path = format!("/v1/plugins/{plugin}/rollback");
        let to = json!({ "digest": digest });
        self.post(&path, to).await.map(drop)
    }

    /// Gets something that must be there.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        let nothing = Value::Null;
        let got = self
            .connection
            .exchange(Method::GET, path, self.key, &nothing);
        got.await
    }

    /// Makes an admin, and a token for them.
    pub async fn admin(&mut self) -> anyhow::Result<String> {
        let member = format!("/v1/orgs/{}/members/ada", self.organization);
        self.put(&member, json!({ "role": "admin" })).await?;
        let token = json!({ "kind": "user", "orgId": self.organization, "userId": "ada" });
        text(&self.post("/v1/tokens", token).await?, "token")
    }

    /// Posts something that must succeed.
    pub async fn post(&mut self, path: &str, body: Value) -> anyhow::Result<Value> {
        let posted = self
            .connection
            .exchange(Method::POST, path, self.key, &body);
        posted.await
    }

    /// Puts something that must succeed.
    pub async fn put(&mut self, path: &str, body: Value) -> anyhow::Result<Value> {
        let put = self.connection.exchange(Method::PUT, path, self.key, &body);
        put.await
    }
}

/// A text field of an answer.
pub fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    let value = answer.get(field).and_then(Value::as_str);
    value
        .map(str::to_owned)
        .with_context(|| format!("the answer has no `{field}`: {answer}"))
}
